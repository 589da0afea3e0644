/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "act/destroyer.h"

#include "act/destroy.h"
#include "act/destroyer-tell.h"
#include "base/text.h"

#include <string.h>
#include <sys/socket.h>

/* One socket of a bucket's credit. */
#define CREDIT_ONE TW_USEC_PER_SEC

void tw_destroyer_init(struct tw_destroyer *destroyer, struct tw_socket_sink *sink, struct tw_recorder *recorder,
		       const char *namespace)
{
	memset(destroyer, 0, sizeof(*destroyer));
	destroyer->sink = sink;
	destroyer->recorder = recorder;
	destroyer->namespace = namespace;
}

static bool same_destroy(const struct tw_destroy *a, const struct tw_destroy *b)
{
	return a->state == b->state && a->older_than_usec == b->older_than_usec && a->port == b->port &&
	       a->has_destination == b->has_destination && tw_address_equal(&a->destination, &b->destination) &&
	       a->destination_port == b->destination_port && strcmp(a->unit, b->unit) == 0 &&
	       a->max_per_second == b->max_per_second;
}

/* By what the order says: the settings may have been read anew, and its place among the orders changes. */
static bool is_of(const struct tw_destroyer_row *row, const struct tw_kill_order *order)
{
	return row->used && strcmp(row->rule, order->rule->name) == 0 && same_destroy(&row->destroy, order->destroy);
}

static struct tw_destroyer_row *find(struct tw_destroyer *destroyer, const struct tw_kill_order *order)
{
	for (unsigned i = 0; i < TW_ARRAY_SIZE(destroyer->rows); i++)
		if (is_of(&destroyer->rows[i], order))
			return &destroyer->rows[i];
	return NULL;
}

static void forget_unwanted(struct tw_destroyer *destroyer, const struct tw_kill_orders *orders)
{
	for (unsigned i = 0; i < TW_ARRAY_SIZE(destroyer->rows); i++) {
		struct tw_destroyer_row *row = &destroyer->rows[i];
		bool wanted = false;

		for (unsigned j = 0; j < orders->count && !wanted; j++)
			wanted = is_of(row, &orders->rows[j]);
		row->used = row->used && wanted;
	}
}

/* There is a row for each order once those that are not wanted are forgotten. */
static struct tw_destroyer_row *find_or_add(struct tw_destroyer *destroyer, const struct tw_kill_order *order,
					    usec_t now_usec)
{
	struct tw_destroyer_row *row = find(destroyer, order);

	for (unsigned i = 0; !row && i < TW_ARRAY_SIZE(destroyer->rows); i++)
		if (!destroyer->rows[i].used) {
			row = &destroyer->rows[i];
			*row = (struct tw_destroyer_row){ .used = true, .filled_usec = now_usec };
			(void)tw_text_copy(row->rule, sizeof(row->rule), order->rule->name);
			row->destroy = *order->destroy;
		}
	return row;
}

static void fill(struct tw_destroyer_row *row, usec_t now_usec)
{
	usec_t passed_usec = TW_MIN(tw_usec_since(now_usec, row->filled_usec), TW_USEC_PER_SEC);
	uint64_t most = row->destroy.max_per_second * CREDIT_ONE;

	row->credit = TW_MIN(row->credit + passed_usec * row->destroy.max_per_second, most);
	row->filled_usec = now_usec;
}

/* A socket from port 1 to port 1 of this host, with a cookie that the kernel's counter does not reach. */
static const struct tw_candidate nobody = {
	.id = {
		.local = { { { [10] = 0xff, [11] = 0xff, [12] = 127, [15] = 1 } }, 1 },
		.remote = { { { [10] = 0xff, [11] = 0xff, [12] = 127, [15] = 1 } }, 1 },
		.cookie = TW_COOKIE_ANY - 1,
	},
	.family = AF_INET,
};

static void probe(struct tw_destroyer *destroyer)
{
	int answer = 0;

	if (destroyer->probed || destroyer->sink->end(destroyer->sink, &nobody, 1, &answer) < 0)
		return;
	destroyer->probed = true;
	destroyer->probe = answer;
}

static bool is_refusal(int answer)
{
	enum tw_destroy_verdict verdict = tw_destroy_verdict(answer);

	return verdict == TW_DESTROY_UNSUPPORTED || verdict == TW_DESTROY_DENIED;
}

static void refuse(const struct tw_destroyer *destroyer, struct tw_destroyer_row *row,
		   const struct tw_kill_order *order, int answer, bool ever)
{
	if (!row->resting)
		tw_destroyer_tell_refused(destroyer, order, answer, ever);
	row->resting = true;
}

/* How many of one order may be ended now. */
static uint32_t quota_of(struct tw_destroyer *destroyer, struct tw_destroyer_row *row,
			 const struct tw_kill_order *order)
{
	probe(destroyer);
	if (is_refusal(destroyer->probe))
		refuse(destroyer, row, order, destroyer->probe, true);
	return row->resting ? 0 : (uint32_t)(row->credit / CREDIT_ONE);
}

void tw_destroyer_quota(struct tw_destroyer *destroyer, const struct tw_kill_orders *orders, enum tw_mode mode,
			usec_t now_usec, struct tw_kill_quota *ret)
{
	struct tw_kill_quota quota = { 0 };

	forget_unwanted(destroyer, orders);
	for (unsigned i = 0; i < orders->count; i++) {
		struct tw_destroyer_row *row = find_or_add(destroyer, &orders->rows[i], now_usec);

		if (!row)
			continue;
		fill(row, now_usec);
		if (mode == TW_MODE_OBSERVE || orders->rows[i].advised) {
			quota.wanted[i] = !row->advised;
			continue;
		}
		row->advised = false;
		quota.most[i] = quota_of(destroyer, row, &orders->rows[i]);
		quota.wanted[i] = quota.most[i] > 0;
	}
	*ret = quota;
}

/* Adds up what became of one socket. Returns false where the kernel refuses, so that to go on is of no use. */
static bool count_answer(struct tw_destroyer_tally *tally, const struct tw_candidate *candidate, int answer)
{
	switch (tw_destroy_verdict(answer)) {
	case TW_DESTROY_ENDED:
		tally->youngest_ms = tally->ended ? TW_MIN(tally->youngest_ms, candidate->age_ms) : candidate->age_ms;
		tally->oldest_ms = TW_MAX(tally->oldest_ms, candidate->age_ms);
		tally->ended++;
		return true;
	case TW_DESTROY_GONE:
		tally->gone++;
		return true;
	case TW_DESTROY_FAILED:
		tally->failed++;
		tally->error = answer;
		return true;
	case TW_DESTROY_UNSUPPORTED:
	case TW_DESTROY_DENIED:
		tally->error = answer;
		return false;
	}
	return true;
}

/* Returns 0; 1 where the kernel refuses; or -errno where it could not be asked. */
static int end_batch(struct tw_destroyer *destroyer, const struct tw_candidate *batch, unsigned count,
		     struct tw_destroyer_tally *tally)
{
	int answers[TW_SOCKET_BATCH_MAX];
	bool refused = false;
	int r = destroyer->sink->end(destroyer->sink, batch, count, answers);

	if (r < 0)
		return r;
	for (unsigned i = 0; i < count; i++)
		if (!count_answer(tally, &batch[i], answers[i]))
			refused = true;
	return refused;
}

/* The next ones of an order, from *at on. */
static unsigned next_batch(const struct tw_destroy_found *found, unsigned order, uint64_t most, uint32_t *at,
			   struct tw_candidate batch[TW_SOCKET_BATCH_MAX])
{
	unsigned count = 0;

	for (; *at < found->count && count < TW_MIN(most, TW_SOCKET_BATCH_MAX); (*at)++)
		if (found->rows[*at].order == order)
			batch[count++] = found->rows[*at];
	return count;
}

static int end_all(struct tw_destroyer *destroyer, struct tw_destroyer_row *row, const struct tw_destroy_found *found,
		   unsigned order, struct tw_destroyer_tally *tally)
{
	struct tw_candidate batch[TW_SOCKET_BATCH_MAX];
	uint32_t at = 0;

	for (;;) {
		uint64_t before = tally->ended;
		unsigned count = next_batch(found, order, row->credit / CREDIT_ONE, &at, batch);
		int r;

		if (count == 0)
			return 0;
		r = end_batch(destroyer, batch, count, tally);
		/* What is not known of may have been ended. */
		row->credit -= (r < 0 ? count : tally->ended - before) * CREDIT_ONE;
		if (r != 0)
			return r;
	}
}

static void end_order(struct tw_destroyer *destroyer, struct tw_destroyer_row *row, const struct tw_kill_order *order,
		      const struct tw_destroy_found *found, unsigned at)
{
	struct tw_destroyer_tally tally = { 0 };
	int r = end_all(destroyer, row, found, at, &tally);

	if (tally.ended > 0)
		tw_destroyer_tell_destroyed(destroyer, order, &tally);
	if (r > 0)
		refuse(destroyer, row, order, tally.error, false);
	if (r == 0 && tally.ended == 0 && tally.failed > 0)
		r = tally.error;
	if (r < 0 && !row->failed_told)
		tw_destroyer_tell_failed(destroyer, order, r);
	row->failed_told = r < 0;
}

void tw_destroyer_end(struct tw_destroyer *destroyer, const struct tw_kill_orders *orders,
		      const struct tw_destroy_found *found, enum tw_mode mode)
{
	for (unsigned i = 0; i < orders->count; i++) {
		struct tw_destroyer_row *row = find(destroyer, &orders->rows[i]);

		if (!row || row->resting)
			continue;
		if (mode != TW_MODE_OBSERVE && !orders->rows[i].advised) {
			end_order(destroyer, row, &orders->rows[i], found, i);
		} else if (!row->advised && found->seen[i] > 0) {
			tw_destroyer_tell_advice(destroyer, &orders->rows[i], found->seen[i]);
			row->advised = true;
		}
	}
}
