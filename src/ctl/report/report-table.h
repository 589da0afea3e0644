/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "ctl/report/report-page.h"

/* The tables of a report, each with its heading. */
void tw_report_add_alerts(const struct tw_report *report, struct tw_out *out);
void tw_report_add_flights(const struct tw_report *report, struct tw_out *out);
void tw_report_add_sysctls(const struct tw_report *report, struct tw_out *out);
void tw_report_add_records(const struct tw_report *report, struct tw_out *out);
