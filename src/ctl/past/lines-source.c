/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ctl/past/lines-source.h"

#include "base/fd.h"
#include "base/macros.h"
#include "ctl/past/lines-read.h"

#include <stdio.h>
#include <string.h>

static FILE *close_file(FILE *file)
{
	if (file && file != stdin)
		(void)fclose(file);
	return NULL;
}
TW_DEFINE_CLEANUP(FILE, close_file)
#define CLEANUP_FILE TW_CLEANUP(close_filep)

static long read_all(FILE *file, const struct tw_past_order *order, struct tw_past_taker *taker,
		     unsigned long *ret_line)
{
	TW_CLEANUP_FREE struct tw_record *record = malloc(sizeof(*record));
	TW_CLEANUP_FREE char *line = NULL;
	size_t room = 0;
	long count = 0;
	ssize_t length;

	if (!record)
		return -ENOMEM;
	*ret_line = 0;
	while ((length = getline(&line, &room, file)) >= 0) {
		int r;

		++*ret_line;
		r = tw_lines_read_one(order, taker, record, line, (size_t)length);
		if (r < 0)
			return r;
		count += r;
	}
	return ferror(file) ? -EIO : count;
}

long tw_lines_read(const struct tw_past_order *order, struct tw_past_taker *taker, unsigned long *ret_line)
{
	CLEANUP_FILE FILE *file = strcmp(order->input, "-") == 0 ? stdin : fopen(order->input, "re");

	return file ? read_all(file, order, taker, ret_line) : tw_errno();
}
