/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ctl/past/lines-source.h"

#include "base/fd.h"
#include "base/macros.h"
#include "base/parse.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

static FILE *close_file(FILE *file)
{
	if (file && file != stdin)
		(void)fclose(file);
	return NULL;
}
TW_DEFINE_CLEANUP(FILE, close_file)
#define CLEANUP_FILE TW_CLEANUP(close_filep)

static json_t *put_json(json_t *json)
{
	json_decref(json);
	return NULL;
}
TW_DEFINE_CLEANUP(json_t, put_json)
#define CLEANUP_JSON TW_CLEANUP(put_jsonp)

static void gather(json_t *object, struct tw_record *record)
{
	const char *name;
	json_t *value;

	tw_record_init(record);
	json_object_foreach(object, name, value)
	{
		if (json_is_string(value))
			(void)tw_past_add(record, name, strlen(name), json_string_value(value),
					  json_string_length(value));
	}
}

static bool find_time(json_t *object, usec_t *ret_usec)
{
	const char *text = json_string_value(json_object_get(object, "__REALTIME_TIMESTAMP"));

	return text && tw_parse_u64(text, strlen(text), ret_usec) >= 0;
}

/* Another program's line, in what `journalctl -o json` wrote, is passed over; of this one all have event and time. */
static bool is_wanted(const struct tw_past_order *order, const struct tw_record *record, usec_t at_usec)
{
	const char *namespace = tw_past_text(record, "TIMEWAITD_NAMESPACE");

	return tw_record_get(record, "TIMEWAITD_EVENT") && at_usec >= order->since_usec &&
	       at_usec <= order->until_usec && (!order->namespace || strcmp(namespace, order->namespace) == 0);
}

/* Returns 1 for a record that was taken, 0 for one passed over, or a negative errno. */
static int take_line(const struct tw_past_order *order, struct tw_past_taker *taker, struct tw_record *record,
		     const char *line, size_t length)
{
	CLEANUP_JSON json_t *object = json_loadb(line, length, JSON_ALLOW_NUL, NULL);
	usec_t at_usec;
	int r;

	if (!json_is_object(object))
		return -EBADMSG;
	if (!find_time(object, &at_usec))
		return 0;
	gather(object, record);
	if (!is_wanted(order, record, at_usec))
		return 0;
	r = taker->take(taker, at_usec, record);
	return r < 0 ? r : 1;
}

static long read_all(FILE *file, const struct tw_past_order *order, struct tw_past_taker *taker,
		     unsigned long *ret_line)
{
	TW_CLEANUP_FREE struct tw_record *record = malloc(sizeof(*record));
	TW_CLEANUP_FREE char *line = NULL;
	size_t room = 0;
	long count = 0;
	ssize_t length;

	if (!record)
		return -ENOMEM;
	*ret_line = 0;
	while ((length = getline(&line, &room, file)) >= 0) {
		int r;

		++*ret_line;
		if (line[strspn(line, " \t\r\n")] == '\0')
			continue;
		r = take_line(order, taker, record, line, (size_t)length);
		if (r < 0)
			return r;
		count += r;
	}
	return ferror(file) ? -EIO : count;
}

long tw_lines_read(const struct tw_past_order *order, struct tw_past_taker *taker, unsigned long *ret_line)
{
	CLEANUP_FILE FILE *file = strcmp(order->input, "-") == 0 ? stdin : fopen(order->input, "re");

	return file ? read_all(file, order, taker, ret_line) : tw_errno();
}
