/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The bypass by root himself, with no keeper, or past one that hangs. */
#include "daemon/keeper/keeper.h"

#include "daemon/base/log.h"
#include "daemon/control/kernel/bypass.h"

#include <errno.h>
#include <string.h>

static int switch_bypass(struct table *table, bool on, const char *zone, uint32_t seconds)
{
	int error = on ? table_bypass_on(table, zone, seconds) : table_bypass_off(table, zone);
	table_close(table);
	return error;
}

int keeper_bypass_main(const char *state_dir, bool on, const char *zone, uint32_t seconds)
{
	struct table *table;

	log_init("bypass", true, POLICY_LOG_INFO);
	if (on && !seconds)
		seconds = BYPASS_DEFAULT_S;
	int error = table_open(&table);
	if (!error)
		error = switch_bypass(table, on, zone, seconds);
	/* a posternd holds it that may hang: who calls this has asked it, or knows better */
	if (error == -EBUSY) {
		error = table_borrow(&table);
		if (!error)
			error = switch_bypass(table, on, zone, seconds);
	}
	if (error == -EPERM)
		log_error("only root may change the kernel's table");
	else if (error == -ESRCH)
		log_error("the kernel's table is held by a process that is not seen from here");
	else if (error == -ENOTEMPTY)
		log_error("bypass is on for all zones: end it without --zone");
	else if (error == -ESTALE)
		log_error("the kernel's table is of another version: start posternd, or take the "
			  "table away with posternd --clear");
	else if (error == -ENOENT)
		log_error("there is no zone \"%s\" in the kernel's table", zone ? zone : "");
	else if (error)
		log_error("cannot change the kernel's table: %s", strerror(-error));
	else if (on)
		log_info("everything of %s passes for %u s", zone ? zone : "all zones", seconds);
	else if (bypass_forget(state_dir, zone))
		log_warning("the bypass could not be removed from %s: the next posternd may go on "
			    "with it",
			state_dir);
	return error ? 1 : 0;
}
