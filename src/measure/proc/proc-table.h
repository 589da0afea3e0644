/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "model/sample.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * How /proc/net writes tables: a label and what belongs to it, in one line; in snmp and netstat two such lines, first
 * the names, then as many numbers, each divided by one blank (net/ipv4/proc.c).
 */

/* What stands behind a label, up to the end of its line. Borrows. */
struct tw_proc_line {
	const char *text;
	size_t length;
};

/* The next line at or after *cursor that begins with the label; moves *cursor behind it. False where there is none. */
bool tw_proc_find_line(const char **cursor, const char *end, const char *label, struct tw_proc_line *ret);

/* So many columns can be asked for at once. */
#define TW_PROC_COLUMNS_MAX 8

/*
 * Where the columns of a table are. The names are compiled into the kernel, and there are 130 of them in netstat: they
 * are searched once, then each read looks only whether they are where they were. All zero: nothing is learned yet.
 */
struct tw_proc_layout {
	size_t names_length; /* of the line of names */
	unsigned count;	     /* columns that there are, of those asked for */
	struct {
		size_t offset;	      /* of the name in its line */
		unsigned column;      /* 0 is the first one */
		unsigned index;	      /* into what was asked for */
	} found[TW_PROC_COLUMNS_MAX]; /* by their columns */
};

/*
 * The numbers below these names, at most TW_PROC_COLUMNS_MAX, in the table of that label. *layout is of the same names
 * and label, or zero. What is absent, or no number, stays unknown in `ret`. Returns 0, or -EINVAL without such a table.
 */
int tw_proc_table_read(const char *text, size_t length, const char *label, const char *const *names, unsigned count,
		       struct tw_proc_layout *layout, struct tw_count *ret);
