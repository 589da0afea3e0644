/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ctl/lint/sysctl-conf.h"

#include <string.h>

void tw_sysctl_conf_init(struct tw_sysctl_conf *conf, const char *text, size_t length)
{
	*conf = (struct tw_sysctl_conf){ .at = text, .end = text + length };
}

static bool is_blank(char byte)
{
	return byte == ' ' || byte == '\t' || byte == '\r' || byte == '\n';
}

static void trim(const char **text, size_t *length)
{
	while (*length > 0 && is_blank(**text)) {
		(*text)++;
		(*length)--;
	}
	while (*length > 0 && is_blank((*text)[*length - 1]))
		(*length)--;
}

/* A NUL ends a line as a newline does. */
static bool next_line(struct tw_sysctl_conf *conf, const char **ret, size_t *ret_length)
{
	const char *from = conf->at;

	if (from == conf->end)
		return false;
	while (conf->at < conf->end && *conf->at != '\n' && *conf->at != '\0')
		conf->at++;
	*ret = from;
	*ret_length = (size_t)(conf->at - from);
	if (conf->at < conf->end)
		conf->at++;
	conf->number++;
	return true;
}

static void split(const char *text, size_t length, struct tw_sysctl_line *line)
{
	const char *sign = memchr(text, '=', length);
	bool dash = text[0] == '-';

	line->key = text + dash;
	line->key_length = (sign ? (size_t)(sign - text) : length) - dash;
	trim(&line->key, &line->key_length);
	line->assigned = sign && line->key_length > 0;
	line->excluded = !sign && dash && line->key_length > 0;
	line->ignore_errors = sign && dash;
	if (sign) {
		line->value = sign + 1;
		line->value_length = length - (size_t)(sign + 1 - text);
		trim(&line->value, &line->value_length);
	}
	if (!line->assigned && !line->excluded) {
		line->key = text;
		line->key_length = length;
	}
}

bool tw_sysctl_conf_next(struct tw_sysctl_conf *conf, struct tw_sysctl_line *ret)
{
	const char *text;
	size_t length;

	while (next_line(conf, &text, &length)) {
		trim(&text, &length);
		if (length == 0 || *text == '#' || *text == ';')
			continue;
		*ret = (struct tw_sysctl_line){ .number = conf->number };
		split(text, length, ret);
		return true;
	}
	return false;
}

/* Without empty parts, parts that are ".", and slashes at its ends. */
static void simplify(char *path)
{
	char *to = path;

	for (const char *from = path; *from;) {
		size_t length = strcspn(from, "/");

		if (length > 0 && !(length == 1 && *from == '.')) {
			if (to != path)
				*to++ = '/';
			memmove(to, from, length);
			to += length;
		}
		from += length;
		from += *from == '/';
	}
	*to = '\0';
}

static void swap_separators(char *key)
{
	for (char *at = strpbrk(key, "/."); at; at = strpbrk(at + 1, "/."))
		*at = *at == '.' ? '/' : '.';
}

void tw_sysctl_key_normalize(char *key)
{
	const char *first = strpbrk(key, "/.");

	if (first && *first == '.')
		swap_separators(key);
	simplify(key);
}

void tw_sysctl_key_display(char *path)
{
	swap_separators(path);
}

bool tw_sysctl_key_is_glob(const char *key)
{
	return strpbrk(key, "*?[") != NULL;
}
