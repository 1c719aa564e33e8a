/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/health/probe.h"

#include "lib/base/container.h"
#include "lib/metrics/counter.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define QUIT_MS 5000
/* Who the probe says is logged in. It never sends mail, so whatever this grants is not used. */
#define LOGIN "postern-probe"

static const uint8_t client_bits[2] = {TARGET_CLIENTS_IP4, TARGET_CLIENTS_IP6};

struct probe {
	struct loop_watch watch; /* first */
	struct loop_timer deadline;
	struct dial dial;
	struct probes *probes;
	bool used, connected;
	struct probe_order order;
	char hostname[DNS_NAME_SIZE], name[DNS_NAME_SIZE];
	struct secure secure;
	bool without; /* its TLS is only offered, and failed */
	probe_done *done;
	void *context;
	unsigned client; /* of order.clients: at hand */
	int error;       /* why there is no socket; errno */
	uint64_t begun_us, connected_us;
	struct dialogue_setup setup;
	struct dialogue dialogue;
	struct probe_result result;
	uint8_t refused;            /* kinds of clients */
	char why[TARGET_TEXT_SIZE]; /* the last failure */
};

struct probes {
	struct loop *loop;
	uint64_t *counters;
	struct dials *dials;
	struct probe v[PROBES_MAX];
};

static uint64_t now_us(void)
{
	struct timespec ts;
	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000 + (uint64_t)ts.tv_nsec / 1000;
}

static uint64_t since_connect_ms(const struct probe *probe)
{
	return (now_us() - probe->connected_us) / 1000;
}

static void hang_up(struct probe *probe)
{
	loop_timer_clear(probe->probes->loop, &probe->deadline);
	dial_cancel(&probe->dial);
	secure_end(&probe->secure);
	if (probe->watch.fd >= 0) {
		loop_del(probe->probes->loop, &probe->watch);
		close(probe->watch.fd);
	}
	probe->watch.fd = -1;
	probe->connected = false;
}

static void drop_context(struct probe *probe)
{
	tls_context_free(probe->order.tls.context);
	probe->order.tls.context = NULL;
}

void probe_stop(struct probe *probe)
{
	hang_up(probe);
	drop_context(probe);
	probe->used = false;
}

static void wait_for_connection(struct probe *probe)
{
	struct loop *loop = probe->probes->loop;
	if (probe->watch.fd >= 0)
		loop_add(loop, &probe->watch, EPOLLIN | EPOLLOUT);
	/* without a socket the deadline is now: the answer never comes from within */
	loop_timer_set(loop, &probe->deadline,
		loop_now_ms(loop) + (probe->error ? 0 : probe->order.connect_ms));
}

static void dial(struct probe *probe)
{
	struct probes *probes = probe->probes;
	const struct probe_order *order = &probe->order;
	int fd =
		dial_begin(probes->dials, &probe->dial, &order->host, &order->bind, order->foreign);

	probes->counters[COUNTER_PROBES]++;
	probe->begun_us = now_us();
	probe->connected = false;
	probe->error = fd < 0 && fd != -EAGAIN ? -fd : 0;
	probe->watch.fd = fd < 0 ? -1 : fd;
	wait_for_connection(probe);
}

static void on_socket(struct dial *dial, int fd)
{
	struct probe *probe = container_of(dial, struct probe, dial);
	probe->begun_us = now_us();
	probe->error = fd < 0 ? -fd : 0;
	probe->watch.fd = fd < 0 ? -1 : fd;
	wait_for_connection(probe);
}

static bool announces(const struct probe *probe)
{
	return probe->order.announce != POLICY_ANNOUNCE_NONE;
}

/* Does it ask for each kind of client? From a client's address only that client can be said, and
 * the other kind never comes to this host. */
static bool asks_for_each(const struct probe *probe)
{
	return announces(probe) && !probe->order.foreign;
}

static void finish(struct probe *probe)
{
	struct probe_result *result = &probe->result;
	const uint8_t all = TARGET_CLIENTS_ALL;

	if (result->clients == all) {
		result->text[0] = '\0';
	} else if (result->clients) {
		result->missed = all & (uint8_t) ~(result->clients | probe->refused);
		snprintf(result->text, sizeof(result->text), "%s clients only: %.140s",
			result->clients == TARGET_CLIENTS_IP4 ? "IPv4" : "IPv6", probe->why);
	} else {
		memcpy(result->text, probe->why, sizeof(result->text));
	}
	/* a copy: the place may be taken again from within done() */
	const struct probe_result told = *result;
	drop_context(probe);
	probe->used = false;
	probe->done(probe->context, &told);
}

/* What became of TLS in the dialogue that is over; nothing, if it did not come so far. */
static void note_tls(struct probe *probe)
{
	const struct dialogue *dialogue = &probe->dialogue;
	struct probe_result *result = &probe->result;

	if (dialogue->setup->tls == ENGINE_TLS_NONE ||
		!(dialogue->secured || dialogue->about_tls || dialogue->outcome == TARGET_WORKED))
		return;
	result->saw_tls = true;
	result->tls = probe->secure.seen;
	if (result->tls.why[0])
		return;
	if (dialogue->about_tls)
		snprintf(result->tls.why, sizeof(result->tls.why), "%s",
			dialogue->text + 5 * (strncmp(dialogue->text, "TLS: ", 5) == 0));
	else if (!dialogue->secured)
		snprintf(result->tls.why, sizeof(result->tls.why), "does not offer STARTTLS");
}

/* One connection is over. With a host-wide refusal nothing more is asked. */
static void on_outcome(
	struct probe *probe, enum target_outcome outcome, bool about_client, const char *text)
{
	struct probe_result *result = &probe->result;
	uint64_t *counters = probe->probes->counters;
	uint8_t bits = asks_for_each(probe) ? client_bits[probe->client] : TARGET_CLIENTS_ALL;

	hang_up(probe);
	if (outcome == TARGET_WORKED) {
		uint8_t offers = probe->dialogue.offers;
		result->offers = result->clients ? result->offers & offers : offers;
		result->clients |= bits;
		result->outcome = TARGET_WORKED;
	} else {
		snprintf(probe->why, sizeof(probe->why), "%s", text);
		counters[outcome == TARGET_REFUSED ? COUNTER_PROBES_REFUSED
						   : COUNTER_PROBES_FAILED]++;
		if (outcome == TARGET_REFUSED)
			probe->refused |= bits;
	}
	if (outcome == TARGET_REFUSED && !about_client) {
		result->clients = 0;
		result->outcome = TARGET_REFUSED;
		finish(probe);
		return;
	}
	if (asks_for_each(probe) && probe->client == 0) {
		probe->client = 1;
		dial(probe);
		return;
	}
	if (!result->clients)
		result->outcome =
			probe->refused == TARGET_CLIENTS_ALL ? TARGET_REFUSED : TARGET_MISSED;
	finish(probe);
}

/* A host that cannot be connected cannot be connected by the other kind of client either. */
static void on_no_connection(struct probe *probe, const char *text)
{
	probe->client = 1;
	on_outcome(probe, TARGET_MISSED, false, text);
}

/* After every change of the dialogue: says what is to be said, and waits so long. */
static void go_on(struct probe *probe, enum dialogue_step before)
{
	struct dialogue *dialogue = &probe->dialogue;
	struct loop *loop = probe->probes->loop;

	probe->result.forges |= dialogue->forges;
	if (dialogue->greeted && !probe->result.latency_us)
		probe->result.latency_us = (uint32_t)(now_us() - probe->begun_us);
	size_t len = dialogue->out_len;
	ssize_t n = len > 0 ? secure_say(&probe->secure, probe->watch.fd, dialogue->out, len) : 0;
	if (n != (ssize_t)len)
		dialogue_closed(dialogue, n < 0 ? strerror((int)-n) : "", since_connect_ms(probe));
	dialogue->out_len = 0;
	if (dialogue->step == DIALOGUE_OVER)
		note_tls(probe);
	if (dialogue->step == DIALOGUE_OVER && dialogue->without) {
		probe->without = true;
		hang_up(probe);
		dial(probe);
	} else if (dialogue->step == DIALOGUE_OVER)
		on_outcome(probe, (enum target_outcome)dialogue->outcome, dialogue->about_client,
			dialogue->text);
	else if (dialogue->step != before)
		loop_timer_set(loop, &probe->deadline,
			loop_now_ms(loop) + (dialogue->step == DIALOGUE_QUIT
							    ? QUIT_MS
							    : probe->order.reply_ms));
}

/* A step of the handshake, if one is due. */
static void shake_hands(struct probe *probe)
{
	struct dialogue *dialogue = &probe->dialogue;
	enum dialogue_step before = (enum dialogue_step)dialogue->step;

	if (!probe->connected || before != DIALOGUE_TLS)
		return;
	enum tls_step step = secure_shake(&probe->secure, &probe->order.tls, probe->watch.fd);
	if (step == TLS_DONE)
		dialogue_secured(dialogue);
	else if (step == TLS_FAILED)
		dialogue_unfit(dialogue, probe->secure.seen.why);
	loop_change(probe->probes->loop, &probe->watch,
		step == TLS_WANTS_WRITE ? EPOLLIN | EPOLLOUT : EPOLLIN);
	if (dialogue->step != before)
		go_on(probe, before);
}

static void on_connected(struct probe *probe)
{
	probe->connected = true;
	probe->connected_us = now_us();
	loop_change(probe->probes->loop, &probe->watch, EPOLLIN);
	probe->setup = (struct dialogue_setup){.hostname = probe->hostname,
		.announce = probe->order.announce,
		.client = probe->order.clients[probe->client],
		.login = probe->order.login ? LOGIN : NULL,
		.tls = probe->without ? ENGINE_TLS_NONE : probe->order.tls.tls,
		.read = probe->order.read};
	/* what the client is said to have wanted: nobody's address, of its own family */
	probe->setup.original = probe->setup.client;
	probe->setup.original.addr.bytes[probe->client ? 15 : 3] ^= 2;
	probe->setup.original.port = 25;
	dialogue_begin(&probe->dialogue, &probe->setup);
	go_on(probe, DIALOGUE_OVER);
	shake_hands(probe);
}

/* One read an event: the step may have another deadline afterwards, or the socket be gone. */
static void read_host(struct probe *probe)
{
	uint8_t bytes[4096];
	enum dialogue_step before = (enum dialogue_step)probe->dialogue.step;
	ssize_t n = secure_hear(&probe->secure, probe->watch.fd, bytes, sizeof(bytes));

	if (n == -EAGAIN || n == -EINTR)
		return;
	if (n > 0)
		dialogue_feed(&probe->dialogue, bytes, (size_t)n, since_connect_ms(probe));
	else
		dialogue_closed(
			&probe->dialogue, n < 0 ? strerror((int)-n) : "", since_connect_ms(probe));
	go_on(probe, before);
}

/* What is inside of TLS no event tells of. */
static void read_all(struct probe *probe)
{
	read_host(probe);
	while (probe->connected && probe->dialogue.step != DIALOGUE_TLS &&
		secure_holds(&probe->secure))
		read_host(probe);
}

static void on_event(struct loop_watch *watch, uint32_t events)
{
	struct probe *probe = (struct probe *)(void *)watch;

	if (probe->connected) {
		if (probe->dialogue.step != DIALOGUE_TLS)
			read_all(probe);
		shake_hands(probe);
		return;
	}
	int error = 0;
	socklen_t len = sizeof(error);
	if (getsockopt(watch->fd, SOL_SOCKET, SO_ERROR, &error, &len) < 0)
		error = errno;
	if (error)
		on_no_connection(probe, strerror(error));
	else if (events & EPOLLOUT)
		on_connected(probe);
}

static void on_deadline(struct loop_timer *timer, uint64_t now_ms)
{
	struct probe *probe = container_of(timer, struct probe, deadline);
	(void)now_ms;
	if (probe->error) {
		on_no_connection(probe, strerror(probe->error));
	} else if (!probe->connected && probe->dial.dials) {
		on_no_connection(probe, "the keeper gave no socket for a client's address in time");
	} else if (!probe->connected) {
		on_no_connection(probe, "no connection in time");
	} else {
		enum dialogue_step before = (enum dialogue_step)probe->dialogue.step;
		dialogue_late(&probe->dialogue);
		go_on(probe, before);
	}
}

struct probe *probe_begin(
	struct probes *probes, const struct probe_order *order, probe_done *done, void *context)
{
	struct probe *probe = NULL;
	for (size_t i = 0; i < PROBES_MAX && !probe; i++)
		if (!probes->v[i].used)
			probe = &probes->v[i];
	if (!probe)
		return NULL;
	probe->used = true;
	probe->order = *order;
	snprintf(probe->hostname, sizeof(probe->hostname), "%s", order->hostname);
	probe->order.hostname = probe->hostname;
	snprintf(probe->name, sizeof(probe->name), "%s", order->tls.name ? order->tls.name : "");
	probe->order.tls.name = *probe->name ? probe->name : NULL;
	if (order->tls.context)
		tls_context_hold(order->tls.context);
	probe->without = false;
	probe->done = done;
	probe->context = context;
	probe->client = order->foreign && order->host.addr.family == ADDR_IP6;
	probe->refused = 0;
	probe->why[0] = '\0';
	memset(&probe->result, 0, sizeof(probe->result));
	probe->result.read = order->read;
	dial(probe);
	return probe;
}

struct probes *probe_open(struct loop *loop, uint64_t *counters, struct dials *dials)
{
	struct probes *probes = calloc(1, sizeof(*probes));
	if (!probes)
		return NULL;
	probes->loop = loop;
	probes->counters = counters;
	probes->dials = dials;
	for (size_t i = 0; i < PROBES_MAX; i++) {
		probes->v[i].probes = probes;
		probes->v[i].watch.fd = -1;
		probes->v[i].watch.on_event = on_event;
		probes->v[i].deadline.on_time = on_deadline;
		probes->v[i].dial.on_socket = on_socket;
	}
	return probes;
}

void probe_close(struct probes *probes)
{
	for (size_t i = 0; probes && i < PROBES_MAX; i++)
		probe_stop(&probes->v[i]);
	free(probes);
}
