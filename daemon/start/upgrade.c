/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/start/upgrade.h"

#include "daemon/base/run_lock.h"
#include "lib/base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define WAIT_MS 60000
#define LOOK_MS 20

/* What the keeper writes into the lock file. */
struct status {
	pid_t pid;
	unsigned count;   /* of upgrades asked for */
	char verdict[16]; /* none, done, refused, waits */
	char text[512];
};

/* The file lies in a folder of the daemon's user: it is not believed more than that. */
static int read_status(const char *path, struct status *status)
{
	char bytes[1024], version[64];
	int pid, at = 0;

	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd < 0)
		return -errno;
	ssize_t len = read(fd, bytes, sizeof(bytes) - 1);
	bool held = flock(fd, LOCK_SH | LOCK_NB) < 0;
	close(fd);
	if (!held)
		return -ESRCH;
	bytes[len > 0 ? len : 0] = 0;
	*status = (struct status){0};
	if (sscanf(bytes, "%d\nversion %63s\nupgrade %u %15s %n", &pid, version, &status->count,
		    status->verdict, &at) < 4 ||
		pid < 2 || at <= 0)
		return -EAGAIN; /* it is just being written, or by a version that has no upgrade */
	status->pid = pid;
	snprintf(status->text, sizeof(status->text), "%s", bytes + at);
	status->text[strcspn(status->text, "\n")] = 0;
	text_blank(status->text);
	return 0;
}

/* Is it a process of the user's, and not one that a made-up number in the file points at? */
static bool is_of_user(pid_t pid, const char *name)
{
	const struct passwd *user = getpwnam(name);
	char path[64], line[256];
	unsigned uid = 0;
	bool found = false;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	FILE *file = user ? fopen(path, "re") : NULL;
	while (file && !found && fgets(line, sizeof(line), file))
		found = sscanf(line, "Uid: %u", &uid) == 1;
	if (file)
		fclose(file);
	return found && user && uid == user->pw_uid;
}

static int send_signal(pid_t pid, const char *user)
{
	int fd = (int)syscall(SYS_pidfd_open, pid, 0), error = 0;

	if (fd < 0)
		return -errno;
	if (!is_of_user(pid, user))
		error = -ESRCH;
	else if (syscall(SYS_pidfd_send_signal, fd, SIGUSR2, NULL, 0) < 0)
		error = -errno;
	close(fd);
	return error;
}

static int wait_for_verdict(const char *path, unsigned before)
{
	const struct timespec pause = {.tv_nsec = LOOK_MS * 1000000L};
	struct status status;

	for (unsigned waited_ms = 0; waited_ms < WAIT_MS; waited_ms += LOOK_MS) {
		int error = read_status(path, &status);
		if (error == -ESRCH) {
			fputs("posternd: it ended over the upgrade: see its log\n", stderr);
			return 1;
		}
		if (!error && status.count != before && strcmp(status.verdict, "refused") == 0) {
			fprintf(stderr, "posternd: no upgrade: %s\n", status.text);
			return 1;
		}
		if (!error && status.count != before && strcmp(status.verdict, "none") != 0) {
			printf(strcmp(status.verdict, "waits") == 0 ? "the upgrade waits: %s\n"
								    : "upgraded to %s\n",
				status.text);
			return 0;
		}
		nanosleep(&pause, NULL);
	}
	fputs("posternd: the upgrade is not done in a minute: see the log\n", stderr);
	return 1;
}

int upgrade_main(const struct process_options *options)
{
	char path[PATH_MAX];
	struct status status;

	snprintf(path, sizeof(path), "%s/" RUN_LOCK_NAME, options->run_dir);
	int error = read_status(path, &status);
	if (error == -ENOENT || error == -ESRCH) {
		fprintf(stderr, "posternd: none runs in %s\n", options->run_dir);
		return 3;
	}
	if (!error)
		error = send_signal(status.pid, options->user);
	if (error == -EAGAIN)
		fprintf(stderr, "posternd: the one in %s is of a version that must be restarted\n",
			options->run_dir);
	else if (error)
		fprintf(stderr, "posternd: cannot signal the one in %s: %s\n", options->run_dir,
			strerror(-error));
	return error ? 1 : wait_for_verdict(path, status.count);
}
