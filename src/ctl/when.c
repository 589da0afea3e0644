/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ctl/when.h"

#include "base/macros.h"
#include "base/parse.h"

#include <errno.h>
#include <string.h>
#include <strings.h>
#include <time.h>

/* Years that time_t and usec_t hold without a thought. */
#define YEAR_MIN 1970
#define YEAR_MAX 9999

static struct tm local_of(usec_t at_usec)
{
	time_t seconds = (time_t)(at_usec / TW_USEC_PER_SEC);
	struct tm local = { 0 };

	(void)localtime_r(&seconds, &local);
	return local;
}

static int from_tm(struct tm *time, bool utc, usec_t *ret_usec)
{
	time_t seconds;

	time->tm_isdst = -1;
	seconds = utc ? timegm(time) : mktime(time);
	if (seconds < 0)
		return -EINVAL;
	*ret_usec = (usec_t)seconds * TW_USEC_PER_SEC;
	return 0;
}

static int midnight(usec_t now_usec, int days, usec_t *ret_usec)
{
	struct tm time = local_of(now_usec);

	time.tm_mday += days;
	time.tm_hour = time.tm_min = time.tm_sec = 0;
	return from_tm(&time, false, ret_usec);
}

/* `digits` of them exactly, and moves on. */
static bool take_number(const char **cursor, unsigned digits, int *ret)
{
	int number = 0;

	for (unsigned i = 0; i < digits; i++) {
		char digit = (*cursor)[i];

		if (digit < '0' || digit > '9')
			return false;
		number = number * 10 + (digit - '0');
	}
	*cursor += digits;
	*ret = number;
	return true;
}

static bool take_char(const char **cursor, char wanted)
{
	if (**cursor != wanted)
		return false;
	(*cursor)++;
	return true;
}

/* "2026-11-22"; returns false, with the cursor where it was, for anything else. */
static bool take_date(const char **cursor, struct tm *time)
{
	const char *at = *cursor;
	int year, month, day;

	if (!take_number(&at, 4, &year) || !take_char(&at, '-') || !take_number(&at, 2, &month) ||
	    !take_char(&at, '-') || !take_number(&at, 2, &day))
		return false;
	if (year < YEAR_MIN || year > YEAR_MAX || month < 1 || month > 12 || day < 1 || day > 31)
		return false;
	time->tm_year = year - 1900;
	time->tm_mon = month - 1;
	time->tm_mday = day;
	time->tm_hour = time->tm_min = time->tm_sec = 0;
	*cursor = at;
	return true;
}

/* "19:45" or "19:45:30"; a fraction behind is passed over. */
static bool take_clock(const char **cursor, struct tm *time)
{
	const char *at = *cursor;
	int hour, minute, second = 0;

	if (!take_number(&at, 2, &hour) || !take_char(&at, ':') || !take_number(&at, 2, &minute))
		return false;
	if (take_char(&at, ':')) {
		if (!take_number(&at, 2, &second))
			return false;
		if (take_char(&at, '.'))
			at += strspn(at, "0123456789");
	}
	if (hour > 23 || minute > 59 || second > 60)
		return false;
	time->tm_hour = hour;
	time->tm_min = minute;
	time->tm_sec = second;
	*cursor = at;
	return true;
}

static int parse_calendar(const char *text, usec_t now_usec, usec_t *ret_usec)
{
	struct tm time = local_of(now_usec);
	bool dated = take_date(&text, &time);
	bool timed = !dated || *text != '\0';
	bool utc = false;
	int day = time.tm_mday;

	if (dated && timed && !take_char(&text, ' ') && !take_char(&text, 'T'))
		return -EINVAL;
	if (timed && !take_clock(&text, &time))
		return -EINVAL;
	if (strcmp(text, "Z") == 0 || strcmp(text, " UTC") == 0)
		utc = true;
	else if (*text != '\0')
		return -EINVAL;
	if (from_tm(&time, utc, ret_usec) < 0)
		return -EINVAL;
	/* February has no 31st. */
	return time.tm_mday == day ? 0 : -EINVAL;
}

static int before(usec_t now_usec, const char *span, size_t length, usec_t *ret_usec)
{
	usec_t span_usec;
	int r = tw_duration_parse(span, length, &span_usec);

	if (r < 0)
		return -EINVAL;
	*ret_usec = tw_usec_since(now_usec, span_usec);
	return 0;
}

static int parse(const char *text, usec_t now_usec, usec_t *ret_usec)
{
	size_t length = strlen(text);
	uint64_t seconds;
	usec_t span_usec;

	if (strcmp(text, "now") == 0) {
		*ret_usec = now_usec;
		return 0;
	}
	if (strcmp(text, "today") == 0)
		return midnight(now_usec, 0, ret_usec);
	if (strcmp(text, "yesterday") == 0)
		return midnight(now_usec, -1, ret_usec);
	if (text[0] == '-')
		return before(now_usec, text + 1, length - 1, ret_usec);
	if (length > 4 && strcmp(text + length - 4, " ago") == 0)
		return before(now_usec, text, length - 4, ret_usec);
	if (text[0] == '+') {
		if (tw_duration_parse(text + 1, length - 1, &span_usec) < 0)
			return -EINVAL;
		*ret_usec = tw_usec_add(now_usec, span_usec);
		return 0;
	}
	if (text[0] == '@') {
		if (tw_parse_u64(text + 1, length - 1, &seconds) < 0 || seconds > UINT64_MAX / TW_USEC_PER_SEC)
			return -EINVAL;
		*ret_usec = seconds * TW_USEC_PER_SEC;
		return 0;
	}
	return parse_calendar(text, now_usec, ret_usec);
}

int tw_when_parse(const char *text, usec_t now_usec, usec_t *ret_usec)
{
	usec_t at_usec;
	int r = parse(text, now_usec, &at_usec);

	if (r >= 0)
		*ret_usec = at_usec;
	return r;
}

static void add_clock(struct tw_text *text, const struct tm *time)
{
	tw_text_addf(text, "%02d:%02d:%02d", time->tm_hour, time->tm_min, time->tm_sec);
}

static void add_date(struct tw_text *text, const struct tm *time)
{
	tw_text_addf(text, "%04d-%02d-%02d", time->tm_year + 1900, time->tm_mon + 1, time->tm_mday);
}

void tw_when_add(struct tw_text *text, usec_t at_usec)
{
	struct tm time = local_of(at_usec);

	add_date(text, &time);
	tw_text_add_char(text, ' ');
	add_clock(text, &time);
}

void tw_when_add_after(struct tw_text *text, usec_t at_usec, usec_t of_usec)
{
	struct tm time = local_of(at_usec);
	struct tm of = local_of(of_usec);

	if (time.tm_yday == of.tm_yday && time.tm_year == of.tm_year)
		add_clock(text, &time);
	else
		tw_when_add(text, at_usec);
}

void tw_when_add_utc(struct tw_text *text, usec_t at_usec)
{
	time_t seconds = (time_t)(at_usec / TW_USEC_PER_SEC);
	struct tm time = { 0 };

	(void)gmtime_r(&seconds, &time);
	add_date(text, &time);
	tw_text_add_char(text, 'T');
	add_clock(text, &time);
	tw_text_addf(text, ".%06uZ", (unsigned)(at_usec % TW_USEC_PER_SEC));
}
