/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ctl/past/past.h"

#include "base/macros.h"
#include "base/parse.h"

#include <errno.h>
#include <jansson.h>
#include <string.h>

/* The journal takes no time of this or later, nor 0: VALID_REALTIME() in systemd's sd-journal/journal-file.h. */
#define TIME_END_USEC (UINT64_C(1) << 55)

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

/* Of a later time nothing can be said: to add to it could begin time anew. */
static bool find_time(json_t *object, usec_t *ret_usec)
{
	const char *text = json_string_value(json_object_get(object, "__REALTIME_TIMESTAMP"));

	return text && tw_parse_u64(text, strlen(text), ret_usec) >= 0 && *ret_usec > 0 && *ret_usec < TIME_END_USEC;
}

/* Another program's line, in what `journalctl -o json` wrote, is passed over; of this one all have event and time. */
static bool is_wanted(const struct tw_past_order *order, const struct tw_record *record, usec_t at_usec)
{
	const char *namespace = tw_past_text(record, "TIMEWAITD_NAMESPACE");

	return tw_record_get(record, "TIMEWAITD_EVENT") && at_usec >= order->since_usec &&
	       at_usec <= order->until_usec && (!order->namespace || strcmp(namespace, order->namespace) == 0);
}

static bool is_blank(const char *line, size_t length)
{
	for (size_t i = 0; i < length; i++)
		if (line[i] != ' ' && line[i] != '\t' && line[i] != '\r' && line[i] != '\n')
			return false;
	return true;
}

int tw_lines_read_one(const struct tw_past_order *order, struct tw_past_taker *taker, struct tw_record *record,
		      const char *line, size_t length)
{
	CLEANUP_JSON json_t *object = NULL;
	usec_t at_usec;
	int r;

	if (is_blank(line, length))
		return 0;
	object = json_loadb(line, length, JSON_ALLOW_NUL, NULL);
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
