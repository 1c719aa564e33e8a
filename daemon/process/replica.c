/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/process/replica.h"

#include "daemon/base/log.h"
#include "lib/ipc/credential.h"
#include "lib/ipc/replica.h"
#include "lib/language/language.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static void free_picture(struct picture *picture)
{
	if (!picture)
		return;
	policy_unref(picture->policy);
	tls_contexts_free(picture->contexts);
	session_table_free(picture->sessions);
	lists_free(picture->lists);
	blocks_free(picture->blocks);
	free(picture);
}

static struct picture *new_picture(void)
{
	struct picture *picture = calloc(1, sizeof(*picture));
	if (!picture)
		return NULL;
	picture->sessions = session_table_new();
	picture->lists = lists_new();
	picture->blocks = blocks_new();
	if (picture->sessions && picture->lists && picture->blocks)
		return picture;
	free_picture(picture);
	return NULL;
}

int replica_init(struct replica *replica, uint16_t relay_port,
	void (*on_change)(struct child *child, enum replica_change change))
{
	memset(replica, 0, sizeof(*replica));
	replica->relay_port = relay_port;
	replica->on_change = on_change;
	replica->now = new_picture();
	replica->storage = malloc(session_storage_size());
	if (replica->now && replica->storage)
		return 0;
	replica_fini(replica);
	return -ENOMEM;
}

/* Nothing is prepared any more. */
static void unprepare(struct replica *replica)
{
	policy_unref(replica->prepared);
	tls_contexts_free(replica->prepared_contexts);
	replica->prepared = NULL;
	replica->prepared_contexts = NULL;
}

void replica_fini(struct replica *replica)
{
	free_picture(replica->now);
	free_picture(replica->coming);
	unprepare(replica);
	tls_credentials_fini(&replica->credentials);
	free(replica->storage);
	replica_targets_fini(&replica->targets);
	memset(replica, 0, sizeof(*replica));
}

int replica_begin(struct replica *replica)
{
	free_picture(replica->coming);
	unprepare(replica);
	tls_credentials_drop(&replica->credentials);
	replica->coming = new_picture();
	return replica->coming ? 0 : -ENOMEM;
}

static struct picture *target(struct replica *replica)
{
	return replica->coming ? replica->coming : replica->now;
}

/* What its role is told of TLS. */
static unsigned sides_of(const struct child *child)
{
	const unsigned told = roles[child->start->role].told;

	return (told & TOLD_CLIENTS_TLS ? TLS_CLIENTS : 0) |
	       (told & TOLD_SERVERS_TLS ? TLS_SERVERS : 0) |
	       (told & TOLD_SECRETS ? TLS_SECRETS : 0);
}

/* Of all that came. text: what is missing. */
static int make_contexts(const struct child *child, const struct replica *replica,
	const struct policy *policy, struct tls_contexts **made, char *text)
{
	const unsigned sides = sides_of(child);

	*made = NULL;
	if (!sides)
		return 0;
	*made = tls_contexts_make(policy, &replica->credentials, sides, text, IPC_TEXT_SIZE);
	return *made ? 0 : -ENOMEM;
}

/* Something is missing, and may be. */
static void say_missing(char *text)
{
	if (text[0])
		log_warning("%s: there is no TLS with it", text);
	text[0] = '\0';
}

/* Control checked this text before, and what it lets pass is not refused here: an error is our
 * own. */
static int prepare(const struct child *child, struct replica *replica, const struct ipc_policy *ipc,
	int fd, char *text)
{
	struct tls_contexts *contexts;
	const struct language_world world = {.relay_port = replica->relay_port, .lenient = true};
	struct language_diagnosis diagnosis;
	void *bytes;
	size_t len;

	int rc = channel_map(fd, &bytes, &len);
	if (rc < 0)
		return rc;
	struct policy *policy = language_parse("policy", bytes, len, &world, &diagnosis);
	munmap(bytes, len);
	if (!policy)
		snprintf(text, IPC_TEXT_SIZE, "%s", language_first_error(&diagnosis));
	language_diagnosis_fini(&diagnosis);
	if (!policy)
		return -EINVAL;
	rc = make_contexts(child, replica, policy, &contexts, text);
	if (rc == 0 && text[0] && !ipc->lenient)
		rc = -EINVAL;
	if (rc < 0) {
		tls_contexts_free(contexts);
		policy_unref(policy);
		return rc;
	}
	say_missing(text);
	unprepare(replica);
	replica->prepared = policy;
	replica->prepared_contexts = contexts;
	replica->prepared_number = ipc->number;
	return 0;
}

static int commit(struct replica *replica, const struct ipc_policy *ipc)
{
	struct picture *picture = target(replica);
	if (!replica->prepared || replica->prepared_number != ipc->number)
		return -ENOENT;
	int rc = session_table_set_devices(picture->sessions, replica->prepared, picture->lists);
	if (rc < 0)
		return rc;
	policy_unref(picture->policy);
	tls_contexts_free(picture->contexts);
	picture->policy = replica->prepared;
	picture->contexts = replica->prepared_contexts;
	picture->number = ipc->number;
	picture->inquiry = ipc->inquiry;
	replica->prepared = NULL;
	replica->prepared_contexts = NULL;
	if (!replica->coming) /* else what is in force until it is complete has the ones before */
		tls_credentials_settle(&replica->credentials, picture->policy);
	return 0;
}

/* All anew for the policy in force, or nothing changes. */
static int renew(const struct child *child, struct replica *replica, char *text)
{
	struct picture *picture = target(replica);
	struct tls_contexts *contexts = NULL;
	int error = picture->policy
			    ? make_contexts(child, replica, picture->policy, &contexts, text)
			    : -ENOENT;

	if (!error && !tls_contexts_hold_all(contexts, picture->contexts))
		error = -EINVAL;
	if (error) {
		tls_contexts_free(contexts);
		tls_credentials_drop(&replica->credentials);
		return error;
	}
	say_missing(text);
	tls_contexts_free(picture->contexts);
	picture->contexts = contexts;
	tls_credentials_settle(&replica->credentials, picture->policy);
	return 0;
}

static int begin_inquiry(
	struct replica *replica, const struct ipc_inquiry *ipc, enum replica_change *change)
{
	target(replica)->inquiry = ipc->number;
	if (!replica->coming)
		*change = REPLICA_INQUIRY;
	return 0;
}

static int put_sessions(struct replica *replica, const struct ipc_sessions *ipc)
{
	struct picture *picture = target(replica);
	const uint8_t *at = ipc->data;
	size_t left = ipc->bytes;

	for (uint32_t i = 0; i < ipc->n; i++) {
		struct session session;
		size_t used = session_decode(at, left, &session, replica->storage);
		if (used == 0)
			return -EBADMSG;
		int rc = session_table_put(picture->sessions, &session);
		if (rc < 0)
			return rc;
		at += used;
		left -= used;
	}
	return 0;
}

/* Devices hold what a dynamic list holds. */
static int renew_devices(struct picture *picture, const char *list)
{
	const struct policy *policy = picture->policy;
	for (size_t i = 0; policy && i < policy->ndevices; i++)
		if (policy_device_follows(&policy->devices[i], list))
			return session_table_set_devices(picture->sessions, policy, picture->lists);
	return 0;
}

static int change_list(struct replica *replica, const struct ipc_list_entries *ipc)
{
	struct picture *picture = target(replica);
	struct ipc_list_entry entry;
	uint32_t at = 0;
	while (ipc_list_next(ipc, &at, &entry)) {
		if (!entry.add) {
			lists_remove(picture->lists, ipc->name, &entry.elem);
			continue;
		}
		int rc = lists_add(picture->lists, ipc->name, &entry.elem, entry.end_ms);
		if (rc < 0)
			return rc;
	}
	return renew_devices(picture, ipc->name);
}

static int clear_list(struct replica *replica, const struct ipc_list_entries *ipc)
{
	lists_clear(target(replica)->lists, ipc->name);
	return renew_devices(target(replica), ipc->name);
}

/* Under a picture that is still coming flows go on; they end when it is complete. */
static int change_block(
	struct replica *replica, const struct ipc_block *ipc, enum replica_change *change)
{
	struct picture *picture = target(replica);

	if (ipc->add && !replica->coming)
		*change = REPLICA_BLOCKED;
	if (ipc->add)
		return blocks_put(picture->blocks, &ipc->block);
	blocks_del(picture->blocks, &ipc->block);
	return 0;
}

/* A picture without a policy is none. */
static int complete(struct replica *replica)
{
	if (!target(replica)->policy)
		return -ENOENT;
	if (replica->coming) {
		free_picture(replica->now);
		replica->now = replica->coming;
		replica->coming = NULL;
		tls_credentials_settle(&replica->credentials, replica->now->policy);
	}
	replica->complete = true;
	return 0;
}

static int abort_policy(struct replica *replica)
{
	unprepare(replica);
	tls_credentials_drop(&replica->credentials);
	return 0;
}

static int del_session(struct replica *replica, const struct ipc_session_gone *ipc)
{
	session_table_del(target(replica)->sessions, ipc->id);
	return 0;
}

/* 0 or -errno; -ENOMSG: not about the picture. text (may be left empty) says what is wrong with a
 * policy. */
static int take(const struct child *child, struct replica *replica, const struct ipc_header *ipc,
	int *fd, enum replica_change *change, char text[static IPC_TEXT_SIZE])
{
	const struct ipc_policy *policy = (const void *)ipc;
	const void *m = ipc;
	int taken = *fd;

	text[0] = '\0';
	*change = REPLICA_CHANGED;
	switch (ipc->type) {
	case IPC_POLICY:
		*fd = -1;
		return prepare(child, replica, policy, taken, text);
	case IPC_CREDENTIAL:
		*fd = -1;
		return tls_credentials_put(&replica->credentials, m, taken);
	case IPC_CREDENTIALS_RENEW:
		*change = REPLICA_RENEWED;
		return renew(child, replica, text);
	case IPC_POLICY_COMMIT:
		if (!replica->coming)
			*change = REPLICA_POLICY;
		return commit(replica, policy);
	case IPC_POLICY_ABORT:
		return abort_policy(replica);
	case IPC_INQUIRY:
		return begin_inquiry(replica, m, change);
	case IPC_SESSIONS:
		return put_sessions(replica, m);
	case IPC_SESSION_GONE:
		return del_session(replica, m);
	case IPC_LIST_ENTRIES:
		return change_list(replica, m);
	case IPC_LIST_CLEAR:
		return clear_list(replica, m);
	case IPC_BLOCK:
		return change_block(replica, m, change);
	case IPC_TARGETS:
		replica_targets_take(&replica->targets, m);
		return 0;
	case IPC_PICTURE_DONE:
		*change = REPLICA_COMPLETE;
		return complete(replica);
	default:
		return -ENOMSG;
	}
}

static void follow_log(const struct policy *policy)
{
	log_set_level(policy->log_level);
	log_set_privacy(policy->audit_names_none);
}

static bool is_told_targets(const struct child *child)
{
	return roles[child->start->role].told & TOLD_TARGETS;
}

static bool is_told_credentials(const struct child *child)
{
	return sides_of(child) ||
	       roles[child->start->role].told & (TOLD_AUTHS | TOLD_RADIUSES | TOLD_PORTALS);
}

/* With no memory for its hosts flows go to no server, and say so. */
static void follow_policy(const struct child *child, struct replica *replica)
{
	struct policy *policy = replica->now->policy;
	int error = 0;

	if (is_told_targets(child))
		error = replica_targets_set_policy(&replica->targets, policy, replica->now->number);
	if (error)
		log_error("the hosts of the servers: %s", strerror(-error));
	follow_log(policy);
}

bool replica_take(
	struct child *child, struct replica *replica, const struct ipc_header *ipc, int *fd)
{
	char text[IPC_TEXT_SIZE];
	enum replica_change change;

	/* health means something else by them: what another health had found out */
	if (ipc->type == IPC_TARGETS && !is_told_targets(child))
		return false;
	if ((ipc->type == IPC_CREDENTIAL || ipc->type == IPC_CREDENTIALS_RENEW) &&
		!is_told_credentials(child))
		return false;
	int error = take(child, replica, ipc, fd, &change, text);
	if (error == -ENOMSG)
		return false;
	if (error)
		log_error("%s from control could not be used: %s%s%s", ipc_name(ipc->type),
			strerror(-error), *text ? ": " : "", text);
	else if (change == REPLICA_POLICY || change == REPLICA_COMPLETE)
		follow_policy(child, replica);
	if (!error)
		replica->on_change(child, change);
	child_reply(child, ipc, error, 0, text);
	return true;
}
