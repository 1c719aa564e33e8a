/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/process/process.h"

#include "daemon/base/log.h"
#include "daemon/base/privilege.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__)
/* The leak checker traces its own process at the end, which no process of ours may. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
	return "detect_leaks=0";
}
#endif

/* The descriptor if it is there, else -1. Kept from any program started later. */
static int take_fd(int number)
{
	return fcntl(number, F_SETFD, FD_CLOEXEC) < 0 ? -1 : number;
}

/* False: one of those that the role is given is missing. Listeners may be closed. */
static bool take_fds(struct process_start *start)
{
	const unsigned given = roles[start->role].given;

	start->keeper_fd = take_fd(PROCESS_FD_KEEPER);
	start->limit_fd = given & GIVEN_LIMIT ? take_fd(PROCESS_FD_LIMIT) : -1;
	start->message_limit_fd =
		given & GIVEN_MESSAGE_LIMIT ? take_fd(PROCESS_FD_MESSAGE_LIMIT) : -1;
	start->control_fd = given & GIVEN_CONTROL ? take_fd(PROCESS_FD_CONTROL) : -1;
	start->control_socket = start->session_socket = start->desk_socket = -1;
	if (given & GIVEN_SOCKETS) {
		start->control_socket = take_fd(PROCESS_FD_CONTROL_SOCKET);
		start->session_socket = take_fd(PROCESS_FD_SESSION_SOCKET);
		start->desk_socket = take_fd(PROCESS_FD_DESK_SOCKET);
	}
	start->nlisteners = 0;
	for (int i = PROCESS_FD_LISTENERS; given & GIVEN_LISTENERS && i < PROCESS_FD_END; i++)
		if (take_fd(i) >= 0)
			start->listeners[start->nlisteners++] = i;
	return start->keeper_fd >= 0 && (!(given & GIVEN_LIMIT) || start->limit_fd >= 0) &&
	       (!(given & GIVEN_MESSAGE_LIMIT) || start->message_limit_fd >= 0) &&
	       (!(given & GIVEN_CONTROL) || start->control_fd >= 0) &&
	       (!(given & GIVEN_SOCKETS) || start->control_socket >= 0);
}

void *process_map(int fd, int protection, size_t *bytes)
{
	struct stat st;
	void *memory = MAP_FAILED;

	if (fstat(fd, &st) == 0)
		memory = mmap(NULL, (size_t)st.st_size, protection, MAP_SHARED, fd, 0);
	int error = errno;
	close(fd);
	errno = error;
	*bytes = memory == MAP_FAILED ? 0 : (size_t)st.st_size;
	return memory == MAP_FAILED ? NULL : memory;
}

int process_child_main(const struct process_options *options, struct process_start *start)
{
	char name[16];

	roles_title(start->role, start->number, name);
	start->options = *options;
	log_init(name, options->foreground, POLICY_LOG_INFO);
	signal(SIGPIPE, SIG_IGN);
	/* these reach the whole group from a terminal or a service manager; the keeper answers them
	 */
	signal(SIGINT, SIG_IGN);
	signal(SIGTERM, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	/* executed through a descriptor, the kernel would call it by that number */
	prctl(PR_SET_NAME, "posternd");
	if (!take_fds(start)) {
		log_error("only posternd itself starts its processes");
		return 1;
	}
	int error = privilege_check_child();
	if (error) {
		log_error("cannot give up privileges: %s", strerror(-error));
		return 1;
	}
	return roles[start->role].main(start);
}
