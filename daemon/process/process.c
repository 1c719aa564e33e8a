#include "daemon/process/process.h"

#include "daemon/health/health.h"
#include "daemon/log.h"
#include "daemon/web/web.h"
#include "daemon/privilege.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>

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

static bool take_fds(struct process_start *start, enum process_role role)
{
	start->keeper_fd = take_fd(PROCESS_FD_KEEPER);
	start->limit_fd = take_fd(PROCESS_FD_LIMIT);
	start->control_fd = -1;
	start->nlisteners = 0;
	start->control_socket = start->session_socket = start->desk_socket = -1;
	if (role == PROCESS_HEALTH || role == PROCESS_WEB) {
		start->control_fd = take_fd(PROCESS_FD_CONTROL);
		return start->keeper_fd >= 0 && start->control_fd >= 0;
	}
	if (role == PROCESS_RELAY) {
		start->control_fd = take_fd(PROCESS_FD_CONTROL);
		for (int i = PROCESS_FD_LISTENERS; i < PROCESS_FD_END; i++)
			if (take_fd(i) >= 0)
				start->listeners[start->nlisteners++] = i;
		return start->keeper_fd >= 0 && start->limit_fd >= 0 && start->control_fd >= 0;
	}
	start->control_socket = take_fd(PROCESS_FD_CONTROL_SOCKET);
	start->session_socket = take_fd(PROCESS_FD_SESSION_SOCKET);
	start->desk_socket = take_fd(PROCESS_FD_DESK_SOCKET);
	return start->keeper_fd >= 0 && start->limit_fd >= 0 && start->control_socket >= 0;
}

int process_child_main(
	const struct process_options *options, struct process_start *start, enum process_role role)
{
	char name[16] = "control";

	if (role == PROCESS_HEALTH)
		snprintf(name, sizeof(name), "health");
	if (role == PROCESS_WEB)
		snprintf(name, sizeof(name), "web");
	if (role == PROCESS_RELAY)
		snprintf(name, sizeof(name), "relay %u", start->relay);
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
	if (!take_fds(start, role)) {
		log_error("only posternd itself starts its processes");
		return 1;
	}
	int error = privilege_check_child();
	if (error) {
		log_error("cannot give up privileges: %s", strerror(-error));
		return 1;
	}
	switch (role) {
	case PROCESS_CONTROL:
		return control_main(start);
	case PROCESS_RELAY:
		return relay_main(start);
	case PROCESS_HEALTH:
		return health_main(start);
	case PROCESS_WEB:
		return web_main(start);
	}
	return 1;
}
