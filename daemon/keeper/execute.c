/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How a process of the table begins: this program executed anew through a descriptor, with the
 * child's own descriptors at fixed numbers and nothing else of the keeper's. */
#include "daemon/keeper/keeper.h"

#include "daemon/base/log.h"
#include "daemon/base/privilege.h"
#include "daemon/start/options.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#define FD_ABOVE_ALL 64

/* In the new process: puts descriptors where the child expects them. First all go out of the way,
 * since a number wanted may be in use for another. */
static int place_fds(const int wanted[PROCESS_FD_END], int program)
{
	int high[PROCESS_FD_END];

	for (int i = PROCESS_FD_KEEPER; i < PROCESS_FD_END; i++) {
		high[i] = wanted[i] < 0 ? -1 : fcntl(wanted[i], F_DUPFD_CLOEXEC, FD_ABOVE_ALL);
		if (wanted[i] >= 0 && high[i] < 0)
			return -1;
	}
	program = fcntl(program, F_DUPFD_CLOEXEC, FD_ABOVE_ALL);
	for (int i = PROCESS_FD_KEEPER; i < PROCESS_FD_END; i++) {
		close(i);
		if (high[i] >= 0 && dup2(high[i], i) < 0)
			return -1;
	}
	return program;
}

/* Nothing of the starter's environment reaches a child but its time zone, whether stderr is the
 * journal's, and what sanitizers read.
 * A zone that is named is not looked up again later, when no file can be opened any more. */
static void fill_environment(char *environment[static 8], char zone[static 256])
{
	static const char *const passed[] = {
		"ASAN_OPTIONS", "UBSAN_OPTIONS", "LSAN_OPTIONS", "JOURNAL_STREAM"};
	static char texts[4][1024];
	const char *tz = getenv("TZ");
	int n = 0;

	snprintf(zone, 256, "TZ=%s", tz ? tz : ":/etc/localtime");
	environment[n++] = zone;
	for (int i = 0; i < 4; i++) {
		const char *value = getenv(passed[i]);
		if (value && snprintf(texts[i], sizeof(texts[i]), "%s=%s", passed[i], value) <
				     (int)sizeof(texts[i]))
			environment[n++] = texts[i];
	}
	environment[n] = NULL;
}

void keeper_execute(const struct keeper_child *child, const int fds[PROCESS_FD_END], pid_t keeper)
{
	struct process_start start = {.options = child->keeper->options,
		.role = child->role,
		.number = child->number,
		.generation = child->generation};
	struct options_child_storage storage;
	char *argv[OPTIONS_CHILD_ARGS], *environment[8], zone[256];
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != keeper)
		_exit(1); /* it died before the line above */
	options_child_argv(&start, &storage, argv);
	fill_environment(environment, zone);
	int program = place_fds(fds, child->keeper->program);
	int error = privilege_drop_all();
	if (error) {
		log_error("cannot give up privileges: %s", strerror(-error));
		_exit(1);
	}
	if (program >= 0)
		fexecve(program, argv, environment);
	log_error("cannot execute %s: %s%s", argv[0], strerror(errno),
		errno == EACCES ? " (may every user execute the program file?)" : "");
	_exit(1);
}
