/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ctl/past/past-load.h"

#include "base/exit.h"
#include "ctl/past/journal-source.h"
#include "ctl/past/lines-source.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static const char *place_of(const struct tw_past_order *order)
{
	if (order->input)
		return order->input;
	if (order->file)
		return order->file;
	return order->directory ? order->directory : "the journal";
}

static int complain(const struct tw_past_order *order, long error, unsigned long line)
{
	if (error == -EBADMSG && order->input)
		fprintf(stderr, "timewaitctl: %s:%lu: not an object of JSON, as timewaitd --log=json writes them\n",
			order->input, line);
	else if (error == -EACCES && !order->input && !order->file && !order->directory)
		fputs("timewaitctl: the journal is not yours to read, and without it there is no past to tell of.\n"
		      "Run this as root, or let root add you to the group systemd-journal:\n"
		      "  usermod -aG systemd-journal YOU\n"
		      "and log in anew; --input reads what timewaitd --log=json wrote.\n",
		      stderr);
	else
		fprintf(stderr, "timewaitctl: cannot read %s: %s\n", place_of(order), strerror((int)-error));
	return TW_EXIT_FAILURE;
}

int tw_past_complain_none(const struct tw_past_order *order, const char *what)
{
	bool bounded = order->since_usec > 0 || order->until_usec != TW_USEC_INFINITY;
	bool system = !order->input && !order->file && !order->directory;

	fprintf(stderr, "timewaitctl: there is no %s of network namespace %s in %s%s\n", what, order->namespace,
		place_of(order), bounded ? " between these times" : "");
	if (system)
		fputs("Does timewaitd run (systemctl status timewaitd), and is its sample-record not 0? --since looks "
		      "further back.\n",
		      stderr);
	return TW_EXIT_FAILURE;
}

int tw_past_load(const struct tw_past_order *order, struct tw_past_taker *taker, long *ret_count)
{
	unsigned long line = 0;
	long count = order->input ? tw_lines_read(order, taker, &line) : tw_journal_read(order, taker);

	if (count < 0)
		return complain(order, count, line);
	*ret_count = count;
	return -1;
}
