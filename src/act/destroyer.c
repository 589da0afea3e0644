/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "act/destroyer.h"

#include "base/netlink-source.h"
#include "base/text.h"
#include "model/sock-request.h"

#include <errno.h>
#include <inttypes.h>
#include <linux/sock_diag.h>
#include <stdarg.h>
#include <string.h>
#include <sys/socket.h>

/* One socket of a bucket's credit. */
#define CREDIT_ONE TW_USEC_PER_SEC
#define SPAN_TEXT(usec) tw_duration_format((char[TW_DURATION_TEXT_MAX]){ 0 }, (usec))
/* Ages are told to the tenth of a second. */
#define AGE_TEXT(ms) SPAN_TEXT((ms) / 100 * 100 * TW_USEC_PER_MSEC)

/* ---- requests and answers */

int tw_destroy_build(uint8_t buffer[TW_DESTROY_REQUEST_SIZE], const struct tw_candidate *candidate, uint32_t sequence)
{
	struct tw_sock_request request = tw_sock_request(SOCK_DESTROY, NLM_F_ACK, candidate->family, sequence);

	_Static_assert(sizeof(request) == TW_DESTROY_REQUEST_SIZE, "the request is as long as it says");
	if (candidate->id.cookie == TW_COOKIE_ANY)
		return -EINVAL;
	/* The kernel looks at what tells the socket alone. */
	tw_sock_request_set_id(&request, &candidate->id);
	memcpy(buffer, &request, sizeof(request));
	return 0;
}

int tw_destroy_parse(const void *datagram, size_t length, uint32_t first, unsigned count, int answers[])
{
	struct tw_netlink_rest rest = { datagram, length }, body;
	struct nlmsghdr header;
	int r, error, told = 0;

	while ((r = tw_netlink_next(&rest, &header, &body)) > 0) {
		/* Wraps as the sequence numbers do. */
		uint32_t at = header.nlmsg_seq - first;

		if (header.nlmsg_type != NLMSG_ERROR || at >= count)
			continue;
		if (tw_netlink_status(&body, &error) < 0 || error > 0)
			return -EPROTO;
		answers[at] = error;
		told++;
	}
	return r < 0 ? r : told;
}

static bool is_denied(int answer)
{
	return answer == -EPERM || answer == -EACCES;
}

/* That it does not end sockets; sock_diag before Linux 4.5 does not know the request. */
static bool is_refusal(int answer)
{
	return is_denied(answer) || answer == -EOPNOTSUPP || answer == -EINVAL;
}

/* ---- what is told */

/* `count` sockets, or 0 where no number is told. The reason goes on behind "TIME-WAIT older than 30s". */
TW_PRINTF(5, 6)
static void tell(const struct tw_destroyer *destroyer, const struct tw_kill_order *order, enum tw_event_kind kind,
		 uint64_t count, const char *format, ...)
{
	const struct tw_destroy *destroy = order->destroy;
	const char *unit = destroy->scope.unit[0] ? destroy->scope.unit : order->subject.unit;
	struct tw_event event = {
		.kind = kind,
		.severity = count > 0 ? TW_SEVERITY_NOTICE : TW_SEVERITY_WARNING,
		.rule = order->rule,
		.subject = order->subject,
		.has_count = count > 0,
		.count = count,
		.elsewhere = kind == TW_EVENT_ADVICE && order->advised,
	};
	struct tw_text text;
	va_list arguments;

	(void)tw_text_copy(event.rule_name, sizeof(event.rule_name), order->rule->name);
	tw_text_init(&text, event.reason, sizeof(event.reason));
	tw_text_addf(&text, "%s older than %s", tw_state_title(destroy->state), SPAN_TEXT(destroy->older_than_usec));
	va_start(arguments, format);
	tw_text_addv(&text, format, arguments);
	va_end(arguments);
	/* What ending them does not do. */
	tw_text_init(&text, event.advice, sizeof(event.advice));
	if (count > 0 && destroy->state == TW_STATE_CLOSE_WAIT)
		tw_text_addf(&text,
			     "restart or mend %s, which does not close() when its peer has closed: until then each "
			     "descriptor stays leaked in the process",
			     unit[0] ? unit : "the program");
	destroyer->recorder->tell(destroyer->recorder, destroyer->namespace, &event);
}

/* The kernel refuses, with `answer`; `ever`: it ends no socket at all, in whatever state. */
static void refuse(const struct tw_destroyer *destroyer, struct tw_destroyer_row *row,
		   const struct tw_kill_order *order, int answer, bool ever)
{
	const char *why = "this kernel cannot; Linux 6.0 and later can";

	if (is_denied(answer))
		why = "it takes CAP_NET_ADMIN, which timewaitd does not have";
	else if (ever || order->destroy->state != TW_STATE_TIME_WAIT)
		why = "this kernel is built without CONFIG_INET_DIAG_DESTROY";
	if (!row->resting)
		tell(destroyer, order, TW_EVENT_REFUSED, 0, " is not ended: %s", why);
	row->resting = true;
}

/* ---- orders at their pace */

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
	       tw_scope_equal(&a->scope, &b->scope) && a->max_per_second == b->max_per_second;
}

/* What is known of an order by what it says: the settings may have been read anew, and its place changes. */
static struct tw_destroyer_row row_of(const struct tw_destroyer *destroyer, const struct tw_kill_order *order,
				      usec_t now_usec)
{
	struct tw_destroyer_row fresh = { .destroy = *order->destroy, .filled_usec = now_usec };

	for (unsigned i = 0; i < destroyer->count; i++)
		if (strcmp(destroyer->rows[i].rule, order->rule->name) == 0 &&
		    same_destroy(&destroyer->rows[i].destroy, order->destroy))
			return destroyer->rows[i];
	(void)tw_text_copy(fresh.rule, sizeof(fresh.rule), order->rule->name);
	return fresh;
}

static void fill(struct tw_destroyer_row *row, usec_t now_usec)
{
	usec_t passed_usec = TW_MIN(tw_usec_since(now_usec, row->filled_usec), TW_USEC_PER_SEC);
	uint64_t most = row->destroy.max_per_second * CREDIT_ONE;

	row->credit = TW_MIN(row->credit + passed_usec * row->destroy.max_per_second, most);
	row->filled_usec = now_usec;
}

static void probe(struct tw_destroyer *destroyer)
{
	/* A socket from port 1 to port 1 of this host, with a cookie that the kernel's counter does not reach. */
	static const struct tw_candidate nobody = {
		.id = {
			.local = { { { [10] = 0xff, [11] = 0xff, [12] = 127, [15] = 1 } }, 1 },
			.remote = { { { [10] = 0xff, [11] = 0xff, [12] = 127, [15] = 1 } }, 1 },
			.cookie = TW_COOKIE_ANY - 1,
		},
		.family = AF_INET,
	};
	int answer = 0;

	if (destroyer->probed || destroyer->sink->end(destroyer->sink, &nobody, 1, &answer) < 0)
		return;
	destroyer->probed = true;
	destroyer->probe = answer;
}

void tw_destroyer_quota(struct tw_destroyer *destroyer, const struct tw_kill_orders *orders, enum tw_mode mode,
			usec_t now_usec, struct tw_kill_quota *ret)
{
	struct tw_destroyer_row rows[TW_KILLS_MAX];

	memset(ret, 0, sizeof(*ret));
	for (unsigned i = 0; i < orders->count; i++)
		rows[i] = row_of(destroyer, &orders->rows[i], now_usec);
	memcpy(destroyer->rows, rows, orders->count * sizeof(rows[0]));
	destroyer->count = orders->count;
	for (unsigned i = 0; i < orders->count; i++) {
		struct tw_destroyer_row *row = &destroyer->rows[i];

		fill(row, now_usec);
		if (mode == TW_MODE_OBSERVE || orders->rows[i].advised) {
			ret->wanted[i] = !row->advised;
			continue;
		}
		row->advised = false;
		probe(destroyer);
		if (is_refusal(destroyer->probe))
			refuse(destroyer, row, &orders->rows[i], destroyer->probe, true);
		ret->most[i] = row->resting ? 0 : (uint32_t)(row->credit / CREDIT_ONE);
		ret->wanted[i] = ret->most[i] > 0;
	}
}

/* What became of the sockets of one order. */
struct tally {
	uint64_t ended;
	uint64_t gone;			 /* before they could be ended */
	uint64_t failed;		 /* for another reason, the last of which is `error` */
	bool refused;			 /* by the kernel, with `error`: to go on is of no use */
	int error;			 /* -errno */
	uint32_t youngest_ms, oldest_ms; /* of those ended */
};

static void count_answer(struct tally *tally, const struct tw_candidate *candidate, int answer)
{
	if (answer == 0) {
		tally->youngest_ms = tally->ended ? TW_MIN(tally->youngest_ms, candidate->age_ms) : candidate->age_ms;
		tally->oldest_ms = TW_MAX(tally->oldest_ms, candidate->age_ms);
		tally->ended++;
	} else if (answer == -ENOENT) {
		tally->gone++;
	} else {
		tally->error = answer;
		tally->refused = tally->refused || is_refusal(answer);
		tally->failed += !is_refusal(answer);
	}
}

/* Those found of one order, within its credit, until the kernel refuses. Returns 0, or -errno where it is not asked. */
static int end_all(struct tw_destroyer *destroyer, unsigned order, const struct tw_destroy_found *found,
		   struct tally *tally)
{
	struct tw_destroyer_row *row = &destroyer->rows[order];
	struct tw_candidate batch[TW_SOCKET_BATCH_MAX];
	int answers[TW_SOCKET_BATCH_MAX];
	uint32_t at = 0;

	while (!tally->refused) {
		uint64_t before = tally->ended;
		unsigned count = 0;
		int r;

		for (; at < found->count && count < TW_MIN(row->credit / CREDIT_ONE, TW_SOCKET_BATCH_MAX); at++)
			if (found->rows[at].order == order)
				batch[count++] = found->rows[at];
		if (count == 0)
			break;
		r = destroyer->sink->end(destroyer->sink, batch, count, answers);
		for (unsigned i = 0; r >= 0 && i < count; i++)
			count_answer(tally, &batch[i], answers[i]);
		/* What is not known of may have been ended. */
		row->credit -= (r < 0 ? count : tally->ended - before) * CREDIT_ONE;
		if (r < 0)
			return r;
	}
	return 0;
}

static void tell_destroyed(const struct tw_destroyer *destroyer, const struct tw_kill_order *order,
			   const struct tally *tally)
{
	char others[TW_REASON_MAX];
	struct tw_text text;

	tw_text_init(&text, others, sizeof(others));
	if (tally->gone > 0)
		tw_text_addf(&text, "; %" PRIu64 " more %s gone before", tally->gone,
			     tally->gone == 1 ? "was" : "were");
	if (tally->failed > 0)
		tw_text_addf(&text, "; %" PRIu64 " could not be ended: %s", tally->failed, strerror(-tally->error));
	tell(destroyer, order, TW_EVENT_DESTROYED, tally->ended, ": the youngest for %s, the oldest for %s%s",
	     AGE_TEXT(tally->youngest_ms), AGE_TEXT(tally->oldest_ms), others);
}

static void end_order(struct tw_destroyer *destroyer, const struct tw_kill_order *order,
		      const struct tw_destroy_found *found, unsigned at)
{
	struct tw_destroyer_row *row = &destroyer->rows[at];
	struct tally tally = { 0 };
	int r = end_all(destroyer, at, found, &tally);

	if (tally.ended > 0)
		tell_destroyed(destroyer, order, &tally);
	if (tally.refused)
		refuse(destroyer, row, order, tally.error, false);
	else if (r == 0 && tally.ended == 0 && tally.failed > 0)
		r = tally.error;
	if (r < 0 && !row->failed_told)
		tell(destroyer, order, TW_EVENT_DEGRADED, 0, " could not be ended: %s; it is tried again",
		     strerror(-r));
	row->failed_told = r < 0;
}

void tw_destroyer_end(struct tw_destroyer *destroyer, const struct tw_kill_orders *orders,
		      const struct tw_destroy_found *found, enum tw_mode mode)
{
	for (unsigned i = 0; i < orders->count; i++) {
		const struct tw_kill_order *order = &orders->rows[i];
		struct tw_destroyer_row *row = &destroyer->rows[i];

		if (row->resting)
			continue;
		if (mode != TW_MODE_OBSERVE && !order->advised) {
			end_order(destroyer, order, found, i);
		} else if (!row->advised && found->seen[i] > 0) {
			tell(destroyer, order, TW_EVENT_ADVICE, found->seen[i],
			     ", at most %" PRIu32 " of them a second", order->destroy->max_per_second);
			row->advised = true;
		}
	}
}
