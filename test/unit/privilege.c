/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/process/roles.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED 1 /* the filter is wider then */
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANITIZED 1
#endif
#endif
#ifndef SANITIZED
#define SANITIZED 0
#endif

/* Runs act behind the filter in a process of its own: its exit status, or minus the signal that
 * ended it. */
static int behind(enum process_role role, int (*act)(void))
{
	pid_t pid = fork();
	if (pid == 0) {
		const struct rlimit none = {0, 0};
		setrlimit(RLIMIT_CORE, &none);
		prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
		if (privilege_enter(roles[role].privileges) != 0)
			_exit(99);
		_exit(act());
	}
	int status;
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

static int result(long got)
{
	return got < 0 ? errno : 0;
}

static int open_file(void)
{
	return result(open("/etc/passwd", O_RDONLY));
}

static int make_file(void)
{
	char path[] = "/tmp/postern-privilege-XXXXXX";
	int fd = mkstemp(path);
	if (fd >= 0)
		unlink(path);
	return result(fd);
}

static int execute(void)
{
	char *argv[] = {(char *)(uintptr_t) "/bin/true", NULL};
	return result(execv(argv[0], argv));
}

static int signal_another(void)
{
	return result(kill(getppid(), 0));
}

static int trace_another(void)
{
	return result(ptrace(PTRACE_ATTACH, getppid(), NULL, NULL));
}

static int fork_child(void)
{
	pid_t pid = fork();
	if (pid == 0)
		_exit(0);
	return result(pid);
}

static void *in_thread(void *context)
{
	return context;
}

static int start_thread(void)
{
	pthread_t thread;
	int error = pthread_create(&thread, NULL, in_thread, NULL);
	return error ? error : pthread_join(thread, NULL);
}

static int open_tcp(void)
{
	return result(socket(AF_INET, SOCK_STREAM, 0));
}

static int open_raw_packet(void)
{
	return result(socket(AF_PACKET, SOCK_RAW, 0));
}

static int open_route(void)
{
	return result(socket(AF_NETLINK, SOCK_RAW, 0));
}

static int open_netfilter(void)
{
	return result(socket(AF_NETLINK, SOCK_RAW, 12));
}

static int say_abort(void)
{
	abort();
}

static int plain_work(void)
{
	int pipes[2];
	char byte = 1;
	void *memory = malloc(1 << 20);
	struct timespec now;
	if (!memory || pipe2(pipes, O_CLOEXEC) < 0 || write(pipes[1], &byte, 1) != 1 ||
		read(pipes[0], &byte, 1) != 1 || clock_gettime(CLOCK_MONOTONIC, &now) < 0)
		return 1;
	free(memory);
	return 0;
}

static int seal_memory(void)
{
	return result(memfd_create("x", MFD_CLOEXEC));
}

static const struct {
	const char *what;
	int (*act)(void);
	int control, relay; /* 0, the errno, or minus a signal */
	bool also_sanitized;
} cases[] = {
	{"plain work", plain_work, 0, 0, true},
	{"a TCP socket", open_tcp, 0, 0, true},
	{"reading a file", open_file, 0, EPERM, false},
	{"writing a file", make_file, 0, EPERM, false},
	{"sealed memory", seal_memory, 0, EPERM, false},
	{"a thread", start_thread, 0, EPERM, false},
	{"another process", fork_child, EPERM, EPERM, false},
	{"executing", execute, -SIGSYS, -SIGSYS, true},
	{"a signal to another", signal_another, -SIGSYS, -SIGSYS, true},
	{"tracing another", trace_another, -SIGSYS, -SIGSYS, true},
	{"abort", say_abort, -SIGABRT, -SIGABRT, false},
	{"a packet socket", open_raw_packet, EPERM, EPERM, false},
	{"reading routes", open_route, 0, EPERM, false},
	{"netfilter", open_netfilter, EPERM, EPERM, false},
};

static void each_process_may_do_what_it_needs_and_no_more(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		if (SANITIZED && !cases[i].also_sanitized)
			continue;
		int control = behind(PROCESS_CONTROL, cases[i].act);
		int relay = behind(PROCESS_RELAY, cases[i].act);
		if (control != cases[i].control || relay != cases[i].relay)
			fail_msg("%s: control %d, not %d; relay %d, not %d", cases[i].what, control,
				cases[i].control, relay, cases[i].relay);
	}
}

static int listen_tcp(void)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	return result(fd < 0 ? fd : listen(fd, 1));
}

static void web_listens_and_opens_nothing(void **state)
{
	static const struct {
		int (*act)(void);
		int wanted;
	} only[] = {{listen_tcp, 0}, {open_file, EPERM}, {make_file, EPERM}, {seal_memory, EPERM},
		{start_thread, EPERM}, {fork_child, EPERM}, {open_route, EPERM},
		{open_netfilter, EPERM}};

	(void)state;
	assert_int_equal(behind(PROCESS_WEB, execute), -SIGSYS);
	assert_int_equal(behind(PROCESS_WEB, signal_another), -SIGSYS);
	for (size_t i = 0; !SANITIZED && i < sizeof(only) / sizeof(only[0]); i++)
		assert_int_equal(behind(PROCESS_WEB, only[i].act), only[i].wanted);
	assert_int_equal(behind(PROCESS_RELAY, listen_tcp), SANITIZED ? 0 : EPERM);
}

static int lack_all(void)
{
	const char *lacking = privilege_drop_all() == 0 ? privilege_lacking() : NULL;
	/* nor can it go on as a keeper */
	return lacking && strcmp(lacking, "CAP_NET_ADMIN") == 0 &&
			       privilege_resume_keeper() == -EPERM
		       ? 0
		       : 1;
}

static void what_is_not_held_is_named(void **state)
{
	(void)state;
	pid_t pid = fork();
	if (pid == 0)
		_exit(lack_all());
	int status;
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_process_may_do_what_it_needs_and_no_more),
		cmocka_unit_test(web_listens_and_opens_nothing),
		cmocka_unit_test(what_is_not_held_is_named),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
