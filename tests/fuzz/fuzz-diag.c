/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Any datagram at all: the parser must stay inside it and tell nothing that a socket cannot be. */
#include "base/hash.h"
#include "measure/diag/diag.h"
#include "measure/survey.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The first message's own, so that its rows are looked at. */
static uint32_t sequence_of(const uint8_t *data, size_t size)
{
	uint32_t sequence = 0;

	if (size >= 12)
		memcpy(&sequence, data + 8, sizeof(sequence));
	return sequence;
}

static void on_flow(void *context, const struct tw_flow *flow)
{
	if ((unsigned)flow->state >= TW_STATE_COUNT || (flow->family != AF_INET && flow->family != AF_INET6))
		abort();
	if (flow->family == AF_INET && !tw_address_is_ipv4(&flow->remote.address))
		abort();
	tw_survey_work_add(context, flow);
}

/* The same bytes as the answer about one socket. */
static void check_one(const uint8_t *data, size_t size)
{
	struct tw_idle idle = { .data_sent_ms = 12345, .ack_received_ms = 54321 };
	int r = tw_diag_parse_one(data, size, sequence_of(data, size), &idle);

	if (r > 0 || r < -4095 || (r < 0 && (idle.data_sent_ms != 12345 || idle.ack_received_ms != 54321)))
		abort();
}

/* Nobody is there any more. */
static int say_gone(struct tw_source *source, const struct tw_flow *flow, struct tw_idle *ret)
{
	(void)source;
	(void)flow;
	(void)ret;
	return -ENOENT;
}

static int know_no_unit(struct tw_source *source, uint64_t cgroup_id, char ret[TW_UNIT_MAX])
{
	(void)source;
	(void)cgroup_id;
	(void)ret;
	return -ENOENT;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct tw_hash_key secret = { .k0 = 1, .k1 = 2 };
	static const struct tw_gauge gauge;
	static struct tw_port_set range;
	static const struct tw_port_set listening;
	static const struct tw_live_value baseline;
	static struct tw_source source = { .idle = say_gone, .unit = know_no_unit };
	static struct tw_survey_work work;
	static struct tw_parity_past past;
	static struct tw_survey survey;
	static struct tw_watched watched = { .count = 1 };
	int r;

	/* Made once: the parser is what is to be fast here. */
	if (!work.table.entries) {
		if (tw_survey_work_init(&work, &secret) < 0)
			return 0;
		tw_port_set_add_range(&range, 1024, 65535);
	}
	tw_survey_work_begin(&work, &range, &listening, &gauge, &baseline, &past);
	r = tw_diag_parse(data, size, sequence_of(data, size), on_flow, &work);
	if (r > TW_DIAG_DONE || r < -4095)
		abort();
	tw_exclusive_ask(&work.exclusive, 0);
	while (tw_survey_work_step(&work, &source))
		;
	watched.keys[0] = survey.top[survey.top_count / 2].key;
	/* Upon what the same has left before: whatever is held, no more is blocked than there is. */
	tw_survey_work_results(&work, &watched, &survey, survey.at_usec + 1, false);
	survey = work.survey;
	for (unsigned i = 0; i < survey.top_count; i++)
		if (survey.top[i].blocked > survey.usable || survey.top[i].bound_first > survey.top[i].ports)
			abort();
	check_one(data, size);
	return 0;
}
