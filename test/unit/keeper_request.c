/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who may ask what of the keeper. */
#include "daemon/keeper/keeper.h"

#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define WAIT_MS 20000

static const unsigned everybodys[] = {IPC_PONG, 0};
static const unsigned for_servers[] = {IPC_SOCKETS_GET, 0};
static const unsigned controls[] = {IPC_REPLY, IPC_READY, IPC_VERDICT, IPC_ENTRIES, IPC_PATHS,
	IPC_PLAN, IPC_BYPASS, IPC_CLIENTS_GET, IPC_KERNEL_COUNTERS_GET, IPC_NEIGHBOUR_GET, IPC_CUT,
	IPC_PASSED_GET, IPC_DOCTOR_GET, IPC_ARRIVED_GET, IPC_FOREIGN_GET, IPC_FLOWS_LOOK,
	IPC_FLOWS_CUT, IPC_FLOWS_ALL, IPC_WANTED, IPC_LOG_LEVEL, IPC_SETTLED, 0};

static const struct {
	enum process_role role;
	const unsigned *may[2];
} askers[] = {
	{PROCESS_CONTROL, {everybodys, controls}},
	{PROCESS_RELAY, {everybodys, for_servers}},
	{PROCESS_SMTP, {everybodys, for_servers}},
	{PROCESS_HEALTH, {everybodys, for_servers}},
	{PROCESS_AUTH, {everybodys, NULL}},
	{PROCESS_RADIUS, {everybodys, NULL}},
	{PROCESS_WEB, {everybodys, NULL}},
};
#define ASKERS (sizeof(askers) / sizeof(askers[0]))
_Static_assert(ASKERS == PROCESS_ROLES, "every one");

static bool is_in(const unsigned *list, unsigned type)
{
	for (; list && *list; list++)
		if (*list == type)
			return true;
	return false;
}

static bool may(size_t i, unsigned type)
{
	return is_in(askers[i].may[0], type) || is_in(askers[i].may[1], type);
}

static void test_each_role_may_ask_what_is_its_own(void **state)
{
	(void)state;
	for (size_t i = 0; i < ASKERS; i++)
		for (unsigned type = 1; type < IPC_TYPES; type++)
			if (keeper_request_may(askers[i].role, type) != may(i, type))
				fail_msg("role %d, \"%s\"", askers[i].role, ipc_name(type));
}

/* Asks in a process's name; true: that was killed for it. */
static bool is_killed_for(enum process_role role, unsigned type)
{
	static struct keeper keeper;
	_Alignas(16) uint8_t bytes[IPC_BYTES_MAX];
	struct ipc_header *ipc = (struct ipc_header *)bytes;
	struct keeper_child child;
	int ends[2], status;

	memset(bytes, 0, sizeof(bytes));
	ipc->type = (uint16_t)type;
	keeper_child_init(&keeper, &child, role, 0);
	assert_int_equal(pipe(ends), 0);
	child.pid = fork();
	if (child.pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		pause();
		_exit(0);
	}
	assert_true(child.pid > 0);
	keeper_request_on_ipc(&child, ipc, ends[1]);
	struct pollfd death = {.fd = pidfd_open(child.pid, 0), .events = POLLIN};
	bool ended = poll(&death, 1, WAIT_MS) == 1;
	close(death.fd);
	kill(child.pid, SIGTERM); /* it is left, where it was not killed */
	assert_int_equal(waitpid(child.pid, &status, 0), child.pid);
	/* the descriptor that came with it is closed */
	assert_int_equal(close(ends[1]), -1);
	close(ends[0]);
	return ended && WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
}

static void test_who_asks_for_more_is_killed(void **state)
{
	(void)state;
	for (size_t i = 0; i < ASKERS; i++)
		for (unsigned type = 1; type < IPC_TYPES; type++)
			if (!may(i, type) && !is_killed_for(askers[i].role, type))
				fail_msg("role %d, \"%s\"", askers[i].role, ipc_name(type));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_role_may_ask_what_is_its_own),
		cmocka_unit_test(test_who_asks_for_more_is_killed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
