/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/start/clear.h"

#include "daemon/base/log.h"
#include "daemon/base/run_lock.h"
#include "kernel-rules/nftables/table.h"
#include "kernel-rules/routes.h"

#include <string.h>

static int clear_table(void)
{
	struct table *table;
	int error = table_open(&table);

	if (!error) {
		error = table_remove(table);
		table_close(table);
	}
	return error;
}

static int clear_routes(const struct process_options *options)
{
	struct plan_options numbers;
	struct routes *routes;

	plan_options_init(&numbers);
	const struct plan plan = {.mode = PLAN_BARE,
		.route_table = options->route_table,
		.route_protocol = numbers.route_protocol};
	int error = routes_open(&routes);
	if (!error) {
		error = routes_remove(routes, &plan);
		routes_close(routes);
	}
	return error;
}

int clear_main(const struct process_options *options)
{
	log_init("clear", true, POLICY_LOG_INFO);
	/* a living keeper would put everything back at once */
	if (run_lock_is_held(options->run_dir, NULL)) {
		log_error("a posternd runs: stop it first");
		return CLEAR_RUNNING;
	}
	int error = clear_table();
	if (error)
		log_error("cannot remove the table inet %s: %s", TABLE_NAME, strerror(-error));
	int routes_error = clear_routes(options);
	if (routes_error)
		log_error("cannot remove the policy route: %s", strerror(-routes_error));
	return error || routes_error ? 1 : 0;
}
