/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "test/lib/auth_world.h"

#include "daemon/base/channel.h"
#include "lib/language/language.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static uint64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static struct auth_world *give_up(struct auth_world *world, const char *why)
{
	fprintf(stderr, "auth world: %s\n", why);
	free(world);
	return NULL;
}

struct auth_world *auth_world_open(const char *policy)
{
	static const uint8_t secret[SIPHASH_SECRET_SIZE] = "0123456789abcdef";
	static struct process_start start = {.role = PROCESS_AUTH};
	static const struct child_face face;
	struct auth_world *world = calloc(1, sizeof(*world));
	struct language_diagnosis diagnosis;
	int pair[2];

	if (!world)
		return NULL;
	struct auth *auth = &world->auth;
	auth->face = &auth_face;
	auth->start = auth->child.start = &start;
	auth->child.face = &face;
	auth->loop = auth->child.loop = loop_new();
	auth->guess = guess_new(secret);
	if (tls_init() < 0 || attempts_init(&auth->attempts) < 0 ||
		replica_init(&auth->replica, 4025, NULL) < 0 ||
		socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) < 0)
		return give_up(world, "it cannot be made");
	auth->replica.now->policy =
		language_parse("conf", policy, strlen(policy), NULL, &diagnosis);
	if (!auth->replica.now->policy)
		return give_up(world, diagnosis.v[0].text);
	language_diagnosis_fini(&diagnosis);
	world->pair = pair[0];
	asker_open(auth, pair[1]);
	return world;
}

void auth_world_put(struct auth_world *world, enum credential_kind kind, const char *file,
	const void *bytes, size_t len)
{
	enum { ROOM = 16384 };
	union {
		struct ipc_credential ipc;
		uint8_t room[sizeof(struct ipc_credential) + ROOM];
	} put;

	ipc_init(&put.ipc, IPC_CREDENTIAL, sizeof(put.ipc));
	put.ipc.kind = (uint8_t)kind;
	snprintf(put.ipc.file, sizeof(put.ipc.file), "%s", file);
	int fd = -1;
	if (kind == CREDENTIAL_TRUST) { /* too long to be said */
		fd = channel_memfd("trust", bytes, len);
	} else {
		assert(len <= ROOM);
		put.ipc.file_bytes = (uint32_t)len;
		put.ipc.header.bytes += put.ipc.file_bytes;
		memcpy(put.ipc.data, bytes, len);
	}
	int error = tls_credentials_put(&world->auth.replica.credentials, &put.ipc, fd);
	assert(error == 0);
}

void auth_world_follow(struct auth_world *world)
{
	backends_follow(&world->auth);
}

void auth_world_close(struct auth_world *world)
{
	struct auth *auth = &world->auth;

	close(world->pair);
	askers_close(auth);
	backends_close(auth);
	attempts_fini(&auth->attempts);
	host_addresses_fini(&auth->hosts);
	guess_free(auth->guess);
	replica_fini(&auth->replica);
	loop_free(auth->loop);
	free(world);
}

static struct loop *running;

static void on_stop(struct loop_timer *timer, uint64_t ms)
{
	(void)timer, (void)ms;
	loop_stop(running);
}

void auth_world_run(struct auth_world *world, uint64_t ms)
{
	struct loop_timer stop = {.on_time = on_stop};

	running = world->auth.loop;
	loop_timer_set(running, &stop, now_ms() + ms);
	loop_run(running);
	loop_timer_clear(running, &stop);
}

void auth_world_ask(struct auth_world *world, uint64_t id, const char *listener, const char *user,
	const char *password)
{
	enum { ROOM = 4096 };
	union {
		struct ipc_auth_ask ipc;
		uint8_t room[sizeof(struct ipc_auth_ask) + ROOM];
	} out;

	ipc_init(&out.ipc, IPC_AUTH_ASK, sizeof(out.ipc));
	int len = snprintf((char *)out.ipc.response, ROOM, "%c%s%c%s", '\0', user, '\0', password);
	out.ipc.header.bytes += (uint32_t)len;
	out.ipc.id = id;
	addr_parse("192.0.2.7", 9, &out.ipc.client.addr);
	out.ipc.server = out.ipc.client;
	snprintf(out.ipc.listener, sizeof(out.ipc.listener), "%s", listener);
	strcpy(out.ipc.mechanism, "PLAIN");
	out.ipc.secured = out.ipc.given = 1;
	out.ipc.bytes = (uint16_t)len;
	ssize_t sent = send(world->pair, &out, out.ipc.header.bytes, 0);
	assert(sent == (ssize_t)out.ipc.header.bytes);
}

static const struct ipc_auth_verdict *hear(struct auth_world *world)
{
	static union {
		struct ipc_header header;
		struct ipc_auth_verdict verdict;
		uint8_t bytes[IPC_BYTES_MAX];
	} heard;
	ssize_t len;

	while ((len = recv(world->pair, &heard, sizeof(heard), 0)) > 0)
		if (ipc_check(&heard, (size_t)len) == 0 && heard.header.type == IPC_AUTH_VERDICT)
			return &heard.verdict;
	return NULL;
}

static void on_said(struct loop_watch *watch, uint32_t events)
{
	(void)watch, (void)events;
	loop_stop(running);
}

const struct ipc_auth_verdict *auth_world_verdict(struct auth_world *world, uint64_t most_ms)
{
	struct loop_watch watch = {.fd = world->pair, .on_event = on_said};
	const struct ipc_auth_verdict *verdict;
	uint64_t at_ms = now_ms(), until_ms = at_ms + most_ms;

	loop_add(world->auth.loop, &watch, EPOLLIN);
	for (; !(verdict = hear(world)) && at_ms < until_ms; at_ms = now_ms())
		auth_world_run(world, until_ms - at_ms);
	loop_del(world->auth.loop, &watch);
	return verdict;
}
