/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "measure/source.h"
#include "model/effect.h"
#include "model/sample.h"

#include <stdbool.h>

/*
 * Looks for the sockets that orders want ended, never more of an order than its quota: a dump of the states in question
 * alone, a slice at a time like a scan. Knows no clock. TIME-WAIT tells its age by what is left of its life; CLOSE-WAIT
 * is as old as the last scan knows by its cookie, or as the data that it sent since; one that the scan did not know, or
 * that has something to send, is not old enough for anything.
 */
struct tw_destroy_search;

/* Candidates of one search: 56 bytes each. */
#define TW_CANDIDATES_MAX 8192u

/* NULL without memory. */
struct tw_destroy_search *tw_destroy_search_new(void);
struct tw_destroy_search *tw_destroy_search_free(struct tw_destroy_search *search);

/*
 * Starts afresh. What the orders point to, and the gauge of `sample`, are looked at in this call alone; its close_wait
 * is borrowed until the search has ended. Returns false when no order is wanted.
 */
bool tw_destroy_search_begin(struct tw_destroy_search *search, const struct tw_kill_orders *orders,
			     const struct tw_kill_quota *quota, const struct tw_sample *sample, usec_t at_usec);

/*
 * The request, or one datagram's worth of work. Returns 1 while there is more to do, 0 when the search has ended, or
 * -errno: then there is nothing to be read, and the next search may do better.
 */
int tw_destroy_search_step(struct tw_destroy_search *search, struct tw_source *source);

/* After tw_destroy_search_step() returned 0. */
void tw_destroy_search_results(const struct tw_destroy_search *search, struct tw_destroy_found *ret);
