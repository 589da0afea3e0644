/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "decide/gate.h"

#include "base/macros.h"
#include "base/text.h"

#include <inttypes.h>

/* Below this share of its ports the busiest destination is short of nothing: connect() finds one at once. */
#define SHORT_OF_PORTS_MILLI (20 * 1000)
/* TIME-WAIT comes near to tcp_max_tw_buckets. */
#define BUCKETS_MILLI (50 * 1000)
#define MIB (UINT64_C(1) << 20)

/* ---- what the sample tells; what it does not tell is neither below anything nor zero */

static bool is_below(struct tw_value value, int64_t milli)
{
	return value.known && value.milli < milli;
}

static bool is_zero(struct tw_value value)
{
	return value.known && value.milli == 0;
}

static bool live_is(const struct tw_sample *sample, enum tw_tunable tunable, int64_t number)
{
	const struct tw_live_value *live = &sample->gauge.sysctls[tunable];

	return live->known && live->value.numbers[0] == number;
}

static bool survey_holds(const struct tw_survey *survey)
{
	return survey->at_usec != 0 && !survey->partial;
}

/* NULL where no destination has a port, or none is known. */
static const struct tw_destination_row *find_busiest(const struct tw_sample *sample)
{
	const struct tw_survey *survey = &sample->survey;

	return survey_holds(survey) && survey->has_busiest && survey->top_count > 0 ? &survey->top[0] : NULL;
}

/* More than half of all TIME-WAIT. */
static bool is_server_side(const struct tw_sample *sample)
{
	const struct tw_survey *survey = &sample->survey;

	return survey_holds(survey) && survey->accepting_time_wait > survey->time_wait / 2;
}

/* ---- the checks */

static enum tw_gate_verdict check_ports(const struct tw_sample *sample)
{
	if (!survey_holds(&sample->survey) || !is_below(sample->survey.port_use, SHORT_OF_PORTS_MILLI))
		return TW_GATE_OPEN;
	return is_server_side(sample) ? TW_GATE_SERVER_SIDE : TW_GATE_PORTS_FREE;
}

/* Who holds the ports of the busiest destination, where that is not TIME-WAIT. */
static enum tw_gate_verdict check_holders(const struct tw_sample *sample)
{
	const struct tw_destination_row *busiest = find_busiest(sample);
	uint64_t bound = sample->survey.bound_ports;

	if (!survey_holds(&sample->survey))
		return TW_GATE_OPEN;
	if (bound > (busiest ? busiest->ports : 0))
		return TW_GATE_HELD_BOUND;
	if (busiest && (uint64_t)busiest->time_wait * 4 < busiest->ports)
		return TW_GATE_HELD_ESTABLISHED;
	return TW_GATE_OPEN;
}

/* tcp_tw_reuse=2, the kernel's default, is 1 for loopback alone: either end of it (tcp_twsk_unique()). */
static bool covered_on_loopback(enum tw_tunable tunable, const struct tw_sample *sample)
{
	const struct tw_destination_row *busiest = find_busiest(sample);

	return tunable == TW_TUNABLE_TW_REUSE && live_is(sample, tunable, 2) && busiest &&
	       (tw_address_is_loopback(&busiest->key.destination) || tw_address_is_loopback(&busiest->key.source));
}

static enum tw_gate_verdict check_reuse(enum tw_tunable tunable, const struct tw_tunable_value *value,
					const struct tw_sample *sample)
{
	const struct tw_live_value *live = &sample->gauge.sysctls[tunable];
	enum tw_gate_verdict verdict;

	/* To turn it off needs no reason. */
	if (value->numbers[0] == 0)
		return TW_GATE_OPEN;
	if (live->known && tw_tunable_equal(tunable, &live->value, value))
		return TW_GATE_ALREADY;
	if (covered_on_loopback(tunable, sample))
		return TW_GATE_ALREADY;
	if (live_is(sample, TW_TUNABLE_TIMESTAMPS, 0))
		return TW_GATE_NO_TIMESTAMPS;
	verdict = check_ports(sample);
	return verdict != TW_GATE_OPEN ? verdict : check_holders(sample);
}

static enum tw_gate_verdict check_buckets(const struct tw_sample *sample)
{
	return is_zero(tw_sample_metric(sample, TW_METRIC_TIME_WAIT_OVERFLOW)) &&
			       is_below(tw_sample_metric(sample, TW_METRIC_TIME_WAIT_BUCKETS), BUCKETS_MILLI)
		       ? TW_GATE_NO_OVERFLOW
		       : TW_GATE_OPEN;
}

static enum tw_gate_verdict check_fin_wait_2(const struct tw_sample *sample)
{
	return is_zero(tw_sample_metric(sample, TW_METRIC_OF_STATE(TW_STATE_FIN_WAIT_2))) &&
			       sample->census.mini_fin_wait_2 == 0
		       ? TW_GATE_NO_FIN_WAIT_2
		       : TW_GATE_OPEN;
}

enum tw_gate_verdict tw_gate_check(enum tw_tunable tunable, const struct tw_tunable_value *value,
				   const struct tw_sample *sample)
{
	switch (tw_tunable_info(tunable)->gate) {
	case TW_GATE_NONE:
		return TW_GATE_OPEN;
	case TW_GATE_REUSE:
		return check_reuse(tunable, value, sample);
	case TW_GATE_BUCKETS:
		return check_buckets(sample);
	case TW_GATE_FIN_WAIT_2:
		return check_fin_wait_2(sample);
	case TW_GATE_AUTOBIND:
		return TW_GATE_OPEN;
	}
	return TW_GATE_OPEN;
}

/* ---- the words */

static void add_metric(struct tw_text *text, const struct tw_sample *sample, enum tw_metric metric)
{
	tw_value_add(text, tw_sample_metric(sample, metric), tw_metric_info(metric)->unit);
}

static void add_live(struct tw_text *text, const struct tw_sample *sample, enum tw_tunable tunable)
{
	const struct tw_live_value *live = &sample->gauge.sysctls[tunable];
	char value[TW_TUNABLE_VALUE_MAX];

	tw_text_add(text, live->known ? tw_tunable_format(tunable, &live->value, value) : "unknown");
}

static void add_destination(struct tw_text *text, const struct tw_destination_row *row)
{
	tw_endpoint_add(text, &row->key.destination, row->key.port);
}

static void say_no_timestamps(struct tw_text *text, enum tw_tunable tunable, const struct tw_sample *sample)
{
	tw_text_addf(text, "%s would do nothing: it needs %s, which is ", tw_tunable_info(tunable)->key,
		     tw_tunable_info(TW_TUNABLE_TIMESTAMPS)->key);
	add_live(text, sample, TW_TUNABLE_TIMESTAMPS);
	tw_text_add(text, " here");
}

static void say_already(struct tw_text *text, enum tw_tunable tunable, const struct tw_sample *sample)
{
	tw_text_addf(text, "%s is ", tw_tunable_info(tunable)->key);
	add_live(text, sample, tunable);
	tw_text_add(text, " already");
	if (!covered_on_loopback(tunable, sample))
		return;
	tw_text_add(text, ", which covers loopback, and the busiest destination, ");
	tw_destination_add(text, &find_busiest(sample)->key);
	tw_text_add(text, ", is there");
}

static void say_held_established(struct tw_text *text, enum tw_tunable tunable TW_UNUSED,
				 const struct tw_sample *sample)
{
	const struct tw_destination_row *row = find_busiest(sample);

	if (!row)
		return;
	tw_text_addf(text, "%" PRIu32 " of %" PRIu32 " ports towards ", row->ports - TW_MIN(row->ports, row->time_wait),
		     row->ports);
	add_destination(text, row);
	tw_text_add(text, " are held by live connections, ");
	tw_value_add(text, tw_value_percent(row->time_wait, row->ports), TW_UNIT_PERCENT);
	tw_text_add(text, " by TIME-WAIT");
}

static void say_held_bound(struct tw_text *text, enum tw_tunable tunable TW_UNUSED, const struct tw_sample *sample)
{
	const struct tw_destination_row *row = find_busiest(sample);
	uint32_t bound = sample->survey.bound_ports;

	tw_text_addf(text, "%" PRIu32 " of %" PRIu64 " ports in use are held by sockets that are bound, not connected",
		     bound, (uint64_t)bound + (row ? row->ports : 0));
}

static void say_server_side(struct tw_text *text, enum tw_tunable tunable TW_UNUSED, const struct tw_sample *sample)
{
	uint64_t count = sample->survey.accepting_time_wait;
	uint64_t mib = (count * TW_TIME_WAIT_BYTES + MIB / 2) / MIB;

	tw_text_addf(text, "%" PRIu64 " sockets are in TIME-WAIT on the accepting side, where they cost memory of ",
		     count);
	if (mib > 0)
		tw_text_addf(text, "about %" PRIu64 " MiB", mib);
	else
		tw_text_add(text, "less than 1 MiB");
	tw_text_add(text, " and no port");
}

static void say_ports_free(struct tw_text *text, enum tw_tunable tunable TW_UNUSED, const struct tw_sample *sample)
{
	const struct tw_destination_row *row = find_busiest(sample);

	tw_text_add(text, "no destination is short of ports: ");
	if (row) {
		tw_text_add(text, "the busiest, ");
		add_destination(text, row);
		tw_text_add(text, ", uses ");
	} else {
		tw_text_add(text, "in use are ");
	}
	add_metric(text, sample, TW_METRIC_PORT_USE);
	tw_text_addf(text, " of %" PRIu32, sample->survey.range_ports);
}

static void say_no_overflow(struct tw_text *text, enum tw_tunable tunable TW_UNUSED, const struct tw_sample *sample)
{
	tw_text_add(text, "TIME-WAIT is at ");
	add_metric(text, sample, TW_METRIC_TIME_WAIT_BUCKETS);
	tw_text_add(text, " of net.ipv4.tcp_max_tw_buckets, and no connection is closed without it");
}

static void say_no_fin_wait_2(struct tw_text *text, enum tw_tunable tunable, const struct tw_sample *sample TW_UNUSED)
{
	tw_text_addf(text, "no socket is in FIN-WAIT-2, and %s does not shorten TIME-WAIT: the kernel keeps it for 60s",
		     tw_tunable_info(tunable)->key);
}

#define MORE_PORTS                                                                         \
	"let the client pool its connections, widen net.ipv4.ip_local_port_range, or add " \
	"a source or destination address"

static const struct {
	void (*say)(struct tw_text *text, enum tw_tunable tunable, const struct tw_sample *sample);
	const char *advice;
} words[] = {
	[TW_GATE_OPEN] = { NULL, NULL },
	[TW_GATE_NO_TIMESTAMPS] = { say_no_timestamps, "turn net.ipv4.tcp_timestamps on (both ends need it), or widen "
						       "net.ipv4.ip_local_port_range" },
	[TW_GATE_ALREADY] = { say_already, MORE_PORTS },
	[TW_GATE_HELD_ESTABLISHED] = { say_held_established, MORE_PORTS },
	[TW_GATE_HELD_BOUND] = { say_held_bound, "let the programs close them, connect without bind(), or set "
						 "IP_BIND_ADDRESS_NO_PORT before it" },
	[TW_GATE_SERVER_SIDE] = { say_server_side,
				  "no sysctl is needed; if the memory matters, let the clients close first" },
	[TW_GATE_PORTS_FREE] = { say_ports_free, "no sysctl is needed; a rule over port-use tells when one is" },
	[TW_GATE_NO_OVERFLOW] = { say_no_overflow, "no sysctl is needed; a higher limit would not be reached" },
	[TW_GATE_NO_FIN_WAIT_2] = { say_no_fin_wait_2,
				    "where TIME-WAIT holds ports of outgoing connections, set net.ipv4.tcp_tw_reuse=1 "
				    "or widen net.ipv4.ip_local_port_range" },
};
_Static_assert(TW_ARRAY_SIZE(words) == TW_GATE_NO_FIN_WAIT_2 + 1, "each verdict has its words");

void tw_gate_explain(enum tw_gate_verdict verdict, enum tw_tunable tunable, const struct tw_sample *sample,
		     struct tw_text *reason, struct tw_text *advice)
{
	if (verdict == TW_GATE_OPEN)
		return;
	words[verdict].say(reason, tunable, sample);
	tw_text_add(advice, words[verdict].advice);
}
