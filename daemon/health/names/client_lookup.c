/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A look-up has a slot from its first question until DNS has answered its last one: c-ares forgets
 * none. That may be long after it was told (`over`): its slot then is all that is left of it. */
#include "daemon/health/names/client_lookup.h"

#include "daemon/base/log.h"
#include "daemon/health/names/client_answers.h"
#include "daemon/health/names/resolve.h"
#include "lib/base/container.h"
#include "lib/metrics/counter.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define TRIES       2 /* 4.5 s in all, where there is one DNS server */
#define SLOTS       4096
#define ANSWERS_MAX 4096
#define WAITERS_MAX 8192
#define PARTIAL_MS  10000 /* a silent DNS is not asked for each connection */
/* The questions of one slot have the ids behind its number times this: PTR, then those for the
 * addresses of each name. */
#define QUESTIONS 16
_Static_assert(1 + CLIENT_NAMES_MAX <= QUESTIONS, "each has an id");

/* Who wants to know. */
struct waiter {
	struct waiter *next;
	uint64_t flow;
	uint32_t place, smtp, seq;
};

struct lookup {
	struct client_lookups *lookups;
	struct lookup *next_due;
	struct loop_timer deadline;
	struct waiter *waiters;
	uint32_t slot;
	uint16_t open; /* questions that DNS has not answered */
	bool due;      /* in the queue */
	bool forward;  /* the names' addresses are asked for */
	bool over;     /* it is told */
	struct client_names names;
};

struct client_lookups {
	struct loop *loop;
	uint64_t *counters;
	struct client_lookups_face face;
	struct resolve *resolve;
	struct client_answers *answers;
	struct lookup *due, **last_due;
	uint32_t nlive, nwaiters;
	struct lookup *slots[SLOTS];   /* NULL: free */
	struct addr addresses[SLOTS];  /* of those that are not over; else ADDR_NONE */
	uint64_t begun_ms[SLOTS];      /* likewise; else UINT64_MAX */
	struct ipc_looked_up *written; /* the answer at hand; room for all names */
};

#define WRITTEN_BYTES (sizeof(struct ipc_looked_up) + CLIENT_NAMES_MAX * (size_t)DNS_NAME_SIZE)

/* ---- answers ---- */

static void send(
	struct client_lookups *lookups, const struct ipc_looked_up *answer, const struct waiter *to)
{
	struct ipc_looked_up *ipc = lookups->written;
	struct ipc_reply reply;

	if (answer != ipc)
		memcpy(ipc, answer, answer->header.bytes);
	ipc->header.seq = to->seq;
	ipc->flow = to->flow;
	ipc->place = to->place;
	ipc->smtp = to->smtp;
	lookups->face.send(lookups->face.context, ipc);
	if (!to->seq)
		return;
	ipc_init(&reply, IPC_REPLY, sizeof(reply));
	reply.header.seq = to->seq;
	lookups->face.send(lookups->face.context, &reply);
}

/* What is known of them now. */
static void write_answer(struct client_lookups *lookups, const struct client_names *names)
{
	struct ipc_looked_up *ipc = lookups->written;

	memset(ipc, 0, WRITTEN_BYTES);
	ipc_init(ipc, IPC_LOOKED_UP, sizeof(*ipc));
	ipc->addr = names->addr;
	ipc->known = client_names_known(names) == CLIENT_NAMES_KNOWN ? CLIENT_NAMES_KNOWN
								     : CLIENT_NAMES_PARTIAL;
	if (names->n > 0)
		memcpy(ipc->reverse, names->v[0].text, sizeof(ipc->reverse));
	for (size_t i = 0; i < names->n; i++)
		if (names->v[i].state == CLIENT_NAME_OWN)
			memcpy(ipc->names[ipc->n++], names->v[i].text, DNS_NAME_SIZE);
	ipc->header.bytes += ipc->n * (uint32_t)DNS_NAME_SIZE;
}

static unsigned counter_of(const struct ipc_looked_up *answer)
{
	if (answer->known != CLIENT_NAMES_KNOWN)
		return COUNTER_LOOKUPS_FAILED;
	return answer->n > 0 ? COUNTER_LOOKUPS_NAMED : COUNTER_LOOKUPS_NAMELESS;
}

static void drop_waiters(struct lookup *lookup)
{
	struct waiter *waiter = lookup->waiters;

	lookup->waiters = NULL;
	while (waiter) {
		struct waiter *next = waiter->next;
		lookup->lookups->nwaiters--;
		free(waiter);
		waiter = next;
	}
}

/* It is no longer under way. */
static void set_over(struct lookup *lookup)
{
	struct client_lookups *lookups = lookup->lookups;

	lookup->over = true;
	lookups->addresses[lookup->slot] = (struct addr){.family = ADDR_NONE};
	lookups->begun_ms[lookup->slot] = UINT64_MAX;
	lookups->counters[COUNTER_LOOKUPS_LIVE] = --lookups->nlive;
	loop_timer_clear(lookups->loop, &lookup->deadline);
}

/* for_ms: how long it is held. */
static void tell(struct lookup *lookup, uint64_t for_ms)
{
	struct client_lookups *lookups = lookup->lookups;

	write_answer(lookups, &lookup->names);
	if (for_ms > 0)
		client_answers_put(
			lookups->answers, lookups->written, loop_now_ms(lookups->loop) + for_ms);
	set_over(lookup);
	for (const struct waiter *waiter = lookup->waiters; waiter; waiter = waiter->next)
		send(lookups, lookups->written, waiter);
	drop_waiters(lookup);
}

/* ---- a look-up ---- */

static void push_due(struct lookup *lookup)
{
	struct client_lookups *lookups = lookup->lookups;

	if (lookup->due)
		return;
	lookup->due = true;
	lookup->next_due = NULL;
	*lookups->last_due = lookup;
	lookups->last_due = &lookup->next_due;
}

static void on_answer(void *context, uint32_t id, const struct dns_answer *answer)
{
	struct client_lookups *lookups = context;
	struct lookup *lookup = lookups->slots[id / QUESTIONS];
	uint32_t question = id % QUESTIONS;

	lookup->open--;
	if (question == 0)
		client_names_reversed(&lookup->names, answer);
	else
		client_names_resolved(&lookup->names, question - 1, answer);
	push_due(lookup);
}

static void ask_dns(struct lookup *lookup, uint32_t question, const char *name, enum dns_type type)
{
	lookup->open++;
	resolve_ask(lookup->lookups->resolve, lookup->slot * QUESTIONS + question, name, type);
}

static void ask_forward(struct lookup *lookup)
{
	struct client_names *names = &lookup->names;

	lookup->forward = true;
	for (uint32_t i = 0; i < names->n; i++)
		ask_dns(lookup, 1 + i, names->v[i].text, client_names_type(names));
}

static void free_slot(struct lookup *lookup)
{
	lookup->lookups->slots[lookup->slot] = NULL;
	free(lookup);
}

static void go_on(struct lookup *lookup)
{
	struct client_names *names = &lookup->names;

	if (!lookup->over && names->reversed && !lookup->forward)
		ask_forward(lookup);
	if (!lookup->over && client_names_known(names) != CLIENT_NAMES_PENDING) {
		tell(lookup, client_names_ttl_s(names) * (uint64_t)1000);
		lookup->lookups->counters[counter_of(lookup->lookups->written)]++;
	}
	if (lookup->over && lookup->open == 0 && !lookup->due)
		free_slot(lookup);
}

void client_lookups_run(struct client_lookups *lookups)
{
	struct lookup *lookup;

	while ((lookup = lookups->due)) {
		lookups->due = lookup->next_due;
		if (!lookups->due)
			lookups->last_due = &lookups->due;
		lookup->due = false;
		go_on(lookup);
	}
}

static void on_deadline(struct loop_timer *timer, uint64_t now_ms)
{
	struct lookup *lookup = container_of(timer, struct lookup, deadline);

	(void)now_ms;
	lookup->lookups->counters[COUNTER_LOOKUPS_TIMED_OUT]++;
	tell(lookup, PARTIAL_MS);
	push_due(lookup);
}

/* Who came first has had the most time. Not held: DNS may have been about to answer. */
static void give_up_oldest(struct client_lookups *lookups)
{
	size_t oldest = 0;

	for (size_t i = 1; i < SLOTS; i++)
		if (lookups->begun_ms[i] < lookups->begun_ms[oldest])
			oldest = i;
	lookups->counters[COUNTER_LOOKUPS_GIVEN_UP]++;
	tell(lookups->slots[oldest], 0);
	push_due(lookups->slots[oldest]);
}

static struct lookup *begin(struct client_lookups *lookups, const struct addr *addr)
{
	uint32_t slot = 0;

	while (slot < SLOTS && lookups->slots[slot])
		slot++;
	struct lookup *lookup = slot < SLOTS ? calloc(1, sizeof(*lookup)) : NULL;
	if (!lookup)
		return NULL;
	if (lookups->nlive >= CLIENT_LOOKUPS_MAX)
		give_up_oldest(lookups);
	lookup->lookups = lookups;
	lookup->slot = slot;
	lookup->deadline.on_time = on_deadline;
	client_names_begin(&lookup->names, addr);
	lookups->slots[slot] = lookup;
	lookups->addresses[slot] = *addr;
	lookups->begun_ms[slot] = loop_now_ms(lookups->loop);
	lookups->counters[COUNTER_LOOKUPS_LIVE] = ++lookups->nlive;
	loop_timer_set(
		lookups->loop, &lookup->deadline, lookups->begun_ms[slot] + CLIENT_LOOKUP_MS);
	return lookup;
}

static struct lookup *find(struct client_lookups *lookups, const struct addr *addr)
{
	for (size_t i = 0; i < SLOTS; i++)
		if (lookups->addresses[i].family == addr->family &&
			addr_equal(&lookups->addresses[i], addr))
			return lookups->slots[i];
	return NULL;
}

static struct waiter waiter_of(const struct ipc_lookup *ipc)
{
	return (struct waiter){
		.flow = ipc->flow, .place = ipc->place, .smtp = ipc->smtp, .seq = ipc->header.seq};
}

static bool wait_for(struct lookup *lookup, const struct ipc_lookup *ipc)
{
	struct client_lookups *lookups = lookup->lookups;
	struct waiter *waiter = lookups->nwaiters < WAITERS_MAX ? malloc(sizeof(*waiter)) : NULL;

	if (!waiter)
		return false;
	*waiter = waiter_of(ipc);
	waiter->next = lookup->waiters;
	lookup->waiters = waiter;
	lookups->nwaiters++;
	return true;
}

/* There is no room to ask. */
static void turn_away(struct client_lookups *lookups, const struct ipc_lookup *ipc)
{
	const struct waiter waiter = waiter_of(ipc);
	struct client_names nothing;

	lookups->counters[COUNTER_LOOKUPS_GIVEN_UP]++;
	client_names_begin(&nothing, &ipc->addr);
	write_answer(lookups, &nothing);
	send(lookups, lookups->written, &waiter);
}

void client_lookups_ask(struct client_lookups *lookups, const struct ipc_lookup *ipc)
{
	const struct ipc_looked_up *held =
		client_answers_find(lookups->answers, &ipc->addr, loop_now_ms(lookups->loop));
	const struct waiter waiter = waiter_of(ipc);
	char name[DNS_REVERSE_SIZE];

	lookups->counters[COUNTER_LOOKUPS]++;
	if (held) {
		lookups->counters[COUNTER_LOOKUPS_HELD]++;
		send(lookups, held, &waiter);
		return;
	}
	struct lookup *lookup = find(lookups, &ipc->addr);
	bool begun = !lookup;
	if (!lookup)
		lookup = begin(lookups, &ipc->addr);
	if (!lookup || !wait_for(lookup, ipc)) {
		turn_away(lookups, ipc);
		lookup = begun ? lookup : NULL;
	}
	if (lookup && begun)
		ask_dns(lookup, 0, dns_reverse_name(&ipc->addr, name), DNS_PTR);
}

void client_lookups_forget_seqs(struct client_lookups *lookups)
{
	for (size_t i = 0; i < SLOTS; i++) {
		struct waiter **at = lookups->slots[i] ? &lookups->slots[i]->waiters : NULL;
		while (at && *at) {
			struct waiter *waiter = *at;
			if (!waiter->seq) {
				at = &waiter->next;
				continue;
			}
			*at = waiter->next;
			lookups->nwaiters--;
			free(waiter);
		}
	}
}

/* ---- all of them ---- */

int client_lookups_open(struct loop *loop, uint64_t *counters,
	const struct client_lookups_face *face, struct client_lookups **out)
{
	struct client_lookups *lookups = calloc(1, sizeof(*lookups));
	int error = -ENOMEM;

	if (!lookups)
		return error;
	lookups->loop = loop;
	lookups->counters = counters;
	lookups->face = *face;
	lookups->last_due = &lookups->due;
	for (size_t i = 0; i < SLOTS; i++)
		lookups->begun_ms[i] = UINT64_MAX;
	lookups->written = malloc(WRITTEN_BYTES);
	lookups->answers = client_answers_new(ANSWERS_MAX);
	if (lookups->written && lookups->answers)
		error = resolve_open(loop, counters, TRIES, on_answer, lookups, &lookups->resolve);
	if (error) {
		client_lookups_close(lookups);
		return error;
	}
	*out = lookups;
	return 0;
}

void client_lookups_close(struct client_lookups *lookups)
{
	if (!lookups)
		return;
	resolve_close(lookups->resolve);
	for (size_t i = 0; i < SLOTS; i++) {
		if (!lookups->slots[i])
			continue;
		drop_waiters(lookups->slots[i]);
		loop_timer_clear(lookups->loop, &lookups->slots[i]->deadline);
		free(lookups->slots[i]);
	}
	client_answers_free(lookups->answers);
	free(lookups->written);
	free(lookups);
}
