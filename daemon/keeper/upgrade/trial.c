/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Running the program of an upgrade beside this one, without any privilege, to see whether it could
 * take over; and its words. */
#include "daemon/keeper/keeper.h"

#include "daemon/base/log.h"
#include "daemon/base/privilege.h"
#include "daemon/start/options.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#define SAID_LINES 8
#define SAID_BYTES 2048

/* In the new process. */
static void execute(const struct keeper *keeper, int state, pid_t parent)
{
	struct options_child_storage storage;
	char *argv[OPTIONS_CHILD_ARGS];
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent || privilege_drop_all() < 0 ||
		dup2(keeper->upgrade.said, STDOUT_FILENO) < 0 ||
		dup2(keeper->upgrade.said, STDERR_FILENO) < 0 || fcntl(state, F_SETFD, 0) < 0)
		_exit(1);
	options_upgrade_argv(&keeper->options, state, true, &storage, argv);
	fexecve(keeper->upgrade.program, argv, environ);
	dprintf(STDERR_FILENO, "it cannot be executed: %s\n", strerror(errno));
	_exit(1);
}

int keeper_trial_start(struct keeper *keeper)
{
	struct keeper_upgrade *upgrade = &keeper->upgrade;
	static struct handover handover;

	upgrade->program = open(keeper->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (upgrade->program < 0)
		return -errno;
	upgrade->said = memfd_create("postern-trial", MFD_CLOEXEC);
	if (upgrade->said < 0)
		return -errno;
	keeper_handover_fill(keeper, -1, &handover);
	int state = keeper_handover_write(&handover);
	if (state < 0)
		return state;
	pid_t parent = getpid();
	pid_t pid = fork();
	int error = pid < 0 ? -errno : 0;
	if (pid == 0)
		execute(keeper, state, parent);
	close(state);
	upgrade->trial = pid < 0 ? 0 : pid;
	return error;
}

void keeper_trial_log_said(int fd, char *text, size_t size)
{
	char said[SAID_BYTES + 1], *rest = said;

	ssize_t n = pread(fd, said, SAID_BYTES, 0);
	said[n > 0 ? n : 0] = 0;
	for (unsigned i = 0; i < SAID_LINES; i++) {
		char *line = strsep(&rest, "\n");
		if (!line)
			break;
		if (!*line)
			continue;
		log_warning("the new program says: %s", line);
		if (!*text)
			snprintf(text, size, "%s", line);
	}
}
