/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stddef.h>

/*
 * Writes a file whole beside its place, and puts it there in one step: whoever reads it finds the old one or the new
 * one. Everybody may read it. Returns 0 or -errno; then the old one stays.
 */
int tw_textfile_write(const char *path, const char *bytes, size_t length);
