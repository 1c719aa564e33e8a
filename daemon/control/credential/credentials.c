/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/control/credential/credentials.h"

#include "daemon/base/log.h"
#include "daemon/control/control.h"
#include "daemon/control/credential/own.h"
#include "daemon/control/peers/flow_peers.h"
#include "lib/ipc/credential.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* What is read, and not yet wiped. */
struct held {
	struct credential what; /* borrowed from the policy */
	struct credential_read read;
	int fd; /* of a trust store: its sealed memfd; -1: none */
};

struct credentials_part {
	struct control *control;
	struct policy *policy; /* of which `held` is; a reference */
	struct held *held;
	size_t nheld;
	struct policy *policy_now; /* of which `now` is; a reference */
	struct credential_now *now;
	size_t nnow;
};

struct credentials_part *credentials_new(struct control *control)
{
	struct credentials_part *part = calloc(1, sizeof(*part));

	if (!part)
		return NULL;
	part->control = control;
	return part;
}

void credentials_free(struct credentials_part *part)
{
	if (!part)
		return;
	credentials_close(part);
	policy_unref(part->policy_now);
	free(part->now);
	free(part);
}

int64_t credentials_now_s(const struct credentials_part *part)
{
	return (int64_t)(loop_wall_ms(part->control->loop) / 1000);
}

/* ---- held ---- */

void credentials_close(struct credentials_part *part)
{
	for (size_t i = 0; i < part->nheld; i++) {
		credential_read_wipe(&part->held[i].read);
		if (part->held[i].fd >= 0)
			close(part->held[i].fd);
	}
	free(part->held);
	part->held = NULL;
	part->nheld = 0;
	policy_unref(part->policy);
	part->policy = NULL;
}

void credentials_read_one(const struct credentials_part *part, const struct credential *credential,
	struct credential_read *read)
{
	if (credential->kind == CREDENTIAL_OWN) {
		credential_own_read(part->control->start.options.state_dir, credential->portal,
			credentials_now_s(part), read);
		return;
	}
	credential_read(
		credential, part->control->start.options.user, credentials_now_s(part), read);
}

void credentials_read_account(const struct credentials_part *part,
	const struct policy_account *account, struct credential_read *read)
{
	struct credential wanted;

	credential_of_account(account, &wanted);
	credentials_read_one(part, &wanted, read);
}

static const struct credential_now *find(
	const struct credential_now *v, size_t n, const struct credential *what)
{
	for (size_t i = 0; i < n; i++)
		if (v[i].what.kind == what->kind && strcmp(v[i].what.name, what->name) == 0 &&
			strcmp(v[i].what.file, what->file) == 0 &&
			strcmp(v[i].what.key, what->key) == 0)
			return &v[i];
	return NULL;
}

bool credentials_run(const struct credentials_part *part, const struct credential *what)
{
	return find(part->now, part->nnow, what) != NULL;
}

static int take_one(
	struct credentials_part *part, struct held *held, bool lenient, char *text, size_t size)
{
	const struct credential_verdict *verdict = &held->read.verdict;

	if (verdict->bad && !lenient && !credentials_run(part, &held->what)) {
		snprintf(text, size, "%s", verdict->text);
		return -EINVAL;
	}
	if (!held->read.usable)
		return 1;
	if (!credential_is_public(held->what.kind))
		return 0;
	held->fd = channel_memfd("public", held->read.file.bytes, held->read.file.len);
	return held->fd < 0 ? held->fd : 0;
}

int credentials_open(
	struct credentials_part *part, struct policy *policy, bool lenient, char *text, size_t size)
{
	struct credentials all;
	int error = credentials_of(policy, &all);
	bool lacks = false;

	credentials_close(part);
	part->held = calloc(all.n + 1, sizeof(*part->held));
	if (!part->held)
		error = -ENOMEM;
	part->policy = policy_ref(policy);
	text[0] = '\0';
	for (size_t i = 0; error >= 0 && i < all.n; i++) {
		struct held *held = &part->held[part->nheld++];
		held->fd = -1;
		held->what = all.v[i];
		credentials_read_one(part, &held->what, &held->read);
		error = take_one(part, held, lenient, text, size);
		lacks |= error > 0;
	}
	credentials_fini(&all);
	if (error < 0 && !text[0])
		snprintf(text, size, "%s", strerror(-error));
	if (error < 0)
		credentials_close(part);
	return error < 0 ? error : lacks;
}

/* ---- told ---- */

bool credentials_are_for(enum process_role role)
{
	return roles[role].told & (TOLD_CLIENTS_TLS | TOLD_SERVERS_TLS | TOLD_SECRETS | TOLD_AUTHS |
					  TOLD_RADIUSES | TOLD_PORTALS);
}

static bool is_for(const struct credential *what, enum process_role role)
{
	const unsigned told = roles[role].told;

	if (what->auths && told & TOLD_AUTHS)
		return true;
	if (what->radiuses && told & TOLD_RADIUSES)
		return true;
	if (what->portals && told & TOLD_PORTALS)
		return true;
	if (what->kind == CREDENTIAL_SECRET)
		return what->servers && told & TOLD_SECRETS;
	return (what->clients && told & TOLD_CLIENTS_TLS) ||
	       (what->servers && told & TOLD_SERVERS_TLS);
}

static void send_to(struct peer *peer, const struct credential *what,
	const struct credential_read *read, int fd)
{
	const bool public = credential_is_public(what->kind);
	size_t data = public ? 0 : read->file.len + read->key.len;
	struct ipc_credential *ipc = malloc(sizeof(*ipc) + data);

	if (!ipc)
		return;
	ipc_init(ipc, IPC_CREDENTIAL, sizeof(*ipc));
	ipc->header.bytes += (uint32_t)data;
	ipc->kind = what->kind;
	snprintf(ipc->name, sizeof(ipc->name), "%s", what->name);
	snprintf(ipc->file, sizeof(ipc->file), "%s", what->file);
	snprintf(ipc->key, sizeof(ipc->key), "%s", what->key);
	if (!public) {
		ipc->file_bytes = (uint32_t)read->file.len;
		ipc->key_bytes = (uint32_t)read->key.len;
		memcpy(ipc->data, read->file.bytes, read->file.len);
		if (read->key.len)
			memcpy(ipc->data + read->file.len, read->key.bytes, read->key.len);
	}
	channel_send(peer->channel, ipc, fd);
	explicit_bzero(ipc, sizeof(*ipc) + data);
	free(ipc);
}

void credentials_tell(struct credentials_part *part, struct peer *peer)
{
	for (size_t i = 0; peer->channel && i < part->nheld; i++)
		if (part->held[i].read.usable && is_for(&part->held[i].what, peer->role))
			send_to(peer, &part->held[i].what, &part->held[i].read, part->held[i].fd);
}

void credentials_tell_running(struct credentials_part *part, struct peer *peer)
{
	char text[768];

	if (!credentials_are_for(peer->role))
		return;
	/* what an apply holds stays held */
	struct credentials_part own = {.control = part->control};
	if (credentials_open(&own, part->control->policy, true, text, sizeof(text)) < 0)
		log_error("certificates and secrets of the running policy: %s", text);
	credentials_tell(&own, peer);
	credentials_close(&own);
}

/* To each process that is to have it. */
void credentials_spread(
	struct credentials_part *part, const struct credential *what, struct credential_read *read)
{
	struct control *control = part->control;
	struct peer *peer;
	int fd = -1;

	if (credential_is_public(what->kind)) {
		fd = channel_memfd("public", read->file.bytes, read->file.len);
		if (fd < 0)
			return;
	}
	for (unsigned at = 0; (peer = flow_peers_next(control->flow_peers, &at)) != NULL;)
		if (is_for(what, peer->role))
			send_to(peer, what, read, fd);
	if (fd >= 0)
		close(fd);
}

/* ---- of the running policy ---- */

void credentials_note(struct credential_now *now, const struct credential_read *read, uint64_t ms)
{
	now->loaded = true;
	now->facts = read->facts;
	now->trusted = read->trusted;
	now->loaded_ms = ms;
	now->days_said = 0;
}

void credentials_stamp(struct credential_now *now)
{
	now->file_stamp = file_stamp_of(now->what.file);
	now->key_stamp = now->what.key[0] ? file_stamp_of(now->what.key) : (struct file_stamp){0};
}

/* What was read for it, or is read now. */
static void begin_one(struct credentials_part *part, struct credential_now *now)
{
	struct credential_read read;

	credentials_stamp(now);
	credentials_read_one(part, &now->what, &read);
	if (read.usable)
		credentials_note(now, &read, loop_wall_ms(part->control->loop));
	if (read.verdict.bad)
		snprintf(now->trouble, sizeof(now->trouble), "%s", read.verdict.text);
	snprintf(now->warning, sizeof(now->warning), "%s", read.verdict.warning);
	credential_read_wipe(&read);
}

void credentials_follow(struct credentials_part *part)
{
	struct policy *policy = part->control->policy;
	struct credentials all;
	int error = credentials_of(policy, &all);
	struct credential_now *now = calloc(all.n + 1, sizeof(*now));

	if (error || !now) {
		log_error("no memory for the certificates of the running policy");
		free(now);
		credentials_fini(&all);
		return;
	}
	for (size_t i = 0; i < all.n; i++) {
		const struct credential_now *before = find(part->now, part->nnow, &all.v[i]);
		now[i].what = all.v[i];
		begin_one(part, &now[i]);
		if (!before)
			continue;
		/* the processes go on with what they had of it */
		if (!now[i].loaded && before->loaded) {
			now[i].loaded = true;
			now[i].facts = before->facts;
			now[i].trusted = before->trusted;
			now[i].loaded_ms = before->loaded_ms;
		} else if (file_stamp_same(&now[i].file_stamp, &before->file_stamp) &&
			   file_stamp_same(&now[i].key_stamp, &before->key_stamp) &&
			   before->loaded) {
			now[i].loaded_ms = before->loaded_ms;
		}
		memcpy(now[i].said, before->said, sizeof(now[i].said));
		now[i].days_said = before->days_said;
	}
	free(part->now);
	part->now = now;
	part->nnow = all.n;
	credentials_fini(&all);
	policy_unref(part->policy_now);
	part->policy_now = policy_ref(policy);
}

const struct credential_now *credentials_now(const struct credentials_part *part, size_t *n)
{
	*n = part->nnow;
	return part->now;
}

struct credential_now *credentials_now_at(struct credentials_part *part, size_t i)
{
	return i < part->nnow ? &part->now[i] : NULL;
}
