/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "act/ledger.h"
#include "act/reconcile.h"
#include "base/macros.h"

#include <stdint.h>
#include <sys/types.h>

/* This boot's id, from /proc/sys/kernel/random/boot_id. Returns 0, -EBADMSG for what is none, or -errno. */
int tw_boot_id_read(char ret[TW_BOOT_ID_MAX]);

/* The directory that holds the ledgers of one timewaitd, and is its own as long as it is open. */
struct tw_state_directory {
	int fd;
	int lock_fd; /* of its file "lock", with the pid of the owner as text */
};

/* Nothing open yet: what tw_state_directory_close() may be given. */
#define TW_STATE_DIRECTORY_NONE ((struct tw_state_directory){ .fd = -1, .lock_fd = -1 })

/*
 * Opens the directory (made with mode 0755 where only its last part is missing) and locks it. Returns 0, -EBUSY where
 * another process has it (*ret_owner is its pid, or 0 where that cannot be told), or -errno. *ret_owner is set with
 * -EBUSY alone, and may be NULL.
 */
int tw_state_directory_open(struct tw_state_directory *ret, const char *path, pid_t *ret_owner);

/* Lets go of the lock. The lock file stays: without it two processes could hold a lock each. */
void tw_state_directory_close(struct tw_state_directory *directory);
#define TW_CLEANUP_STATE_DIRECTORY TW_CLEANUP(tw_state_directory_close)

/* What the name of a ledger of another namespace than the host's begins with: its inode follows. */
#define TW_LEDGER_OF_NAMESPACE "ledger-"

/*
 * The ledger of one network namespace as a file in the state directory. It has mode 0600; it is there while something
 * is owed, and is removed by the save that owes nothing.
 */
struct tw_ledger_file {
	struct tw_ledger_store store;
	int directory_fd; /* borrows */
	char name[32];
};

/* `inode` is that of the namespace, 0 for the host's. The descriptor borrows. */
void tw_ledger_file_init(struct tw_ledger_file *file, int directory_fd, uint64_t inode);

/*
 * Reads what a former run left; of any namespace, where NULL is given for it. Returns 0; -ENOENT where it left nothing;
 * -ESTALE where that was before this boot; -EXDEV where it is of another network namespace; -EBADMSG for a damaged
 * file, -EPROTONOSUPPORT for one of another timewaitd; -errno where it cannot be read. *ret is untouched unless it
 * returns 0.
 */
int tw_ledger_file_load(const struct tw_ledger_file *file, const char *boot_id, const struct tw_netns_id *namespace,
			struct tw_ledger *ret);

/*
 * Keeps a file that cannot be used under its name and ".old", in the place of one kept before. Returns 0, also where
 * there is none, or -errno.
 */
int tw_ledger_file_set_aside(const struct tw_ledger_file *file);
