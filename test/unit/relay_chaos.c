/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Clients and servers that do anything at any moment, while policy, sessions and control change:
 * the relay lives, gives everything back and ends by itself. POSTERN_CHAOS=N: so many flows. */
#include "lib/ipc/replica.h"
#include "test/lib/relay_world.h"

#include <pthread.h>
#include <stdatomic.h>

#define CLIENTS 24

static struct world world;
static atomic_bool over;

static void be_impatient(int fd)
{
	struct timeval tv = {.tv_usec = 200000};
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof(tv));
}

static void babble(int fd, unsigned *seed)
{
	static _Thread_local char bytes[150000];
	for (int i = rand_r(seed) % 40; i > 0; i--) {
		size_t len = 1 + (size_t)rand_r(seed) % (rand_r(seed) % 4 ? 200 : sizeof(bytes));
		if (rand_r(seed) % 3 == 0 && recv(fd, bytes, len, MSG_DONTWAIT) == 0)
			return;
		if (send(fd, bytes, len, MSG_NOSIGNAL | MSG_DONTWAIT) < 0 && errno != EAGAIN)
			return;
		sched_yield();
	}
}

static void leave(int fd, unsigned *seed)
{
	char bytes[4096];
	switch (rand_r(seed) % 3) {
	case 0:
		reset(fd);
		return;
	case 1:
		shutdown(fd, SHUT_WR);
		while (recv(fd, bytes, sizeof(bytes), 0) > 0 && !over)
			;
		break;
	default:
		break;
	}
	close(fd);
}

/* Most questions are answered well, some not at all, some with what must not be. */
static bool be_asked(int fd, unsigned *seed)
{
	char bytes[64];
	ssize_t n = recv(fd, bytes, sizeof(bytes), MSG_PEEK);
	if (n < 8 || memcmp(bytes, "EHLO gw.", 8) != 0)
		return false;
	const char *reply =
		rand_r(seed) % 8 ? "250-mx\r\n250 HELP\r\n" : "250-mx\r\n250 XCLIENT\r\n";
	send(fd, reply, strlen(reply), MSG_NOSIGNAL);
	recv(fd, bytes, sizeof(bytes), 0);
	recv(fd, bytes, sizeof(bytes), 0);
	close(fd);
	return true;
}

static void *serve(void *context)
{
	static const char *const greetings[] = {
		"554 no\r\n", "", "22", "220-half\r\n", "220-a\r\n220 b\r\n", "SSH\r\n"};
	int fd = (int)(intptr_t)context;
	unsigned seed = (unsigned)fd * 7919 + (unsigned)world.record.id;
	unsigned choice = (unsigned)rand_r(&seed) % 24;
	const char *greeting = choice < 6 ? greetings[choice] : "220 mx\r\n";

	be_impatient(fd);
	send(fd, greeting, strlen(greeting), MSG_NOSIGNAL);
	if (be_asked(fd, &seed))
		return NULL;
	babble(fd, &seed);
	leave(fd, &seed);
	return NULL;
}

static void *run_server(void *context)
{
	pthread_attr_t attributes;
	pthread_t thread;
	(void)context;
	be_impatient(world.server);
	pthread_attr_init(&attributes);
	pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
	while (!over) {
		int fd = accept4(world.server, NULL, NULL, SOCK_CLOEXEC);
		if (fd >= 0 &&
			pthread_create(&thread, &attributes, serve, (void *)(intptr_t)fd) != 0)
			close(fd);
	}
	pthread_attr_destroy(&attributes);
	return NULL;
}

static void *run_client(void *context)
{
	unsigned seed = (unsigned)(uintptr_t)context;
	char bytes[600];
	while (!over) {
		const char *from = (rand_r(&seed) % 6 ? client_texts : client2_texts)[world.ip6];
		struct sockaddr_storage sa;
		socklen_t len = make_address(from, 0, &sa);
		int fd = socket(sa.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
		be_impatient(fd);
		bind(fd, (struct sockaddr *)&sa, len);
		len = make_address(internet_texts[world.ip6], world.port, &sa);
		if (connect(fd, (struct sockaddr *)&sa, len) < 0) {
			close(fd);
			continue;
		}
		if (rand_r(&seed) % 4)
			recv(fd, bytes, sizeof(bytes), 0);
		babble(fd, &seed);
		leave(fd, &seed);
	}
	return NULL;
}

static const char *chaos_policy(void)
{
	return policy_text(&world, "limit flows 20 per client",
		"deadline first 2s connect 1s greeting 100ms idle 1s");
}

static void tell_policy(void)
{
	struct ipc_policy ipc;
	const char *text = chaos_policy();
	int fd = channel_memfd("policy", text, strlen(text));
	ipc_init(&ipc, IPC_POLICY, sizeof(ipc));
	ipc.number = ++world.policy;
	ipc.inquiry = ++world.inquiry;
	tell(world.control, &ipc, fd);
	close(fd);
	ipc.header.type = IPC_POLICY_COMMIT;
	tell(world.control, &ipc, -1);
}

static void replace_control(void)
{
	int control[2];
	struct ipc_peer peer;
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, control), 0);
	ipc_init(&peer, IPC_PEER, sizeof(peer));
	tell(world.keeper, &peer, control[1]);
	close(control[1]);
	close(world.control);
	world.control = control[0];
	set_patience(world.control);
	tell_policy();
	log_in(world.control, 1, "anna", client_text(&world));
	tell_plain(world.control, IPC_PICTURE_DONE);
}

static void interfere(unsigned *seed)
{
	struct ipc_kill order;
	switch (rand_r(seed) % 12) {
	case 0:
		tell_policy();
		break;
	case 1:
		ipc_init(&order, IPC_KILL, sizeof(order));
		order.session = 1;
		order.ending = ENDING_KILLED_OPERATOR;
		tell(world.control, &order, -1);
		break;
	case 2:
		log_out(world.control, 1);
		break;
	case 3:
		replace_control();
		break;
	case 4:
		tell_plain(world.control, IPC_FLOWS_GET);
		break;
	default:
		log_in(world.control, 1, "anna", client_text(&world));
		break;
	}
}

static void anything_may_happen_at_any_moment(void **state)
{
	const struct relay_options options = {.descriptors = 100};
	const char *wanted = getenv("POSTERN_CHAOS");
	unsigned flows = wanted ? (unsigned)atoi(wanted) : 1500;
	unsigned seed = 1 + (unsigned)IS_IP6(state);
	pthread_t threads[CLIENTS + 1];

	start_relay(&world, IS_IP6(state), &options);
	apply_policy(&world, chaos_policy());
	tell_plain(world.control, IPC_PICTURE_DONE);
	log_in(world.control, 1, "anna", client_text(&world));
	over = false;
	pthread_create(&threads[CLIENTS], NULL, run_server, NULL);
	for (uintptr_t i = 0; i < CLIENTS; i++)
		pthread_create(&threads[i], NULL, run_client, (void *)(i + 1));
	for (unsigned i = 0; i < flows; i++) {
		await_record(&world);
		if (i % 20 == 0)
			interfere(&seed);
	}
	over = true;
	for (int i = 0; i <= CLIENTS; i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(waitpid(world.relay, NULL, WNOHANG), 0);
	/* at rest: nothing of a flow is left */
	do
		await(&world, world.control, IPC_COUNTERS, NULL);
	while (world.counters[COUNTER_FLOWS_LIVE] > 0);
	end(&world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		BOTH(anything_may_happen_at_any_moment),
	};
	if (!enter_namespace()) {
		printf("skipped: no network namespace to be had\n");
		return 0;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
