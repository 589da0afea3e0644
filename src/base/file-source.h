/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stddef.h>

/*
 * Reads a file whole into memory of a fixed size, with a NUL behind it. `directory_fd` borrows (AT_FDCWD for none).
 * Returns its length; -EFBIG where it does not fit (with nothing promised about `buffer`), or -errno of openat(2)
 * and read(2).
 */
long tw_file_read(int directory_fd, const char *path, char *buffer, size_t capacity);

/*
 * The same from an open descriptor, from its beginning and in one pread(2), for what the kernel hands out in one go:
 * files of single_open() (fs/seq_file.c) such as /proc/net/sockstat, and sysctls. Of others it may return no more than
 * the beginning. Borrows.
 */
long tw_file_reread(int fd, char *buffer, size_t capacity);
