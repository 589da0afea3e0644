/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "measure/port-holders.h"
#include "measure/table.h"
#include "model/port-model.h"
#include "model/ports.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * What the parity of the ports of a survey tells: which of them were taken by bind() before connect(). Small
 * destinations are judged together by their source. See tw_parity_judge() for what one cannot tell.
 */

/* Destinations whose near half was full once: parity tells nothing of them. More than ever were at the same time. */
#define TW_PARITY_BLIND_MAX 128u

/* What a survey leaves to the next one of the same namespace. Zero: there was none. */
struct tw_parity_past {
	uint32_t blind_count;
	bool full;			     /* there were more: parity tells nothing of anybody */
	uint32_t blind[TW_PARITY_BLIND_MAX]; /* by their hash in the table */
};

/* Sources told apart; of those beyond, small destinations are not known. */
#define TW_PARITY_SOURCES_MAX 64u

struct tw_parity_source {
	struct tw_address address;
	uint32_t near, far; /* ports of its small destinations that no other of them holds */
};

struct tw_parity_work {
	const struct tw_table *table; /* borrows, as the next */
	const struct tw_port_holders *holders;
	uint16_t low;		       /* the range's lower bound */
	struct tw_parity_ports usable; /* of either parity, without what is bound */
	bool far_gone; /* so much of the far half is bound first that bind() takes near ones: they tell nothing */
	uint32_t source_count;
	struct tw_parity_source sources[TW_PARITY_SOURCES_MAX];
};

/* Whether connect() looks at this port only when those of the other parity are taken. */
static inline bool tw_parity_is_far(uint16_t low, uint16_t port)
{
	return (port ^ low) & 1;
}

/* `range`: what is usable, without listeners' ports and what is bound. `past` is made that of this survey. */
void tw_parity_begin(struct tw_parity_work *parity, const struct tw_port_set *range, struct tw_parity_past *past);

/* Each port that is told of, before any is judged: for what small destinations have together. */
void tw_parity_pool(struct tw_parity_work *parity, uint16_t port);

/* A destination as a whole. TW_PARITY_FIRST: of its far ports. */
enum tw_parity tw_parity_of_entry(const struct tw_parity_work *parity, const struct tw_parity_past *past,
				  const struct tw_table_entry *entry);

/* What all holders of one port say together. */
enum tw_parity tw_parity_of_port(const struct tw_parity_work *parity, const struct tw_parity_past *past, uint16_t port);

/*
 * Whether no other small destination of its source holds the port too: the children of a listener do, which is gone,
 * and nothing was bound first by them.
 */
bool tw_parity_is_alone(const struct tw_parity_work *parity, uint16_t port, const struct tw_table_entry *entry);
