/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The process that checks passwords. It asks directories, other servers, Dovecot or a file of users
 * for the smtp processes, and counts how often may be guessed. What it holds of a login is wiped
 * when that is over; nothing here waits, and it opens no file. */
#include "daemon/auth/auth.h"

#include "daemon/base/log.h"
#include "lib/base/siphash.h"
#include "lib/ipc/health.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/random.h>
#include <unistd.h>

#define AUTH_OF(pointer) ((struct auth *)(pointer))
_Static_assert(offsetof(struct auth, child) == 0, "auth begins with its child");

static void on_change(struct child *child, enum replica_change change)
{
	struct auth *auth = AUTH_OF(child);

	switch (change) {
	case REPLICA_CHANGED:
	case REPLICA_BLOCKED:
	case REPLICA_INQUIRY:
		break;
	case REPLICA_RENEWED:
		backends_renew(auth);
		break;
	case REPLICA_POLICY:
	case REPLICA_COMPLETE:
		backends_follow(auth);
		break;
	}
}

static bool on_control(struct child *child, const struct ipc_header *ipc, int *fd)
{
	struct auth *auth = AUTH_OF(child);
	const void *m = ipc;

	if (replica_take(child, &auth->replica, ipc, fd))
		return true;
	switch (ipc->type) {
	case IPC_AUTH_TEST:
		attempt_test(auth, m);
		return true;
	case IPC_RESOLVED:
		host_addresses_take(&auth->hosts, m);
		return true;
	default:
		return false;
	}
}

static bool on_keeper(struct child *child, const struct ipc_header *ipc, int *fd)
{
	(void)child;
	(void)ipc;
	(void)fd;
	return false;
}

static void on_pair(struct child *child, enum process_role role, int fd)
{
	if (role == PROCESS_SMTP || role == PROCESS_WEB)
		asker_open(AUTH_OF(child), fd);
	else
		close(fd);
}

/* Before any verdict: what web says of one comes behind it. */
static int tell_key(struct auth *auth)
{
	struct ipc_auth_key ipc;

	ipc_init(&ipc, IPC_AUTH_KEY, sizeof(ipc));
	memcpy(ipc.key, auth->key, sizeof(ipc.key));
	int error = child_send(&auth->child, &ipc);
	explicit_bzero(&ipc, sizeof(ipc));
	return error;
}

/* It is told everything. */
static void on_new_control(struct child *child)
{
	tell_key(AUTH_OF(child));
	struct auth *auth = AUTH_OF(child);

	if (replica_begin(&auth->replica) < 0)
		log_error("no memory for what a new control tells");
	backends_tell(auth, true);
}

static void on_tick(struct child *child)
{
	backends_tell(AUTH_OF(child), false);
}

/* All that needs files, before privileges go. */
static int set_up(struct auth *auth)
{
	static const struct child_face face = {.on_control = on_control,
		.on_keeper = on_keeper,
		.on_new_control = on_new_control,
		.on_pair = on_pair,
		.on_tick = on_tick};
	uint8_t secret[SIPHASH_SECRET_SIZE];
	int error;

	if ((error = child_open(&auth->child, auth->start, &face)) < 0)
		return error;
	auth->loop = auth->child.loop;
	if (getrandom(secret, sizeof(secret), 0) != (ssize_t)sizeof(secret) ||
		getrandom(auth->key, sizeof(auth->key), 0) != (ssize_t)sizeof(auth->key))
		return -errno;
	if ((error = tell_key(auth)) < 0)
		return error;
	auth->guess = guess_new(secret);
	if (!auth->guess)
		return -ENOMEM;
	if ((error = tls_init()) < 0 || (error = attempts_init(&auth->attempts)) < 0 ||
		(error = replica_init(&auth->replica, auth->start->options.relay_port, on_change)) <
			0)
		return error;
	auth->replica.targets.read = true;
	return 0;
}

static void take_down(struct auth *auth)
{
	askers_close(auth);
	backends_close(auth);
	attempts_fini(&auth->attempts);
	host_addresses_fini(&auth->hosts);
	guess_free(auth->guess);
	replica_fini(&auth->replica);
	child_fini(&auth->child);
	explicit_bzero(auth->key, sizeof(auth->key));
	free(auth);
}

int auth_main(const struct process_start *start)
{
	struct auth *auth = calloc(1, sizeof(*auth));

	if (!auth)
		return 1;
	auth->start = start;
	auth->face = &auth_face;
	int status = child_run(&auth->child, set_up(auth));
	take_down(auth);
	return status;
}
