/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "exporter/page-text.h"

#include <stddef.h>

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
	size_t figure;	/* where its struct tw_value is: in the namespace, or in a row of its table */
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
TW_DECLARE_ROWS(destination);
TW_DECLARE_ROWS(destination_sockets);
TW_DECLARE_ROWS(listener);
TW_DECLARE_ROWS(unit);
TW_DECLARE_ROWS(bound);
TW_DECLARE_ROWS(rule);
TW_DECLARE_ROWS(rule_raised);
TW_DECLARE_ROWS(rule_state);
TW_DECLARE_ROWS(changes);

/* The family's figure in a namespace, or in a row. */
static inline struct tw_value tw_figure_in(const void *place, const struct tw_namespace_family *family)
{
	return *(const struct tw_value *)((const char *)place + family->figure);
}

/* 1 or 0. */
static inline struct tw_value tw_value_of_truth(bool is)
{
	return tw_value_of(is ? 1000 : 0);
}

/* Adds the sample with the labels that are set up to `label_count`. */
void tw_sample_line_add(struct tw_sample_line *line, unsigned label_count, struct tw_value value, unsigned shift);
