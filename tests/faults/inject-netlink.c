/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "faults/inject.h"

#include <errno.h>
#include <linux/netlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Changes what sock_diag answers, as a kernel would that is short of memory, of a module, or out of its mind. */

static struct {
	bool known, forever, done;
	char phase[16], how[32];
} order;

static void read_order(void)
{
	const char *text = getenv("TW_FAULT_NETLINK");
	char mode[16] = "";

	order.known = true;
	order.done = !text || sscanf(text, "%15s %15s %31s", mode, order.phase, order.how) != 3;
	order.forever = strcmp(mode, "forever") == 0;
}

static long answer(void *buffer, const struct nlmsghdr *to, uint16_t type, int error)
{
	struct nlmsghdr header = *to;

	header.nlmsg_len = NLMSG_LENGTH(sizeof(error));
	header.nlmsg_type = type;
	memcpy(buffer, &header, sizeof(header));
	memcpy(NLMSG_DATA(buffer), &error, sizeof(error));
	return header.nlmsg_len;
}

/* The daemon begins a scan anew so often: one that never ends takes as many dumps. */
#define TRIES 3

/* What the kernel said last of a socket, to be said again and again; and the request under way. */
static char row[512];
static size_t row_length;
static uint32_t sequence;
static unsigned endless_dumps;

static void keep_row(const void *buffer, const struct nlmsghdr *first)
{
	if (first->nlmsg_type < NLMSG_MIN_TYPE || first->nlmsg_len > sizeof(row))
		return;
	row_length = NLMSG_ALIGN(first->nlmsg_len);
	memcpy(row, buffer, first->nlmsg_len);
}

void inject_netlink_request(const void *request, size_t length)
{
	struct nlmsghdr header;

	if (length < sizeof(header))
		return;
	memcpy(&header, request, sizeof(header));
	sequence = header.nlmsg_seq;
	endless_dumps += row_length > 0 && order.phase[0] == '\0';
}

/* The end of a dump is never told. */
long inject_netlink_instead(void *buffer, size_t size)
{
	size_t at;

	if (order.phase[0] != '\0' || strcmp(order.how, "endless") != 0 || row_length == 0 || endless_dumps > TRIES)
		return 0;
	inject_count_hit();
	memcpy(row + offsetof(struct nlmsghdr, nlmsg_seq), &sequence, sizeof(sequence));
	for (at = 0; at + row_length <= size; at += row_length)
		memcpy((char *)buffer + at, row, row_length);
	return (long)at;
}

long inject_netlink(void *buffer, long length)
{
	struct nlmsghdr first;

	if (!order.known)
		read_order();
	if (order.done || length < (long)sizeof(first))
		return length;
	memcpy(&first, buffer, sizeof(first));
	keep_row(buffer, &first);
	if (strcmp(order.phase, inject_phase_names[inject_phase]) == 0)
		order.phase[0] = '\0';
	if (order.phase[0] != '\0')
		return length;
	if (strcmp(order.how, "endless") == 0)
		return length;
	order.done = !order.forever;
	inject_count_hit();
	if (strcmp(order.how, "lost") == 0)
		return -ENOBUFS;
	if (strcmp(order.how, "truncated") == 0)
		return length / 2;
	if (strcmp(order.how, "no-module-error") == 0)
		return answer(buffer, &first, NLMSG_ERROR, -ENOENT);
	if (strcmp(order.how, "no-module-done") == 0)
		return answer(buffer, &first, NLMSG_DONE, -ENOENT);
	if (strcmp(order.how, "interrupted") == 0)
		first.nlmsg_flags |= NLM_F_DUMP_INTR;
	else if (strcmp(order.how, "stale") == 0)
		first.nlmsg_seq--;
	else
		exit(INJECT_MISUSED);
	memcpy(buffer, &first, sizeof(first));
	return length;
}
