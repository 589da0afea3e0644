/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config/settings-load.h"

#include "base/parse.h"
#include "base/text.h"
#include "config/settings-action.h"
#include "config/settings-check.h"
#include "config/settings-keys.h"
#include "config/settings-problems.h"

#include <ini.h>
#include <string.h>

/*
 * inih splits "KEY = VALUE ; comment" and nothing more. It counts no lines, cuts them at INI_MAX_LINE and reads on
 * behind the cut as if a new line stood there, takes a line that begins with a blank as more of the value before, cuts
 * the names of sections and never tells an empty one. So the lines are found, counted and judged here, sections are
 * followed here, and inih is given an empty line for everything that is not a sound KEY = VALUE.
 */
struct tw_settings_reader {
	struct tw_problem_log log;
	struct tw_settings_draft draft;
	/* The text being read. */
	struct tw_place place; /* of the line */
	const char *cursor;
	const char *end;
	unsigned daemon_line; /* where [daemon] was opened; 0: not yet */
	unsigned destroy_line;
	/* The section being read. */
	const struct tw_key_table *table; /* NULL: none, or one whose keys are passed over */
	struct tw_rule_draft *rule;	  /* where table is that of rules */
	bool in_section;
	uint32_t seen;		   /* its keys so far */
	struct tw_rule_draft dump; /* takes the keys of a rule that cannot be kept, so that they are judged too */
};

struct tw_settings_reader *tw_settings_reader_new(struct tw_settings *settings, struct tw_problems *problems)
{
	struct tw_settings_reader *reader = calloc(1, sizeof(*reader));

	if (!reader)
		return NULL;
	tw_problem_log_init(&reader->log, problems);
	tw_settings_draft_init(&reader->draft, settings);
	return reader;
}

struct tw_settings_reader *tw_settings_reader_free(struct tw_settings_reader *reader)
{
	free(reader);
	return NULL;
}

#define PROBLEM(reader, ...) tw_problem_log_add(&(reader)->log, &(reader)->place, __VA_ARGS__)

#define EXPECTED_SECTION "expected [daemon], [destroy] or [rule NAME]"

/* "[daemon]" or "[rule NAME]" as it stands in messages. */
#define SECTION_TEXT_MAX (TW_RULE_NAME_MAX + 8)
static const char *section_text(const struct tw_settings_reader *reader, char text[SECTION_TEXT_MAX])
{
	struct tw_text out;

	tw_text_init(&out, text, SECTION_TEXT_MAX);
	if (reader->table == &tw_rule_keys)
		tw_text_addf(&out, "[rule %s]", reader->rule->settings.name);
	else
		tw_text_addf(&out, "[%s]", reader->table->section);
	return text;
}

/* A value that begins its comment with '#' is the commonest slip. */
static const char *comment_hint(const char *value)
{
	return strstr(value, " #") ? " (a comment behind a value begins with ' ;')" : "";
}

static void note_unknown_key(struct tw_settings_reader *reader, const char *name)
{
	const struct tw_key_table *home = tw_key_home(name);
	char section[SECTION_TEXT_MAX], bytes[TW_PROBLEM_TEXT_MAX];
	struct tw_text hint;

	tw_text_init(&hint, bytes, sizeof(bytes));
	if (home)
		tw_text_addf(&hint, "; it belongs into [%s%s]", home->section, home == &tw_rule_keys ? " NAME" : "");
	else if (tw_problem_log_tells(&reader->log))
		tw_key_suggest(&hint, name, reader->table->names, reader->table->count);
	PROBLEM(reader, "unknown key '%s' in %s%s", name, section_text(reader, section), hint.bytes);
}

/* Reads a value to where it belongs. Returns false with the reason where it is none. */
static bool take_value(struct tw_settings_reader *reader, size_t key, const char *value, struct tw_text *why)
{
	struct tw_rule_draft *rule = reader->rule;
	enum tw_action_kind kind;
	bool acts;

	if (reader->table == &tw_daemon_keys)
		return tw_daemon_key_parse(key, reader->draft.settings, value, why);
	if (reader->table == &tw_destroy_keys)
		return tw_destroy_key_parse(key, reader->draft.settings, value, why);
	acts = tw_rule_key_acts(key, &kind);
	/* The first `set` of this text replaces those of the text before; `step` and `destroy` likewise. */
	if (acts && (reader->seen & tw_key_bit(key)) == 0)
		tw_actions_drop(rule, kind);
	if (!tw_rule_key_parse(key, rule, value, why))
		return false;
	if (acts)
		rule->action_places[rule->settings.action_count - 1] = reader->place;
	return true;
}

static struct tw_key_marks *marks_of(struct tw_settings_reader *reader)
{
	if (reader->rule)
		return &reader->rule->marks;
	return reader->table == &tw_destroy_keys ? &reader->draft.destroy_marks : &reader->draft.marks;
}

static void take_key(struct tw_settings_reader *reader, const char *name, const char *value)
{
	struct tw_key_marks *marks = marks_of(reader);
	char bytes[TW_PROBLEM_TEXT_MAX];
	struct tw_text why;
	bool good = false;
	size_t key;

	tw_text_init(&why, bytes, sizeof(bytes));
	if (!tw_key_find(reader->table, name, &key)) {
		note_unknown_key(reader, name);
		return;
	}
	if ((reader->seen & tw_key_bit(key)) != 0 && (reader->table->repeatable & tw_key_bit(key)) == 0) {
		char section[SECTION_TEXT_MAX];

		PROBLEM(reader, "'%s' again in %s; it stands in line %u already", name, section_text(reader, section),
			marks->places[key].line);
		return;
	}
	if (!value[0])
		PROBLEM(reader, "'%s' has no value; expected KEY = VALUE", name);
	else if (!take_value(reader, key, value, &why))
		PROBLEM(reader, "%s = '%s': %s%s", name, value, why.bytes, comment_hint(value));
	else
		good = true;
	reader->seen |= tw_key_bit(key);
	marks->given |= tw_key_bit(key);
	marks->bad = good ? marks->bad & ~tw_key_bit(key) : marks->bad | tw_key_bit(key);
	marks->places[key] = reader->place;
}

/* What inih calls for each line that read_line() let pass. Its idea of the section is not needed. */
static int take_pair(void *user, const char *section TW_UNUSED, const char *name, const char *value)
{
	struct tw_settings_reader *reader = user;

	if (reader->table)
		take_key(reader, name, value);
	else if (!reader->in_section)
		PROBLEM(reader, "'%s' stands before any section; " EXPECTED_SECTION " first", name);
	return 1;
}

static bool is_rule_name(const char *name, size_t length)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.";

	for (size_t i = 0; i < length; i++)
		if (!memchr(allowed, name[i], sizeof(allowed) - 1))
			return false;
	return length > 0;
}

static struct tw_rule_draft *find_rule(struct tw_settings_draft *draft, const char *name, size_t length)
{
	for (unsigned i = 0; i < draft->rule_count; i++)
		if (tw_parse_is(name, length, draft->rules[i].settings.name))
			return &draft->rules[i];
	return NULL;
}

static void start_rule(struct tw_rule_draft *rule, const char *name, size_t length)
{
	memset(rule, 0, sizeof(*rule));
	tw_rule_settings_init(&rule->settings);
	(void)tw_text_copy_bytes(rule->settings.name, sizeof(rule->settings.name), name, length);
}

/* The draft for a rule's section; that of the dump where the section cannot be one, with a problem noted. */
static struct tw_rule_draft *rule_for(struct tw_settings_reader *reader, const char *name, size_t length)
{
	struct tw_settings_draft *draft = &reader->draft;
	struct tw_rule_draft *rule = find_rule(draft, name, length);

	if (rule && rule->opened.rank == reader->place.rank)
		PROBLEM(reader, "[rule %s] again; it stands in line %u already", rule->settings.name,
			rule->opened.line);
	if (rule)
		return rule;
	rule = &reader->dump;
	if (!is_rule_name(name, length))
		PROBLEM(reader, "[rule %.*s]: expected a name of letters, digits, '-', '_' and '.'", (int)length, name);
	else if (length >= TW_RULE_NAME_MAX)
		PROBLEM(reader, "[rule %.*s]: expected a name of at most %d characters", (int)length, name,
			TW_RULE_NAME_MAX - 1);
	else if (draft->rule_count >= TW_RULES_MAX)
		PROBLEM(reader, "[rule %.*s]: expected at most %d rules", (int)length, name, TW_RULES_MAX);
	else
		rule = &draft->rules[draft->rule_count++];
	start_rule(rule, name, length);
	return rule;
}

static void open_rule(struct tw_settings_reader *reader, const char *name, size_t length)
{
	reader->table = &tw_rule_keys;
	reader->rule = rule_for(reader, name, length);
	reader->rule->opened = reader->place;
	if (!reader->rule->section.file)
		reader->rule->section = reader->place;
}

/* A section that stands once in a file, and where it does. */
static void open_only(struct tw_settings_reader *reader, const struct tw_key_table *table, unsigned *line)
{
	if (*line > 0)
		PROBLEM(reader, "[%s] again; it stands in line %u already", table->section, *line);
	else
		*line = reader->place.line;
	reader->table = table;
}

static void note_unknown_section(struct tw_settings_reader *reader, const char *kind, size_t kind_length,
				 const char *inside, size_t length)
{
	static const char *const kinds[] = { "daemon", "destroy", "rule" };
	char word[TW_SETTINGS_LINE_MAX + 1];
	const char *near;

	(void)tw_text_copy_bytes(word, sizeof(word), kind, kind_length);
	near = tw_problem_log_tells(&reader->log) ? tw_near(word, kinds, TW_ARRAY_SIZE(kinds)) : NULL;
	if (near)
		PROBLEM(reader, "unknown section [%.*s]; did you mean [%s]?", (int)length, inside,
			near == kinds[2] ? "rule NAME" : near);
	else
		PROBLEM(reader, "unknown section [%.*s]; " EXPECTED_SECTION, (int)length, inside);
}

/* `line` begins with '['. A section that is none is passed over with its keys: nobody knows what they are. */
static void open_section(struct tw_settings_reader *reader, const char *line, size_t length)
{
	const char *inside = line + 1, *close = memchr(line, ']', length), *rest, *word, *cursor;
	size_t inside_length, rest_length, word_length;

	reader->in_section = true;
	reader->table = NULL;
	reader->rule = NULL;
	reader->seen = 0;
	if (!close) {
		PROBLEM(reader, "a section without ']': '%.*s'", (int)length, line);
		return;
	}
	rest = close + 1;
	rest_length = (size_t)(line + length - rest);
	tw_parse_trim(&rest, &rest_length);
	if (rest_length > 0 && rest[0] != ';')
		PROBLEM(reader,
			"found '%.*s' behind ']'; expected the end of the line, or a comment that begins with ';'",
			(int)rest_length, rest);
	inside_length = (size_t)(close - inside);
	tw_parse_trim(&inside, &inside_length);
	cursor = inside;
	if (!tw_parse_word(&cursor, close, &word, &word_length))
		PROBLEM(reader, "a section without a name; " EXPECTED_SECTION);
	else if (tw_parse_is(inside, inside_length, "daemon"))
		open_only(reader, &tw_daemon_keys, &reader->daemon_line);
	else if (tw_parse_is(inside, inside_length, "destroy"))
		open_only(reader, &tw_destroy_keys, &reader->destroy_line);
	else if (tw_parse_is(inside, inside_length, "rule"))
		PROBLEM(reader, "[rule] has no name; expected [rule NAME]");
	else if (tw_parse_is(word, word_length, "rule")) {
		inside_length -= (size_t)(cursor - inside);
		tw_parse_trim(&cursor, &inside_length);
		open_rule(reader, cursor, inside_length);
	} else
		note_unknown_section(reader, word, word_length, inside, inside_length);
}

static bool is_blank(char byte)
{
	return byte == ' ' || byte == '\t';
}

/* The first byte that belongs in no text, or NULL. */
static const char *find_control(const char *line, size_t length)
{
	for (size_t i = 0; i < length; i++)
		if (((unsigned char)line[i] < ' ' && line[i] != '\t') || line[i] == 0x7f)
			return &line[i];
	return NULL;
}

/* Whether '=' follows a key, before any comment. */
static bool is_pair(const char *line, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		if (line[i] == '=')
			return i > 0;
		if (line[i] == ':' || (line[i] == ';' && is_blank(line[i - 1])))
			return false;
	}
	return false;
}

/* Judges a line and follows the sections. Returns whether it is a KEY = VALUE for inih to split. */
static bool judge_line(struct tw_settings_reader *reader, const char *line, size_t length)
{
	const char *control = find_control(line, length), *trimmed = line;
	size_t trimmed_length = length;

	if (control) {
		PROBLEM(reader, "the line holds the control character 0x%02x; expected plain text",
			(unsigned)(unsigned char)*control);
		return false;
	}
	if (length > TW_SETTINGS_LINE_MAX) {
		PROBLEM(reader, "the line is %zu bytes long; expected at most %d", length, TW_SETTINGS_LINE_MAX);
		return false;
	}
	tw_parse_trim(&trimmed, &trimmed_length);
	if (trimmed_length == 0 || trimmed[0] == ';' || trimmed[0] == '#')
		return false;
	if (trimmed != line) {
		PROBLEM(reader, "the line begins with a blank; expected a key or a section in the first column, "
				"and a value in one line");
		return false;
	}
	if (line[0] == '[') {
		open_section(reader, trimmed, trimmed_length);
		return false;
	}
	if (!is_pair(line, length)) {
		PROBLEM(reader, "expected KEY = VALUE or [SECTION], found '%.*s'", (int)trimmed_length, trimmed);
		return false;
	}
	return true;
}

/* inih's fgets(): the next line, without its end; empty where it is not for inih. */
static char *read_line(char *buffer, int capacity, void *stream)
{
	struct tw_settings_reader *reader = stream;
	const char *line = reader->cursor, *newline;
	size_t length;

	if (line == reader->end)
		return NULL;
	newline = memchr(line, '\n', (size_t)(reader->end - line));
	length = (size_t)((newline ? newline : reader->end) - line);
	reader->cursor = newline ? newline + 1 : reader->end;
	reader->place.line++;
	if (length > 0 && line[length - 1] == '\r')
		length--;
	buffer[0] = '\0';
	if (judge_line(reader, line, length))
		(void)tw_text_copy_bytes(buffer, (size_t)capacity, line, length);
	return buffer;
}

void tw_settings_reader_add(struct tw_settings_reader *reader, const char *file, const char *text, size_t length)
{
	static const char bom[] = "\xef\xbb\xbf";
	bool has_bom = length >= sizeof(bom) - 1 && memcmp(text, bom, sizeof(bom) - 1) == 0;

	reader->place = (struct tw_place){ .file = file, .rank = reader->place.rank + 1 };
	reader->cursor = has_bom ? text + sizeof(bom) - 1 : text;
	reader->end = text + length;
	reader->daemon_line = reader->destroy_line = 0;
	reader->in_section = false;
	reader->table = NULL;
	reader->rule = NULL;
	if (ini_parse_stream(read_line, reader, take_pair, reader) != 0)
		tw_problem_log_add(&reader->log, &reader->place, "the file cannot be read to its end");
}

void tw_settings_reader_fail(struct tw_settings_reader *reader, const char *file, const char *reason)
{
	reader->place = (struct tw_place){ .file = file, .rank = reader->place.rank + 1 };
	PROBLEM(reader, "%s", reason);
}

void tw_settings_reader_finish(struct tw_settings_reader *reader)
{
	tw_settings_check(&reader->draft, &reader->log);
}
