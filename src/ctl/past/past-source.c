/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ctl/past/past-source.h"

#include "base/exit.h"
#include "base/fd.h"
#include "base/macros.h"

#include <errno.h>
#include <grp.h>
#include <stdio.h>
#include <string.h>
#include <systemd/sd-journal.h>
#include <unistd.h>

/* ---- the journal */

/* More groups than anybody is in. */
#define GROUPS_MAX 256

static sd_journal *close_journal(sd_journal *journal)
{
	sd_journal_close(journal);
	return NULL;
}
TW_DEFINE_CLEANUP(sd_journal, close_journal)
#define CLEANUP_JOURNAL TW_CLEANUP(close_journalp)

static int open_journal(const struct tw_past_order *order, sd_journal **ret)
{
	const char *files[] = { order->file, NULL };

	if (order->file)
		return sd_journal_open_files(ret, files, 0);
	if (order->directory)
		return sd_journal_open_directory(ret, order->directory, 0);
	return sd_journal_open(ret, SD_JOURNAL_LOCAL_ONLY);
}

static int match(sd_journal *journal, const char *name, const char *value)
{
	char bytes[TW_NAMESPACE_NAME_MAX + 64];
	struct tw_text text;

	tw_text_init(&text, bytes, sizeof(bytes));
	tw_text_addf(&text, "%s=%s", name, value);
	return text.cut ? -EINVAL : sd_journal_add_match(journal, bytes, text.length);
}

/* Anybody can write a record that looks like ours. Who wrote it the journal itself knows: the service, or root. */
static int match_writers(sd_journal *journal)
{
	int r = match(journal, "_SYSTEMD_UNIT", "timewaitd.service");

	if (r >= 0)
		r = sd_journal_add_disjunction(journal);
	if (r >= 0)
		r = match(journal, "_UID", "0");
	return r < 0 ? r : sd_journal_add_conjunction(journal);
}

/* Matches of one field are alternatives; the journal has an index for each. */
static int match_all(sd_journal *journal, const struct tw_past_order *order)
{
	int r = match_writers(journal);

	if (r >= 0)
		r = match(journal, "SYSLOG_IDENTIFIER", "timewaitd");
	for (unsigned i = 0; r >= 0 && i < TW_EVENT_COUNT; i++)
		r = match(journal, "TIMEWAITD_EVENT", tw_event_name((enum tw_event_kind)i));
	if (r >= 0 && order->namespace)
		r = match(journal, "TIMEWAITD_NAMESPACE", order->namespace);
	return r;
}

static void gather(sd_journal *journal, struct tw_record *record)
{
	const void *data;
	size_t length;

	tw_record_init(record);
	SD_JOURNAL_FOREACH_DATA(journal, data, length)
	{
		const char *name = data;
		const char *equals = memchr(name, '=', length);

		if (equals)
			(void)tw_past_add(record, name, (size_t)(equals - name), equals + 1,
					  length - (size_t)(equals + 1 - name));
	}
}

static long read_records(sd_journal *journal, const struct tw_past_order *order, struct tw_past_taker *taker,
			 struct tw_record *record)
{
	long count = 0;
	usec_t at_usec;
	int r;

	r = sd_journal_seek_realtime_usec(journal, order->since_usec);
	while (r >= 0 && (r = sd_journal_next(journal)) > 0) {
		r = sd_journal_get_realtime_usec(journal, &at_usec);
		if (r < 0 || at_usec > order->until_usec)
			break;
		if (at_usec < order->since_usec)
			continue;
		gather(journal, record);
		count++;
		r = taker->take(taker, at_usec, record);
	}
	return r < 0 ? r : count;
}

/* The journal of the system is readable for root and these groups; for others it looks empty. */
static bool may_read(void)
{
	static const char *const names[] = { "systemd-journal", "adm", "wheel" };
	gid_t groups[GROUPS_MAX];
	int count = getgroups(GROUPS_MAX, groups);

	if (geteuid() == 0)
		return true;
	for (size_t i = 0; i < TW_ARRAY_SIZE(names); i++) {
		const struct group *group = getgrnam(names[i]);

		if (group && getegid() == group->gr_gid)
			return true;
		for (int j = 0; group && j < count; j++)
			if (groups[j] == group->gr_gid)
				return true;
	}
	return false;
}

/*
 * Returns how many there were; -EACCES where nothing was found and the system's journal is not the caller's to read;
 * what the taker returned; or -errno.
 */
static long read_journal(const struct tw_past_order *order, struct tw_past_taker *taker)
{
	TW_CLEANUP_FREE struct tw_record *record = malloc(sizeof(*record));
	CLEANUP_JOURNAL sd_journal *journal = NULL;
	long count;
	int r;

	if (!record)
		return -ENOMEM;
	r = open_journal(order, &journal);
	if (r < 0)
		return r;
	/* No limit: a table in a record may be longer than what is read else. */
	(void)sd_journal_set_data_threshold(journal, 0);
	r = match_all(journal, order);
	if (r < 0)
		return r;
	count = read_records(journal, order, taker, record);
	return count == 0 && !order->file && !order->directory && !may_read() ? -EACCES : count;
}

/* ---- lines of JSON */

static FILE *close_file(FILE *file)
{
	if (file && file != stdin)
		(void)fclose(file);
	return NULL;
}
TW_DEFINE_CLEANUP(FILE, close_file)
#define CLEANUP_FILE TW_CLEANUP(close_filep)

static long read_lines(FILE *file, const struct tw_past_order *order, struct tw_past_taker *taker,
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

/* The number of a line that is no object (-EBADMSG) is in *ret_line. */
static long read_file(const struct tw_past_order *order, struct tw_past_taker *taker, unsigned long *ret_line)
{
	CLEANUP_FILE FILE *file = strcmp(order->input, "-") == 0 ? stdin : fopen(order->input, "re");

	return file ? read_lines(file, order, taker, ret_line) : tw_errno();
}

/* ---- whichever is ordered */

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
	long count = order->input ? read_file(order, taker, &line) : read_journal(order, taker);

	if (count < 0)
		return complain(order, count, line);
	*ret_count = count;
	return -1;
}
