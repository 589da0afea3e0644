/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ctl/terminal-source.h"

#include "base/macros.h"

#include <langinfo.h>
#include <locale.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* What a line has where there is no terminal, or a terminal that does not tell. */
#define WIDTH_DEFAULT 80

static bool is_set(const char *name)
{
	const char *value = getenv(name);

	return value && value[0] != '\0';
}

struct tw_terminal tw_terminal_look(void)
{
	struct tw_terminal terminal = { .width = WIDTH_DEFAULT };
	const char *type = getenv("TERM");
	struct winsize size;

	/* The text of characters alone: numbers are written as they are everywhere. */
	(void)setlocale(LC_CTYPE, "");
	terminal.utf8 = strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
	if (!isatty(STDOUT_FILENO))
		return terminal;
	terminal.moves = type && type[0] != '\0' && strcmp(type, "dumb") != 0;
	terminal.colour = terminal.moves && !is_set("NO_COLOR");
	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) {
		terminal.width = TW_MAX((unsigned)size.ws_col, (unsigned)TW_TERMINAL_WIDTH_MIN);
		terminal.height = size.ws_row;
	}
	return terminal;
}
