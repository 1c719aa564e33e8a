#include "daemon/clear.h"

#include "daemon/log.h"
#include "kernel-rules/routes.h"
#include "kernel-rules/table.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

/* A living keeper would put everything back at once. */
static bool is_running(const char *run_dir)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/posternd.lock", run_dir);
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd < 0)
		return false;
	bool locked = flock(fd, LOCK_EX | LOCK_NB) < 0 && errno == EWOULDBLOCK;
	close(fd);
	return locked;
}

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
	if (is_running(options->run_dir)) {
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
