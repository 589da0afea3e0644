/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "exporter/page-text.h"

#include "exporter/namespace-families.h"

#include <string.h>

#define MILLI 1000

static void add_one(struct tw_exposition *out, const struct tw_family *family, struct tw_value value, unsigned shift)
{
	tw_exposition_begin(out, family);
	tw_exposition_add(out, family, NULL, 0, value, shift);
}

/* A count, held where thousandths of it still fit. */
static struct tw_value count(uint64_t number)
{
	return tw_value_of((int64_t)TW_MIN(number, (uint64_t)INT64_MAX / MILLI) * MILLI);
}

static void add_daemon(struct tw_exposition *out, const struct tw_view *view)
{
	static const struct tw_family build = {
		.name = "build_info",
		.help = "The daemon's version, as a label.",
	};
	static const struct tw_family start = {
		.name = "start_time_seconds",
		.unit = "seconds",
		.help = "When the daemon was started, since the epoch.",
	};
	static const struct tw_family now = {
		.name = "snapshot_timestamp_seconds",
		.unit = "seconds",
		.help = "When the daemon told these figures, since the epoch.",
	};
	static const struct tw_family enforcing = {
		.name = "enforcing",
		.help = "Whether the daemon acts (1) or only observes (0).",
	};
	static const struct tw_family namespaces = {
		.name = "namespaces",
		.help = "Network namespaces that are watched.",
	};
	const struct tw_label version = { "version", view->version };

	tw_exposition_begin(out, &build);
	tw_exposition_add(out, &build, &version, 1, tw_value_of_truth(true), 0);
	add_one(out, &start, view->started, 0);
	add_one(out, &now, view->now, 0);
	add_one(out, &enforcing, tw_value_of_truth(strcmp(view->mode, "enforce") == 0), 0);
	add_one(out, &namespaces, count(view->namespace_count), 0);
}

/* What the daemon has used in all stands with its first namespace. */
static void add_cost(struct tw_exposition *out, const struct tw_view *view)
{
	static const struct tw_family cpu = {
		.name = "cpu_seconds",
		.unit = "seconds",
		.kind = TW_FAMILY_COUNTER,
		.help = "CPU time that the daemon has used since its start.",
	};

	add_one(out, &cpu, view->namespace_count > 0 ? view->namespaces[0].cost_total : tw_value_unknown(), 3);
}

static void add_exporter(struct tw_exposition *out, const struct tw_metrics *metrics)
{
	static const struct tw_family scrapes = {
		.name = "exporter_scrapes",
		.kind = TW_FAMILY_COUNTER,
		.help = "Pages that this exporter was asked for.",
	};
	static const struct tw_family errors = {
		.name = "exporter_snapshot_errors",
		.kind = TW_FAMILY_COUNTER,
		.help = "Times that the daemon did not answer this exporter.",
	};
	static const struct tw_family seconds = {
		.name = "exporter_snapshot_seconds",
		.unit = "seconds",
		.help = "How long the daemon's last answer took.",
	};

	add_one(out, &scrapes, count(metrics->scrapes), 0);
	add_one(out, &errors, count(metrics->errors), 0);
	add_one(out, &seconds, metrics->asking, 3);
}

void tw_metrics_add(struct tw_text *text, enum tw_format format, const struct tw_metrics *metrics)
{
	static const struct tw_family up = {
		.name = "up",
		.help = "Whether the daemon answered this exporter.",
	};
	struct tw_exposition out = { .text = text, .format = format };
	const struct tw_view *view = metrics->view;

	add_one(&out, &up, tw_value_of_truth(view), 0);
	if (view) {
		add_daemon(&out, view);
		add_cost(&out, view);
		for (unsigned i = 0; i < tw_namespace_family_count; i++)
			tw_namespace_family_add(&out, &tw_namespace_families[i], metrics);
	}
	add_exporter(&out, metrics);
	tw_exposition_end(&out);
}
