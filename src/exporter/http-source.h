/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/macros.h"
#include "exporter/exposition.h"

#include <stdbool.h>
#include <stddef.h>
#include <systemd/sd-event.h>

/* Serves pages over HTTP: GET and HEAD of /metrics, and a word about it at /. */
struct tw_http;

/*
 * Somebody wants a page of this format. Returns whether it may be served as it is; if not, tw_http_set_page() and
 * tw_http_go_on() follow.
 */
typedef bool (*tw_http_on_request)(void *context, enum tw_format format);

/* Sockets to listen at: more than any unit has. */
#define TW_HTTP_LISTEN_MAX 8

/*
 * Listens at the descriptors, which it consumes, TW_HTTP_LISTEN_MAX at most. `event` and `context` are borrowed.
 * Returns 0, -ENOMEM, -EIO where one is no listening socket, or -errno of sd_event_add_io(3).
 */
int tw_http_new(sd_event *event, const int *fds, unsigned fd_count, tw_http_on_request on_request, void *context,
		struct tw_http **ret);
struct tw_http *tw_http_free(struct tw_http *http);
TW_DEFINE_CLEANUP(struct tw_http, tw_http_free)
#define TW_CLEANUP_HTTP TW_CLEANUP(tw_http_freep)

/* From now on the page of this format is this; consumes `bytes`. Returns 0 or -ENOMEM. */
int tw_http_set_page(struct tw_http *http, enum tw_format format, char *bytes, size_t length);

/* Those that wait for pages get what there is now. */
void tw_http_go_on(struct tw_http *http);

/* Opens a listening socket at "127.0.0.1:9817", "[::1]:9817" or ":9817". Returns 0, -EINVAL, or -errno of bind(2). */
int tw_http_listen(const char *address, int *ret_fd);
