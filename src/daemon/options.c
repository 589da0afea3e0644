/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/options.h"

#include "config.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TW_DEFAULT_STATE_DIR "/run/timewaitd"
/* DBUS_SYSTEM_BUS_DEFAULT_ADDRESS, where /var/run is /run. */
#define TW_DEFAULT_BUS "unix:path=/run/dbus/system_bus_socket"

enum {
	OPTION_CONFIG = 256,
	OPTION_CHECK,
	OPTION_ONCE,
	OPTION_JSON,
	OPTION_OBSERVE,
	OPTION_RESTORE,
	OPTION_LOG,
	OPTION_STATE_DIR,
	OPTION_BUS,
	OPTION_HELP,
	OPTION_VERSION,
};

static const struct option long_options[] = {
	{ "config", required_argument, NULL, OPTION_CONFIG },
	{ "check", no_argument, NULL, OPTION_CHECK },
	{ "once", no_argument, NULL, OPTION_ONCE },
	{ "json", no_argument, NULL, OPTION_JSON },
	{ "observe", no_argument, NULL, OPTION_OBSERVE },
	{ "restore", no_argument, NULL, OPTION_RESTORE },
	{ "log", required_argument, NULL, OPTION_LOG },
	{ "state-dir", required_argument, NULL, OPTION_STATE_DIR },
	{ "bus", required_argument, NULL, OPTION_BUS },
	{ "help", no_argument, NULL, OPTION_HELP },
	{ "version", no_argument, NULL, OPTION_VERSION },
	{ 0 },
};

static void print_help(void)
{
	puts("Usage: timewaitd [OPTION]...\n"
	     "Watch TCP states, act on sysctls within configured bounds, and put them back.\n"
	     "\n"
	     "  --config FILE          read FILE alone, not /etc/timewaitd\n"
	     "  --check                check the configuration; print OK or every error\n"
	     "  --once                 print one full sample and exit\n"
	     "  --json                 with --once: as JSON\n"
	     "  --observe              decide and record everything, write nothing\n"
	     "  --restore              put back what an earlier run changed, and exit\n"
	     "  --log journal|text|json\n"
	     "                         where records go (default: text on a terminal, else journal)\n"
	     "  --state-dir DIR        where the ledger of changes is kept (default: $RUNTIME_DIRECTORY\n"
	     "                         or " TW_DEFAULT_STATE_DIR ")\n"
	     "  --bus ADDRESS|none     the D-Bus to be asked over (default: $DBUS_SYSTEM_BUS_ADDRESS\n"
	     "                         or the system bus)\n"
	     "  --help, --version\n"
	     "\n"
	     "Exit status: 0 well, 1 failure, 2 wrong usage, 78 wrong configuration.\n"
	     "See timewaitd(8) and timewaitd.conf(5).");
}

static int usage(const char *message)
{
	if (message)
		fprintf(stderr, "timewaitd: %s\n", message);
	fputs("Try 'timewaitd --help'.\n", stderr);
	return TW_EXIT_USAGE;
}

static int parse_log(const char *text, enum tw_log *ret)
{
	if (strcmp(text, "journal") == 0)
		*ret = TW_LOG_JOURNAL;
	else if (strcmp(text, "text") == 0)
		*ret = TW_LOG_TEXT;
	else if (strcmp(text, "json") == 0)
		*ret = TW_LOG_JSON;
	else
		return usage("--log takes journal, text or json");
	return -1;
}

/* systemd gives the first of RuntimeDirectory= there; several stand with colons between them. */
static const char *default_state_dir(void)
{
	const char *directory = getenv("RUNTIME_DIRECTORY");

	return directory && directory[0] == '/' && !strchr(directory, ':') ? directory : TW_DEFAULT_STATE_DIR;
}

/* As libdbus and sd-bus have it; secure_getenv() because so do they. */
static const char *default_bus(void)
{
	const char *address = secure_getenv("DBUS_SYSTEM_BUS_ADDRESS");

	return address && address[0] != '\0' ? address : TW_DEFAULT_BUS;
}

static enum tw_log default_log(void)
{
	if (isatty(STDOUT_FILENO))
		return TW_LOG_TEXT;
	return access("/run/systemd/journal/socket", F_OK) == 0 ? TW_LOG_JOURNAL : TW_LOG_TEXT;
}

static int take(struct tw_options *options, int option)
{
	switch (option) {
	case OPTION_CONFIG:
		options->config = optarg;
		return -1;
	case OPTION_CHECK:
		options->job = TW_JOB_CHECK;
		return -1;
	case OPTION_ONCE:
		options->job = TW_JOB_ONCE;
		return -1;
	case OPTION_JSON:
		options->json = true;
		return -1;
	case OPTION_OBSERVE:
		options->observe = true;
		return -1;
	case OPTION_RESTORE:
		options->job = TW_JOB_RESTORE;
		return -1;
	case OPTION_LOG:
		return parse_log(optarg, &options->log);
	case OPTION_STATE_DIR:
		options->state_dir = optarg;
		return -1;
	case OPTION_BUS:
		options->bus = strcmp(optarg, "none") == 0 ? NULL : optarg;
		return -1;
	case OPTION_HELP:
		print_help();
		return TW_EXIT_OK;
	case OPTION_VERSION:
		puts("timewaitd " PACKAGE_VERSION);
		return TW_EXIT_OK;
	default: /* getopt_long() has said what is wrong */
		return usage(NULL);
	}
}

int tw_options_parse(struct tw_options *options, int argc, char *argv[])
{
	int option, r;

	*options = (struct tw_options){
		.log = default_log(),
		.bus = default_bus(),
		.state_dir = default_state_dir(),
	};
	while ((option = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
		r = take(options, option);
		if (r >= 0)
			return r;
	}
	if (optind < argc)
		return usage("there are no arguments besides the options");
	if (options->json && options->job != TW_JOB_ONCE)
		return usage("--json goes with --once");
	return -1;
}
