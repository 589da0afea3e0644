/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The words of the gate's verdicts, apart from the checks for their length. */
#include "decide/gate.h"

#include "base/macros.h"
#include "base/text.h"
#include "model/port-model.h"

#include <inttypes.h>
#include <string.h>

#define MIB (UINT64_C(1) << 20)

static const char *const states[TW_HOLDER_COUNT] = {
	[TW_HOLDER_TIME_WAIT] = "TIME-WAIT",
	[TW_HOLDER_ESTABLISHED] = "open connections (ESTABLISHED)",
	[TW_HOLDER_SYN_SENT] = "connection attempts that get no answer (SYN-SENT)",
	[TW_HOLDER_FIN_WAIT_2_ORPHANED] = "FIN-WAIT-2: closed here, and the peer has not closed",
	[TW_HOLDER_FIN_WAIT_2] = "FIN-WAIT-2 of a program that has shut down its side and keeps the socket",
	[TW_HOLDER_CLOSE_WAIT] = "CLOSE-WAIT: the peer has closed, and the program here has not",
	[TW_HOLDER_CLOSING] = "FIN-WAIT-1, CLOSING or LAST-ACK: the peer does not acknowledge the close",
};

/* What a sentence is about, with its parts in words. */
struct scene {
	enum tw_tunable tunable;
	const char *key; /* of the tunable */
	const struct tw_sample *sample;
	const struct tw_subject *subject;
	const struct tw_destination_row *row; /* may be NULL */
	char live[TW_TUNABLE_VALUE_MAX];      /* the tunable's value, where it is known */
	char row_text[TW_ENDPOINT_TEXT_MAX];  /* "10.0.0.2:80": the row's */
	/* " towards 10.0.0.2:80": the subject, where that is a destination, else "". */
	char towards[TW_ENDPOINT_TEXT_MAX + sizeof(" towards ")];
};

static void spell_endpoint(char text[TW_ENDPOINT_TEXT_MAX], const struct tw_destination *key)
{
	struct tw_text to;

	tw_text_init(&to, text, TW_ENDPOINT_TEXT_MAX);
	tw_endpoint_add(&to, &key->destination, key->port);
}

/* ---- why reuse does nothing, or is there */

static void say_no_timestamps(struct tw_text *text, const struct scene *scene)
{
	tw_text_addf(text, "%s would do nothing: it needs net.ipv4.tcp_timestamps, which is 0 here", scene->key);
}

static void say_already(struct tw_text *text, const struct scene *scene)
{
	tw_text_addf(text, "%s is %s already", scene->key, scene->live);
	if (!tw_gate_covered(scene->tunable, scene->sample, scene->row))
		return;
	tw_text_add(text, ", which covers loopback, and ");
	tw_destination_add(text, &scene->row->key);
	tw_text_add(text, " is there");
}

static void say_refuted(struct tw_text *text, const struct scene *scene)
{
	const struct tw_live_value *live = &scene->sample->gauge.sysctls[scene->tunable];

	if (live->known && tw_reuse_in_force(live->value.numbers[0], &scene->row->key))
		tw_text_addf(text, "%s is %s, and no port towards %s is taken over", scene->key, scene->live,
			     scene->row_text);
	else
		tw_text_addf(text, "%s would take over no port towards %s", scene->key, scene->row_text);
	tw_text_add(text, ": its connections have no TCP timestamps");
}

/* ---- who holds the ports */

/* "1600 of 1600 ports towards 10.0.0.2:80 are held by SYN-SENT, 0% by TIME-WAIT". */
static void say_held(struct tw_text *text, const struct scene *scene)
{
	const struct tw_destination_row *row = scene->row;
	enum tw_holder holder = tw_gate_holder(row);

	tw_text_addf(text, "%" PRIu32 " of %" PRIu32 " ports towards %s are held by %s, ", row->held[holder],
		     row->ports, scene->row_text, states[holder]);
	tw_value_add(text, tw_value_percent(row->held[TW_HOLDER_TIME_WAIT], row->ports), TW_UNIT_PERCENT);
	tw_text_add(text, " by TIME-WAIT");
}

/*
 * "; to 10.0.0.2:81 net.ipv4.tcp_tw_reuse would give back its 20 ports in TIME-WAIT: a rule for that destination can
 * set it": beside those that are held for all.
 */
static void add_left_waiting(struct tw_text *text, const struct scene *scene)
{
	const struct tw_destination_row *row = tw_gate_left_waiting(scene->sample);
	char to[TW_ENDPOINT_TEXT_MAX];

	if (!row || scene->tunable != TW_TUNABLE_TW_REUSE || !scene->subject->holds_for_all)
		return;
	spell_endpoint(to, &row->key);
	tw_text_addf(text,
		     "; to %s %s would give back its %" PRIu32
		     " ports in TIME-WAIT: a rule for that destination can set it",
		     to, scene->key, row->held[TW_HOLDER_TIME_WAIT]);
}

static void say_held_bound(struct tw_text *text, const struct scene *scene)
{
	const struct tw_survey *survey = &scene->sample->survey;
	uint32_t first = TW_MIN(survey->bound_first_ports, survey->exclusive_ports);

	tw_text_addf(text,
		     "%" PRIu32 " of %" PRIu32
		     " ports are held by sockets that listen or are bound, not connected: for every destination",
		     survey->exclusive_ports - first, survey->usable);
	add_left_waiting(text, scene);
}

/* "1300 of 2000 ports were taken by bind() before connect(), most from 10.0.0.1: such a port is blocked for every ...".
 */
static void say_bound_first(struct tw_text *text, const struct scene *scene)
{
	const struct tw_survey *survey = &scene->sample->survey;

	tw_text_addf(text, "%" PRIu32 " of %" PRIu32 " ports were taken by bind() before connect()",
		     survey->bound_first_ports, survey->usable);
	if (survey->binder_count > 0) {
		tw_text_add(text, survey->binder_count == 1 ? ", from " : ", most from ");
		tw_address_add(text, &survey->binders[0].source);
	}
	tw_text_addf(
		text,
		": such a port is blocked for every destination, and for every other program that connects without "
		"bind(); %s does not change that",
		scene->key);
	add_left_waiting(text, scene);
}

/* Who holds a good part beside the one that holds most; that one where nobody does. */
static enum tw_holder second_holder(const struct tw_binder_need *need)
{
	enum tw_holder second = need->holder;

	for (int i = 0; i < TW_HOLDER_COUNT; i++)
		if (i != (int)need->holder && need->held[i] * UINT64_C(5) >= need->held[need->holder] &&
		    need->held[i] > 0 && (second == need->holder || need->held[i] > need->held[second]))
			second = (enum tw_holder)i;
	return second;
}

/* "1520 of 2000 ports are held by sockets of 10.0.0.1, most by TIME-WAIT: bind() of this address before ...". */
static void say_bind_short(struct tw_text *text, const struct scene *scene)
{
	const struct tw_survey *survey = &scene->sample->survey;
	const struct tw_binder_need *need = tw_survey_binder_need(survey, &scene->subject->binder);
	enum tw_holder second = second_holder(need);

	tw_text_addf(text, "%" PRIu32 " of %" PRIu32 " ports are held by sockets of ", need->ports, survey->usable);
	tw_address_add(text, &scene->subject->binder);
	tw_text_addf(text, ", most by %s", states[need->holder]);
	if (second != need->holder)
		tw_text_addf(text, ", then by %s", states[second]);
	tw_text_addf(text,
		     "; bind() of this address before connect() can have none of them, and %s does not change that",
		     scene->key);
}

/* ---- what is no trouble */

static void say_server_side(struct tw_text *text, const struct scene *scene)
{
	uint64_t count = scene->sample->survey.accepting_time_wait;
	uint64_t mib = (count * TW_TIME_WAIT_BYTES + MIB / 2) / MIB;

	tw_text_addf(text, "%" PRIu64 " sockets are in TIME-WAIT on the accepting side, where they cost memory of ",
		     count);
	if (mib > 0)
		tw_text_addf(text, "about %" PRIu64 " MiB", mib);
	else
		tw_text_add(text, "less than 1 MiB");
	tw_text_add(text, " and no port");
}

static void say_ports_free(struct tw_text *text, const struct scene *scene)
{
	const struct tw_survey *survey = &scene->sample->survey;
	const struct tw_destination_row *row = scene->row;

	if (scene->subject->has_destination && !row) {
		if (survey->top_count >= survey->destinations)
			tw_text_addf(text, "no port%s is held any more", scene->towards);
		else
			tw_text_addf(text, "%s is not among the %u destinations with the most blocked ports",
				     scene->towards + strlen(" towards "), survey->top_count);
		return;
	}
	if (scene->subject->has_destination)
		tw_text_addf(text, "%s is not short of ports: ", scene->row_text);
	else
		tw_text_add(text, "no destination is short of ports: the busiest has ");
	tw_value_add(text, row ? row->port_use : survey->port_use, TW_UNIT_PERCENT);
	tw_text_addf(text, " of %" PRIu32 " blocked", survey->usable);
}

static void say_no_overflow(struct tw_text *text, const struct scene *scene)
{
	tw_text_add(text, "TIME-WAIT is at ");
	tw_value_add(text, tw_sample_metric(scene->sample, TW_METRIC_TIME_WAIT_BUCKETS), TW_UNIT_PERCENT);
	tw_text_add(text, " of net.ipv4.tcp_max_tw_buckets, and no connection is closed without it");
}

static void say_no_fin_wait_2(struct tw_text *text, const struct scene *scene)
{
	tw_text_addf(text,
		     "no socket%s%s is in FIN-WAIT-2, and %s does not shorten TIME-WAIT: the kernel keeps it for 60s",
		     scene->subject->has_destination ? " on a port" : "", scene->towards, scene->key);
}

static void say_owned_fin_wait_2(struct tw_text *text, const struct scene *scene)
{
	tw_text_addf(text,
		     "the sockets in FIN-WAIT-2%s%s still belong to programs, and %s is for those that nobody has",
		     scene->subject->has_destination ? " on a port" : "", scene->towards, scene->key);
}

static void say_not_bound_first(struct tw_text *text, const struct scene *scene)
{
	tw_text_addf(text, "no port%s was taken by bind() before connect(), and %s is for those alone", scene->towards,
		     scene->key);
}

#define CLOSE_THEM "let the program close() these sockets"
#define CONNECT_FIRST                                                                                      \
	"let the program connect without bind(), or set IP_BIND_ADDRESS_NO_PORT before bind() to port 0; " \
	"a port that it chooses itself stays taken"
#define INSTEAD_OF_REUSE                                                                              \
	"turn net.ipv4.tcp_timestamps on at the peer, let the client pool its connections, or widen " \
	"net.ipv4.ip_local_port_range"
#define MORE_PORTS                                                                         \
	"let the client pool its connections, widen net.ipv4.ip_local_port_range, or add " \
	"a source or destination address"

static const struct {
	void (*say)(struct tw_text *text, const struct scene *scene);
	const char *advice;
} words[] = {
	[TW_GATE_OPEN] = { NULL, NULL },
	[TW_GATE_NO_TIMESTAMPS] = { say_no_timestamps, "turn net.ipv4.tcp_timestamps on (both ends need it), or widen "
						       "net.ipv4.ip_local_port_range" },
	[TW_GATE_ALREADY] = { say_already, MORE_PORTS },
	[TW_GATE_REFUTED] = { say_refuted, INSTEAD_OF_REUSE },
	[TW_GATE_HELD_ESTABLISHED] = { say_held, MORE_PORTS },
	[TW_GATE_HELD_SYN_SENT] = { say_held, "find out why no answer comes: the peer is down or does not accept, or a "
					      "firewall drops the packets; give the program's connect() a time limit" },
	[TW_GATE_HELD_FIN_WAIT_2_ORPHANED] = { say_held, "set net.ipv4.tcp_fin_timeout lower, which ends them "
							 "sooner; let the peer close its side" },
	[TW_GATE_HELD_FIN_WAIT_2] = { say_held, "let the program close() these sockets; no sysctl ends them" },
	[TW_GATE_HELD_CLOSE_WAIT] = { say_held, "restart the program, then repair it: it does not close() "
						"its sockets; no sysctl ends them" },
	[TW_GATE_HELD_CLOSING] = { say_held, "look at the path to the peer, or at the peer itself; "
					     "net.ipv4.tcp_orphan_retries limits how long the kernel tries" },
	[TW_GATE_HELD_BOUND] = { say_held_bound, "let the programs close them, connect without bind(), or set "
						 "IP_BIND_ADDRESS_NO_PORT before it" },
	[TW_GATE_BOUND_FIRST] = { say_bound_first, CONNECT_FIRST },
	[TW_GATE_BIND_SHORT] = { say_bind_short,
				 "let the program connect without bind(), or set "
				 "IP_BIND_ADDRESS_NO_PORT before bind() to port 0: then only ports "
				 "towards its own destination are taken; or give it an address of its own" },
	[TW_GATE_SERVER_SIDE] = { say_server_side,
				  "no sysctl is needed; if the memory matters, let the clients close first" },
	[TW_GATE_PORTS_FREE] = { say_ports_free, "no sysctl is needed; a rule over port-use tells when one is" },
	[TW_GATE_NO_OVERFLOW] = { say_no_overflow, "no sysctl is needed; a higher limit would not be reached" },
	[TW_GATE_NO_FIN_WAIT_2] = { say_no_fin_wait_2,
				    "where TIME-WAIT holds ports of outgoing connections, set net.ipv4.tcp_tw_reuse=1 "
				    "or widen net.ipv4.ip_local_port_range" },
	[TW_GATE_OWNED_FIN_WAIT_2] = { say_owned_fin_wait_2, CLOSE_THEM },
	[TW_GATE_NOT_BOUND_FIRST] = { say_not_bound_first,
				      "let the client pool its connections, or set net.ipv4.tcp_tw_reuse=1 where "
				      "TIME-WAIT holds the ports" },
};
_Static_assert(TW_ARRAY_SIZE(words) == TW_GATE_VERDICT_COUNT, "each verdict has its words");

void tw_gate_explain(enum tw_gate_verdict verdict, enum tw_tunable tunable, const struct tw_sample *sample,
		     const struct tw_subject *subject, struct tw_text *reason, struct tw_text *advice)
{
	const struct tw_destination_row *row = tw_gate_row(sample, subject);
	struct scene scene = { tunable, tw_tunable_info(tunable)->key, sample, subject, row, "", "", "" };
	struct tw_text towards;

	if (verdict == TW_GATE_OPEN)
		return;
	(void)tw_tunable_format(tunable, &sample->gauge.sysctls[tunable].value, scene.live);
	tw_text_init(&towards, scene.towards, sizeof(scene.towards));
	if (row)
		spell_endpoint(scene.row_text, &row->key);
	if (subject->has_destination) {
		tw_text_add(&towards, " towards ");
		tw_endpoint_add(&towards, &subject->destination.destination, subject->destination.port);
	}
	words[verdict].say(reason, &scene);
	tw_text_add(advice, words[verdict].advice);
}

const char *tw_gate_other_remedy(enum tw_tunable tunable)
{
	static const char *const remedies[] = {
		[TW_GATE_NONE] = "see timewaitctl explain",
		[TW_GATE_REUSE] = INSTEAD_OF_REUSE,
		[TW_GATE_BUCKETS] = "fewer connections that end here: reuse them, or let the peer close first",
		[TW_GATE_FIN_WAIT_2] = CLOSE_THEM,
		[TW_GATE_AUTOBIND] = CONNECT_FIRST,
	};

	return remedies[tw_tunable_info(tunable)->gate];
}
