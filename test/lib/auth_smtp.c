/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "test/lib/auth_smtp.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#define WAIT_MS 20000

struct auth_world *auth_smtp_world;
bool auth_smtp_in_clear;
union auth_smtp_ipc auth_smtp_heard;

uint64_t auth_smtp_now_ms(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

void auth_smtp_run(uint64_t ms)
{
	auth_world_run(auth_smtp_world, ms);
}

void auth_smtp_until(bool (*so)(void))
{
	uint64_t end_ms = auth_smtp_now_ms() + WAIT_MS;

	while (!so()) {
		assert_true(auth_smtp_now_ms() < end_ms);
		auth_smtp_run(1);
	}
}

void auth_smtp_init(const char *text)
{
	auth_smtp_in_clear = false;
	auth_smtp_world = auth_world_open(text);
	assert_non_null(auth_smtp_world);
}

/* In the place of the one that was there before its backends. */
void auth_smtp_begin(void)
{
	int pair[2];

	auth_world_follow(auth_smtp_world);
	assert_int_equal(
		socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair), 0);
	close(auth_smtp_world->pair);
	auth_smtp_world->pair = pair[0];
	asker_open(&auth_smtp, pair[1]);
}

void auth_smtp_fini(void)
{
	close(auth_smtp_world->pair);
	auth_smtp_world->pair = -1;
	askers_close(&auth_smtp);
	backends_close(&auth_smtp);
	assert_null(auth_smtp.attempts.first);
	auth_world_close(auth_smtp_world);
}

/* ---- what smtp says ---- */

void auth_smtp_ask(uint64_t id, const char *listener, const char *mechanism, const char *from,
	const void *response, size_t len, bool given)
{
	union {
		struct ipc_auth_ask ipc;
		uint8_t room[sizeof(struct ipc_auth_ask) + AUTH_BYTES_MAX];
	} out;

	ipc_init(&out.ipc, IPC_AUTH_ASK, sizeof(out.ipc));
	out.ipc.header.bytes += (uint32_t)len;
	out.ipc.id = id;
	assert_int_equal(addr_parse(from, strlen(from), &out.ipc.client.addr), 0);
	out.ipc.server = out.ipc.client;
	strcpy(out.ipc.listener, listener);
	strcpy(out.ipc.mechanism, mechanism);
	out.ipc.secured = !auth_smtp_in_clear;
	out.ipc.given = given;
	out.ipc.bytes = (uint16_t)len;
	if (len)
		memcpy(out.ipc.response, response, len);
	assert_int_equal(
		send(auth_smtp_world->pair, &out, out.ipc.header.bytes, 0), out.ipc.header.bytes);
}

void auth_smtp_plain(uint64_t id, const char *listener, const char *user, const char *password)
{
	char response[256];
	int len = snprintf(response, sizeof(response), "%c%s%c%s", 0, user, 0, password);
	auth_smtp_ask(id, listener, "PLAIN", "192.0.2.7", response, (size_t)len, true);
}

void auth_smtp_respond(uint64_t id, const char *response)
{
	union {
		struct ipc_auth_response ipc;
		uint8_t room[sizeof(struct ipc_auth_response) + 1024];
	} out;

	ipc_init(&out.ipc, IPC_AUTH_RESPONSE, sizeof(out.ipc));
	out.ipc.bytes = (uint32_t)strlen(response);
	out.ipc.header.bytes += out.ipc.bytes;
	out.ipc.id = id;
	memcpy(out.ipc.response, response, strlen(response));
	assert_int_equal(
		send(auth_smtp_world->pair, &out, out.ipc.header.bytes, 0), out.ipc.header.bytes);
}

void auth_smtp_cancel(uint64_t id)
{
	struct ipc_auth_cancel cancel;

	ipc_init(&cancel, IPC_AUTH_CANCEL, sizeof(cancel));
	cancel.id = id;
	assert_int_equal(send(auth_smtp_world->pair, &cancel, sizeof(cancel), 0), sizeof(cancel));
}

/* ---- and hears ---- */

unsigned auth_smtp_hear(void)
{
	ssize_t len = recv(auth_smtp_world->pair, &auth_smtp_heard, sizeof(auth_smtp_heard), 0);
	if (len < 0)
		return 0;
	assert_int_equal(ipc_check(&auth_smtp_heard, (size_t)len), 0);
	return auth_smtp_heard.header.type;
}

static bool is_heard(void)
{
	char byte;

	return recv(auth_smtp_world->pair, &byte, 1, MSG_PEEK) >= 0;
}

unsigned auth_smtp_await(void)
{
	auth_smtp_until(is_heard);
	return auth_smtp_hear();
}

void auth_smtp_hear_offers(void)
{
	while (auth_smtp_hear() == IPC_AUTH_OFFER)
		;
}

void auth_smtp_expect(uint64_t id, enum auth_verdict verdict, const char *name)
{
	const struct ipc_auth_verdict *heard = &auth_smtp_heard.verdict;

	assert_int_equal(auth_smtp_await(), IPC_AUTH_VERDICT);
	assert_int_equal(heard->id, id);
	assert_string_equal(auth_verdict_names[heard->verdict], auth_verdict_names[verdict]);
	assert_string_equal(heard->auth, name);
}

const char *auth_smtp_user(void)
{
	static char user[POLICY_USER_SIZE];
	struct session_storage *storage = malloc(session_storage_size());
	struct session session;

	assert_true(session_decode(auth_smtp_heard.verdict.session,
			    auth_smtp_heard.verdict.session_bytes, &session, storage) > 0);
	snprintf(user, sizeof(user), "%s", session.user.text);
	free(storage);
	return user;
}
