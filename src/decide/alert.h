/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/duration.h"
#include "decide/proof.h"
#include "decide/reading.h"
#include "model/effect.h"
#include "model/event.h"
#include "model/metric.h"
#include "model/settings.h"

#include <stdbool.h>
#include <stdint.h>

/* Looks that are summed: they come to a whole TIME-WAIT. */
#define TW_DEMAND_LOOKS ((unsigned)(TW_TIME_WAIT_USEC / TW_SURVEY_YOUNG_USEC))

/*
 * How many TIME-WAIT a destination would have if reuse took none over: those that are younger than five seconds,
 * summed over twelve looks that are five seconds apart. One look alone errs by 45 points where connections come in
 * bursts, twelve by 5.
 */
struct tw_demand {
	unsigned count, next; /* a ring */
	usec_t at_usec;	      /* of the newest */
	struct tw_demand_look {
		usec_t at_usec;
		uint32_t young;
	} looks[TW_DEMAND_LOOKS];
};

/* One look; what comes sooner than five seconds after the last one counts the same sockets again, and is passed over.
 */
void tw_demand_add(struct tw_demand *demand, uint32_t young_time_wait, usec_t at_usec);

/*
 * In sockets, by the looks of the last life of a TIME-WAIT, 60 s if nobody has shortened it: as many as were seen, and
 * as many as it would be if the looks that are not there had been like them. 0 without any.
 */
struct tw_demand_count {
	uint64_t seen, expected;
} tw_demand_time_wait(const struct tw_demand *demand, uint32_t life_ms);

/*
 * While tcp_tw_reuse is ours, blocked ports do not tell whether it is needed: what they would come to without it does,
 * for raising too. So a second destination that reuse helps already is an alert of its own.
 */
void tw_demand_judge(const struct tw_demand *demand, const struct tw_rule_settings *settings,
		     const struct tw_sample *sample, const struct tw_in_force *in_force, struct tw_reading *reading);

/* One action of an alert. */
struct tw_alert_action {
	bool wanted;	   /* its gate has opened for this subject: wanted until the alert ends, or it was no use */
	bool refused_told; /* `refused` was told, and stands still */
	int refused;	   /* tw_gate_told() */
	bool rest_told;
	struct tw_proof proof;
};

/*
 * One rule raised for one subject, from the first value over its level to its end:
 *
 *          value over raise, or soon     held for raise-for, looked at twice; or foreseen
 *   normal  -------------------> rising ----------------------------------> raised
 *     ^  ^                         |                                        |   ^
 *     |  '-- value under, not soon-'     pressure down to clear, not soon   |   | pressure up again, or soon
 *     |                                                                     v   |
 *     '------------- value under clear, held for clear-for ---------------- clearing
 *
 * "Over" is at or beyond the level, in the rule's direction. Hold times run between measurements, never over a number
 * of them: an old value proves nothing, and a missing one stops the clock. A rate is held by its average. A forecast
 * does not wait for raise-for: "foreseen" is soon at two measurements in a row, or at one that is over the level
 * already.
 */
struct tw_alert {
	unsigned rule; /* its index */
	enum tw_rule_state state;
	bool frozen;	      /* its value is missing */
	bool seen;	      /* in the measurement that is looked at */
	bool over;	      /* over the level at the last measurement, or soon */
	bool ahead;	      /* raised by the forecast, before the level was held */
	bool quiet;	      /* its rule tells enough others one by one: this is one of so many more */
	bool eased;	      /* raised for what it would come to without what is in force, and never more than that */
	bool mild;	      /* nobody fails or waits yet, and no change of ours would help */
	unsigned looks;	      /* measurements over the level, in a row, while rising */
	unsigned foreseen;    /* measurements that were soon, in a row, while rising */
	usec_t entered_usec;  /* when it came into that state */
	usec_t since_usec;    /* start of the hold that runs: rising or clearing */
	usec_t measured_usec; /* the last measurement taken in; 0: none */
	unsigned __int128 risen; /* of a rate since since_usec, while rising: thousandths, by microseconds */
	usec_t raised_usec;
	usec_t reminded_usec;
	struct tw_value value; /* at that measurement */
	struct tw_subject subject;
	struct tw_demand demand;
	struct tw_alert_action actions[TW_ACTIONS_MAX];
};

/* What a step may have to tell. */
enum tw_alert_edge {
	TW_ALERT_NO_EDGE,
	TW_ALERT_EDGE_RAISED,
	TW_ALERT_EDGE_REMINDED,
	TW_ALERT_EDGE_CLEARED,
};

/* Whether a value is at or beyond the rule's level. */
static inline bool tw_rule_is_over(const struct tw_rule_settings *settings, int64_t milli)
{
	return tw_rule_settings_upward(settings) ? milli >= settings->raise_milli : milli <= settings->raise_milli;
}

/* Whether this reading makes an alert of a subject that has none. */
bool tw_alert_begins(const struct tw_rule_settings *settings, const struct tw_reading *reading);

/*
 * One step with the newest reading, whose value is known. Pure: the alert, the reading and the time in, the alert and
 * an edge out.
 */
enum tw_alert_edge tw_alert_step(struct tw_alert *alert, const struct tw_rule_settings *settings,
				 const struct tw_reading *reading, usec_t now_usec);

/* The same where there is no value: only time passes. */
enum tw_alert_edge tw_alert_wait(struct tw_alert *alert, const struct tw_rule_settings *settings, usec_t now_usec);

/* Of what is told about it: the rule's, where somebody has to do something about it. */
enum tw_severity tw_alert_severity(const struct tw_alert *alert, const struct tw_rule_settings *settings);

/* Whether its actions are wanted. */
static inline bool tw_alert_active(const struct tw_alert *alert)
{
	return alert->state == TW_RULE_RAISED || alert->state == TW_RULE_CLEARING;
}
