/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "ctl/report/report-page.h"

/* The timeline: port-use, and each state of which there was a socket, as SVG; alerts and actions marked in each. */
void tw_report_add_timeline(const struct tw_report *report, struct tw_out *out);
