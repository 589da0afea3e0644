/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* What timewaitctl can do. */
struct tw_verb {
	const char *name;
	const char *summary; /* one line in the list of verbs */
	const char *help;    /* what --help prints */
	/* argv[0] is the verb. Returns the exit status. */
	int (*run)(const struct tw_verb *verb, int argc, char *argv[]);
};

/* Each in the file of its name, in one of the rooms; alerts, mode, reload and restore in live/bus-verbs.c. */
extern const struct tw_verb tw_verb_alerts;
extern const struct tw_verb tw_verb_explain;
extern const struct tw_verb tw_verb_history;
extern const struct tw_verb tw_verb_lint;
extern const struct tw_verb tw_verb_mode;
extern const struct tw_verb tw_verb_reload;
extern const struct tw_verb tw_verb_report;
extern const struct tw_verb tw_verb_restore;
extern const struct tw_verb tw_verb_simulate;
extern const struct tw_verb tw_verb_status;
extern const struct tw_verb tw_verb_top;
