/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "exporter/page-text.h"

/* Room for a sample's labels: "namespace" and three more. */
#define TW_LABELS_MAX 4

/* A sample that is being made: its first label is the namespace. */
struct tw_sample_line {
	struct tw_exposition *out;
	const struct tw_family *family;
	struct tw_label labels[TW_LABELS_MAX];
};

/* A family that has samples in every namespace. */
struct tw_namespace_family {
	struct tw_family family;
	unsigned index; /* which metric or counter, where `add` is for several */
	unsigned shift; /* as tw_exposition_add() takes it */
	/* Its samples of one namespace; of tables the first `rows` rows. */
	void (*add)(struct tw_sample_line *line, const struct tw_namespace_family *family,
		    const struct tw_view_namespace *namespace, unsigned rows);
};

extern const struct tw_namespace_family tw_namespace_families[];
extern const unsigned tw_namespace_family_count;

/* The family with its samples of all namespaces. */
void tw_namespace_family_add(struct tw_exposition *out, const struct tw_namespace_family *family,
			     const struct tw_metrics *metrics);

/* The samples of the tables, of rules and of changes (namespace-rows.c). */
#define TW_DECLARE_ROWS(name)                                                                      \
	void tw_rows_##name(struct tw_sample_line *line, const struct tw_namespace_family *family, \
			    const struct tw_view_namespace *namespace, unsigned rows)
TW_DECLARE_ROWS(destination_ports);
TW_DECLARE_ROWS(destination_use);
TW_DECLARE_ROWS(destination_sockets);
TW_DECLARE_ROWS(listener_queue);
TW_DECLARE_ROWS(listener_backlog);
TW_DECLARE_ROWS(listener_connections);
TW_DECLARE_ROWS(unit_count);
TW_DECLARE_ROWS(unit_oldest);
TW_DECLARE_ROWS(unit_bound);
TW_DECLARE_ROWS(rule_raised);
TW_DECLARE_ROWS(rule_state);
TW_DECLARE_ROWS(rule_value);
TW_DECLARE_ROWS(rule_raise);
TW_DECLARE_ROWS(rule_clear);
TW_DECLARE_ROWS(changes);

/* Adds the sample with the labels that are set up to `label_count`. */
void tw_sample_line_add(struct tw_sample_line *line, unsigned label_count, struct tw_value value, unsigned shift);
