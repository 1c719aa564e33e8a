/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The health process: it resolves the names of the servers' hosts and of directories, looks up
 * those of listeners' clients, probes the hosts and tells control what it found. DNS and mail hosts
 * are foreign; nothing else is done here. It ends when the keeper asked it to, or when the
 * machine's DNS settings have changed, which only a new process can read. */
#include "daemon/base/log.h"
#include "daemon/health/dial.h"
#include "daemon/health/names/client_lookup.h"
#include "daemon/health/server_test.h"
#include "daemon/health/targets.h"
#include "daemon/process/child.h"
#include "daemon/process/replica.h"
#include "lib/base/container.h"

#include <errno.h>
#include <libgen.h>
#include <limits.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <unistd.h>

struct health {
	struct child child;
	struct replica replica;
	struct dials dials;
	struct targets *targets;
	struct targets_face face;
	struct server_tests *tests;
	struct client_lookups *lookups;
	struct loop_watch settings; /* inotify: DNS settings and hosts file */
};

#define HEALTH_OF(pointer) ((struct health *)(pointer))
_Static_assert(offsetof(struct health, child) == 0, "health begins with its child");

static void send_to_control(void *context, const void *ipc)
{
	child_send(context, ipc);
}

static void use_policy(struct health *health)
{
	const struct picture *picture = health->replica.now;
	const struct policy_string *name = &picture->policy->hostname;
	targets_set_policy(
		health->targets, picture, name->len > 0 ? name->text : health->child.machine);
}

static void on_change(struct child *child, enum replica_change change)
{
	struct health *health = HEALTH_OF(child);

	switch (change) {
	case REPLICA_CHANGED:
	case REPLICA_BLOCKED:
		break;
	case REPLICA_RENEWED: /* the next probe goes by them */
	case REPLICA_POLICY:
	case REPLICA_COMPLETE:
		use_policy(health);
		break;
	case REPLICA_INQUIRY:
		targets_begin_inquiry(health->targets, health->replica.now->inquiry);
		break;
	}
}

static void begin_test(struct health *health, const struct ipc_test *ipc)
{
	int error = ipc->header.seq ? server_tests_begin(health->tests, ipc) : 0;
	const char *text = error == -ENOENT  ? "no host of it is known yet"
			   : error == -EBUSY ? "other tests are running"
			   : error           ? strerror(-error)
					     : "";
	if (error)
		child_reply(&health->child, &ipc->header, error, 0, text);
}

static bool on_control(struct child *child, const struct ipc_header *ipc, int *fd)
{
	struct health *health = HEALTH_OF(child);
	const void *m = ipc;

	if (replica_take(child, &health->replica, ipc, fd))
		return true;
	switch (ipc->type) {
	case IPC_HOST:
		targets_on_host(health->targets, m);
		break;
	case IPC_CLIENT_SIDE:
		targets_set_client_side(health->targets, m);
		break;
	case IPC_TARGETS:
		targets_seed(health->targets, m);
		break;
	case IPC_PROBE_NOW:
		targets_probe_now(health->targets, ((const struct ipc_probe_now *)m)->server);
		child_reply(child, ipc, 0, 0, "");
		break;
	case IPC_TEST:
		begin_test(health, m);
		break;
	case IPC_RESOLVE:
		targets_name(health->targets, m);
		break;
	case IPC_LOOKUP:
		client_lookups_ask(health->lookups, m);
		break;
	default:
		return false;
	}
	return true;
}

/* It sends the policy again, and is told everything. */
static void on_new_control(struct child *child)
{
	struct health *health = HEALTH_OF(child);

	server_tests_stop(health->tests);
	client_lookups_forget_seqs(health->lookups);
	if (replica_begin(&health->replica) < 0)
		log_error("no memory for what a new control tells");
	targets_tell_all(health->targets);
}

static bool on_keeper(struct child *child, const struct ipc_header *ipc, int *fd)
{
	if (ipc->type != IPC_SOCKET)
		return false;
	dial_on_socket(&HEALTH_OF(child)->dials, (const void *)ipc, *fd);
	*fd = -1;
	return true;
}

static bool is_setting(const char *name)
{
	return strcmp(name, "resolv.conf") == 0 || strcmp(name, "hosts") == 0;
}

/* No file can be opened here, so a new process reads the new settings. Control hands it what this
 * one had learned. */
static void on_settings(struct loop_watch *watch, uint32_t events)
{
	struct health *health = container_of(watch, struct health, settings);
	_Alignas(struct inotify_event) char bytes[4096];
	ssize_t len = read(watch->fd, bytes, sizeof(bytes));

	(void)events;
	for (ssize_t at = 0; at + (ssize_t)sizeof(struct inotify_event) <= len;) {
		const struct inotify_event *event = (const void *)(bytes + at);
		if (event->len > 0 && is_setting(event->name)) {
			log_info("%s has changed: starting anew with it", event->name);
			child_end(&health->child);
			return;
		}
		at += (ssize_t)(sizeof(*event) + event->len);
	}
}

/* Folders, since the files are usually replaced; resolv.conf may be a link to another folder. */
static void watch_settings(struct health *health)
{
	const uint32_t what = IN_CLOSE_WRITE | IN_MOVED_TO;
	char path[PATH_MAX];

	health->settings.on_event = on_settings;
	health->settings.fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	if (health->settings.fd < 0)
		return;
	inotify_add_watch(health->settings.fd, "/etc", what);
	if (realpath("/etc/resolv.conf", path))
		inotify_add_watch(health->settings.fd, dirname(path), what);
	loop_add(health->child.loop, &health->settings, EPOLLIN);
}

static void sweep(void *context)
{
	struct health *health = context;

	targets_run(health->targets);
	client_lookups_run(health->lookups);
}

/* All that needs files, before privileges go. */
static int set_up(struct health *health, const struct process_start *start)
{
	static const struct child_face face = {
		.on_control = on_control, .on_keeper = on_keeper, .on_new_control = on_new_control};
	const uint16_t port = start->options.relay_port;
	int rc;

	health->settings.fd = -1;
	if ((rc = child_open(&health->child, start, &face)) < 0)
		return rc;
	if ((rc = tls_init()) < 0)
		return rc;
	dial_init(&health->dials, health->child.loop);
	health->dials.keeper = health->child.keeper;
	health->face = (struct targets_face){health, send_to_control};
	/* before the settings are read: a change in between is then seen */
	watch_settings(health);
	if ((rc = replica_init(&health->replica, port, on_change)) < 0 ||
		(rc = targets_open(health->child.loop, health->child.counters, port, &health->face,
			 &health->dials, &health->targets)) < 0)
		return rc;
	const struct server_tests_face tests_face = {health, send_to_control};
	health->tests =
		server_tests_new(health->child.loop, health->targets, &tests_face, &health->dials);
	if (!health->tests)
		return -ENOMEM;
	const struct client_lookups_face lookups_face = {health, send_to_control};
	if ((rc = client_lookups_open(health->child.loop, health->child.counters, &lookups_face,
		     &health->lookups)) < 0)
		return rc;
	loop_after_batch(health->child.loop, sweep, health);
	return 0;
}

static void take_down(struct health *health)
{
	server_tests_free(health->tests);
	client_lookups_close(health->lookups);
	targets_close(health->targets);
	dial_fini(&health->dials);
	replica_fini(&health->replica);
	if (health->settings.fd >= 0)
		close(health->settings.fd);
	child_fini(&health->child);
	free(health);
}

int health_main(const struct process_start *start)
{
	struct health *health = calloc(1, sizeof(*health));
	if (!health)
		return 1;
	int status = child_run(&health->child, set_up(health, start));
	take_down(health);
	return status;
}
