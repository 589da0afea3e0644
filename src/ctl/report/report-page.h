/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "ctl/out.h"
#include "ctl/past/past.h"
#include "model/flow.h"

/* Flight recorders that a page shows: more are no longer read. */
#define TW_REPORT_FLIGHTS_MAX 20

/* The tables of the flight recorder. */
enum tw_report_table {
	TW_REPORT_DESTINATIONS,
	TW_REPORT_LISTENERS,
	TW_REPORT_UNITS,
	TW_REPORT_BOUND,
	TW_REPORT_TABLES,
};

/* One raised record; the texts as they were read, "" for what it does not have. */
struct tw_report_flight {
	usec_t at_usec;
	char *rule, *message;
	char *tables[TW_REPORT_TABLES];
	struct tw_value numbers[TW_STATE_COUNT];
	struct tw_value usable_ports;
};

/* Everything that a page is made of. Filled by taking records in. */
struct tw_report {
	const char *namespace; /* borrows */
	char host[256];	       /* "" where it is not known */
	char kernel[256];      /* likewise */
	usec_t made_usec;
	usec_t from_usec, to_usec; /* of the page: to > from */
	usec_t first_usec, last_usec;
	struct tw_series port_use;
	struct tw_series states[TW_STATE_COUNT];
	struct tw_happened happened;
	struct tw_past_alerts alerts;
	struct tw_value level; /* at which port-use was raised first; unknown where it was not */
	size_t flight_count;   /* that there were */
	struct tw_report_flight flights[TW_REPORT_FLIGHTS_MAX];
};

void tw_report_init(struct tw_report *report, const char *namespace);
void tw_report_done(struct tw_report *report);

/* Returns 0 or -ENOMEM. */
int tw_report_take(struct tw_report *report, usec_t at_usec, const struct tw_record *record);

/* The page: HTML that is also well-formed XML, needs nothing but itself, and runs nothing. */
void tw_report_write(const struct tw_report *report, struct tw_out *out);
