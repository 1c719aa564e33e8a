/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The posture before anything else: a start that fails, for whatever reason, leaves no closed zone
 * open. Control keeps it as a bare plan in the state folder (daemon/control/kernel/posture.h).
 * Where none is kept yet, a process without privileges reads the configuration file for it: it is
 * forked, so that the keeper itself parses nothing. A table that is in the kernel already holds a
 * posture and stays. */
#include "daemon/keeper/keeper.h"

#include "daemon/base/log.h"
#include "daemon/base/privilege.h"
#include "daemon/base/run_lock.h"
#include "daemon/control/kernel/posture.h"
#include "daemon/control/store/disk.h"
#include "lib/language/language.h"

#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define NOBODY         65534
#define FILE_BYTES_MAX (64u << 20)
#define READ_S         20

/* ---- in the new process ---- */

static int read_text(void *context, const char *path, char **text, size_t *len)
{
	(void)context;
	return disk_read(path, FILE_BYTES_MAX, text, len);
}

static int drop(const struct process_options *options)
{
	const struct passwd *user = getpwnam(options->user);
	bool known = user && user->pw_uid != 0;
	int error = 0;

	if (geteuid() == 0)
		error = privilege_drop_keeper(
			known ? user->pw_uid : NOBODY, known ? user->pw_gid : NOBODY);
	return error ? error : privilege_drop_all();
}

/* The file's plan goes into the memory fd. What is wrong with the file is for control to say. */
static int tell_file(const struct process_options *options, int fd)
{
	const struct language_world world = {.read = read_text, .lenient = true};
	struct language_diagnosis diagnosis;
	struct plan_options plan_options;
	struct plan plan;
	uint8_t *bytes;
	char *text;
	size_t len;

	alarm(READ_S);
	if (drop(options) || read_text(NULL, options->config, &text, &len))
		return 1;
	const struct policy *policy =
		language_parse(options->config, text, len, &world, &diagnosis);
	plan_options_init(&plan_options);
	plan_options.user = getuid();
	if (!policy || plan_from_policy(policy, &plan_options, PLAN_BARE, &plan) ||
		plan_encode(&plan, &bytes, &len))
		return 1;
	return write(fd, bytes, len) != (ssize_t)len;
}

/* ---- in the keeper ---- */

/* What the other process wrote is not believed. */
static int take_told(int fd, struct plan *plan)
{
	off_t len = lseek(fd, 0, SEEK_END);
	uint8_t *bytes = len > 0 && len <= (off_t)PLAN_BYTES_MAX ? malloc((size_t)len) : NULL;
	int error = -ENOENT;

	if (bytes && pread(fd, bytes, (size_t)len, 0) == len)
		error = plan_decode(bytes, (size_t)len, plan);
	free(bytes);
	return error;
}

static int read_file(const struct process_options *options, struct plan *plan)
{
	int fd = memfd_create("postern-posture", MFD_CLOEXEC), status = 1, error = -ENOENT;

	if (fd < 0)
		return -errno;
	pid_t pid = fork();
	if (pid == 0)
		_exit(tell_file(options, fd));
	while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
		continue;
	if (pid > 0 && status == 0)
		error = take_told(fd, plan);
	close(fd);
	return error;
}

static int put_where_none_is(struct table *table, const struct plan *plan)
{
	int exists = table_exists(table);

	if (exists)
		return exists < 0 ? exists : -EEXIST;
	return table_apply(table, plan);
}

void keeper_posture_first(const struct process_options *options)
{
	struct table *table;
	struct plan plan;

	/* where another posternd holds the run folder, the kernel's table is its */
	if (run_lock_is_held(options->run_dir, NULL) ||
		(posture_read(options->state_dir, &plan) && read_file(options, &plan)))
		return; /* without a policy there is no posture; control will say what is wrong */
	/* the command line may be another one than it was */
	plan.mode = PLAN_BARE;
	plan.mark_mask = options->mark_mask;
	plan.server_mask = options->server_mask;
	plan.relay_port = options->relay_port;
	plan.queue = options->queue;
	plan.route_table = options->route_table;
	int error = table_open(&table);
	if (!error) {
		error = put_where_none_is(table, &plan);
		table_close(table);
	}
	plan_fini(&plan);
	if (error && error != -EEXIST)
		log_error("the posture cannot be put into the kernel: %s", strerror(-error));
}

int keeper_posture_take(struct keeper *keeper, struct plan *plan)
{
	return keeper->has_plan ? -EEXIST : put_where_none_is(keeper->table, plan);
}
