/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ctl/lint/lint-source.h"

#include "act/ledger.h"
#include "base/fd.h"
#include "base/file-source.h"
#include "base/parse.h"
#include "base/setns-source.h"
#include "ctl/lint/lint-check.h"
#include "measure/kernel-source.h"

#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>

#define SYSCTL_ROOT "/proc/sys"
#define RESERVED_TEXT_MAX (256 * 1024)
/* The longest of the others are lists of congestion controls. */
#define VALUE_TEXT_MAX 4096
/* A dump that the kernel could not hold together is asked for again so often. */
#define TRIES 3
/* What stands at the beginning of a ledger's file name. */
#define LEDGER_NAME "ledger"

/* ---- sysctls */

static void read_number(int root_fd, const char *path, struct tw_count *ret)
{
	char bytes[64];
	const char *text = bytes;
	long length = tw_file_read(root_fd, path, bytes, sizeof(bytes));
	size_t rest = length > 0 ? (size_t)length : 0;
	int64_t number;

	tw_parse_trim(&text, &rest);
	if (length > 0 && tw_parse_i64(text, rest, &number) == 0)
		/* In a namespace that shares the first one's table its size is told with a minus sign. */
		*ret = (struct tw_count){ .value = (uint64_t)(number < 0 ? -number : number), .known = true };
}

static void read_memory(int root_fd, struct tw_lint_facts *facts)
{
	char bytes[128];
	long length = tw_file_read(root_fd, "net/ipv4/tcp_mem", bytes, sizeof(bytes));
	const char *cursor = bytes, *word;
	long pages = sysconf(_SC_PHYS_PAGES);
	unsigned count = 0;
	size_t size;

	if (pages > 0)
		facts->memory_pages = (struct tw_count){ .value = (uint64_t)pages, .known = true };
	if (length < 0)
		return;
	while (count < 3 && tw_parse_word(&cursor, bytes + length, &word, &size))
		if (tw_parse_i64(word, size, &facts->tcp_mem[count++]) < 0)
			return;
	facts->tcp_mem_known = count == 3;
}

static int read_reserved(int root_fd, struct tw_lint_facts *facts)
{
	TW_CLEANUP_FREE char *bytes = malloc(RESERVED_TEXT_MAX);
	long length;

	if (!bytes)
		return -ENOMEM;
	length = tw_file_read(root_fd, "net/ipv4/ip_local_reserved_ports", bytes, RESERVED_TEXT_MAX);
	facts->reserved_known = length >= 0 && tw_port_set_parse(bytes, (size_t)length, &facts->reserved) == 0;
	return 0;
}

static void read_planned(int root_fd, struct tw_sysctl_setting *setting)
{
	char bytes[VALUE_TEXT_MAX];
	const char *text = bytes;
	struct stat status;
	size_t rest;
	long length;

	if (setting->glob || !setting->value || !tw_lint_concerns(setting->key))
		return;
	if (fstatat(root_fd, setting->key, &status, 0) < 0) {
		setting->absent = errno == ENOENT || errno == ENOTDIR;
		return;
	}
	length = tw_file_read(root_fd, setting->key, bytes, sizeof(bytes));
	if (length < 0)
		return;
	rest = (size_t)length;
	tw_parse_trim(&text, &rest);
	setting->live = strndup(text, rest);
}

static int read_sysctls(struct tw_sysctl_plan *plan, struct tw_lint_facts *facts)
{
	TW_CLEANUP_CLOSE int root_fd = open(SYSCTL_ROOT, O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct stat status;

	if (root_fd < 0)
		return tw_errno();
	read_number(root_fd, "net/ipv4/tcp_ehash_entries", &facts->ehash_entries);
	read_memory(root_fd, facts);
	/* Whatever is of the whole machine is shown in the first network namespace alone. */
	facts->first_namespace = fstatat(root_fd, tw_tunable_info(TW_TUNABLE_MAX_ORPHANS)->path, &status, 0) == 0;
	for (size_t i = 0; i < plan->setting_count; i++)
		read_planned(root_fd, &plan->settings[i]);
	return read_reserved(root_fd, facts);
}

/* ---- listeners */

static void on_listener(void *context, const struct tw_flow *flow)
{
	struct tw_lint_facts *facts = context;
	struct tw_lint_listener *made = &facts->listeners[facts->listener_count];

	if (flow->state != TW_STATE_LISTEN || facts->listener_count == TW_LINT_LISTENERS_MAX)
		return;
	*made = (struct tw_lint_listener){
		.address = flow->local,
		.backlog = flow->send_queue,
		.cgroup_id = flow->has_cgroup ? flow->cgroup_id : 0,
	};
	facts->listener_count++;
}

/* Listeners have a table of their own, so that a walk for each family costs little. */
static int dump_family(struct tw_source *source, uint8_t family, struct tw_lint_facts *facts)
{
	struct tw_diag_query query = { .family = family, .states = tw_state_kernel_bit(TW_STATE_LISTEN) };
	uint32_t sequence;
	int r = source->dump_begin(source, &query, &sequence);

	while (r >= 0) {
		const void *datagram;
		size_t length;

		r = source->dump_next(source, &datagram, &length);
		if (r >= 0)
			r = tw_diag_parse(datagram, length, sequence, on_listener, facts);
		if (r == TW_DIAG_DONE)
			return 0;
	}
	return r;
}

static int dump_listeners(struct tw_source *source, struct tw_lint_facts *facts)
{
	int r;

	facts->listener_count = 0;
	r = dump_family(source, AF_INET, facts);
	if (r < 0)
		return r;
	r = dump_family(source, AF_INET6, facts);
	/* A kernel without IPv6. */
	return r == -ENOENT || r == -EOPNOTSUPP ? 0 : r;
}

static int read_listeners(struct tw_source *source, struct tw_lint_facts *facts)
{
	int r = -EINTR;

	source->scan_begin(source);
	for (unsigned i = 0; i < TRIES && (r == -EINTR || r == -ENOBUFS); i++)
		r = dump_listeners(source, facts);
	if (r < 0)
		return r;
	for (unsigned i = 0; i < facts->listener_count; i++)
		if (facts->listeners[i].cgroup_id != 0)
			(void)source->unit(source, facts->listeners[i].cgroup_id, facts->listeners[i].unit);
	return 0;
}

static int read_source(struct tw_lint_facts *facts)
{
	TW_CLEANUP_KERNEL_SOURCE struct tw_source *source = NULL;
	struct tw_gauge gauge = { 0 };
	int r = tw_kernel_source_new(NULL, NULL, &source);

	if (r < 0)
		return r;
	r = source->gauge(source, &gauge);
	if (r < 0)
		return r;
	memcpy(facts->sysctls, gauge.sysctls, sizeof(facts->sysctls));
	facts->listen_overflows = gauge.counters[TW_COUNTER_LISTEN_OVERFLOW];
	return read_listeners(source, facts);
}

/* ---- the ledger */

/* Only one of this boot and this namespace tells of what is in force here. */
static bool is_current(const struct tw_ledger *ledger)
{
	char bytes[2 * TW_BOOT_ID_MAX];
	const char *id = bytes;
	long length = tw_file_read(AT_FDCWD, "/proc/sys/kernel/random/boot_id", bytes, sizeof(bytes));
	size_t rest = length > 0 ? (size_t)length : 0;
	struct tw_netns_id here;

	tw_parse_trim(&id, &rest);
	return length > 0 && tw_parse_is(id, rest, ledger->boot_id) && tw_netns_identify(NULL, &here) == 0 &&
	       tw_netns_same(&here, &ledger->namespace);
}

static void read_ledger(const char *state_directory, struct tw_lint_facts *facts)
{
	TW_CLEANUP_CLOSE int fd = open(state_directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	char bytes[TW_LEDGER_TEXT_MAX];
	long length = fd >= 0 ? tw_file_read(fd, LEDGER_NAME, bytes, sizeof(bytes)) : tw_errno();

	if (length == -EACCES || length == -EPERM)
		facts->ledger_state = TW_LINT_LEDGER_REFUSED;
	if (length >= 0 && tw_ledger_text_parse(bytes, (size_t)length, &facts->ledger) == 0 &&
	    is_current(&facts->ledger))
		facts->ledger_state = TW_LINT_LEDGER_READ;
}

int tw_lint_read_kernel(struct tw_sysctl_plan *plan, const char *state_directory, struct tw_lint_facts *facts)
{
	int r = read_source(facts);

	if (r < 0)
		return r;
	facts->live = true;
	read_ledger(state_directory, facts);
	return read_sysctls(plan, facts);
}
