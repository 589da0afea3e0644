/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* One line of a sysctl.d file that is neither empty nor a comment. The strings borrow from the text; none ends in NUL.
 */
struct tw_sysctl_line {
	unsigned number;    /* from 1 */
	bool assigned;	    /* KEY = VALUE */
	bool excluded;	    /* "-KEY": no pattern sets it. Neither of both: the line is not understood */
	bool ignore_errors; /* "-KEY = VALUE" */
	const char *key;    /* as written, without its "-"; of a line that is not understood: the line */
	size_t key_length;
	const char *value;
	size_t value_length;
};

/* Reads the text of a file line by line, any bytes, as systemd-sysctl(8) does. Borrows the text. */
struct tw_sysctl_conf {
	const char *at, *end;
	unsigned number; /* of the line before */
};

void tw_sysctl_conf_init(struct tw_sysctl_conf *conf, const char *text, size_t length);

/* The next line that says something; false behind the last. */
bool tw_sysctl_conf_next(struct tw_sysctl_conf *conf, struct tw_sysctl_line *ret);

/*
 * Turns a key into its path below /proc/sys, in place: where the first separator is a dot, dots and slashes change
 * places ("net.ipv4.conf.eth0/1.forwarding"), else it is a path already.
 */
void tw_sysctl_key_normalize(char *key);

/* The way back, for people: dots for slashes, and slashes for dots. */
void tw_sysctl_key_display(char *path);

/* Whether a key is a glob(7) pattern. */
bool tw_sysctl_key_is_glob(const char *key);
