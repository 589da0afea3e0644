/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ctl/live/snapshot-source.h"

#include "base/text.h"
#include "ctl/measure-source.h"
#include "remote/bus-source.h"
#include "tell/snapshot.h"

#include <errno.h>
#include <string.h>

/* The tables are bounded (100 rows each), so is the page. */
#define JSON_MAX (256 * 1024)

struct tw_asker {
	const char *address; /* borrows */
	struct tw_remote *bus;
	struct tw_measure *measure;
};

int tw_asker_new(const char *address, struct tw_asker **ret)
{
	struct tw_asker *made = calloc(1, sizeof(*made));

	if (!made)
		return -ENOMEM;
	made->address = address;
	*ret = made;
	return 0;
}

struct tw_asker *tw_asker_free(struct tw_asker *asker)
{
	if (asker) {
		(void)tw_remote_free(asker->bus);
		(void)tw_measure_free(asker->measure);
		free(asker);
	}
	return NULL;
}

void tw_answer_done(struct tw_answer *answer)
{
	free(answer->json);
	(void)tw_view_free(answer->view);
	*answer = (struct tw_answer){ 0 };
}

static int ask_daemon(struct tw_asker *asker, char **ret_json)
{
	int r = 0;

	if (!asker->bus)
		r = tw_remote_new(asker->address, &asker->bus);
	if (r >= 0)
		r = tw_remote_snapshot(asker->bus, ret_json);
	/* Connected anew the next time: a bus that ended does not come back on the old connection. */
	if (r < 0)
		asker->bus = tw_remote_free(asker->bus);
	return r;
}

static int write_sample(const struct tw_sample *sample, char **ret_json)
{
	TW_CLEANUP_FREE char *bytes = malloc(JSON_MAX);
	struct tw_text text;

	if (!bytes)
		return -ENOMEM;
	tw_text_init(&text, bytes, JSON_MAX);
	tw_json_begin(&text, '{');
	tw_json_key(&text, "version");
	tw_json_literal(&text, "null");
	tw_json_key(&text, "namespaces");
	tw_json_begin(&text, '[');
	tw_snapshot_add_json(&text, "here", sample, TW_TOP_MAX, NULL);
	tw_json_end(&text, ']');
	tw_json_end(&text, '}');
	if (text.cut)
		return -ENOBUFS;
	*ret_json = TW_TAKE_PTR(bytes);
	return 0;
}

static int ask_kernel(struct tw_asker *asker, struct tw_answer *answer)
{
	int r = asker->measure ? tw_measure_again(asker->measure) : tw_measure_new(&asker->measure);

	if (r < 0)
		return r;
	answer->cost_usec = tw_measure_cost(asker->measure);
	return write_sample(tw_measure_sample(asker->measure), &answer->json);
}

int tw_asker_ask(struct tw_asker *asker, struct tw_answer *ret)
{
	TW_CLEANUP_ANSWER struct tw_answer answer = { 0 };
	int r = ask_daemon(asker, &answer.json);

	answer.from_daemon = r >= 0;
	answer.why = TW_MIN(r, 0);
	/* Whatever keeps the daemon from answering, the sockets can be looked at. */
	if (r < 0)
		r = ask_kernel(asker, &answer);
	if (r >= 0)
		r = tw_snapshot_read(answer.json, strlen(answer.json), &answer.view);
	if (r < 0)
		return r;
	*ret = answer;
	answer = (struct tw_answer){ 0 };
	return 0;
}
