/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/start/alone.h"

#include "daemon/base/run_lock.h"
#include "daemon/control/kernel/posture.h"
#include "kernel-rules/nftables/table.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void find(const char *check, const char *state, const char *advice, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

static void find(const char *check, const char *state, const char *advice, const char *format, ...)
{
	char found[512];
	va_list args;

	va_start(args, format);
	vsnprintf(found, sizeof(found), format, args);
	va_end(args);
	json_t *row = json_pack("{s:s, s:s, s:s, s:s}", "check", check, "state", state, "found",
		found, "advice", advice);
	char *text = row ? json_dumps(row, JSON_COMPACT) : NULL;
	if (text)
		puts(text);
	free(text);
	json_decref(row);
}

/* Who holds the run folder lives, whether it answers or not. */
static void find_daemon(const struct process_options *options)
{
	char pid[RUN_LOCK_PID_SIZE];

	if (run_lock_is_held(options->run_dir, pid))
		find("daemon", "error",
			"if this lasts: systemctl restart postern (running connections are lost)",
			"posternd (pid %s) uses %s and does not answer", pid, options->run_dir);
	else
		find("daemon", "error", "systemctl start postern", "no posternd uses %s",
			options->run_dir);
}

/* 1: there is a table; 0: there is none; -errno: not known. */
static int find_table(struct table *table)
{
	struct table_counters counters;
	int there = table_exists(table);

	if (there == -EPERM) {
		find("table", "warning", "ask again as root",
			"only root can tell what is in the kernel");
	} else if (there < 0) {
		find("table", "warning", "nft list table inet " TABLE_NAME, "it cannot be read: %s",
			strerror(-there));
	} else if (!there) {
		find("table", "error", "systemctl start postern",
			"table inet " TABLE_NAME " is not in the kernel: nothing is redirected, "
			"and nothing is closed");
	} else if (table_counters(table, &counters) == 0) {
		find("table", "ok", "",
			"table inet " TABLE_NAME " is in the kernel; of %" PRIu64
			" new connections since it was made %" PRIu64
			" were reset for want of a daemon, %" PRIu64 " passed for that, %" PRIu64
			" by bypass",
			counters.arrived, counters.posture_reset, counters.posture_passed,
			counters.bypassed);
	} else {
		find("table", "ok", "", "table inet " TABLE_NAME " is in the kernel");
	}
	return there;
}

static void find_bypass(struct table *table, const char *zone)
{
	int64_t left = table_bypass_left(table, zone);

	if (left > 0)
		find("bypass", "warning", "posternctl bypass off",
			"everything of %s%s passes for another %" PRIi64 " s",
			zone ? "zone " : "all zones", zone ? zone : "", left);
	else if (!zone && left == 0)
		find("bypass", "ok", "", "not on for all zones");
}

/* there: of the table. */
static void find_zones(const struct process_options *options, struct table *table, int there)
{
	struct plan plan = {0};
	int error = posture_read(options->state_dir, &plan);

	if (error) {
		find("posture", "warning", "",
			"what holds without a daemon is not known: %s/%s: %s", options->state_dir,
			POSTURE_FILE, strerror(-error));
		return;
	}
	for (size_t i = 0; i < plan.nzones; i++) {
		const struct plan_zone *zone = &plan.zones[i];
		if (zone->open)
			find("posture", "warning", "",
				"zone %s: on-failure open, so connections pass", zone->name);
		else if (there == 1)
			find("posture", "ok", "",
				"zone %s: on-failure closed, so new connections are reset",
				zone->name);
		else
			find("posture", there == 0 ? "error" : "warning", "systemctl start postern",
				"zone %s is to be closed, and %s", zone->name,
				there == 0 ? "is open" : "may be open");
		if (there == 1)
			find_bypass(table, zone->name);
	}
	plan_fini(&plan);
}

int alone_main(const struct process_options *options)
{
	struct table *table;
	int error = table_open(&table), there = error;

	find_daemon(options);
	if (error)
		find("table", "warning", "ask again as root", "the kernel cannot be asked: %s",
			strerror(-error));
	else
		there = find_table(table);
	if (there == 1)
		find_bypass(table, NULL);
	find_zones(options, table, there);
	if (!error)
		table_close(table);
	return 0;
}
