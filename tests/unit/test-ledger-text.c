/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "act/ledger.h"

#include "base/macros.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BOOT "6f4f2c0e-9c5b-4d0f-8f35-0f5c6a1c4a5e"
#define FACTS "boot " BOOT "\nnamespace 4026531840"
#define HEAD "timewaitd-ledger 3\n" FACTS " 9\n"
#define REUSE "entry net.ipv4.tcp_tw_reuse ours baseline 2 previous 2 written 1 rule port-exhaustion\n"
#define RANGE                                                                                                     \
	"entry net.ipv4.ip_local_port_range yielded baseline 32768 60999 previous 1024 65535 written 1024 65535 " \
	"rule wide range\n"

static const struct {
	const char *name;
	const char *text;
	int error;
} rows[] = {
	{ "nothing owed", HEAD "end 0\n", 0 },
	{ "one", HEAD REUSE "end 1\n", 0 },
	{ "two", HEAD REUSE RANGE "end 2\n", 0 },
	{ "no rule", HEAD "entry net.ipv4.tcp_tw_reuse ours baseline 2 previous 2 written 1 rule \nend 1\n", 0 },
	{ "a baseline that only the kernel takes",
	  HEAD "entry net.ipv4.tcp_max_tw_buckets ours baseline -1 previous -1 written 4096 rule r\nend 1\n", 0 },
	{ "the least and the most",
	  HEAD
	  "entry net.ipv4.tcp_fin_timeout ours baseline -9223372036854775808 previous 9223372036854775807 written 5 "
	  "rule r\nend 1\n",
	  0 },
	{ "a rule named as a word of ours",
	  HEAD "entry net.ipv4.tcp_tw_reuse ours baseline 2 previous 2 written 1 rule rule end 1\nend 1\n", 0 },

	{ "a cookie that is not known", "timewaitd-ledger 3\n" FACTS " 0\nend 0\n", 0 },
	{ "no cookie", "timewaitd-ledger 3\n" FACTS "\nend 0\n", -EBADMSG },
	{ "two cookies", "timewaitd-ledger 3\n" FACTS " 9 9\nend 0\n", -EBADMSG },

	{ "empty", "", -EBADMSG },
	{ "a newline", "\n", -EBADMSG },
	{ "no magic", "boot x\n", -EBADMSG },
	{ "another file", "timewaitd 1\nboot x\nnamespace 1 1\nend 0\n", -EBADMSG },
	{ "a newer version", "timewaitd-ledger 4\nwhatever follows\n", -EPROTONOSUPPORT },
	{ "an older version", "timewaitd-ledger 2\nwhatever follows\n", -EPROTONOSUPPORT },
	{ "version 0", "timewaitd-ledger 0\nboot x\nnamespace 1 1\nend 0\n", -EPROTONOSUPPORT },
	{ "no version", "timewaitd-ledger\n", -EBADMSG },
	{ "a version that is none", "timewaitd-ledger one\n", -EBADMSG },
	{ "version 01", "timewaitd-ledger 03\nboot x\nnamespace 1 1\nend 0\n", -EBADMSG },
	{ "no boot", "timewaitd-ledger 3\nnamespace 1 1\nend 0\n", -EBADMSG },
	{ "empty boot", "timewaitd-ledger 3\nboot \nnamespace 1 1\nend 0\n", -EBADMSG },
	{ "boot too long", "timewaitd-ledger 3\nboot " BOOT "x\nnamespace 1 1\nend 0\n", -EBADMSG },
	{ "no namespace", "timewaitd-ledger 3\nboot x\nend 0\n", -EBADMSG },
	{ "negative namespace", "timewaitd-ledger 3\nboot x\nnamespace -1 1\nend 0\n", -EBADMSG },
	{ "namespace too large", "timewaitd-ledger 3\nboot x\nnamespace 18446744073709551616 1\nend 0\n", -EBADMSG },
	{ "namespace twice", HEAD "namespace 4026531840 1\nend 0\n", -EBADMSG },
	{ "no end", HEAD REUSE, -EBADMSG },
	{ "end without newline", HEAD REUSE "end 1", -EBADMSG },
	{ "end counts less", HEAD REUSE "end 0\n", -EBADMSG },
	{ "end counts more", HEAD REUSE "end 2\n", -EBADMSG },
	{ "end without count", HEAD "end\n", -EBADMSG },
	{ "more behind the end", HEAD "end 0\n\n", -EBADMSG },
	{ "two ends", HEAD "end 0\nend 0\n", -EBADMSG },
	{ "blank behind the end", HEAD "end 0 \n", -EBADMSG },
	{ "CRLF", HEAD "end 0\r\n", -EBADMSG },
	{ "the same twice", HEAD REUSE REUSE "end 2\n", -EBADMSG },
	{ "another order", HEAD RANGE REUSE "end 2\n", -EBADMSG },
	{ "unknown sysctl", HEAD "entry net.ipv4.x ours baseline 2 previous 2 written 1 rule r\nend 1\n", -EBADMSG },
	{ "key with slashes", HEAD "entry net/ipv4/tcp_tw_reuse ours baseline 2 previous 2 written 1 rule r\nend 1\n",
	  -EBADMSG },
	{ "nobody's", HEAD "entry net.ipv4.tcp_tw_reuse nobody baseline 2 previous 2 written 1 rule r\nend 1\n",
	  -EBADMSG },
	{ "no owner", HEAD "entry net.ipv4.tcp_tw_reuse baseline 2 previous 2 written 1 rule r\nend 1\n", -EBADMSG },
	{ "no baseline", HEAD "entry net.ipv4.tcp_tw_reuse ours previous 2 written 1 rule r\nend 1\n", -EBADMSG },
	{ "empty baseline", HEAD "entry net.ipv4.tcp_tw_reuse ours baseline  previous 2 written 1 rule r\nend 1\n",
	  -EBADMSG },
	{ "a plus", HEAD "entry net.ipv4.tcp_tw_reuse ours baseline +2 previous 2 written 1 rule r\nend 1\n",
	  -EBADMSG },
	{ "a leading zero", HEAD "entry net.ipv4.tcp_tw_reuse ours baseline 02 previous 2 written 1 rule r\nend 1\n",
	  -EBADMSG },
	{ "minus zero", HEAD "entry net.ipv4.tcp_tw_reuse ours baseline -0 previous 2 written 1 rule r\nend 1\n",
	  -EBADMSG },
	{ "no int64",
	  HEAD "entry net.ipv4.tcp_tw_reuse ours baseline 9223372036854775808 previous 2 written 1 rule r\nend 1\n",
	  -EBADMSG },
	{ "a range for a number",
	  HEAD "entry net.ipv4.tcp_tw_reuse ours baseline 2 3 previous 2 written 1 rule r\nend 1\n", -EBADMSG },
	{ "a number for a range",
	  HEAD "entry net.ipv4.ip_local_port_range ours baseline 2 previous 2 written 1 rule r\nend 1\n", -EBADMSG },
	{ "no rule word", HEAD "entry net.ipv4.tcp_tw_reuse ours baseline 2 previous 2 written 1\nend 1\n", -EBADMSG },
	{ "rule without its blank",
	  HEAD "entry net.ipv4.tcp_tw_reuse ours baseline 2 previous 2 written 1 rule\nend 1\n", -EBADMSG },
	{ "rule name too long",
	  HEAD "entry net.ipv4.tcp_tw_reuse ours baseline 2 previous 2 written 1 rule "
	       "123456789012345678901234567890123456789012345\nend 1\n",
	  -EBADMSG },
	{ "two blanks", HEAD "entry  net.ipv4.tcp_tw_reuse ours baseline 2 previous 2 written 1 rule r\nend 1\n",
	  -EBADMSG },
	{ "a leading blank", HEAD " " REUSE "end 1\n", -EBADMSG },
	{ "an empty line", HEAD "\n" REUSE "end 1\n", -EBADMSG },
	{ "a tab", HEAD "entry\tnet.ipv4.tcp_tw_reuse ours baseline 2 previous 2 written 1 rule r\nend 1\n", -EBADMSG },
	{ "a control byte in a name",
	  HEAD "entry net.ipv4.tcp_tw_reuse ours baseline 2 previous 2 written 1 rule a\033[2Jb\nend 1\n", -EBADMSG },
};

/* An allocation of its exact length, so that a sanitizer sees a read beyond it. */
static int parse_exactly(const char *text, size_t length, struct tw_ledger *ret)
{
	char *copy = malloc(length ? length : 1);
	int r;

	assert_non_null(copy);
	memcpy(copy, text, length);
	r = tw_ledger_text_parse(copy, length, ret);
	free(copy);
	return r;
}

static void test_table(void **state TW_UNUSED)
{
	for (size_t i = 0; i < TW_ARRAY_SIZE(rows); i++) {
		struct tw_ledger ledger, untouched;
		int r;

		memset(&ledger, 0x5a, sizeof(ledger));
		untouched = ledger;
		r = parse_exactly(rows[i].text, strlen(rows[i].text), &ledger);
		if (r != rows[i].error)
			fail_msg("%s: %d, expected %d", rows[i].name, r, rows[i].error);
		if (r < 0 && memcmp(&ledger, &untouched, sizeof(ledger)) != 0)
			fail_msg("%s: a failure has touched its output", rows[i].name);
	}
}

static void test_reads_the_facts(void **state TW_UNUSED)
{
	static const char text[] = HEAD REUSE RANGE "end 2\n";
	const struct tw_ledger_entry *reuse, *range;
	struct tw_ledger ledger;

	assert_int_equal(parse_exactly(text, strlen(text), &ledger), 0);
	assert_string_equal(ledger.boot_id, BOOT);
	assert_int_equal(ledger.namespace.inode, 4026531840);
	assert_int_equal(ledger.namespace.cookie, 9);
	reuse = &ledger.entries[TW_TUNABLE_TW_REUSE];
	assert_int_equal(reuse->owner, TW_OWNER_OURS);
	assert_int_equal(reuse->baseline.numbers[0], 2);
	assert_int_equal(reuse->previous.numbers[0], 2);
	assert_int_equal(reuse->written.numbers[0], 1);
	assert_string_equal(reuse->rule, "port-exhaustion");
	range = &ledger.entries[TW_TUNABLE_PORT_RANGE];
	assert_int_equal(range->owner, TW_OWNER_YIELDED);
	assert_int_equal(range->baseline.numbers[0], 32768);
	assert_int_equal(range->baseline.numbers[1], 60999);
	assert_int_equal(range->written.numbers[1], 65535);
	assert_string_equal(range->rule, "wide range");
	assert_int_equal(ledger.entries[TW_TUNABLE_SOMAXCONN].owner, TW_OWNER_NOBODY);
	assert_true(tw_ledger_owes(&ledger));
	ledger.entries[TW_TUNABLE_TW_REUSE].owner = TW_OWNER_NOBODY;
	assert_false(tw_ledger_owes(&ledger));
}

/* A ledger cut anywhere, or with any one byte turned, is noticed: each byte of it counts. */
static void test_every_byte_counts(void **state TW_UNUSED)
{
	static const char text[] = HEAD REUSE RANGE "end 2\n";
	size_t length = strlen(text);
	struct tw_ledger ledger;

	for (size_t cut = 0; cut < length; cut++)
		assert_int_equal(parse_exactly(text, cut, &ledger), -EBADMSG);
	for (size_t i = 0; i < length; i++) {
		char turned[sizeof(text)];

		memcpy(turned, text, sizeof(text));
		turned[i] = '\0';
		assert_int_not_equal(parse_exactly(turned, length, &ledger), 0);
	}
}

static void fill(struct tw_ledger *ledger, int64_t low, int64_t high)
{
	tw_ledger_init(ledger, BOOT, &(struct tw_netns_id){ UINT64_MAX, UINT64_MAX });
	for (size_t i = 0; i < TW_TUNABLE_COUNT; i++) {
		struct tw_ledger_entry *entry = &ledger->entries[i];
		bool range = tw_tunable_info((enum tw_tunable)i)->kind == TW_TUNABLE_RANGE;

		entry->owner = i % 2 ? TW_OWNER_YIELDED : TW_OWNER_OURS;
		entry->baseline = (struct tw_tunable_value){ { low, range ? high : 0 } };
		entry->previous = (struct tw_tunable_value){ { low, range ? low : 0 } };
		entry->written = (struct tw_tunable_value){ { high, range ? low : 0 } };
		memset(entry->rule, 'r', sizeof(entry->rule) - 1);
	}
}

/* The longest ledger there is fits, and reads back as what it was. */
static void test_longest_comes_back(void **state TW_UNUSED)
{
	static char bytes[TW_LEDGER_TEXT_MAX], again_bytes[TW_LEDGER_TEXT_MAX];
	struct tw_ledger ledger, read;
	struct tw_text text, again;

	fill(&ledger, INT64_MIN, INT64_MIN + 1);
	tw_text_init(&text, bytes, sizeof(bytes));
	tw_ledger_text_write(&ledger, &text);
	assert_false(text.cut);
	assert_int_equal(parse_exactly(bytes, text.length, &read), 0);
	for (size_t i = 0; i < TW_TUNABLE_COUNT; i++) {
		assert_int_equal(read.entries[i].owner, ledger.entries[i].owner);
		assert_memory_equal(&read.entries[i].baseline, &ledger.entries[i].baseline,
				    sizeof(struct tw_tunable_value));
		assert_memory_equal(&read.entries[i].previous, &ledger.entries[i].previous,
				    sizeof(struct tw_tunable_value));
		assert_memory_equal(&read.entries[i].written, &ledger.entries[i].written,
				    sizeof(struct tw_tunable_value));
		assert_string_equal(read.entries[i].rule, ledger.entries[i].rule);
	}
	tw_text_init(&again, again_bytes, sizeof(again_bytes));
	tw_ledger_text_write(&read, &again);
	assert_string_equal(again_bytes, bytes);
}

/* No name makes a line of its own. */
static void test_names_stay_on_their_line(void **state TW_UNUSED)
{
	char bytes[TW_LEDGER_TEXT_MAX];
	struct tw_ledger ledger, read;
	struct tw_text text;

	tw_ledger_init(&ledger, "boot\nid", &(struct tw_netns_id){ 1, 2 });
	ledger.entries[TW_TUNABLE_TW_REUSE].owner = TW_OWNER_OURS;
	(void)snprintf(ledger.entries[TW_TUNABLE_TW_REUSE].rule, TW_RULE_NAME_MAX, "a\nend 0\n\x7f\xc3\xa4");
	tw_text_init(&text, bytes, sizeof(bytes));
	tw_ledger_text_write(&ledger, &text);
	assert_int_equal(parse_exactly(bytes, text.length, &read), 0);
	assert_string_equal(read.boot_id, "boot?id");
	assert_string_equal(read.entries[TW_TUNABLE_TW_REUSE].rule, "a?end 0??\xc3\xa4");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_reads_the_facts),
		cmocka_unit_test(test_every_byte_counts),
		cmocka_unit_test(test_longest_comes_back),
		cmocka_unit_test(test_names_stay_on_their_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
