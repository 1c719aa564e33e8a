/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What health knows of a server's hosts, from one policy to the next: nothing is forgotten but what
 * the new one asks otherwise. No probe goes out, since the loop never turns. */
#include "daemon/health/targets.h"

#include "daemon/base/log.h"
#include "daemon/health/dial.h"
#include "daemon/health/names/host_names.h"
#include "daemon/health/watched_target.h"
#include "daemon/process/replica.h"
#include "lib/metrics/counter.h"
#include "lib/tls/terms.h"
#include "test/lib/policy_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define FIRST  "203.0.113.10"
#define SECOND "203.0.113.11"
#define THIRD  "203.0.113.12"

struct world {
	struct targets_face face;
	struct loop *loop;
	struct dials dials;
	struct targets *targets;
	struct policy *policy;
	uint64_t number, counters[COUNTERS];
	/* as told last; state TARGET_STATES: nothing of it */
	struct {
		const char *name;
		uint8_t state;
		uint64_t tls_digest;
		bool tls_known;
	} told[3];
	struct ipc_resolved resolved; /* the last that was told */
	unsigned nresolved;
};

static void note(void *context, const void *message)
{
	struct world *world = context;
	const struct ipc_header *header = message;
	const struct ipc_targets *targets = message;
	const struct ipc_host_tls *tls = message;

	if (header->type == IPC_RESOLVED) {
		world->resolved = *(const struct ipc_resolved *)message;
		world->nresolved++;
	}
	for (size_t i = 0; i < sizeof(world->told) / sizeof(*world->told); i++) {
		const char *name = world->told[i].name;
		for (uint32_t j = 0; header->type == IPC_TARGETS && j < targets->n; j++)
			if (strcmp(targets->v[j].name, name) == 0)
				world->told[i].state = targets->v[j].state;
		if (header->type == IPC_HOST_TLS && strcmp(tls->name, name) == 0) {
			world->told[i].tls_known = tls->seen_ms > 0;
			world->told[i].tls_digest = tls->digest;
		}
	}
}

/* servers: the hosts of `relay`, and what else stands in it. */
static void set_policy(struct world *world, const char *server)
{
	char text[1024];

	snprintf(text, sizeof(text),
		"log level error\nzone guest { interface \"lo\"; identity address; level message "
		"}\n"
		"server relay { %s }\nrule guests { user any server relay }\n",
		server);
	policy_unref(world->policy);
	world->policy = policy_of_text(text, NULL);
	const struct picture picture = {
		.policy = world->policy, .number = ++world->number, .inquiry = 1};
	targets_set_policy(world->targets, &picture, "gw.example.net");
	targets_run(world->targets);
}

static struct watched_target *host_answers_of(const struct world *world, const char *name)
{
	const struct watched_target *host = targets_hosts(world->targets, "relay");

	while (host && strcmp(host->target.name, name) != 0)
		host = host->next;
	assert_non_null(host);
	return (struct watched_target *)(uintptr_t)host;
}

/* A probe found that it works, with TLS. */
static void find(struct world *world, const char *name)
{
	struct watched_target *host = host_answers_of(world, name);

	host->plain.standing.state = host->read.standing.state = TARGET_UP;
	host->addresses[0].tls = calloc(1, sizeof(struct tls_seen));
	assert_non_null(host->addresses[0].tls);
	host->addresses[0].tls_seen_ms = 1;
}

static void find_all(struct world *world)
{
	for (const struct watched_target *host = targets_hosts(world->targets, "relay"); host;
		host = host->next)
		find(world, host->target.name);
	targets_tell_all(world->targets);
	targets_run(world->targets);
}

static void assert_known(struct world *world, size_t i, bool known)
{
	size_t line = host_answers_of(world, world->told[i].name)->target.line;
	const struct policy_server *server = &world->policy->servers[0];

	assert_int_equal(world->told[i].state, known ? TARGET_UP : TARGET_UNKNOWN);
	assert_int_equal(world->told[i].tls_known, known);
	/* told once more, it counts for this policy */
	targets_tell_all(world->targets);
	targets_run(world->targets);
	if (known)
		assert_true(world->told[i].tls_digest ==
			    tls_terms_digest(server, &server->hosts[line]));
}

static int set_up(void **state)
{
	static struct world world;

	world = (struct world){.face = {&world, note},
		.told = {{.name = FIRST}, {.name = SECOND}, {.name = THIRD}}};
	world.loop = loop_new();
	assert_non_null(world.loop);
	log_init("health", true, POLICY_LOG_ERROR);
	dial_init(&world.dials, world.loop);
	assert_int_equal(targets_open(world.loop, world.counters, 1, &world.face, &world.dials,
				 &world.targets),
		0);
	*state = &world;
	return 0;
}

static int take_down(void **state)
{
	struct world *world = *state;

	targets_close(world->targets);
	dial_fini(&world->dials);
	loop_free(world->loop);
	policy_unref(world->policy);
	return 0;
}

static void a_host_that_comes_takes_nothing_from_the_others(void **state)
{
	struct world *world = *state;

	set_policy(world, "host " FIRST " { tls require }; host " SECOND);
	find_all(world);
	set_policy(world,
		"host " THIRD " { tls require }; host " FIRST " { tls require }; host " SECOND);
	assert_known(world, 0, true);
	assert_known(world, 1, true);
	assert_known(world, 2, false);
}

static void nor_does_one_that_goes(void **state)
{
	struct world *world = *state;

	set_policy(world, "host " FIRST " { tls require }; host " SECOND "; host " THIRD);
	find_all(world);
	set_policy(world, "host " SECOND "; host " THIRD);
	assert_known(world, 1, true);
	assert_known(world, 2, true);
}

static void other_tls_with_one_host_is_that_host_s_alone(void **state)
{
	struct world *world = *state;

	set_policy(world, "host " FIRST "; host " SECOND " { tls require }; host " THIRD);
	find_all(world);
	set_policy(world, "host " FIRST "; host " SECOND " { tls none }; host " THIRD);
	assert_known(world, 0, true);
	assert_known(world, 1, false);
	assert_known(world, 2, true);
}

static void other_tls_of_the_server_is_its_hosts_that_have_no_other(void **state)
{
	struct world *world = *state;

	set_policy(world, "tls offer; host " FIRST "; host " SECOND " { tls require }");
	find_all(world);
	set_policy(world, "tls require; host " FIRST "; host " SECOND " { tls require }");
	assert_known(world, 0, false);
	assert_known(world, 1, true);
}

static void another_way_to_ask_forgets_all(void **state)
{
	struct world *world = *state;

	set_policy(world, "host " FIRST " { tls require }; host " SECOND);
	find_all(world);
	set_policy(world, "announce xclient; host " FIRST " { tls require }; host " SECOND);
	assert_known(world, 0, false);
	assert_known(world, 1, false);
}

/* "localhost" is the hosts file's, so that nothing waits for DNS. */
static void a_name_that_is_no_server_s_is_told_whenever_it_is_asked_for(void **state)
{
	struct world *world = *state;
	struct ipc_resolve ipc;

	set_policy(world, "host " FIRST);
	ipc_init(&ipc, IPC_RESOLVE, sizeof(ipc));
	for (unsigned i = 1; i <= 2; i++) {
		strcpy(ipc.name, "LocalHost");
		targets_name(world->targets, &ipc);
		targets_run(world->targets);
		set_policy(world, "host " FIRST); /* nothing changed: nothing is said */
		assert_int_equal(world->nresolved, i);
		assert_string_equal(world->resolved.name, "LocalHost");
		assert_true(world->resolved.n > 0);
		assert_true(addr_is_loopback(&world->resolved.addresses[0]));
	}
	/* a flood of names pushes out the oldest, and is bounded */
	for (unsigned i = 0; i < 1000; i++) {
		snprintf(ipc.name, sizeof(ipc.name), "h%u.example", i);
		targets_name(world->targets, &ipc);
	}
	targets_run(world->targets);
	assert_int_equal(world->nresolved, 2);
	assert_true(world->counters[COUNTER_NAMES] < 2 * HOST_NAMES_MAX + 8);
}

#define test(name) cmocka_unit_test_setup_teardown(name, set_up, take_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(a_host_that_comes_takes_nothing_from_the_others),
		test(nor_does_one_that_goes),
		test(other_tls_with_one_host_is_that_host_s_alone),
		test(other_tls_of_the_server_is_its_hosts_that_have_no_other),
		test(another_way_to_ask_forgets_all),
		test(a_name_that_is_no_server_s_is_told_whenever_it_is_asked_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
