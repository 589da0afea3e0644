/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "exporter/exposition.h"
#include "remote/snapshot-read.h"

#include <stdint.h>

/* What there is to tell in one page. */
struct tw_metrics {
	const struct tw_view *view; /* NULL: the daemon did not answer */
	unsigned top;		    /* rows of each table of the first namespace */
	unsigned top_other;	    /* and of each other one */
	uint64_t scrapes;	    /* pages that were asked for */
	uint64_t errors;	    /* times that the daemon did not answer */
	struct tw_value asking;	    /* ms that its last answer took */
};

/* The whole page. */
void tw_metrics_add(struct tw_text *text, enum tw_format format, const struct tw_metrics *metrics);
