/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "settings-table.h"

static const struct row rows[] = {
	/* lines */
	{ "nothing", "", NULL, "", NULL },
	{ "comments", "; a\n# b\n \t; c\n  # d\n\n   \n\t\n", NULL, "", NULL },
	{ "no newline at the end", "[daemon]\ninterval=1s", NULL, "", NULL },
	{ "CRLF", "[daemon]\r\ninterval = 1s\r\n; x\r\n\r\n", NULL, "", NULL },
	{ "BOM", "\xef\xbb\xbf[daemon]\ninterval=1s\n", NULL, "", NULL },
	{ "BOM alone", "\xef\xbb\xbf", NULL, "", NULL },
	{ "BOM in line 2", "[daemon]\n\xef\xbb\xbfinterval=1s\n", NULL,
	  "a:2: unknown key '\xef\xbb\xbfinterval' in [daemon]\n", NULL },
	{ "no equals", "[daemon]\ninterval\n", NULL, "a:2: expected KEY = VALUE or [SECTION], found 'interval'\n",
	  NULL },
	{ "colon", "[daemon]\ninterval: 1s\n", NULL, "a:2: expected KEY = VALUE or [SECTION], found 'interval: 1s'\n",
	  NULL },
	{ "no key", "[daemon]\n= 1s\n", NULL, "a:2: expected KEY = VALUE or [SECTION], found '= 1s'\n", NULL },
	{ "equals in a comment", "[daemon]\ninterval ; = 1s\n", NULL,
	  "a:2: expected KEY = VALUE or [SECTION], found 'interval ; = 1s'\n", NULL },
	{ "no value", "[daemon]\ninterval =\ncensus = ; 5s\n", NULL,
	  "a:2: 'interval' has no value; expected KEY = VALUE\n"
	  "a:3: 'census' has no value; expected KEY = VALUE\n",
	  NULL },
	{ "continuation", RULE "set=net.ipv4.tcp_tw_reuse=1\n  net.ipv4.tcp_syncookies=1\n", NULL,
	  "a:6: the line begins with a blank; expected a key or a section in the first column, and a value in one "
	  "line\n",
	  NULL },
	{ "indented section", "\t[daemon]\ninterval=1s\n", NULL,
	  "a:1: the line begins with a blank; expected a key or a section in the first column, and a value in one "
	  "line\n"
	  "a:2: 'interval' stands before any section; expected [daemon], [destroy] or [rule NAME] first\n",
	  NULL },
	{ "198 bytes", "[daemon]\ninterval=1s ;" FORTY FORTY FORTY FORTY TEN TEN "01234\n", NULL, "", NULL },
	{ "199 bytes", "[daemon]\ninterval=1s ;" FORTY FORTY FORTY FORTY TEN TEN "012345\n", NULL,
	  "a:2: the line is 199 bytes long; expected at most 198\n", NULL },
	{ "the rest of a long line is no line",
	  RULE "#" FORTY FORTY FORTY FORTY TEN TEN TEN "01234567\nset=net.ipv4.tcp_tw_reuse=9\n", NULL,
	  "a:5: the line is 199 bytes long; expected at most 198\n"
	  "a:6: set = 'net.ipv4.tcp_tw_reuse=9': net.ipv4.tcp_tw_reuse takes a number from 0 to 2\n",
	  NULL },
	{ "control characters", "[daemon]\ninterval=1s\x1b[0m\ncensus=5s\rsurvey=1s\n\f\n#\x7f\n", NULL,
	  "a:2: the line holds the control character 0x1b; expected plain text\n"
	  "a:3: the line holds the control character 0x0d; expected plain text\n"
	  "a:4: the line holds the control character 0x0c; expected plain text\n"
	  "a:5: the line holds the control character 0x7f; expected plain text\n",
	  NULL },
	/* sections */
	{ "key before any section", "interval = 1s\nraise = 5\n[daemon]\ntop=5\n", NULL,
	  "a:1: 'interval' stands before any section; expected [daemon], [destroy] or [rule NAME] first\n"
	  "a:2: 'raise' stands before any section; expected [daemon], [destroy] or [rule NAME] first\n",
	  NULL },
	{ "unknown section", "[network]\nallow=x\nfoo=1\n[daemon]\ntop=0\n", NULL,
	  "a:1: unknown section [network]; expected [daemon], [destroy] or [rule NAME]\n"
	  "a:5: top = '0': expected a number from 1 to 100\n",
	  NULL },
	{ "near section", "[deamon]\n[Rule x]\n[ruler]\n[daemon 2]\n", NULL,
	  "a:1: unknown section [deamon]; did you mean [daemon]?\n"
	  "a:2: unknown section [Rule x]; did you mean [rule NAME]?\n"
	  "a:3: unknown section [ruler]; did you mean [rule NAME]?\n"
	  "a:4: unknown section [daemon 2]; did you mean [daemon]?\n",
	  NULL },
	{ "section syntax", "[daemon\n[]\n[ ]\n[daemon] x\n[rule]\n[rule ]\n[ daemon ;]\n", NULL,
	  "a:1: a section without ']': '[daemon'\n"
	  "a:2: a section without a name; expected [daemon], [destroy] or [rule NAME]\n"
	  "a:3: a section without a name; expected [daemon], [destroy] or [rule NAME]\n"
	  "a:4: found 'x' behind ']'; expected the end of the line, or a comment that begins with ';'\n"
	  "a:5: [rule] has no name; expected [rule NAME]\n"
	  "a:6: [rule] has no name; expected [rule NAME]\n"
	  "a:7: unknown section [daemon ;]; did you mean [daemon]?\n",
	  NULL },
	{ "section and comment", "[daemon] ; x\n", NULL, "", NULL },
	{ "daemon twice", "[daemon]\ntop=5\n" RULE "[daemon]\ntop=5\n", NULL,
	  "a:7: [daemon] again; it stands in line 1 already\n", NULL },
	{ "rule twice", RULE "[daemon]\n" RULE "severity=bad\n", NULL,
	  "a:6: [rule r] again; it stands in line 1 already\n"
	  "a:10: severity = 'bad': expected info, notice, warning, error or critical\n",
	  NULL },
	{ "rule's name", "[rule a b]\nrise=1\n[rule \xc3\xa4]\n[rule " FORTY "01234]\n", NULL,
	  "a:1: [rule a b]: expected a name of letters, digits, '-', '_' and '.'\n"
	  "a:2: unknown key 'rise' in [rule a b]; did you mean 'raise'?\n"
	  "a:3: [rule \xc3\xa4]: expected a name of letters, digits, '-', '_' and '.'\n"
	  "a:4: [rule " FORTY "01234]: expected a name of at most 44 characters\n",
	  NULL },
	/* keys */
	{ "near key", "[daemon]\nintervall=1s\n" RULE "rise=1\nRaise_for=1s\nfrobnicate=1\n", NULL,
	  "a:2: unknown key 'intervall' in [daemon]; did you mean 'interval'?\n"
	  "a:7: unknown key 'rise' in [rule r]; did you mean 'raise'?\n"
	  "a:8: unknown key 'Raise_for' in [rule r]; did you mean 'raise-for'?\n"
	  "a:9: unknown key 'frobnicate' in [rule r]\n",
	  NULL },
	{ "key of the other section", "[daemon]\nraise=1\n" RULE "mode=observe\n", NULL,
	  "a:2: unknown key 'raise' in [daemon]; it belongs into [rule NAME]\n"
	  "a:7: unknown key 'mode' in [rule r]; it belongs into [daemon]\n",
	  NULL },
	{ "keys of a later version", RULE "shape=x 2\nretire=time-wait\n", NULL,
	  "a:5: unknown key 'shape' in [rule r]\na:6: unknown key 'retire' in [rule r]\n", NULL },
	{ "near key of a scope", RULE "units=x\ndestinaton=x\nlistner=x\ngates=x\nprof=x\nforcast=x\nages=x\n", NULL,
	  "a:5: unknown key 'units' in [rule r]; did you mean 'unit'?\n"
	  "a:6: unknown key 'destinaton' in [rule r]; did you mean 'destination'?\n"
	  "a:7: unknown key 'listner' in [rule r]; did you mean 'listener'?\n"
	  "a:8: unknown key 'gates' in [rule r]; did you mean 'gate'?\n"
	  "a:9: unknown key 'prof' in [rule r]; did you mean 'proof'?\n"
	  "a:10: unknown key 'forcast' in [rule r]; did you mean 'forecast'?\n"
	  "a:11: unknown key 'ages' in [rule r]; did you mean 'age'?\n",
	  NULL },
	{ "a rule's key in [daemon]", "[daemon]\ngate=yes\nunit=web.service\n", NULL,
	  "a:2: unknown key 'gate' in [daemon]; it belongs into [rule NAME]\n"
	  "a:3: unknown key 'unit' in [daemon]; it belongs into [rule NAME]\n",
	  NULL },
	{ "key twice", "[daemon]\ntop=5\ntop=5\n" PORT_RULE "raise=46%\nraise=47%\n", NULL,
	  "a:3: 'top' again in [daemon]; it stands in line 2 already\n"
	  "a:8: 'raise' again in [rule r]; it stands in line 6 already\n"
	  "a:9: 'raise' again in [rule r]; it stands in line 6 already\n",
	  NULL },
	{ "a comment that is none", "[daemon]\ntop = 5 # rows\n", NULL,
	  "a:2: top = '5 # rows': expected a number from 1 to 100 (a comment behind a value begins with ' ;')\n",
	  NULL },
};

static void read_bytes(const char *bytes, size_t length, struct tw_problems *problems)
{
	struct tw_settings *settings = tw_settings_new_empty();
	struct tw_settings_reader *reader = tw_settings_reader_new(settings, problems);

	assert_non_null(reader);
	tw_settings_reader_add(reader, "a", bytes, length);
	tw_settings_reader_finish(reader);
	free(reader);
	assert_null(tw_settings_free(settings));
}

static struct tw_problems found;

static void test_nul(void **state TW_UNUSED)
{
	static const char text[] = "[daemon]\ntop=5\0\ncensus=\0 5s\n\0";

	read_bytes(text, sizeof(text) - 1, &found);
	assert_int_equal(found.count, 3);
	assert_string_equal(found.texts[0], "a:2: the line holds the control character 0x00; expected plain text");
	assert_string_equal(found.texts[1], "a:3: the line holds the control character 0x00; expected plain text");
	assert_string_equal(found.texts[2], "a:4: the line holds the control character 0x00; expected plain text");
}

/* Nothing is read beyond the length, whatever stands there. */
static void test_length(void **state TW_UNUSED)
{
	static const char text[] = "[daemon]\ntop=5\ntop=6\n";

	read_bytes(text, strlen("[daemon]\ntop=5"), &found);
	assert_int_equal(found.count, 0);
	read_bytes(text, strlen("[daemon"), &found);
	assert_int_equal(found.count, 1);
	assert_string_equal(found.texts[0], "a:1: a section without ']': '[daemon'");
	read_bytes(text, 0, &found);
	assert_int_equal(found.count, 0);
}

static void test_many_problems(void **state TW_UNUSED)
{
	static char text[5000];
	struct tw_text out;

	tw_text_init(&out, text, sizeof(text));
	tw_text_add(&out, "[rule r]\n");
	for (unsigned i = 0; i < TW_PROBLEMS_MAX + 20; i++)
		tw_text_add(&out, "x\n");
	read_bytes(text, out.length, &found);
	assert_int_equal(found.count, TW_PROBLEMS_MAX + 20 + 3);
	assert_string_equal(found.texts[0], "a:2: expected KEY = VALUE or [SECTION], found 'x'");
	assert_string_equal(found.texts[TW_PROBLEMS_MAX - 1], "a:101: expected KEY = VALUE or [SECTION], found 'x'");

	/* The last that is told has its suggestion still. */
	tw_text_init(&out, text, sizeof(text));
	tw_text_add(&out, "[daemon]\n");
	for (unsigned i = 0; i < TW_PROBLEMS_MAX + 1; i++)
		tw_text_add(&out, "tob=1\n");
	tw_text_add(&out, "[demon]\n");
	assert_false(out.cut);
	read_bytes(text, out.length, &found);
	assert_int_equal(found.count, TW_PROBLEMS_MAX + 2);
	assert_string_equal(found.texts[TW_PROBLEMS_MAX - 1],
			    "a:101: unknown key 'tob' in [daemon]; did you mean 'top'?");
}

/* A rule too many is told, and its keys are judged all the same. */
static void test_many_rules(void **state TW_UNUSED)
{
	static char text[8000];
	struct tw_text out;

	tw_text_init(&out, text, sizeof(text));
	for (unsigned i = 0; i <= TW_RULES_MAX; i++)
		tw_text_addf(&out, "[rule r%u]\nmetric=time-wait\nraise=9\nclear=1\n", i);
	tw_text_add(&out, "severity=x\n");
	assert_false(out.cut);
	read_bytes(text, out.length, &found);
	assert_int_equal(found.count, 2);
	assert_string_equal(found.texts[0], "a:257: [rule r64]: expected at most 64 rules");
	assert_string_equal(found.texts[1], "a:261: severity = 'x': expected info, notice, warning, error or critical");
}

/* A message longer than its place is cut, and its end still there. */
static void test_long_message(void **state TW_UNUSED)
{
	static char file[600];
	struct tw_settings *settings = tw_settings_new_empty();
	struct tw_settings_reader *reader = tw_settings_reader_new(settings, &found);

	memset(file, 'f', sizeof(file) - 1);
	assert_non_null(reader);
	tw_settings_reader_add(reader, file, "x", 1);
	tw_settings_reader_finish(reader);
	assert_int_equal(found.count, 1);
	assert_int_equal(strlen(found.texts[0]), TW_PROBLEM_TEXT_MAX - 1);
	free(reader);
	assert_null(tw_settings_free(settings));
}

/* A text that cannot be had stands where it would have stood. */
static void test_fail(void **state TW_UNUSED)
{
	struct tw_settings *settings = tw_settings_new_empty();
	struct tw_settings_reader *reader = tw_settings_reader_new(settings, &found);

	assert_non_null(reader);
	tw_settings_reader_add(reader, "a", "[rule r]\nmetric=time-wait\nraise=1", 33);
	tw_settings_reader_fail(reader, "b", "Permission denied");
	tw_settings_reader_add(reader, "c", "x", 1);
	tw_settings_reader_finish(reader);
	assert_int_equal(found.count, 3);
	assert_string_equal(found.texts[0], "a:1: [rule r] has no 'clear'; every rule needs one");
	assert_string_equal(found.texts[1], "b: Permission denied");
	assert_string_equal(found.texts[2], "c:1: expected KEY = VALUE or [SECTION], found 'x'");
	free(reader);
	assert_null(tw_settings_free(settings));
}

static const struct CMUnitTest others[] = {
	cmocka_unit_test(test_nul),	   cmocka_unit_test(test_length),	cmocka_unit_test(test_many_problems),
	cmocka_unit_test(test_many_rules), cmocka_unit_test(test_long_message), cmocka_unit_test(test_fail),
};

int main(void)
{
	return run_rows("settings-ini", rows, TW_ARRAY_SIZE(rows), others, TW_ARRAY_SIZE(others));
}
