/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ctl/lint/lint-check.h"

#include "ctl/lint/lint-place.h"

#include <inttypes.h>
#include <string.h>

#define RESERVED_PATH "net/ipv4/ip_local_reserved_ports"
#define RESERVED_KEY "net.ipv4.ip_local_reserved_ports"
/* The ports that RFC 6335 sets aside for this: 49152-65535. */
#define RANGE_NARROW 16384
/* Findings for listeners by themselves; a machine with more has a habit, not mistakes. */
#define LISTENERS_TOLD 16
/* Listeners named in one sentence. */
#define LISTENERS_NAMED 4
/* SOMAXCONN since Linux 5.4: a queue cut to it is cut too short where it has overflowed. */
#define SOMAXCONN_USUAL 4096

static void set_range(const struct tw_tunable_value *range, struct tw_port_set *ret)
{
	tw_port_set_clear(ret);
	if (range->numbers[0] >= 0 && range->numbers[1] <= UINT16_MAX)
		tw_port_set_add_range(ret, (uint16_t)range->numbers[0], (uint16_t)range->numbers[1]);
}

/* The reserved ports beside a range: those of the files, or of the kernel; none where nothing is known. */
static void find_reserved(const struct tw_lint_facts *facts, bool files, struct tw_port_set *ret)
{
	const struct tw_sysctl_setting *setting = files ? tw_sysctl_plan_find(facts->plan, RESERVED_PATH) : NULL;

	if (setting && tw_port_set_parse(setting->value, strlen(setting->value), ret) == 0)
		return;
	tw_port_set_clear(ret);
	if (facts->reserved_known)
		*ret = facts->reserved;
}

static void tell_narrow(const struct tw_lint_check *check, const struct tw_lint_facts *facts,
			const struct tw_lint_place *place, uint32_t usable, struct tw_lint_report *report)
{
	const struct tw_tunable_info *info = tw_tunable_info(place->tunable);
	struct tw_lint_finding *made = tw_lint_report_add(report, check->id, check->severity);
	struct tw_text finding = tw_lint_text(made->finding, sizeof(made->finding));
	struct tw_text advice = tw_lint_text(made->advice, sizeof(made->advice));
	char value[TW_TUNABLE_VALUE_MAX], usual[TW_TUNABLE_VALUE_MAX];

	tw_lint_fill(made, info->path, tw_tunable_format(place->tunable, &place->value, value), place->setting);
	tw_text_addf(&finding, "%s = %s, with %" PRIu32 " usable ports", info->key, value, usable);
	(void)tw_text_copy(made->consequence, sizeof(made->consequence), check->consequence);
	tw_lint_say_mend(&advice, place->setting, info->key,
			 !place->setting || place->live_too ? tw_lint_usual(facts, place->tunable, usual) : NULL);
	tw_text_add(&advice, "; reserve the ports that are listened on before the range is widened");
}

void tw_lint_run_narrow(const struct tw_lint_check *check, const struct tw_lint_facts *facts,
			struct tw_lint_report *report)
{
	struct tw_lint_place places[2];
	unsigned count = tw_lint_places(facts, check->tunable, places);

	for (unsigned i = 0; i < count; i++) {
		struct tw_port_set range, reserved;
		uint32_t usable;

		/* What the kernel refuses is told as that. */
		if (places[i].value.numbers[0] < 1 || places[i].value.numbers[0] > places[i].value.numbers[1] ||
		    places[i].value.numbers[1] > UINT16_MAX)
			continue;
		set_range(&places[i].value, &range);
		find_reserved(facts, places[i].setting != NULL, &reserved);
		tw_port_set_subtract(&range, &reserved);
		usable = tw_port_set_size(&range);
		if (usable < RANGE_NARROW)
			tell_narrow(check, facts, &places[i], usable, report);
	}
}

/* ---- reserved ports */

static void judge_reserved(const struct tw_lint_check *check, const struct tw_sysctl_setting *setting,
			   const struct tw_port_set *reserved, const struct tw_tunable_value *range,
			   struct tw_lint_report *report)
{
	struct tw_port_set inside, outside = *reserved;
	struct tw_lint_finding *made;
	struct tw_text finding, text;
	char list[TW_LINT_VALUE_MAX];

	set_range(range, &inside);
	tw_port_set_subtract(&outside, &inside);
	if (tw_port_set_size(&outside) == 0)
		return;
	made = tw_lint_report_add(report, check->id, check->severity);
	finding = tw_lint_text(made->finding, sizeof(made->finding));
	text = tw_lint_text(list, sizeof(list));
	tw_port_set_add_text(&outside, &text);
	tw_lint_fill(made, RESERVED_PATH, list, setting);
	tw_text_addf(&finding, RESERVED_KEY " has %s%s, out of the range %" PRId64 "-%" PRId64, list,
		     text.cut ? "..." : "", range->numbers[0], range->numbers[1]);
	(void)tw_text_copy(made->consequence, sizeof(made->consequence), check->consequence);
	(void)tw_text_copy(made->advice, sizeof(made->advice), "nothing to mend; it counts when the range is widened");
}

void tw_lint_run_reserved(const struct tw_lint_check *check, const struct tw_lint_facts *facts,
			  struct tw_lint_report *report)
{
	const struct tw_sysctl_setting *setting = tw_sysctl_plan_find(facts->plan, RESERVED_PATH);
	struct tw_lint_place place = { .setting = setting };
	struct tw_tunable_value range = { .numbers = { 32768, 60999 } };
	struct tw_port_set planned;
	bool in_file = setting && tw_port_set_parse(setting->value, strlen(setting->value), &planned) == 0;

	if (in_file) {
		(void)tw_lint_beside(facts, &place, TW_TUNABLE_PORT_RANGE, &range);
		judge_reserved(check, setting, &planned, &range, report);
	}
	if (!facts->reserved_known || !facts->sysctls[TW_TUNABLE_PORT_RANGE].known ||
	    (in_file && tw_port_set_equal(&planned, &facts->reserved)))
		return;
	judge_reserved(check, NULL, &facts->reserved, &facts->sysctls[TW_TUNABLE_PORT_RANGE].value, report);
}

/* ---- listeners */

static void add_listener(struct tw_text *text, const struct tw_lint_listener *listener)
{
	tw_endpoint_add(text, &listener->address.address, listener->address.port);
	if (listener->unit[0] != '\0')
		tw_text_addf(text, " (%s)", listener->unit);
}

/* The list that is reserved now, and these ports: writing the key replaces the whole list. */
static void advise_reserving(const struct tw_lint_facts *facts, const struct tw_port_set *ports, struct tw_text *advice)
{
	struct tw_port_set all = facts->reserved;

	tw_port_set_unite(&all, ports);
	tw_text_add(advice, "reserve it: sysctl -w " RESERVED_KEY "=");
	tw_port_set_add_text(&all, advice);
	tw_text_add(advice, " (the whole list; keep it in /etc/sysctl.d), or let it listen outside of the range");
}

static void tell_listener(const struct tw_lint_check *check, const struct tw_lint_facts *facts,
			  const struct tw_lint_listener *listener, const struct tw_port_set *ports,
			  struct tw_lint_report *report)
{
	const struct tw_live_value *range = &facts->sysctls[TW_TUNABLE_PORT_RANGE];
	struct tw_lint_finding *made = tw_lint_report_add(report, check->id, check->severity);
	struct tw_text finding = tw_lint_text(made->finding, sizeof(made->finding));
	struct tw_text advice = tw_lint_text(made->advice, sizeof(made->advice));
	char value[TW_TUNABLE_VALUE_MAX];

	tw_lint_fill(made, tw_tunable_info(TW_TUNABLE_PORT_RANGE)->path,
		     tw_tunable_format(TW_TUNABLE_PORT_RANGE, &range->value, value), NULL);
	add_listener(&finding, listener);
	tw_text_addf(&finding, " is listened on, in the range %s that connect() picks from", value);
	(void)tw_text_copy(made->consequence, sizeof(made->consequence), check->consequence);
	advise_reserving(facts, ports, &advice);
}

static void tell_rest(const struct tw_lint_check *check, uint32_t rest, struct tw_lint_report *report)
{
	struct tw_lint_finding *made = tw_lint_report_add(report, check->id, check->severity);
	struct tw_text finding = tw_lint_text(made->finding, sizeof(made->finding));

	tw_lint_fill(made, tw_tunable_info(TW_TUNABLE_PORT_RANGE)->path, NULL, NULL);
	tw_text_addf(&finding, "%" PRIu32 " more ports of the range are listened on", rest);
	(void)tw_text_copy(made->consequence, sizeof(made->consequence), check->consequence);
	(void)tw_text_copy(made->advice, sizeof(made->advice), "reserve them, or move the range");
}

void tw_lint_run_listeners(const struct tw_lint_check *check, const struct tw_lint_facts *facts,
			   struct tw_lint_report *report)
{
	struct tw_port_set open, found, told;
	uint32_t rest;

	if (!facts->sysctls[TW_TUNABLE_PORT_RANGE].known || !facts->reserved_known)
		return;
	set_range(&facts->sysctls[TW_TUNABLE_PORT_RANGE].value, &open);
	tw_port_set_subtract(&open, &facts->reserved);
	tw_port_set_clear(&found);
	for (unsigned i = 0; i < facts->listener_count; i++)
		if (tw_port_set_has(&open, facts->listeners[i].address.port))
			tw_port_set_add(&found, facts->listeners[i].address.port);
	tw_port_set_clear(&told);
	for (unsigned i = 0; i < facts->listener_count && tw_port_set_size(&told) < LISTENERS_TOLD; i++) {
		uint16_t port = facts->listeners[i].address.port;

		if (!tw_port_set_has(&found, port) || tw_port_set_has(&told, port))
			continue;
		tw_port_set_add(&told, port);
		tell_listener(check, facts, &facts->listeners[i], &found, report);
	}
	rest = tw_port_set_size(&found) - tw_port_set_size(&told);
	if (rest > 0)
		tell_rest(check, rest, report);
}

/* ---- accept queues */

/* A queue as long as the usual bound may be what its program asked for, unless queues have overflowed. */
static bool is_cut(const struct tw_lint_facts *facts, const struct tw_lint_listener *listener)
{
	int64_t most = facts->sysctls[TW_TUNABLE_SOMAXCONN].value.numbers[0];

	return listener->backlog == most &&
	       (most < SOMAXCONN_USUAL || (facts->listen_overflows.known && facts->listen_overflows.value > 0));
}

void tw_lint_run_backlog(const struct tw_lint_check *check, const struct tw_lint_facts *facts,
			 struct tw_lint_report *report)
{
	const struct tw_live_value *most = &facts->sysctls[TW_TUNABLE_SOMAXCONN];
	struct tw_lint_finding *made;
	struct tw_text finding, advice;
	char value[TW_TUNABLE_VALUE_MAX];
	unsigned count = 0, named = 0;

	for (unsigned i = 0; i < facts->listener_count; i++)
		count += most->known && is_cut(facts, &facts->listeners[i]);
	if (count == 0)
		return;
	made = tw_lint_report_add(report, check->id, check->severity);
	finding = tw_lint_text(made->finding, sizeof(made->finding));
	advice = tw_lint_text(made->advice, sizeof(made->advice));
	tw_lint_fill(made, tw_tunable_info(TW_TUNABLE_SOMAXCONN)->path,
		     tw_tunable_format(TW_TUNABLE_SOMAXCONN, &most->value, value), NULL);
	(void)tw_text_copy(made->consequence, sizeof(made->consequence), check->consequence);
	tw_text_addf(&finding, "%u listening socket%s a backlog of exactly net.core.somaxconn, %s: ", count,
		     count == 1 ? " has" : "s have", value);
	for (unsigned i = 0; i < facts->listener_count && named < LISTENERS_NAMED; i++) {
		if (!is_cut(facts, &facts->listeners[i]))
			continue;
		tw_text_add(&finding, named++ > 0 ? ", " : "");
		add_listener(&finding, &facts->listeners[i]);
	}
	if (count > named)
		tw_text_addf(&finding, " and %u more", count - named);
	tw_text_addf(&advice, "sysctl -w net.core.somaxconn=%" PRId64 ", then restart the services",
		     most->value.numbers[0] < SOMAXCONN_USUAL ? (int64_t)SOMAXCONN_USUAL : 4 * most->value.numbers[0]);
}
