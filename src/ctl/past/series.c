/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ctl/past/past.h"

#include "base/parse.h"
#include "model/metric.h"

#include <errno.h>
#include <string.h>

/* A sample that is missing shows; one that is a little late does not. */
#define GAP_TENTHS 25

struct extra {
	const char *name;
	enum tw_unit unit;
	bool is_cost;
};

/* What samples tell beside metrics. */
static const struct extra extras[] = {
	{ .name = "usable-ports" },
	{ .name = "port-demand", .unit = TW_UNIT_PERCENT },
	{ .name = "cost-tick", .is_cost = true },
	{ .name = "cost-census", .is_cost = true },
	{ .name = "cost-survey", .is_cost = true },
	{ .name = "cost-total", .is_cost = true },
};

static bool find(const char *name, struct extra *ret)
{
	enum tw_metric metric;

	if (tw_metric_from_name(name, strlen(name), &metric)) {
		*ret = (struct extra){ .name = tw_metric_info(metric)->name, .unit = tw_metric_info(metric)->unit };
		return true;
	}
	for (size_t i = 0; i < TW_ARRAY_SIZE(extras); i++) {
		if (strcmp(extras[i].name, name) == 0) {
			*ret = extras[i];
			return true;
		}
	}
	return false;
}

static const char *find_near(const char *name)
{
	const char *names[TW_METRIC_COUNT + TW_ARRAY_SIZE(extras)];
	size_t count = 0;

	for (unsigned i = 0; i < TW_METRIC_COUNT; i++)
		names[count++] = tw_metric_info((enum tw_metric)i)->name;
	for (size_t i = 0; i < TW_ARRAY_SIZE(extras); i++)
		names[count++] = extras[i].name;
	return tw_near(name, names, count);
}

bool tw_series_init(struct tw_series *series, const char *name, const char **ret_near)
{
	char plain[TW_PAST_NAME_MAX];
	struct tw_text text;
	struct extra found;

	/* TIME_WAIT is spelt time-wait here. */
	tw_text_init(&text, plain, sizeof(plain));
	for (; *name != '\0'; name++)
		tw_text_add_char(&text, *name == '_' ? '-' : *name >= 'A' && *name <= 'Z' ? (char)(*name + 32) : *name);
	*series = (struct tw_series){ 0 };
	if (!find(plain, &found)) {
		*ret_near = find_near(plain);
		return false;
	}
	series->name = found.name;
	series->unit = found.unit;
	series->is_cost = found.is_cost;
	(void)tw_past_name(found.name, series->field);
	return true;
}

void tw_series_done(struct tw_series *series)
{
	free(series->points);
	*series = (struct tw_series){ 0 };
}

int tw_series_take(struct tw_series *series, usec_t at_usec, const struct tw_record *record)
{
	struct tw_value value = tw_past_milli(record, series->field);
	struct tw_point *points;

	if (!value.known || (series->count > 0 && at_usec < series->points[series->count - 1].at_usec))
		return 0;
	points = tw_past_room(series->points, series->count, &series->room, sizeof(*points));
	if (!points)
		return -ENOMEM;
	series->points = points;
	points[series->count++] = (struct tw_point){ at_usec, value.milli };
	return 0;
}

struct tw_series_sum tw_series_sum(const struct tw_series *series)
{
	struct tw_series_sum ret = { 0 };
	__int128 sum = 0;

	if (series->count == 0)
		return ret;
	ret.low = ret.high = tw_value_of(series->points[0].milli);
	for (size_t i = 0; i < series->count; i++) {
		ret.low.milli = TW_MIN(ret.low.milli, series->points[i].milli);
		ret.high.milli = TW_MAX(ret.high.milli, series->points[i].milli);
		sum += series->points[i].milli;
	}
	ret.mean = tw_value_of((int64_t)(sum / (__int128)series->count));
	return ret;
}

void tw_series_add_figure(const struct tw_series *series, struct tw_value value, struct tw_text *text)
{
	if (!series->is_cost || !value.known) {
		tw_value_add(text, value, series->unit);
		return;
	}
	tw_text_add_milli_rounded(text, value.milli, 2);
	tw_text_add(text, " ms");
}

const char *tw_series_unit(const struct tw_series *series)
{
	if (series->is_cost)
		return "ms";
	switch (series->unit) {
	case TW_UNIT_SOCKETS:
		return strcmp(series->name, "usable-ports") == 0 ? "ports" : "sockets";
	case TW_UNIT_PERCENT:
		return "percent";
	case TW_UNIT_PER_SECOND:
		return "per second";
	case TW_UNIT_SECONDS:
		return "seconds";
	}
	return "";
}

static int compare_spans(const void *a, const void *b)
{
	usec_t left = *(const usec_t *)a, right = *(const usec_t *)b;

	return (left > right) - (left < right);
}

usec_t tw_series_gap(const struct tw_series *series)
{
	usec_t *spans, gap;
	size_t count = series->count > 1 ? series->count - 1 : 0;

	spans = count > 0 ? calloc(count, sizeof(*spans)) : NULL;
	if (!spans)
		return 0;
	for (size_t i = 0; i < count; i++)
		spans[i] = series->points[i + 1].at_usec - series->points[i].at_usec;
	qsort(spans, count, sizeof(*spans), compare_spans);
	gap = spans[count / 2];
	free(spans);
	return gap > TW_USEC_INFINITY / GAP_TENTHS ? TW_USEC_INFINITY : gap * GAP_TENTHS / 10;
}
