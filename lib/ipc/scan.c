/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/ipc/scan.h"

#include "lib/ipc/kind.h"
#include "lib/milter/fields.h"
#include "lib/smtp/probe/trial.h"

const char *const scan_test_verdict_names[SCAN_TEST_VERDICTS] = {
#define NAME(id, name) [SCAN_TEST_##id] = (name),
	SCAN_TEST_VERDICT_TABLE(NAME)
#undef NAME
};

_Static_assert(sizeof(struct ipc_scan_change) + MILTER_FIELD_NAME_MAX + SCAN_TEST_VALUE_MAX <=
		       IPC_BYTES_MAX,
	"a change is one ipc");
_Static_assert(SCAN_TEST_PATH_SIZE == TRIAL_PATH_SIZE, "the same paths");

static bool state_ok(const void *ipc, size_t len)
{
	const struct ipc_scan_state *state = ipc;
	(void)len;
	return NAMED_OK(state->scan) && state->up <= 1 && state->open <= 1 && !state->reserved &&
	       TEXT_OK(state->text);
}

static bool test_ok(const void *ipc, size_t len)
{
	const struct ipc_scan_test *test = ipc;
	(void)len;
	return NAMED_OK(test->scan) && ipc_addr_given_ok(&test->client) && TEXT_OK(test->user) &&
	       test->bounce <= 1 && (!test->bounce || !*test->from) && TEXT_OK(test->from) &&
	       NAMED_OK(test->to) && trial_is_path(test->from) && trial_is_path(test->to);
}

static bool change_ok(const void *ipc, size_t len)
{
	const struct ipc_scan_change *change = ipc;
	return change->kind <= MILTER_CHANGE_SET && !change->reserved && change->name_bytes > 0 &&
	       change->name_bytes <= MILTER_FIELD_NAME_MAX &&
	       change->value_bytes <= SCAN_TEST_VALUE_MAX &&
	       len == sizeof(*change) + change->name_bytes + change->value_bytes;
}

static bool tested_ok(const void *ipc, size_t len)
{
	const struct ipc_scan_tested *tested = ipc;
	(void)len;
	return tested->verdict < SCAN_TEST_VERDICTS &&
	       (!tested->code || (tested->code >= 400 && tested->code <= 599)) &&
	       TEXT_OK(tested->enhanced) && TEXT_OK(tested->words) && TEXT_OK(tested->why) &&
	       TEXT_OK(tested->stage) && NAMED_OK(tested->place) && TEXT_OK(tested->text);
}

/* From IPC_FILE_SCAN on. */
static const struct ipc_kind kinds[] = {
	[IPC_SCAN_STATE - IPC_FILE_SCAN] = IPC_FIXED("scan-state", scan_state, state_ok),
	[IPC_SCAN_TEST - IPC_FILE_SCAN] = IPC_FIXED("scan-test", scan_test, test_ok),
	[IPC_SCAN_TESTING - IPC_FILE_SCAN] = IPC_PLAIN("scan-testing"),
	[IPC_SCAN_CHANGE - IPC_FILE_SCAN] = IPC_LONGER("scan-change", scan_change, 0, change_ok),
	[IPC_SCAN_TESTED - IPC_FILE_SCAN] = IPC_FIXED("scan-tested", scan_tested, tested_ok),
};
_Static_assert(IPC_ROWS(kinds) == IPC_SCAN_END - IPC_FILE_SCAN, "every ipc has its row");
_Static_assert(IPC_ROWS(kinds) <= IPC_FILE_TYPES, "and its own number");

const struct ipc_kinds ipc_scan_kinds = {.v = kinds, .n = IPC_ROWS(kinds)};
