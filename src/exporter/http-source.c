/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "exporter/http-source.h"

#include "base/duration.h"
#include "base/fd.h"

#include <errno.h>
#include <microhttpd.h>
#include <stdint.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

/* Clients at once; others wait in the queue of the socket until one is done. */
#define CLIENTS_MAX 256
/* Of a client: its request, and what of an answer's head is made. */
#define CLIENT_BYTES 8192
/* A client that says nothing for so long, or is not done after so long, is let go; longer than the daemon is waited
 * for. */
#define SILENCE_SECONDS 8
#define DEADLINE_USEC (30 * TW_USEC_PER_SEC)
#define LOOK_USEC TW_USEC_PER_SEC

/* A client, from its connection on; since_usec is when it came, or when it last had an answer. */
struct client {
	struct MHD_Connection *connection; /* NULL: this place is free */
	usec_t since_usec;
	bool waits;
};

struct door {
	struct MHD_Daemon *daemon;
	sd_event_source *source;
	struct tw_http *http;
	struct client clients[CLIENTS_MAX];
};

struct tw_http {
	tw_http_on_request on_request;
	void *context; /* borrows */
	struct MHD_Response *pages[TW_FORMAT_COUNT];
	struct MHD_Response *word, *nothing, *no_method;
	sd_event_source *timer, *again;
	unsigned door_count;
	struct door doors[TW_HTTP_LISTEN_MAX];
};

/* ---- clients */

static struct client *find_client(struct door *door, const struct MHD_Connection *connection)
{
	for (unsigned i = 0; i < CLIENTS_MAX; i++)
		if (door->clients[i].connection == connection)
			return &door->clients[i];
	return NULL;
}

static void on_connection(void *context, struct MHD_Connection *connection, void **state TW_UNUSED,
			  enum MHD_ConnectionNotificationCode code)
{
	bool comes = code == MHD_CONNECTION_NOTIFY_STARTED;
	struct client *client = find_client(context, comes ? NULL : connection);

	if (client)
		*client = (struct client){ .connection = comes ? connection : NULL,
					   .since_usec = tw_clock_read(CLOCK_MONOTONIC) };
}

static void on_completed(void *context, struct MHD_Connection *connection, void **state TW_UNUSED,
			 enum MHD_RequestTerminationCode code TW_UNUSED)
{
	struct client *client = find_client(context, connection);

	if (client)
		client->since_usec = tw_clock_read(CLOCK_MONOTONIC);
}

/* It sends or reads a byte now and then, and would do so for ever. */
static void let_go_of_slow(struct door *door)
{
	usec_t now_usec = tw_clock_read(CLOCK_MONOTONIC);

	for (unsigned i = 0; i < CLIENTS_MAX; i++) {
		struct client *client = &door->clients[i];
		const union MHD_ConnectionInfo *info;

		if (!client->connection || client->waits || tw_usec_since(now_usec, client->since_usec) < DEADLINE_USEC)
			continue;
		info = MHD_get_connection_info(client->connection, MHD_CONNECTION_INFO_CONNECTION_FD);
		if (info)
			(void)shutdown(info->connect_fd, SHUT_RDWR);
	}
}

/* ---- requests */

static enum MHD_Result answer(struct MHD_Connection *connection, unsigned status, struct MHD_Response *response)
{
	return response ? MHD_queue_response(connection, status, response) : MHD_NO;
}

static enum MHD_Result answer_metrics(struct door *door, struct MHD_Connection *connection, bool has_waited)
{
	const char *accept = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_ACCEPT);
	struct tw_http *http = door->http;
	struct client *client = find_client(door, connection);
	enum tw_format format = tw_format_choose(accept);

	if (!has_waited && client && !http->on_request(http->context, format)) {
		client->waits = true;
		MHD_suspend_connection(connection);
		return MHD_YES;
	}
	return answer(connection, MHD_HTTP_OK, http->pages[format]);
}

/* Called once for the head of a request, again when there is no more of it, and again after a wait. */
static enum MHD_Result on_access(void *context, struct MHD_Connection *connection, const char *url, const char *method,
				 const char *version TW_UNUSED, const char *upload TW_UNUSED, size_t *upload_size,
				 void **state)
{
	static int begun, waited;
	struct door *door = context;

	if (!*state) {
		*state = &begun;
		return MHD_YES;
	}
	/* A body is read to its end and not looked at: what there is of it, MHD bounds. */
	if (*upload_size > 0) {
		*upload_size = 0;
		return MHD_YES;
	}
	if (strcmp(method, MHD_HTTP_METHOD_GET) != 0 && strcmp(method, MHD_HTTP_METHOD_HEAD) != 0)
		return answer(connection, MHD_HTTP_METHOD_NOT_ALLOWED, door->http->no_method);
	if (strcmp(url, "/metrics") == 0) {
		bool has_waited = *state == &waited;

		*state = &waited;
		return answer_metrics(door, connection, has_waited);
	}
	if (strcmp(url, "/") == 0)
		return answer(connection, MHD_HTTP_OK, door->http->word);
	return answer(connection, MHD_HTTP_NOT_FOUND, door->http->nothing);
}

/* ---- pages */

static struct MHD_Response *make_response(const char *type, char *bytes, size_t length,
					  enum MHD_ResponseMemoryMode mode)
{
	struct MHD_Response *response = MHD_create_response_from_buffer(length, bytes, mode);

	if (!response && mode == MHD_RESPMEM_MUST_FREE)
		free(bytes);
	if (response && MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, type) == MHD_YES)
		return response;
	if (response)
		MHD_destroy_response(response);
	return NULL;
}

/* Of words that last as long as the program. */
static struct MHD_Response *make_word(const char *type, char *words)
{
	return make_response(type, words, strlen(words), MHD_RESPMEM_PERSISTENT);
}

static void replace(struct MHD_Response **place, struct MHD_Response *response)
{
	/* Whoever reads the old one has it until he is done. */
	if (*place)
		MHD_destroy_response(*place);
	*place = response;
}

int tw_http_set_page(struct tw_http *http, enum tw_format format, char *bytes, size_t length)
{
	struct MHD_Response *response = make_response(tw_format_type(format), bytes, length, MHD_RESPMEM_MUST_FREE);

	if (!response)
		return -ENOMEM;
	replace(&http->pages[format], response);
	return 0;
}

void tw_http_go_on(struct tw_http *http)
{
	for (unsigned i = 0; i < http->door_count; i++) {
		struct door *door = &http->doors[i];

		for (unsigned j = 0; j < CLIENTS_MAX; j++) {
			if (!door->clients[j].waits)
				continue;
			door->clients[j].waits = false;
			MHD_resume_connection(door->clients[j].connection);
		}
	}
	/* What is to be done for them is done in the loop's next round. */
	(void)sd_event_source_set_enabled(http->again, SD_EVENT_ONESHOT);
}

/* ---- begin and end */

/* A timeout of 0 says that there is more to do than a descriptor will tell of: a client that has been answered after a
 * wait, for one, is watched again only from the next run on, and its end would not be noticed before. */
static void run(struct door *door)
{
	MHD_UNSIGNED_LONG_LONG timeout_ms;

	(void)MHD_run(door->daemon);
	if (MHD_get_timeout(door->daemon, &timeout_ms) == MHD_YES && timeout_ms == 0)
		(void)sd_event_source_set_enabled(door->http->again, SD_EVENT_ONESHOT);
}

static int on_ready(sd_event_source *source TW_UNUSED, int fd TW_UNUSED, uint32_t events TW_UNUSED, void *userdata)
{
	run(userdata);
	return 0;
}

static int on_again(sd_event_source *source TW_UNUSED, void *userdata)
{
	struct tw_http *http = userdata;

	for (unsigned i = 0; i < http->door_count; i++)
		run(&http->doors[i]);
	return 0;
}

/* For what no descriptor tells: silence and slowness. */
static int on_timer(sd_event_source *source, uint64_t usec TW_UNUSED, void *userdata)
{
	struct tw_http *http = userdata;

	for (unsigned i = 0; i < http->door_count; i++) {
		let_go_of_slow(&http->doors[i]);
		run(&http->doors[i]);
	}
	(void)sd_event_source_set_time_relative(source, LOOK_USEC);
	return sd_event_source_set_enabled(source, SD_EVENT_ON);
}

static int open_door(struct tw_http *http, sd_event *event, int fd)
{
	struct door *door = &http->doors[http->door_count];
	const union MHD_DaemonInfo *info;

	door->http = http;
	door->daemon =
		MHD_start_daemon(MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME, 0, NULL, NULL, on_access, door,
				 MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_CONNECTION_LIMIT, (unsigned)CLIENTS_MAX,
				 MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CLIENT_BYTES,
				 MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)SILENCE_SECONDS, MHD_OPTION_NOTIFY_CONNECTION,
				 on_connection, door, MHD_OPTION_NOTIFY_COMPLETED, on_completed, door, MHD_OPTION_END);
	if (!door->daemon) {
		(void)tw_close(fd);
		return -EIO;
	}
	http->door_count++;
	info = MHD_get_daemon_info(door->daemon, MHD_DAEMON_INFO_EPOLL_FD);
	if (!info)
		return -EIO;
	return sd_event_add_io(event, &door->source, info->epoll_fd, EPOLLIN, on_ready, door);
}

static int init(struct tw_http *http, sd_event *event, const int *fds, unsigned fd_count)
{
	static const char plain[] = "text/plain; charset=utf-8", html[] = "text/html; charset=utf-8";
	static char word[] = "<!doctype html><title>timewaitd-exporter</title>"
			     "<p>timewaitd: <a href=\"/metrics\">metrics</a></p>\n";
	static char nothing[] = "There is /metrics.\n", no_method[] = "GET and HEAD alone.\n";
	int r = sd_event_add_time_relative(event, &http->timer, CLOCK_MONOTONIC, LOOK_USEC, 0, on_timer, http);

	if (r >= 0)
		r = sd_event_add_defer(event, &http->again, on_again, http);
	http->word = make_word(html, word);
	http->nothing = make_word(plain, nothing);
	http->no_method = make_word(plain, no_method);
	if (r >= 0 && (!http->word || !http->nothing || !http->no_method))
		r = -ENOMEM;
	for (unsigned i = 0; i < fd_count; i++) {
		if (r >= 0)
			r = open_door(http, event, fds[i]);
		else
			(void)tw_close(fds[i]);
	}
	return r;
}

int tw_http_new(sd_event *event, const int *fds, unsigned fd_count, tw_http_on_request on_request, void *context,
		struct tw_http **ret)
{
	TW_CLEANUP_HTTP struct tw_http *http = calloc(1, sizeof(*http));
	int r;

	if (!http)
		return -ENOMEM;
	http->on_request = on_request;
	http->context = context;
	r = init(http, event, fds, fd_count);
	if (r < 0)
		return r;
	*ret = TW_TAKE_PTR(http);
	return 0;
}

struct tw_http *tw_http_free(struct tw_http *http)
{
	if (!http)
		return NULL;
	/* MHD wants nobody suspended at its end. */
	if (http->again)
		tw_http_go_on(http);
	(void)sd_event_source_unref(http->timer);
	(void)sd_event_source_unref(http->again);
	for (unsigned i = 0; i < http->door_count; i++) {
		(void)sd_event_source_unref(http->doors[i].source);
		MHD_stop_daemon(http->doors[i].daemon);
	}
	for (unsigned i = 0; i < TW_FORMAT_COUNT; i++)
		replace(&http->pages[i], NULL);
	replace(&http->word, NULL);
	replace(&http->nothing, NULL);
	replace(&http->no_method, NULL);
	free(http);
	return NULL;
}
