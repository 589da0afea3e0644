/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "act/hand-tell-list.h"

#include "base/text.h"

#include <inttypes.h>
#include <string.h>

#define KEY "net.ipv4.ip_local_reserved_ports"
/* A list that is longer as text would leave no room for the sentence around it. */
#define LIST_MAX 160

static void add_list(struct tw_text *text, const struct tw_port_set *ports)
{
	char bytes[LIST_MAX];
	struct tw_text list;
	uint32_t size = tw_port_set_size(ports);

	tw_text_init(&list, bytes, sizeof(bytes));
	tw_port_set_add_text(ports, &list);
	if (size == 0)
		tw_text_add(text, "no port");
	else if (list.cut)
		tw_text_addf(text, "%" PRIu32 " ports", size);
	else
		tw_text_add(text, bytes);
}

void tw_hand_tell_added(struct tw_text *text, const struct tw_ledger_reserved *reserved)
{
	struct tw_port_set added = reserved->written;

	tw_port_set_subtract(&added, &reserved->baseline);
	add_list(text, &added);
}

void tw_hand_tell_list_obstacle(struct tw_text *reason, enum tw_hand_obstacle obstacle, int error)
{
	switch (obstacle) {
	case TW_HAND_OBSTACLE_LISTENERS:
		tw_text_add(reason,
			    "it is not known yet which ports of the wider range are listened on; they go into " KEY
			    " first");
		return;
	case TW_HAND_OBSTACLE_LIST_READ:
		tw_text_addf(reason, "cannot read " KEY ", where the ports that are listened on go first: %s",
			     strerror(-error));
		return;
	case TW_HAND_OBSTACLE_LIST_WRITE:
		tw_text_addf(reason, "cannot write " KEY ", where the ports that are listened on go first: %s",
			     strerror(-error));
		return;
	case TW_HAND_OBSTACLE_LIST_KEPT:
		tw_text_add(reason,
			    KEY ", where the ports that are listened on go first, was another list after the write");
		return;
	case TW_HAND_OBSTACLE_LIST_FOREIGN:
		tw_text_add(reason,
			    "more ports would have to go into " KEY " first, and somebody else has changed that after "
			    "timewaitd; it is left to them");
		return;
	case TW_HAND_OBSTACLE_LIST_LONG:
		tw_text_addf(reason,
			     KEY " with the ports that are listened on would be longer than the %d bytes that "
				 "the kernel takes at once",
			     TW_PORT_SET_TEXT_MAX);
		return;
	case TW_HAND_OBSTACLE_NONE:
	case TW_HAND_OBSTACLE_BOUNDS:
	case TW_HAND_OBSTACLE_LOWER:
	case TW_HAND_OBSTACLE_READ:
	case TW_HAND_OBSTACLE_WRITE:
	case TW_HAND_OBSTACLE_KEPT:
	case TW_HAND_OBSTACLE_BACK:
		return;
	}
}

/* The list is no tunable: its records name it in their reason, and the rule that the range was widened for. */
static struct tw_event event_of(const struct tw_hand *hand, enum tw_event_kind kind, enum tw_severity severity)
{
	struct tw_event event = { .kind = kind, .severity = severity };

	(void)tw_text_copy(event.rule_name, sizeof(event.rule_name), hand->causes[TW_TUNABLE_PORT_RANGE].rule);
	return event;
}

static struct tw_text reason_of(struct tw_event *event)
{
	struct tw_text text;

	tw_text_init(&text, event->reason, sizeof(event->reason));
	return text;
}

static void tell(const struct tw_hand *hand, const struct tw_event *event)
{
	hand->recorder->tell(hand->recorder, hand->namespace, event);
}

void tw_hand_tell_list_restored(struct tw_hand *hand)
{
	struct tw_event event = event_of(hand, TW_EVENT_RESTORED, TW_SEVERITY_NOTICE);
	struct tw_text reason = reason_of(&event);

	tw_text_add(&reason, KEY " is as it was before the range was widened: ");
	add_list(&reason, &hand->ledger.reserved.baseline);
	tell(hand, &event);
}

void tw_hand_tell_list_yielded(struct tw_hand *hand, const struct tw_port_set *live)
{
	const struct tw_ledger_reserved *reserved = &hand->ledger.reserved;
	struct tw_event event = event_of(hand, TW_EVENT_YIELDED, TW_SEVERITY_WARNING);
	struct tw_text reason = reason_of(&event);

	tw_text_add(&reason, "somebody else set " KEY " to ");
	add_list(&reason, live);
	tw_text_add(&reason, " after timewaitd had added ");
	tw_hand_tell_added(&reason, reserved);
	tw_text_add(&reason, "; it is left to them");
	tell(hand, &event);
}

void tw_hand_tell_list_owed(struct tw_hand *hand, int error)
{
	struct tw_event event = event_of(hand, TW_EVENT_DEGRADED, TW_SEVERITY_ERROR);
	struct tw_text reason = reason_of(&event), advice;

	tw_text_addf(&reason, "cannot put " KEY " back as it was before timewaitd: %s", strerror(-error));
	tw_text_init(&advice, event.advice, sizeof(event.advice));
	tw_text_add(&advice, "sysctl -w " KEY "=");
	tw_port_set_add_text(&hand->ledger.reserved.baseline, &advice);
	/* Half a list would be another one. */
	if (advice.cut)
		event.advice[0] = '\0';
	tell(hand, &event);
}
