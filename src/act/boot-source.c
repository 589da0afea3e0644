/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "act/boot-source.h"

#include "base/fd.h"
#include "base/file-source.h"
#include "base/parse.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

int tw_boot_id_read(char ret[TW_BOOT_ID_MAX])
{
	char bytes[2 * TW_BOOT_ID_MAX];
	const char *id = bytes;
	long length = tw_file_read(AT_FDCWD, "/proc/sys/kernel/random/boot_id", bytes, sizeof(bytes));
	size_t rest;

	if (length < 0)
		return (int)length;
	rest = (size_t)length;
	tw_parse_trim(&id, &rest);
	if (rest != TW_BOOT_ID_MAX - 1 || memchr(id, '\0', rest))
		return -EBADMSG;
	(void)tw_text_copy_bytes(ret, TW_BOOT_ID_MAX, id, rest);
	return 0;
}
