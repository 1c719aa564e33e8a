/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What doctor finds of what judges messages: that it answers, that its socket can be had, and what
 * is let through without it. */
#include "daemon/control/doctor/examination.h"

#include "daemon/control/control.h"
#include "daemon/control/peers/scan_states.h"
#include "lib/policy/policy.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define ADVICE_SIZE (PATH_MAX + 256)

static bool was_no_milter(const struct policy_scan *scan, const struct ipc_scan_state *sum)
{
	return scan->kind == POLICY_SCAN_MILTER && strstr(sum->text, "no milter") != NULL;
}

/* clamd answers so to whatever it does not know. */
static void say_no_milter(const struct policy_scan *scan, const struct ipc_scan_state *sum,
	char advice[static ADVICE_SIZE])
{
	const char *at = scan->address.text;

	if (strstr(sum->text, "UNKNOWN COMMAND"))
		snprintf(advice, ADVICE_SIZE,
			"clamd itself answers there: posternctl scan replace %s clamav \"%s\" # or "
			"name the port of clamav-milter",
			scan->name.text, strncmp(at, "inet:", 5) == 0 ? at + 5 : scan->path.text);
	else
		snprintf(advice, ADVICE_SIZE,
			"another service answers there: posternctl scan set %s milter "
			"\"inet:HOST:PORT\" # of the filter; ss -ltnp shows who has a port",
			scan->name.text);
}

static void check_state(const struct examination *exam, const struct policy_scan *scan,
	const struct ipc_scan_state *sum)
{
	char advice[ADVICE_SIZE];

	if (!sum->since_ms)
		return;
	if (was_no_milter(scan, sum))
		say_no_milter(scan, sum, advice);
	else
		snprintf(advice, sizeof(advice),
			"see that it runs and answers at %s; the next message asks it again: "
			"posternctl scan show %s",
			scan->address.text, scan->name.text);
	examination_find(exam, "scan", sum->up ? DOCTOR_OK : DOCTOR_ERROR, advice, "scan %s%s%s",
		sum->scan, sum->up ? " answers" : ": ", sum->up ? "" : sum->text);
}

/* ---- its socket ---- */

/* The first folder on the way that may not be gone through; false: each of them may. */
static bool find_closed(const char *path, char folder[static PATH_MAX])
{
	for (const char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		snprintf(folder, PATH_MAX, "%.*s", (int)(slash - path), path);
		if (access(folder, X_OK) < 0 && errno == EACCES)
			return true;
	}
	return false;
}

/* By its group, if that opens it, and else by the right of everybody. */
static void say_opening(
	const char *path, bool folder, const char *user, char advice[static ADVICE_SIZE])
{
	const mode_t needs = folder ? S_IXGRP : S_IWGRP;
	struct stat st;

	if (stat(path, &st) == 0 && st.st_mode & needs && st.st_gid != 0)
		snprintf(advice, ADVICE_SIZE,
			"usermod -aG \"$(stat -c %%G '%s')\" %s && systemctl restart postern", path,
			user);
	else
		snprintf(advice, ADVICE_SIZE,
			"chmod o+%s '%s' # for good by the filter's own settings: of clamd "
			"LocalSocketMode 666",
			folder ? "x" : "w", path);
}

/* Control is of the user that smtp processes are. */
static void check_socket(const struct examination *exam, const struct policy_scan *scan)
{
	const char *name = scan->name.text, *path = scan->path.text;
	const char *user = exam->control->start.options.user;
	char advice[ADVICE_SIZE], folder[PATH_MAX];
	struct stat st;

	if (find_closed(path, folder)) {
		say_opening(folder, true, user, advice);
		examination_find(exam, "scan-socket", DOCTOR_ERROR, advice,
			"scan %s: user %s may not go through %s to %s", name, user, folder, path);
	} else if (stat(path, &st) < 0) {
		snprintf(advice, sizeof(advice),
			"start the filter, or correct the path: posternctl scan set %s %s "
			"\"%sPATH\"",
			name, policy_scan_kind_names[scan->kind],
			scan->kind == POLICY_SCAN_MILTER ? "unix:" : "");
		examination_find(exam, "scan-socket", DOCTOR_ERROR, advice, "scan %s: %s: %s", name,
			path, strerror(errno));
	} else if (!S_ISSOCK(st.st_mode)) {
		snprintf(advice, sizeof(advice),
			"ls -l %s # correct the path: posternctl scan set %s", path, name);
		examination_find(exam, "scan-socket", DOCTOR_ERROR, advice,
			"scan %s: %s is no socket", name, path);
	} else if (access(path, W_OK) < 0) {
		say_opening(path, false, user, advice);
		examination_find(exam, "scan-socket", DOCTOR_ERROR, advice,
			"scan %s: user %s may not write to %s: %s", name, user, path,
			strerror(errno));
	} else {
		examination_find(exam, "scan-socket", DOCTOR_OK, "",
			"scan %s: %s may be connected to", name, path);
	}
}

/* ---- what is let through ---- */

static void check_accept(const struct examination *exam, const struct policy_scan *scan,
	const struct ipc_scan_state *sum)
{
	char advice[ADVICE_SIZE];

	if (scan->on_failure != POLICY_SCAN_ACCEPT)
		return;
	snprintf(advice, sizeof(advice), "posternctl scan set %s on-failure tempfail",
		scan->name.text);
	examination_find(exam, "scan-accept", DOCTOR_WARNING, advice,
		"scan %s: what it cannot judge goes on unscanned (on-failure accept); %" PRIu64
		" messages did since control started",
		scan->name.text, sum->unscanned);
}

static void check_verdicts(const struct examination *exam, const struct policy_scan *scan,
	const struct ipc_scan_state *sum)
{
	char advice[ADVICE_SIZE];

	if (sum->slow > 0 && sum->slow >= sum->asked / 10)
		examination_find(exam, "scan", DOCTOR_WARNING,
			"see what keeps it; clients and servers give up",
			"scan %s: %" PRIu64 " of %" PRIu64 " verdicts took longer than 10 seconds",
			scan->name.text, sum->slow, sum->asked);
	if (sum->dropped == 0 || scan->mode != POLICY_SCAN_STREAM)
		return;
	snprintf(advice, sizeof(advice), "posternctl scan set %s mode whole", scan->name.text);
	examination_find(exam, "scan", DOCTOR_WARNING, advice,
		"scan %s: %" PRIu64 " header changes were not made: its mode is stream",
		scan->name.text, sum->dropped);
}

void examination_of_scans(const struct examination *exam)
{
	const struct policy *policy = exam->control->policy;
	const unsigned used = scan_states_used(policy);
	struct ipc_scan_state sum;

	for (size_t i = 0; i < policy->nscans; i++) {
		const struct policy_scan *scan = &policy->scans[i];
		if (!(used & 1u << i))
			continue;
		scan_states_sum(exam->control->scans, scan, &sum);
		check_state(exam, scan, &sum);
		if (scan->path.len > 0)
			check_socket(exam, scan);
		check_accept(exam, scan, &sum);
		check_verdicts(exam, scan, &sum);
		examination_of_clamd(exam, i);
	}
}
