/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The first process of a virtual machine: loads the modules that stand in /modules, takes the file system with the tag
 * "host" for its root, read-only, and runs the shell script $TW_SCRIPT there. Its exit status goes to the second serial
 * port as a last line, "status N"; then the machine is at its end.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* No module needs more than this many others, one behind the other. */
#define ROUNDS_MAX 8
#define RESULTS "/dev/ttyS1"

static void stop(const char *what)
{
	perror(what);
	(void)reboot(RB_AUTOBOOT);
	_exit(1);
}

static void mount_or_stop(const char *source, const char *target, const char *type, unsigned long flags)
{
	if (mount(source, target, type, flags, NULL) < 0)
		stop(target);
}

static void open_console(void)
{
	int fd = open("/dev/console", O_RDWR);

	for (int i = 0; fd >= 0 && i <= STDERR_FILENO; i++)
		(void)dup2(fd, i);
}

static bool load(const char *name)
{
	char path[sizeof("/modules/") + 256];
	bool loaded;
	int fd;

	(void)snprintf(path, sizeof(path), "/modules/%s", name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	loaded = fd >= 0 && (syscall(SYS_finit_module, fd, "", 0) == 0 || errno == EEXIST);
	(void)close(fd);
	return loaded;
}

/* Nothing here knows which module needs which: what lacks a symbol is tried again. */
static void load_all(void)
{
	struct dirent **names;
	int count = scandir("/modules", &names, NULL, alphasort);
	bool missing = count > 0;

	for (int round = 0; missing && round < ROUNDS_MAX; round++) {
		missing = false;
		for (int i = 0; i < count; i++)
			if (names[i]->d_name[0] != '.' && !load(names[i]->d_name)) {
				missing = true;
				if (round == ROUNDS_MAX - 1)
					perror(names[i]->d_name);
			}
	}
}

static void enter_root(void)
{
	static const char *const moved[] = { "dev", "proc", "sys" };
	char from[16], to[16];

	(void)mkdir("/root", 0755);
	mount_or_stop("host", "/root", "virtiofs", MS_RDONLY);
	for (size_t i = 0; i < sizeof(moved) / sizeof(*moved); i++) {
		(void)snprintf(from, sizeof(from), "/%s", moved[i]);
		(void)snprintf(to, sizeof(to), "/root/%s", moved[i]);
		mount_or_stop(from, to, NULL, MS_MOVE);
	}
	if (chdir("/root") < 0 || mount(".", "/", NULL, MS_MOVE, NULL) < 0 || chroot(".") < 0 || chdir("/") < 0)
		stop("chroot");
}

static int run(const char *script)
{
	pid_t ended, child = fork();
	int status = -1;

	if (child == 0) {
		(void)execl("/bin/bash", "bash", script, (char *)NULL);
		perror("/bin/bash");
		_exit(127);
	}
	/* Whoever loses its parent ends here. */
	do
		ended = wait(&status);
	while (ended != child && ended > 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int main(void)
{
	const char *script = getenv("TW_SCRIPT");
	FILE *results;

	mount_or_stop("devtmpfs", "/dev", "devtmpfs", 0);
	mount_or_stop("proc", "/proc", "proc", 0);
	mount_or_stop("sysfs", "/sys", "sysfs", 0);
	open_console();
	load_all();
	enter_root();
	results = fopen(RESULTS, "w");
	if (!script || !results)
		stop(RESULTS);
	(void)fprintf(results, "status %d\n", run(script));
	(void)fclose(results);
	sync();
	/* The kernel's own word for it: the emulator ends rather than boot again. */
	(void)reboot(RB_AUTOBOOT);
	return 1;
}
