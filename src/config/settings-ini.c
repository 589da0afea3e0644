/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config/settings-reader.h"

#include "base/parse.h"

#include <ini.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/*
 * inih splits "KEY = VALUE ; comment" and nothing more. It counts no lines, cuts them at INI_MAX_LINE and reads on
 * behind the cut as if a new line stood there, takes a line that begins with a blank as more of the value before, cuts
 * the names of sections and never tells an empty one. So the lines are found, counted and judged here, sections are
 * followed here, and inih is given an empty line for everything that is not a sound KEY = VALUE.
 */

struct tw_settings_reader *tw_settings_reader_new(struct tw_settings *settings, struct tw_problems *problems)
{
	struct tw_settings_reader *reader = calloc(1, sizeof(*reader));

	problems->count = 0;
	if (!reader)
		return NULL;
	reader->problems = problems;
	reader->settings = settings;
	reader->rule_count = settings->rule_count;
	for (unsigned i = 0; i < reader->rule_count; i++) {
		struct tw_rule_draft *rule = &reader->rules[i];

		rule->settings = settings->rules[i];
		rule->preset_unit = tw_metric_info(rule->settings.metric)->unit;
		for (size_t key = TW_KEY_METRIC; key <= TW_KEY_CLEAR; key++)
			rule->marks[key].given = true;
	}
	return reader;
}

bool tw_place_before(const struct tw_place *a, const struct tw_place *b)
{
	return a->rank != b->rank ? a->rank < b->rank : a->line < b->line;
}

void tw_settings_problem(struct tw_settings_reader *reader, const struct tw_place *place, const char *format, ...)
{
	struct tw_problems *problems = reader->problems;
	struct tw_place *places = reader->problem_places;
	unsigned row = problems->count, behind;
	struct tw_text text;
	va_list arguments;

	if (problems->count++ >= TW_PROBLEMS_MAX)
		return;
	while (row > 0 && tw_place_before(place, &places[row - 1]))
		row--;
	behind = problems->count - 1 - row;
	memmove(problems->texts[row + 1], problems->texts[row], behind * sizeof(problems->texts[0]));
	memmove(&places[row + 1], &places[row], behind * sizeof(places[0]));
	places[row] = *place;
	tw_text_init(&text, problems->texts[row], sizeof(problems->texts[0]));
	tw_text_add(&text, place->file ? place->file : "built-in defaults");
	if (place->line > 0)
		tw_text_addf(&text, ":%u", place->line);
	tw_text_add(&text, ": ");
	va_start(arguments, format);
	tw_text_addv(&text, format, arguments);
	va_end(arguments);
}

#define PROBLEM(reader, ...) tw_settings_problem(reader, &(reader)->place, __VA_ARGS__)

#define EXPECTED_SECTION "expected [daemon], [destroy] or [rule NAME]"

/* ---- keys */

/* The key of this name in a section, NULL for any; TW_KEY_COUNT for none. */
static enum tw_key find_key(const char *section, const char *name)
{
	unsigned key = 0;

	while (key < TW_KEY_COUNT && (strcmp(tw_key_rows[key].name, name) != 0 ||
				      (section && strcmp(tw_key_rows[key].section, section) != 0)))
		key++;
	return (enum tw_key)key;
}

/* In the order of enum tw_action_kind. */
static bool is_action(enum tw_key key)
{
	return key >= TW_KEY_SET && key <= TW_KEY_DESTROY;
}

static void note_unknown_key(struct tw_settings_reader *reader, const char *name)
{
	enum tw_key elsewhere = find_key(NULL, name);
	const char *names[TW_KEY_COUNT];
	char bytes[TW_PROBLEM_TEXT_MAX];
	struct tw_text hint;
	size_t count = 0;

	tw_text_init(&hint, bytes, sizeof(bytes));
	while ((names[count] = tw_settings_key(reader->section, count)))
		count++;
	/* A wrong file may have any number of them: what is not told is not looked for. */
	if (elsewhere == TW_KEY_COUNT && reader->problems->count < TW_PROBLEMS_MAX)
		tw_text_add_near(&hint, name, names, count);
	else if (elsewhere != TW_KEY_COUNT)
		tw_text_addf(&hint, "; it belongs into [%s%s]", tw_key_rows[elsewhere].section,
			     elsewhere < TW_KEY_METRIC ? "" : " NAME");
	PROBLEM(reader, "unknown key '%s' in %s%s", name, reader->title, hint.bytes);
}

/* An action is added to those of this text; `first`: it replaces those of its kind of the texts before. */
static bool take_value(struct tw_settings_reader *reader, enum tw_key key, bool first, const char *value,
		       struct tw_text *why)
{
	const struct tw_key_row *row = &tw_key_rows[key];
	struct tw_rule_draft *rule = reader->rule;
	char *base = rule ? (char *)rule : (char *)reader->settings;

	if (first && is_action(key))
		tw_actions_drop(rule, (enum tw_action_kind)(key - TW_KEY_SET));
	if (!row->parse(row, base + row->offset, value, why))
		return false;
	if (rule && is_action(key))
		rule->action_places[rule->settings.action_count - 1] = reader->place;
	return true;
}

static void take_key(struct tw_settings_reader *reader, const char *name, const char *value)
{
	enum tw_key key = find_key(reader->section, name);
	char bytes[TW_PROBLEM_TEXT_MAX];
	struct tw_key_mark *mark;
	struct tw_text why;
	bool seen;

	if (key == TW_KEY_COUNT) {
		note_unknown_key(reader, name);
		return;
	}
	mark = reader->rule ? &reader->rule->marks[key] : &reader->marks[key];
	seen = mark->place.rank == reader->place.rank && mark->place.line > reader->section_line;
	if (seen && !is_action(key)) {
		PROBLEM(reader, "'%s' again in %s; it stands in line %u already", name, reader->title,
			mark->place.line);
		return;
	}
	*mark = (struct tw_key_mark){ .given = true, .bad = true, .place = reader->place };
	tw_text_init(&why, bytes, sizeof(bytes));
	if (!value[0])
		PROBLEM(reader, "'%s' has no value; expected KEY = VALUE", name);
	else if (take_value(reader, key, !seen, value, &why))
		mark->bad = false;
	else
		/* A value that begins its comment with '#' is the commonest slip. */
		PROBLEM(reader, "%s = '%s': %s%s", name, value, why.bytes,
			strstr(value, " #") ? " (a comment behind a value begins with ' ;')" : "");
}

/* What inih calls for each line that read_line() let pass. Its idea of the section is not needed. */
static int take_pair(void *user, const char *section TW_UNUSED, const char *name, const char *value)
{
	struct tw_settings_reader *reader = user;

	if (reader->section)
		take_key(reader, name, value);
	else if (!reader->in_section)
		PROBLEM(reader, "'%s' stands before any section; " EXPECTED_SECTION " first", name);
	return 1;
}

/* ---- sections */

static bool is_rule_name(const char *name, size_t length)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.";

	for (size_t i = 0; i < length; i++)
		if (!memchr(allowed, name[i], sizeof(allowed) - 1))
			return false;
	return length > 0;
}

/* The draft for a rule's section; that of the dump where the section cannot be one, with a problem noted. */
static struct tw_rule_draft *rule_for(struct tw_settings_reader *reader, const char *name, size_t length)
{
	struct tw_rule_draft *rule = &reader->dump;

	for (unsigned i = 0; i < reader->rule_count; i++) {
		rule = &reader->rules[i];
		if (!tw_parse_is(name, length, rule->settings.name))
			continue;
		if (rule->opened.rank == reader->place.rank)
			PROBLEM(reader, "[rule %s] again; it stands in line %u already", rule->settings.name,
				rule->opened.line);
		return rule;
	}
	rule = &reader->dump;
	if (!is_rule_name(name, length))
		PROBLEM(reader, "[rule %.*s]: expected a name of letters, digits, '-', '_' and '.'", (int)length, name);
	else if (length >= TW_RULE_NAME_MAX)
		PROBLEM(reader, "[rule %.*s]: expected a name of at most %d characters", (int)length, name,
			TW_RULE_NAME_MAX - 1);
	else if (reader->rule_count >= TW_RULES_MAX)
		PROBLEM(reader, "[rule %.*s]: expected at most %d rules", (int)length, name, TW_RULES_MAX);
	else
		rule = &reader->rules[reader->rule_count++];
	memset(rule, 0, sizeof(*rule));
	tw_rule_settings_init(&rule->settings);
	(void)tw_text_copy_bytes(rule->settings.name, sizeof(rule->settings.name), name, length);
	return rule;
}

/* A section that stands once in a file, and where it does. */
static void open_only(struct tw_settings_reader *reader, const char *section, unsigned *line)
{
	if (*line > 0)
		PROBLEM(reader, "[%s] again; it stands in line %u already", section, *line);
	else
		*line = reader->place.line;
	reader->section = section;
	(void)snprintf(reader->title, sizeof(reader->title), "[%s]", section);
}

static void note_unknown_section(struct tw_settings_reader *reader, const char *kind, size_t kind_length,
				 const char *inside, size_t length)
{
	static const char *const kinds[] = { "daemon", "destroy", "rule" };
	char word[TW_SETTINGS_LINE_MAX + 1];
	const char *near;

	(void)tw_text_copy_bytes(word, sizeof(word), kind, kind_length);
	near = tw_near(word, kinds, TW_ARRAY_SIZE(kinds));
	if (near)
		PROBLEM(reader, "unknown section [%.*s]; did you mean [%s]?", (int)length, inside,
			near == kinds[2] ? "rule NAME" : near);
	else
		PROBLEM(reader, "unknown section [%.*s]; " EXPECTED_SECTION, (int)length, inside);
}

/* The section of what stands in the brackets. */
static void open_named(struct tw_settings_reader *reader, const char *inside, size_t length)
{
	const char *cursor = inside, *end = inside + length, *word;
	size_t word_length;

	if (!tw_parse_word(&cursor, end, &word, &word_length))
		PROBLEM(reader, "a section without a name; " EXPECTED_SECTION);
	else if (tw_parse_is(inside, length, "daemon"))
		open_only(reader, "daemon", &reader->daemon_line);
	else if (tw_parse_is(inside, length, "destroy"))
		open_only(reader, "destroy", &reader->destroy_line);
	else if (tw_parse_is(inside, length, "rule"))
		PROBLEM(reader, "[rule] has no name; expected [rule NAME]");
	else if (tw_parse_is(word, word_length, "rule")) {
		length = (size_t)(end - cursor);
		tw_parse_trim(&cursor, &length);
		reader->section = "rule";
		reader->rule = rule_for(reader, cursor, length);
		reader->rule->opened = reader->place;
		(void)snprintf(reader->title, sizeof(reader->title), "[rule %s]", reader->rule->settings.name);
		if (!reader->rule->section.file)
			reader->rule->section = reader->place;
	} else
		note_unknown_section(reader, word, word_length, inside, length);
}

/* `line` begins with '['. */
static void open_section(struct tw_settings_reader *reader, const char *line, size_t length)
{
	const char *inside = line + 1, *close = memchr(line, ']', length), *rest;
	size_t inside_length, rest_length;

	reader->in_section = true;
	reader->section = NULL;
	reader->section_line = reader->place.line;
	reader->rule = NULL;
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
	open_named(reader, inside, inside_length);
}

/* ---- lines */

/* Whether '=' follows a key, before any comment. */
static bool is_pair(const char *line, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		if (line[i] == '=')
			return i > 0;
		if (line[i] == ':' || (line[i] == ';' && (line[i - 1] == ' ' || line[i - 1] == '\t')))
			return false;
	}
	return false;
}

/* Judges a line and follows the sections. Returns whether it is a KEY = VALUE for inih to split. */
static bool judge_line(struct tw_settings_reader *reader, const char *line, size_t length)
{
	const char *trimmed = line;
	size_t trimmed_length = length;

	for (size_t i = 0; i < length; i++)
		if (((unsigned char)line[i] < ' ' && line[i] != '\t') || line[i] == 0x7f) {
			PROBLEM(reader, "the line holds the control character 0x%02x; expected plain text",
				(unsigned)(unsigned char)line[i]);
			return false;
		}
	if (length > TW_SETTINGS_LINE_MAX) {
		PROBLEM(reader, "the line is %zu bytes long; expected at most %d", length, TW_SETTINGS_LINE_MAX);
		return false;
	}
	tw_parse_trim(&trimmed, &trimmed_length);
	if (trimmed_length == 0 || trimmed[0] == ';' || trimmed[0] == '#')
		return false;
	if (trimmed != line)
		PROBLEM(reader, "the line begins with a blank; expected a key or a section in the first column, "
				"and a value in one line");
	else if (line[0] == '[')
		open_section(reader, trimmed, trimmed_length);
	else if (is_pair(line, length))
		return true;
	else
		PROBLEM(reader, "expected KEY = VALUE or [SECTION], found '%.*s'", (int)trimmed_length, trimmed);
	return false;
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

static void begin_text(struct tw_settings_reader *reader, const char *file)
{
	reader->place = (struct tw_place){ .file = file, .rank = reader->place.rank + 1 };
	reader->daemon_line = reader->destroy_line = 0;
	reader->in_section = false;
	reader->section = NULL;
	reader->rule = NULL;
}

void tw_settings_reader_add(struct tw_settings_reader *reader, const char *file, const char *text, size_t length)
{
	static const char bom[] = "\xef\xbb\xbf";
	bool has_bom = length >= sizeof(bom) - 1 && memcmp(text, bom, sizeof(bom) - 1) == 0;

	begin_text(reader, file);
	reader->cursor = has_bom ? text + sizeof(bom) - 1 : text;
	reader->end = text + length;
	if (ini_parse_stream(read_line, reader, take_pair, reader) != 0)
		PROBLEM(reader, "the file cannot be read to its end");
}

void tw_settings_reader_fail(struct tw_settings_reader *reader, const char *file, const char *reason)
{
	begin_text(reader, file);
	PROBLEM(reader, "%s", reason);
}
