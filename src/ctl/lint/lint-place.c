/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ctl/lint/lint-place.h"

#include "ctl/lint/sysctl-conf.h"

#include <inttypes.h>
#include <string.h>

/* As Linux 6.18 sets them, on any machine. */
static const char *const usual[TW_TUNABLE_COUNT] = {
	[TW_TUNABLE_TW_REUSE] = "2",
	[TW_TUNABLE_TW_REUSE_DELAY] = "1000",
	[TW_TUNABLE_PORT_RANGE] = "32768 60999",
	[TW_TUNABLE_FIN_TIMEOUT] = "60",
	[TW_TUNABLE_ORPHAN_RETRIES] = "0",
	[TW_TUNABLE_SOMAXCONN] = "4096",
	[TW_TUNABLE_SYNCOOKIES] = "1",
	[TW_TUNABLE_SYNACK_RETRIES] = "5",
	[TW_TUNABLE_KEEPALIVE_TIME] = "7200",
	[TW_TUNABLE_KEEPALIVE_INTVL] = "75",
	[TW_TUNABLE_KEEPALIVE_PROBES] = "9",
	[TW_TUNABLE_TIMESTAMPS] = "1",
	[TW_TUNABLE_RFC1337] = "0",
};

struct tw_count tw_lint_usual_sized(const struct tw_lint_facts *facts, enum tw_tunable tunable)
{
	uint64_t entries = facts->ehash_entries.value;

	if (!facts->ehash_entries.known)
		return (struct tw_count){ 0 };
	/* tcp_sk_init() in net/ipv4/tcp_ipv4.c, tcp_init() in net/ipv4/tcp.c. */
	if (tunable == TW_TUNABLE_MAX_TW_BUCKETS || tunable == TW_TUNABLE_MAX_ORPHANS)
		return (struct tw_count){ .value = entries / 2, .known = true };
	if (tunable == TW_TUNABLE_MAX_SYN_BACKLOG)
		return (struct tw_count){ .value = TW_MAX(entries / 128, UINT64_C(128)), .known = true };
	return (struct tw_count){ 0 };
}

const char *tw_lint_usual(const struct tw_lint_facts *facts, enum tw_tunable tunable, char text[TW_TUNABLE_VALUE_MAX])
{
	struct tw_count sized = tw_lint_usual_sized(facts, tunable);
	struct tw_text out;

	if (!sized.known)
		return usual[tunable];
	tw_text_init(&out, text, TW_TUNABLE_VALUE_MAX);
	tw_text_addf(&out, "%" PRIu64, sized.value);
	return text;
}

bool tw_lint_is_ours(const struct tw_lint_facts *facts, enum tw_tunable tunable, const struct tw_tunable_value *value)
{
	const struct tw_ledger_entry *entry = &facts->ledger.entries[tunable];

	return facts->ledger_state == TW_LINT_LEDGER_READ && entry->owner == TW_OWNER_OURS &&
	       (!value || tw_tunable_equal(tunable, &entry->written, value));
}

bool tw_lint_concerns(const char *path)
{
	enum tw_tunable tunable;

	return strncmp(path, "net/ipv4/tcp_", strlen("net/ipv4/tcp_")) == 0 ||
	       strncmp(path, "net/ipv4/ip_local_", strlen("net/ipv4/ip_local_")) == 0 ||
	       tw_tunable_from_key(path, strlen(path), &tunable);
}

/* What the files would set. */
static bool planned(const struct tw_lint_facts *facts, enum tw_tunable tunable,
		    const struct tw_sysctl_setting **ret_setting, struct tw_tunable_value *ret)
{
	const struct tw_sysctl_setting *setting = tw_sysctl_plan_find(facts->plan, tw_tunable_info(tunable)->path);

	if (!setting || tw_tunable_parse(tunable, setting->value, strlen(setting->value), ret) < 0)
		return false;
	*ret_setting = setting;
	return true;
}

unsigned tw_lint_places(const struct tw_lint_facts *facts, enum tw_tunable tunable, struct tw_lint_place ret[2])
{
	const struct tw_live_value *live = &facts->sysctls[tunable];
	const struct tw_sysctl_setting *setting;
	struct tw_tunable_value value;
	unsigned count = 0;
	bool same = false;

	if (planned(facts, tunable, &setting, &value)) {
		same = live->known && tw_tunable_equal(tunable, &value, &live->value);
		ret[count++] = (struct tw_lint_place){
			.tunable = tunable,
			.value = value,
			.setting = setting,
			.live_too = same,
		};
	}
	if (live->known && !same && !tw_lint_is_ours(facts, tunable, &live->value))
		ret[count++] = (struct tw_lint_place){ .tunable = tunable, .value = live->value };
	return count;
}

bool tw_lint_beside(const struct tw_lint_facts *facts, const struct tw_lint_place *place, enum tw_tunable tunable,
		    struct tw_tunable_value *ret)
{
	const struct tw_sysctl_setting *setting;

	if (place->setting && planned(facts, tunable, &setting, ret))
		return true;
	if (!facts->sysctls[tunable].known)
		return false;
	*ret = facts->sysctls[tunable].value;
	return true;
}

struct tw_text tw_lint_text(char *words, size_t capacity)
{
	struct tw_text text;

	tw_text_init(&text, words, capacity);
	return text;
}

void tw_lint_fill(struct tw_lint_finding *finding, const char *path, const char *value,
		  const struct tw_sysctl_setting *setting)
{
	struct tw_text where = tw_lint_text(finding->where, sizeof(finding->where));

	(void)tw_text_copy(finding->key, sizeof(finding->key), path);
	tw_sysctl_key_display(finding->key);
	(void)tw_text_copy(finding->value, sizeof(finding->value), value ? value : "");
	if (setting)
		tw_text_addf(&where, "%s:%u", setting->file, setting->line);
	else
		tw_text_add(&where, "live");
}

void tw_lint_say_mend(struct tw_text *text, const struct tw_sysctl_setting *setting, const char *key,
		      const char *wanted)
{
	if (setting)
		tw_text_addf(text, "delete line %u of %s", setting->line, setting->file);
	if (setting && wanted)
		tw_text_add(text, ", then: ");
	if (wanted)
		tw_text_addf(text, strpbrk(wanted, " \t") ? "sysctl -w %s='%s'" : "sysctl -w %s=%s", key, wanted);
}
