/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/duration.h"

struct tw_exporter_options {
	const char *address;  /* of the bus; NULL: the system's */
	const char *listen;   /* NULL: at the sockets that the service manager hands over */
	const char *textfile; /* NULL: serve over HTTP */
	usec_t every_usec;    /* how often the file is written; 0: once */
	unsigned top;
	unsigned top_other;
};

/* Returns an exit status, or -1 to go on. The texts are those of `argv`. */
int tw_exporter_options_parse(struct tw_exporter_options *ret, int argc, char *argv[]);
