/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What control takes from the process of the login pages, which speaks with all the world. */
#include "test/lib/control_world.h"

#include "lib/ipc/auth.h"
#include "lib/ipc/web.h"
#include "lib/portal/tries.h"

#include <time.h>

static const char portal_text[] = "language 1\n"
				  "zone guest { interface \"br0\" }\n"
				  "server relay { host 203.0.113.10 }\n"
				  "auth desk { ldap \"ldap://192.0.2.9\" { base \"dc=example\" "
				  "filter \"(uid=%u)\" insecure } }\n"
				  "portal hotel { zone guest name \"login.example\" address "
				  "192.0.2.1 certificate none http off auth desk }\n"
				  "rule guests { zone guest user any server relay }\n";

static const uint8_t key[AFFIRM_KEY_SIZE] = {7, 1}, other_key[AFFIRM_KEY_SIZE] = {7, 2};
static int web, auth;

/* Whoever is asked for something says that it is done. */
static void agree(int fd)
{
	while (receive(fd, 5, NULL))
		if (in.header.seq && in.header.type != IPC_REPLY)
			answer(fd, 0, "");
}

static int introduce(enum process_role role)
{
	int pair[2];
	struct ipc_peer peer;

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
	ipc_init(&peer, IPC_PEER, sizeof(peer));
	peer.role = role;
	peer.generation = 1;
	send_to(world.keeper, &peer, pair[1]);
	close(pair[1]);
	agree(pair[0]);
	return pair[0];
}

static void begin(void)
{
	greet_control();
	struct asked *apply = ask("policy apply conf2 --allow-empty --allow-open", portal_text);
	while (!read_answer(apply, 5))
		agree(world.keeper);
	finish(apply, 0);
	agree(world.keeper);
	web = introduce(PROCESS_WEB);
	auth = introduce(PROCESS_AUTH);
	struct ipc_auth_key ipc;
	ipc_init(&ipc, IPC_AUTH_KEY, sizeof(ipc));
	memcpy(ipc.key, key, sizeof(key));
	send_to(auth, &ipc, -1);
	agree(auth);
}

static union {
	struct ipc_portal_login ipc;
	uint8_t room[sizeof(struct ipc_portal_login) + SESSION_ENCODED_MAX];
} out;

static uint64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* Of anna, at her device; affirmed by whoever has that key. */
static void fill(const uint8_t *by)
{
	const struct session anna = {
		.kind = SESSION_AUTH, .zone = {"hotel", 5, 0}, .user = {"anna", 4, 0}};
	static uint32_t seq = 100;

	memset(&out, 0, sizeof(out));
	ipc_init(&out.ipc, IPC_PORTAL_LOGIN, sizeof(out.ipc));
	out.ipc.header.seq = ++seq;
	strcpy(out.ipc.portal, "hotel");
	strcpy(out.ipc.client.zone, "guest");
	assert_int_equal(addr_parse("192.0.2.7", 9, &out.ipc.client.address), 0);
	assert_int_equal(mac_parse(MAC7, 17, &out.ipc.client.mac), 0);
	out.ipc.session_bytes =
		(uint32_t)session_encode(&anna, out.ipc.session, SESSION_ENCODED_MAX);
	assert_int_not_equal(out.ipc.session_bytes, 0);
	out.ipc.header.bytes += out.ipc.session_bytes;
	const struct affirmed affirmed = {"hotel", portal_place(&out.ipc.client),
		out.ipc.client.address, out.ipc.session, out.ipc.session_bytes};
	affirm_make(by, &affirmed, now_ms(), &out.ipc.affirm);
}

/* What control answers. */
static int say_it(void)
{
	const uint32_t seq = out.ipc.header.seq;

	send_to(web, &out.ipc, -1);
	for (unsigned i = 0; i < DEADLINE_MS / 10; i++) {
		if (receive(web, 5, NULL) && in.header.type == IPC_REPLY && in.header.seq == seq)
			return in.reply.status;
		agree(world.keeper);
		agree(auth);
	}
	fail_msg("no answer");
	return 0;
}

static void only_whom_auth_affirms_is_logged_in(void **state)
{
	(void)state;
	begin();
	fill(other_key);
	assert_int_equal(say_it(), -EPERM);
	fill(key); /* nothing but time proves what came long ago */
	out.ipc.affirm.at_ms -= 1000;
	assert_int_equal(say_it(), -EPERM);
	fill(key); /* anna's, for another's device */
	assert_int_equal(mac_parse(MAC8, 17, &out.ipc.client.mac), 0);
	assert_int_equal(say_it(), -EPERM);
	fill(key); /* at another of his addresses */
	out.ipc.client.address.bytes[3] = 8;
	assert_int_equal(say_it(), -EPERM);
	fill(key); /* somebody else */
	memcpy(memmem(out.ipc.session, out.ipc.session_bytes, "anna", 4), "bert", 4);
	assert_int_equal(say_it(), -EPERM);
	fill(key); /* nobody at all */
	out.ipc.header.bytes -= out.ipc.session_bytes;
	out.ipc.session_bytes = 0;
	assert_int_equal(say_it(), -EPERM);
	struct asked *show = ask("session show", NULL);
	assert_true(read_answer(show, DEADLINE_MS));
	assert_string_equal(show->rows, "");
	finish(show, 0);
	fill(key);
	assert_int_equal(say_it(), 0);
	close(web);
	close(auth);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(only_whom_auth_affirms_is_logged_in),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
