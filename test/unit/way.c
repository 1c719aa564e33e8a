/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A way to a server in a process that is no relay: here the test itself is its host, and the hosts
 * that it goes to are sockets of loopback. */
#include "daemon/flow/way.h"

#include "daemon/base/channel.h"
#include "daemon/flow/attempts.h"
#include "daemon/flow/charge.h"
#include "daemon/flow/choose.h"
#include "daemon/flow/dial.h"
#include "daemon/flow/load.h"
#include "lib/ipc/replica.h"
#include "test/lib/message_memory.h"

#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#define WAIT_MS 20000 /* a deadline, never reached when all is well */
#define HOSTS   2

static const char *const loopback[] = {"127.0.0.1", "::1"};
static const char *const clients[] = {"192.0.2.10", "2001:db8:1::10"};

struct world {
	bool ip6;
	struct process_start start;
	struct child child;
	struct replica replica;
	struct way_host ways;
	uint64_t policy;
	int listeners[HOSTS];
	uint16_t ports[HOSTS];
};

static struct addr addr_of(const char *text)
{
	struct addr addr;
	assert_int_equal(addr_parse(text, strlen(text), &addr), 0);
	return addr;
}

static int listen_at(bool ip6, uint16_t *port)
{
	struct endpoint end = {.addr = addr_of(loopback[ip6])};
	struct sockaddr_storage sa;
	socklen_t len = (socklen_t)endpoint_encode(&end, &sa);
	int fd = socket(sa.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (ip6 && (fd < 0 || bind(fd, (struct sockaddr *)&sa, len) < 0))
		skip(); /* a machine without it */
	if (!ip6)
		assert_int_equal(bind(fd, (struct sockaddr *)&sa, len), 0);
	assert_int_equal(listen(fd, 16), 0);
	len = sizeof(sa);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&sa, &len), 0);
	assert_int_equal(endpoint_decode((struct sockaddr *)&sa, len, &end), 0);
	*port = end.port;
	return fd;
}

static void on_change(struct child *child, enum replica_change change)
{
	(void)child;
	(void)change;
}

static void tell(struct world *world, const void *ipc, int fd)
{
	assert_true(replica_take(&world->child, &world->replica, ipc, &fd));
}

static void apply(struct world *world, const char *more)
{
	struct ipc_policy ipc;
	char text[1024];

	int len = snprintf(text, sizeof(text),
		"language 1 hostname \"gw.example.net\" log level error\n"
		"zone guest { interface \"guest\" network 192.0.2.0/24, 2001:db8:1::/64\n"
		"identity address }\n"
		"server relay { host %s port %u preference 1 host %s port %u preference 2\n"
		"probe none %s }\n"
		"rule mail { zone guest user any server relay }\n",
		loopback[world->ip6], world->ports[0], loopback[world->ip6], world->ports[1], more);
	ipc_init(&ipc, IPC_POLICY, sizeof(ipc));
	ipc.number = ++world->policy;
	int fd = channel_memfd("policy", text, (size_t)len);
	tell(world, &ipc, fd);
	assert_non_null(world->replica.prepared);
	ipc.header.type = IPC_POLICY_COMMIT;
	tell(world, &ipc, -1);
	close(fd);
}

static void begin(struct world *world, bool ip6, const char *more)
{
	memset(world, 0, sizeof(*world));
	world->ip6 = ip6;
	for (int i = 0; i < HOSTS; i++)
		world->listeners[i] = listen_at(ip6, &world->ports[i]);
	world->start.role = PROCESS_RELAY; /* it is told targets */
	world->start.number = 1;
	world->start.limit_fd = make_limit();
	world->child.start = &world->start;
	world->child.loop = loop_new();
	assert_int_equal(replica_init(&world->replica, 4025, on_change), 0);
	assert_int_equal(way_host_init(&world->ways, &world->child, &world->replica, 16), 0);
	apply(world, more);
}

static void end(struct world *world)
{
	for (int i = 0; i < HOSTS; i++)
		close(world->listeners[i]);
	way_host_fini(&world->ways);
	replica_fini(&world->replica);
	loop_free(world->child.loop);
}

/* As if a rule had matched. */
static void make_way(struct world *world, struct way *way)
{
	way_init(way, &world->ways);
	way->id = 7;
	way->session = 42;
	way->zone = 0;
	way->server = 0;
	way->client.addr = addr_of(clients[world->ip6]);
	way->client.port = 40000;
	strcpy(way->ifname, "guest");
	strcpy(way->user, "anna");
}

/* Tries hosts until one takes the connection. -1: none is left. */
static int reach(struct way *way)
{
	while (dial_next(way)) {
		int fd = dial_connect(way);
		struct pollfd wait = {.fd = fd, .events = POLLOUT};
		if (fd < 0)
			continue;
		assert_int_equal(poll(&wait, 1, WAIT_MS), 1);
		int error = dial_error(fd);
		if (!error) {
			dial_connected(way, fd);
			return fd;
		}
		close(fd);
		dial_failed(way, dial_ending(error), strerror(error));
	}
	return -1;
}

static void a_way_goes_past_a_host_that_refuses(void **state)
{
	struct world world;
	struct ipc_flow record = {0};
	struct way way;

	begin(&world, (uintptr_t)*state == 1, "");
	close(world.listeners[0]);
	world.listeners[0] = -1;
	make_way(&world, &way);
	assert_int_equal(charge_flow(&way), ENDING_NONE);
	dial_first(&way);
	int fd = reach(&way);
	assert_true(fd >= 0);
	assert_int_equal(way.host.port, world.ports[1]);
	assert_non_null(way.choice);
	dial_taken(&way, fd);
	assert_null(way.choice);
	assert_int_equal(world.child.counters[COUNTER_CONNECTS], 2);
	assert_int_equal(world.child.counters[COUNTER_CONNECTS_FAILED], 1);

	record_fill_way(&record, &way);
	assert_int_equal(record.id, 7);
	assert_int_equal(record.session, 42);
	assert_int_equal(record.relay, 1);
	assert_string_equal(record.zone, "guest");
	assert_string_equal(record.ifname, "guest");
	assert_string_equal(record.user, "anna");
	assert_string_equal(record.server, "relay");
	assert_true(record.connected_ms > 0);
	assert_true(record.gateway.port > 0);
	assert_int_equal(record.nattempts, 2);
	assert_int_equal(record.attempts[0].ending, ENDING_CONNECT_REFUSED);
	assert_int_equal(record.attempts[0].host.port, world.ports[0]);
	assert_int_equal(record.attempts[1].ending, ENDING_NONE);
	assert_int_equal(record.attempts[1].host.port, world.ports[1]);
	way_fini(&way);
	assert_int_equal(pool_taken(&world.ways.attempts), 0);
	close(fd);
	end(&world);
}

static void with_no_host_left_it_says_why(void **state)
{
	struct world world;
	char text[IPC_TEXT_SIZE];
	struct way way;

	begin(&world, (uintptr_t)*state == 1, "");
	make_way(&world, &way);
	dial_first(&way);
	for (int i = 0; i < HOSTS; i++) {
		int fd = reach(&way);
		assert_true(fd >= 0);
		close(fd);
		dial_failed(&way, ENDING_GREETING_REFUSED, i ? "554 not you" : "421 later");
	}
	assert_int_equal(reach(&way), -1);
	assert_int_equal(dial_give_up(&way), ENDING_NO_SERVER);
	assert_int_equal(way.host.addr.family, ADDR_NONE);
	assert_int_equal(way.attempts->n, 2);
	assert_string_equal(attempts_reply(way.attempts), "554 not you");
	attempts_text(way.attempts, ENDING_NO_SERVER, text);
	assert_non_null(strstr(text, ": 554 not you"));
	way_fini(&way);

	/* nobody said anything: no words are made up */
	make_way(&world, &way);
	dial_first(&way);
	for (int i = 0; i < HOSTS; i++) {
		close(reach(&way));
		dial_failed(&way, ENDING_GREETING_CLOSED, "");
	}
	assert_int_equal(reach(&way), -1);
	assert_int_equal(dial_give_up(&way), ENDING_NO_SERVER);
	assert_null(attempts_reply(way.attempts));
	attempts_text(way.attempts, ENDING_NO_SERVER, text);
	assert_string_equal(text, ending_reply_of(ENDING_NO_SERVER)->text);
	way_fini(&way);
	end(&world);
}

static void what_a_way_holds_it_gives_back(void **state)
{
	struct world world;
	struct way way, other;

	begin(&world, (uintptr_t)*state == 1, "limit flows 1");
	make_way(&world, &way);
	make_way(&world, &other);
	assert_int_equal(charge_flow(&way), ENDING_NONE);
	assert_int_equal(charge_flow(&other), ENDING_OVER_FLOWS_SERVER);
	way_fini(&other);
	way_fini(&way);
	make_way(&world, &other);
	assert_int_equal(charge_flow(&other), ENDING_NONE);
	way_fini(&other);
	end(&world);
}

/* Says of a host that no flow may go there. */
static void tell_drained(struct world *world, uint64_t number, int host)
{
	static _Alignas(16)
		uint8_t bytes[sizeof(struct ipc_targets) + 2 * sizeof(struct ipc_target)];
	struct ipc_targets *ipc = (void *)bytes;

	ipc_init(ipc, IPC_TARGETS, sizeof(bytes));
	ipc->number = number;
	ipc->n = HOSTS;
	ipc->known = 1;
	strcpy(ipc->server, "relay");
	for (uint16_t i = 0; i < HOSTS; i++) {
		struct ipc_target *target = &ipc->v[i];
		snprintf(target->name, sizeof(target->name), "host%u", i);
		target->line = i;
		target->port = world->ports[i];
		target->preference = i;
		target->weight = 1;
		target->client_families = TARGET_CLIENTS_ALL;
		target->naddresses = 1;
		target->addresses[0] = addr_of(loopback[world->ip6]);
		target->drained = i == host;
	}
	assert_int_equal(ipc_check(ipc, sizeof(bytes)), 0);
	tell(world, ipc, -1);
}

static uint16_t next_port(struct world *world)
{
	struct way way;
	make_way(world, &way);
	dial_first(&way);
	assert_true(dial_next(&way));
	uint16_t port = way.host.port;
	way_fini(&way);
	return port;
}

static void a_way_goes_where_health_says(void **state)
{
	struct world world;
	struct way old;

	begin(&world, (uintptr_t)*state == 1, "");
	assert_int_equal(next_port(&world), world.ports[0]);
	make_way(&world, &old);
	dial_first(&old);
	tell_drained(&world, world.policy, 0);
	assert_int_equal(next_port(&world), world.ports[1]);
	/* who looks already, goes on as it began */
	assert_true(dial_next(&old));
	assert_int_equal(old.host.port, world.ports[0]);
	way_fini(&old);

	/* another policy: what is known of its hosts stays */
	apply(&world, "limit flows 9");
	assert_int_equal(next_port(&world), world.ports[1]);
	tell_drained(&world, world.policy, 1);
	assert_int_equal(next_port(&world), world.ports[0]);
	/* of a policy before: too late; before its policy: it holds with that one */
	tell_drained(&world, world.policy - 1, 0);
	tell_drained(&world, world.policy + 1, 0);
	assert_int_equal(next_port(&world), world.ports[0]);
	apply(&world, "limit flows 8");
	assert_int_equal(next_port(&world), world.ports[1]);
	end(&world);
}

static void a_host_counts_once_for_all_ways_that_are_there(void **state)
{
	static struct load load;
	const struct ipc_header request = {.seq = 9};
	struct world world;
	struct way ways[3];

	begin(&world, (uintptr_t)*state == 1, "");
	for (int i = 0; i < 3; i++) {
		make_way(&world, &ways[i]);
		dial_first(&ways[i]);
		for (int tries = 0; tries < (i == 2 ? 2 : 1); tries++)
			assert_true(dial_next(&ways[i]));
	}
	load_begin(&load, &world.ways, &request);
	for (int i = 0; i < 3; i++)
		assert_true(load_add(&load, &ways[i]));
	assert_int_equal(load_end(&load), 2);
	for (int i = 0; i < 3; i++)
		way_fini(&ways[i]);
	end(&world);
}

#define BOTH(test)                                                      \
	{#test " (IPv4)", test, NULL, NULL, (void *)(uintptr_t)0},      \
	{                                                               \
#test " (IPv6)", test, NULL, NULL, (void *)(uintptr_t)1 \
	}

int main(void)
{
	const struct CMUnitTest tests[] = {
		BOTH(a_way_goes_past_a_host_that_refuses),
		BOTH(with_no_host_left_it_says_why),
		BOTH(what_a_way_holds_it_gives_back),
		BOTH(a_way_goes_where_health_says),
		BOTH(a_host_counts_once_for_all_ways_that_are_there),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
