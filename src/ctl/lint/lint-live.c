/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ctl/lint/lint-check.h"

#include "base/macros.h"
#include "base/parse.h"

#include <inttypes.h>
#include <string.h>

#define RESERVED_PATH "net/ipv4/ip_local_reserved_ports"
#define RESERVED_KEY "net.ipv4.ip_local_reserved_ports"
/* What it gives back is in an order of its own. */
#define ALLOWED_PATH "net/ipv4/tcp_allowed_congestion_control"
/* The ports that RFC 6335 sets aside for this: 49152-65535. */
#define RANGE_NARROW 16384
/* Findings for listeners by themselves; a machine with more has a habit, not mistakes. */
#define LISTENERS_TOLD 16
/* Listeners named in one sentence. */
#define LISTENERS_NAMED 4
/* SOMAXCONN since Linux 5.4: a queue cut to it is cut too short where it has overflowed. */
#define SOMAXCONN_USUAL 4096

/* ---- lists of ports */

void tw_port_set_unite(struct tw_port_set *set, const struct tw_port_set *other)
{
	for (size_t i = 0; i < TW_ARRAY_SIZE(set->words); i++)
		set->words[i] |= other->words[i];
}

bool tw_port_set_equal(const struct tw_port_set *a, const struct tw_port_set *b)
{
	return memcmp(a->words, b->words, sizeof(a->words)) == 0;
}

void tw_port_set_add_text(const struct tw_port_set *set, struct tw_text *text)
{
	const char *comma = "";

	for (uint32_t port = 0; port <= UINT16_MAX; port++) {
		uint32_t low = port;

		if (!tw_port_set_has(set, (uint16_t)port))
			continue;
		while (port < UINT16_MAX && tw_port_set_has(set, (uint16_t)(port + 1)))
			port++;
		tw_text_addf(text, low == port ? "%s%" PRIu32 : "%s%" PRIu32 "-%" PRIu32, comma, low, port);
		comma = ",";
	}
}

/* ---- the files against the kernel */

/* Word by word, whatever blanks are between. */
static bool same_words(const char *a, const char *b)
{
	const char *a_end = a + strlen(a), *b_end = b + strlen(b), *a_word, *b_word;
	size_t a_length, b_length;

	while (tw_parse_word(&a, a_end, &a_word, &a_length)) {
		if (!tw_parse_word(&b, b_end, &b_word, &b_length) || a_length != b_length ||
		    memcmp(a_word, b_word, a_length) != 0)
			return false;
	}
	return !tw_parse_word(&b, b_end, &b_word, &b_length);
}

static bool same_ports(const char *a, const char *b)
{
	struct tw_port_set left, right;

	if (tw_port_set_parse(a, strlen(a), &left) < 0 || tw_port_set_parse(b, strlen(b), &right) < 0)
		return true;
	return tw_port_set_equal(&left, &right);
}

/* Texts that cannot be understood are told of elsewhere. */
static bool is_same(const char *path, const char *planned, const char *live)
{
	struct tw_tunable_value left, right;
	enum tw_tunable tunable;

	if (strcmp(path, RESERVED_PATH) == 0)
		return same_ports(planned, live);
	if (!tw_tunable_from_key(path, strlen(path), &tunable))
		return strcmp(path, ALLOWED_PATH) == 0 || same_words(planned, live);
	if (tw_tunable_parse(tunable, planned, strlen(planned), &left) < 0 ||
	    tw_tunable_parse(tunable, live, strlen(live), &right) < 0)
		return true;
	return tw_tunable_equal(tunable, &left, &right);
}

static bool changed_by_us(const struct tw_lint_facts *facts, const char *path)
{
	enum tw_tunable tunable;

	return tw_tunable_from_key(path, strlen(path), &tunable) && facts->sysctls[tunable].known &&
	       tw_lint_is_ours(facts, tunable, &facts->sysctls[tunable].value);
}

void tw_lint_run_drift(const struct tw_lint_check *check, const struct tw_lint_facts *facts,
		       struct tw_lint_report *report)
{
	for (size_t i = 0; facts->first_namespace && i < facts->plan->setting_count; i++) {
		const struct tw_sysctl_setting *setting = &facts->plan->settings[i];
		struct tw_lint_finding *made;

		if (!setting->stands || setting->glob || !setting->value || !setting->live ||
		    !tw_lint_concerns(setting->key) || is_same(setting->key, setting->value, setting->live) ||
		    changed_by_us(facts, setting->key))
			continue;
		made = tw_lint_tell(report, check, NULL, setting->key, setting->live, "%s", "");
		tw_lint_add_finding(made, "%s is %s, but %s:%u sets %.64s", made->key, made->value, setting->file,
				    setting->line, setting->value);
		tw_lint_set_consequence(
			made,
			facts->ledger_state == TW_LINT_LEDGER_REFUSED
				? "Somebody has changed it since, perhaps timewaitd, whose ledger only root may read; "
				  "after a restart of the machine the value of the file holds."
				: "Somebody has changed it since, or the line was never applied, and it was not "
				  "timewaitd; after a restart of the machine the value of the file holds.");
		tw_lint_add_advice(made, "write the value that is wanted into the file, or put it back: ");
		tw_lint_add_mend(made, NULL, setting->value);
	}
}

static void tell_ours(const struct tw_lint_check *check, struct tw_lint_report *report, const char *path,
		      const char *value, const char *rule)
{
	struct tw_lint_finding *made = tw_lint_tell(report, check, NULL, path, value, "%s", "");

	tw_lint_add_finding(made, "%s = %s, set by timewaitd", made->key, made->value);
	if (rule)
		tw_lint_add_finding(made, " for the rule %s", rule);
	tw_lint_set_consequence(made,
				"timewaitd puts the former value back when the trouble has gone, and when it stops.");
	tw_lint_add_advice(made, "nothing to do; to undo it at once: systemctl stop timewaitd");
}

void tw_lint_run_ours(const struct tw_lint_check *check, const struct tw_lint_facts *facts,
		      struct tw_lint_report *report)
{
	for (size_t i = 0; i < TW_TUNABLE_COUNT; i++) {
		enum tw_tunable tunable = (enum tw_tunable)i;
		const struct tw_live_value *live = &facts->sysctls[tunable];
		char value[TW_TUNABLE_VALUE_MAX];

		if (live->known && tw_lint_is_ours(facts, tunable, &live->value))
			tell_ours(check, report, tw_tunable_info(tunable)->path,
				  tw_tunable_format(tunable, &live->value, value), facts->ledger.entries[tunable].rule);
	}
}

/* ---- ports */

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

void tw_lint_run_narrow(const struct tw_lint_check *check, const struct tw_lint_facts *facts,
			struct tw_lint_report *report)
{
	const struct tw_tunable_info *info = tw_tunable_info(check->tunable);
	struct tw_lint_place places[2];
	unsigned count = tw_lint_places(facts, check->tunable, places);

	for (unsigned i = 0; i < count; i++) {
		struct tw_port_set range, reserved;
		char value[TW_TUNABLE_VALUE_MAX];
		struct tw_lint_finding *made;

		/* What the kernel refuses is told as that. */
		if (places[i].value.numbers[0] < 1 || places[i].value.numbers[0] > places[i].value.numbers[1] ||
		    places[i].value.numbers[1] > UINT16_MAX)
			continue;
		set_range(&places[i].value, &range);
		find_reserved(facts, places[i].setting != NULL, &reserved);
		tw_port_set_subtract(&range, &reserved);
		if (tw_port_set_size(&range) >= RANGE_NARROW)
			continue;
		(void)tw_tunable_format(check->tunable, &places[i].value, value);
		made = tw_lint_tell(report, check, places[i].setting, info->path, value,
				    "%s = %s, with %" PRIu32 " usable ports", info->key, value,
				    tw_port_set_size(&range));
		tw_lint_add_usual(made, facts, &places[i]);
		tw_lint_add_advice(made, "; reserve the ports that are listened on before the range is widened");
	}
}

/* ---- reserved ports */

static void judge_reserved(const struct tw_lint_check *check, const struct tw_sysctl_setting *setting,
			   const struct tw_port_set *reserved, const struct tw_tunable_value *range,
			   struct tw_lint_report *report)
{
	struct tw_port_set inside, outside = *reserved;
	char list[TW_LINT_VALUE_MAX];
	struct tw_text text;

	set_range(range, &inside);
	tw_port_set_subtract(&outside, &inside);
	if (tw_port_set_size(&outside) == 0)
		return;
	tw_text_init(&text, list, sizeof(list));
	tw_port_set_add_text(&outside, &text);
	tw_lint_add_advice(tw_lint_tell(report, check, setting, RESERVED_PATH, list,
					RESERVED_KEY " has %s%s, out of the range %" PRId64 "-%" PRId64, list,
					text.cut ? "..." : "", range->numbers[0], range->numbers[1]),
			   "nothing to mend; it counts when the range is widened");
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
static void tell_listener(const struct tw_lint_check *check, const struct tw_lint_facts *facts,
			  const struct tw_lint_listener *listener, const struct tw_port_set *ports,
			  struct tw_lint_report *report)
{
	/* What stands around it takes less than the rest of the advice. */
	char value[TW_TUNABLE_VALUE_MAX], who[TW_LINT_WORDS_MAX], list[2 * TW_LINT_WORDS_MAX - 160];
	struct tw_port_set all = facts->reserved;
	struct tw_lint_finding *made;
	struct tw_text text;

	(void)tw_tunable_format(TW_TUNABLE_PORT_RANGE, &facts->sysctls[TW_TUNABLE_PORT_RANGE].value, value);
	tw_text_init(&text, who, sizeof(who));
	add_listener(&text, listener);
	tw_port_set_unite(&all, ports);
	tw_text_init(&text, list, sizeof(list));
	tw_port_set_add_text(&all, &text);
	made = tw_lint_tell(report, check, NULL, tw_tunable_info(TW_TUNABLE_PORT_RANGE)->path, value,
			    "%s is listened on, in the range %s that connect() picks from", who, value);
	if (text.cut)
		tw_lint_add_advice(made, "add port %u to the list of " RESERVED_KEY " in /etc/sysctl.d",
				   listener->address.port);
	else
		tw_lint_add_advice(
			made, "reserve it: sysctl -w " RESERVED_KEY "=%s (the whole list; keep it in /etc/sysctl.d)",
			list);
	tw_lint_add_advice(made, ", or let it listen outside of the range");
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
		tw_lint_add_advice(tw_lint_tell(report, check, NULL, tw_tunable_info(TW_TUNABLE_PORT_RANGE)->path, NULL,
						"%" PRIu32 " more ports of the range are listened on", rest),
				   "reserve them, or move the range");
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
	char value[TW_TUNABLE_VALUE_MAX], who[TW_LINT_WORDS_MAX];
	unsigned count = 0, named = 0;
	struct tw_text text;

	tw_text_init(&text, who, sizeof(who));
	for (unsigned i = 0; most->known && i < facts->listener_count; i++) {
		if (!is_cut(facts, &facts->listeners[i]))
			continue;
		if (count++ < LISTENERS_NAMED) {
			tw_text_add(&text, named++ > 0 ? ", " : "");
			add_listener(&text, &facts->listeners[i]);
		}
	}
	if (count == 0)
		return;
	if (count > named)
		tw_text_addf(&text, " and %u more", count - named);
	(void)tw_tunable_format(TW_TUNABLE_SOMAXCONN, &most->value, value);
	tw_lint_add_advice(tw_lint_tell(report, check, NULL, tw_tunable_info(TW_TUNABLE_SOMAXCONN)->path, value,
					"%u listening socket%s a backlog of exactly net.core.somaxconn, %s: %s", count,
					count == 1 ? " has" : "s have", value, who),
			   "sysctl -w net.core.somaxconn=%" PRId64 ", then restart the services",
			   most->value.numbers[0] < SOMAXCONN_USUAL ? (int64_t)SOMAXCONN_USUAL
								    : 4 * most->value.numbers[0]);
}
