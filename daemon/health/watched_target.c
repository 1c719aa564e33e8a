/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/health/watched_target.h"

#include "daemon/base/log.h"
#include "daemon/health/jitter.h"
#include "daemon/tls/contexts.h"
#include "lib/base/container.h"
#include "lib/tls/terms.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define QUESTION_MS 60000             /* `probe none`: so often a host is asked what it offers */
#define SOON_MS     300               /* within this something new is probed */
#define AGAIN_MS    1000              /* between two rounds, at least */
#define BROKEN_MS   (60u * 60 * 1000) /* so long a host that a flow found broken is shown as such */

static void on_time(struct loop_timer *timer, uint64_t now_ms)
{
	struct watched_target *watched_target = container_of(timer, struct watched_target, timer);
	watched_target->due = true;
	watched_target->due_ms = now_ms;
}

static void on_login_over(struct login_hold *hold)
{
	struct watched_target *watched_target = container_of(hold, struct watched_target, login);
	watched_target->on_change(watched_target->context);
}

struct watched_target *watched_target_new(struct loop *loop, const struct terms *terms,
	void (*on_change)(void *context), void *context)
{
	struct watched_target *watched_target = calloc(1, sizeof(*watched_target));
	if (!watched_target)
		return NULL;
	watched_target->loop = loop;
	watched_target->terms = terms;
	watched_target->on_change = on_change;
	watched_target->context = context;
	watched_target->timer.on_time = on_time;
	login_hold_init(&watched_target->login, loop, on_login_over);
	watched_target->plain.clients = watched_target->read.clients = TARGET_CLIENTS_ALL;
	return watched_target;
}

static void stop_round(struct watched_target *watched_target)
{
	if (watched_target->probe)
		probe_stop(watched_target->probe);
	watched_target->probe = NULL;
	watched_target->norder = watched_target->at = 0;
	watched_target->due = false;
}

void watched_target_free(struct watched_target *watched_target)
{
	stop_round(watched_target);
	loop_timer_clear(watched_target->loop, &watched_target->timer);
	login_hold_fini(&watched_target->login);
	for (size_t i = 0; i < watched_target->n; i++)
		free(watched_target->addresses[i].tls);
	free(watched_target);
}

void watched_target_probe_soon(struct watched_target *watched_target)
{
	uint64_t at_ms = loop_now_ms(watched_target->loop) + jitter_below(SOON_MS);
	if (watched_target->probe || watched_target->due)
		return;
	if (watched_target->ended_ms && at_ms < watched_target->ended_ms + AGAIN_MS)
		at_ms = watched_target->ended_ms + AGAIN_MS;
	if (!watched_target->timer.slot || watched_target->timer.at_ms > at_ms)
		loop_timer_set(watched_target->loop, &watched_target->timer, at_ms);
}

void watched_target_reset(struct watched_target *watched_target)
{
	stop_round(watched_target);
	shown_state_forget(&watched_target->plain);
	shown_state_forget(&watched_target->read);
	for (size_t i = 0; i < watched_target->n; i++) {
		struct watched_target_address *address = &watched_target->addresses[i];
		bool due = address->tls || address->tls_due;
		free(address->tls);
		*address = (struct watched_target_address){.addr = address->addr, .tls_due = due};
	}
	watched_target->latency_us = 0;
	watched_target->broken[0] = '\0';
	watched_target->ended_ms = 0;
	watched_target_probe_soon(watched_target);
}

static struct watched_target_address *find(
	struct watched_target *watched_target, const struct addr *addr)
{
	for (size_t i = 0; i < watched_target->n; i++)
		if (addr_equal(&watched_target->addresses[i].addr, addr))
			return &watched_target->addresses[i];
	return NULL;
}

/* NULL: it leads to no server of a policy. */
static const struct policy_host *host_of(const struct watched_target *watched_target)
{
	const struct policy_server *policy = watched_target->terms->policy;

	return policy && watched_target->target.line < policy->nhosts
		       ? &policy->hosts[watched_target->target.line]
		       : NULL;
}

/* True: its terms are others than before. */
static bool take_tls(struct watched_target *watched_target)
{
	const struct policy_host *host = host_of(watched_target);
	uint64_t tls = host ? tls_terms_digest(watched_target->terms->policy, host) : 0;
	bool is_new = tls != watched_target->tls;

	watched_target->tls = tls;
	return is_new;
}

void watched_target_update(struct watched_target *watched_target, const struct target *target)
{
	struct watched_target_address fresh[TARGET_ADDRESSES_MAX] = {0};
	bool some_are_new = false;

	watched_target->wanted = true;
	watched_target->target = *target;
	for (size_t i = 0; i < target->n; i++) {
		struct watched_target_address *old = find(watched_target, &target->addresses[i]);
		if (old) {
			fresh[i] = *old;
			old->tls = NULL;
		} else {
			some_are_new = true;
		}
		fresh[i].addr = target->addresses[i];
	}
	for (size_t i = 0; i < watched_target->n; i++)
		free(watched_target->addresses[i].tls);
	memcpy(watched_target->addresses, fresh, sizeof(fresh));
	watched_target->n = target->n;
	if (take_tls(watched_target)) {
		watched_target_reset(watched_target);
	} else if (some_are_new) {
		watched_target->ended_ms = 0;
		watched_target_probe_soon(watched_target);
	}
}

size_t watched_target_order(const struct watched_target *watched_target,
	const struct watched_target_address *order[TARGET_ADDRESSES_MAX])
{
	size_t n = 0;
	for (unsigned pass = 0; pass < 6; pass++)
		for (size_t i = 0; i < watched_target->n; i++) {
			const struct watched_target_address *address =
				&watched_target->addresses[i];
			unsigned rank = address->refused ? 2 : address->forges;
			bool other = watched_target->last_family &&
				     address->addr.family != watched_target->last_family;
			if (other + 2u * rank == pass)
				order[n++] = address;
		}
	return n;
}

static void on_probed(void *context, const struct probe_result *result);

static void begin_round(struct watched_target *watched_target)
{
	const struct watched_target_address *order[TARGET_ADDRESSES_MAX];
	watched_target->norder = watched_target_order(watched_target, order);
	for (size_t i = 0; i < watched_target->norder; i++)
		watched_target->order[i] = order[i]->addr;
	watched_target->at = 0;
	watched_target->inquiry = watched_target->terms->inquiry;
	shown_state_begin_round(&watched_target->plain);
	shown_state_begin_round(&watched_target->read);
}

/* Seen and state disagree: sooner, so that a dead host is known as such within about one interval
 * instead of three. */
static uint64_t interval_ms(const struct watched_target *watched_target)
{
	uint64_t ms = watched_target->terms->probe ? (uint64_t)watched_target->terms->every_s * 1000
						   : QUESTION_MS;
	bool unasked = !watched_target->plain.worked && !watched_target->plain.refused;
	bool wavers = target_wavers(&watched_target->plain.standing) ||
		      (terms_are_read(watched_target->terms) &&
			      target_wavers(&watched_target->read.standing));

	if (watched_target->terms->probe ? wavers : unasked)
		ms /= 3;
	return ms < AGAIN_MS ? AGAIN_MS : ms;
}

static void end_round(struct watched_target *watched_target)
{
	/* what it found may count no more already */
	bool is_old = watched_target->inquiry != watched_target->terms->inquiry;
	uint64_t wall_ms = loop_wall_ms(watched_target->loop);

	shown_state_end_round(&watched_target->plain, watched_target->terms->probe, wall_ms);
	shown_state_end_round(&watched_target->read, watched_target->terms->probe, wall_ms);
	watched_target->norder = watched_target->at = 0;
	watched_target->ended_ms = loop_now_ms(watched_target->loop);
	loop_timer_set(watched_target->loop, &watched_target->timer,
		watched_target->ended_ms +
			(is_old ? AGAIN_MS : jitter_around(interval_ms(watched_target))));
	watched_target->on_change(watched_target->context);
}

enum policy_server_tls_mode watched_target_tls_mode(const struct watched_target *watched_target)
{
	const struct policy_host *host = host_of(watched_target);

	return host ? tls_terms_mode(policy_host_tls(watched_target->terms->policy, host))
		    : POLICY_SERVER_TLS_OFFER;
}

/* Plain flows leave TLS to their clients; those that are read speak it, as all are where it is
 * written or the gateway logs in. A host of both is asked in clear for what it offers there. */
struct secure_order watched_target_tls(const struct watched_target *watched_target)
{
	const struct terms *terms = watched_target->terms;
	const struct policy_host *host = host_of(watched_target);
	const struct policy_server_tls *tls = host ? policy_host_tls(terms->policy, host) : NULL;

	if (!host || !(tls->given || terms->policy->account.given || terms_speak_tls(terms)))
		return (struct secure_order){.tls = ENGINE_TLS_NONE};
	return (struct secure_order){.tls = tls_terms_wanted(tls),
		.context = tls_contexts_host(
			terms->contexts, terms->index, watched_target->target.line),
		.name = tls_terms_name(host, tls)};
}

bool watched_target_probe(struct watched_target *watched_target, struct probes *probes)
{
	const struct terms *terms = watched_target->terms;
	struct probe_order order = {.bind = terms->bind,
		.announce = terms->announce,
		.login = terms->login,
		.read = terms_are_read(watched_target->terms),
		.clients = {terms->clients[0], terms->clients[1]},
		.connect_ms = terms->connect_ms,
		.reply_ms = terms->reply_ms,
		.hostname = terms->hostname,
		.tls = watched_target_tls(watched_target)};

	if (watched_target->at == watched_target->norder)
		begin_round(watched_target);
	if (watched_target->norder == 0) {
		watched_target->due = false;
		return true; /* an address that comes later calls for a round */
	}
	order.host = (struct endpoint){
		watched_target->order[watched_target->at], watched_target->target.port};
	order.foreign = terms_are_foreign(terms, order.host.addr.family);
	if (order.foreign)
		order.bind = terms->clients[order.host.addr.family == ADDR_IP6].addr;
	watched_target->probe = probe_begin(probes, &order, on_probed, watched_target);
	if (!watched_target->probe)
		return false;
	watched_target->due = false;
	return true;
}

static void note_lost(struct watched_target_address *address, bool missed)
{
	uint8_t *count = missed ? &address->missed : &address->worked;

	*(missed ? &address->worked : &address->missed) = 0;
	if (*count < UINT8_MAX)
		++*count;
	if (missed && address->missed >= TARGET_FAILURES_DOWN)
		address->lost = true;
	else if (!missed && address->worked >= TARGET_SUCCESSES_UP)
		address->lost = false;
}

/* What was found of one address. Of one that failed what was known stays. */
static void take_address(struct watched_target *watched_target,
	struct watched_target_address *address, const struct probe_result *result,
	const char *forgery)
{
	bool known = !result->forges || result->read;

	note_lost(address, result->outcome == TARGET_MISSED && !result->forges);
	if (result->outcome != TARGET_MISSED || result->forges) {
		address->asked = result->forges || result->outcome != TARGET_WORKED
					 ? 0
					 : watched_target->inquiry;
		address->forges = result->forges;
		memcpy(address->text, result->forges ? forgery : result->text,
			sizeof(address->text));
	}
	if (result->outcome == TARGET_MISSED)
		return;
	address->refused = known && result->outcome == TARGET_REFUSED;
	address->offers = result->outcome == TARGET_WORKED ? result->offers : 0;
	if (address->refused)
		memcpy(address->text, result->text, sizeof(address->text));
}

static void keep_tls(struct watched_target *watched_target, struct watched_target_address *address,
	const struct probe_result *result)
{
	if (!result->saw_tls || (!address->tls && !(address->tls = malloc(sizeof(*address->tls)))))
		return;
	*address->tls = result->tls;
	address->tls_seen_ms = loop_wall_ms(watched_target->loop);
	address->tls_due = true;
}

static void on_probed(void *context, const struct probe_result *result)
{
	struct watched_target *watched_target = context;
	struct addr addr = watched_target->order[watched_target->at];
	struct watched_target_address *address = find(watched_target, &addr);
	char text[ADDR_TEXT_SIZE], forgery[TARGET_TEXT_SIZE] = "";
	bool probed = watched_target->terms->probe;
	uint64_t wall_ms = loop_wall_ms(watched_target->loop);
	bool first =
		!watched_target->plain.worked && !(result->forges && watched_target->read.worked);

	watched_target->probe = NULL;
	if (address)
		keep_tls(watched_target, address, result);
	if (result->forges)
		dialogue_forgery(watched_target->terms->announce, result->forges, forgery);
	if (result->outcome == TARGET_WORKED && first) {
		watched_target->latency_us = result->latency_us;
		watched_target->last_family = addr.family;
	}
	shown_state_take(&watched_target->plain, probed,
		result->forges ? TARGET_REFUSED : result->outcome, result,
		result->forges ? forgery : result->text, wall_ms);
	if (!result->forges || result->read)
		shown_state_take(&watched_target->read, probed, result->outcome, result,
			result->text, wall_ms);
	else
		shown_state_forget(&watched_target->read);
	if (address)
		take_address(watched_target, address, result, forgery);
	log_debug("server %s host %s at %s: %s %s", watched_target->terms->server,
		watched_target->target.name, addr_format(&addr, text),
		result->outcome == TARGET_WORKED ? "works" : "does not work:", result->text);
	if (++watched_target->at < watched_target->norder) {
		watched_target->due = true;
		watched_target->due_ms = loop_now_ms(watched_target->loop);
		watched_target->on_change(watched_target->context);
	} else {
		end_round(watched_target);
	}
}

bool watched_target_has(const struct watched_target *watched_target, const struct endpoint *host)
{
	if (watched_target->target.port != host->port)
		return false;
	for (size_t i = 0; i < watched_target->n; i++)
		if (addr_equal(&watched_target->addresses[i].addr, &host->addr))
			return true;
	return false;
}

/* A relay asks without any identity: with `announce xclient` what is offered is as it should be. */
static void on_asked(struct watched_target *watched_target, const struct ipc_host *ipc)
{
	const struct terms *terms = watched_target->terms;
	struct watched_target_address *address = find(watched_target, &ipc->host.addr);
	bool forges = !ipc->usable;

	if (!address || terms->announce != POLICY_ANNOUNCE_NONE || ipc->inquiry != terms->inquiry ||
		(address->asked == terms->inquiry && !forges))
		return;
	address->forges = forges;
	address->asked = forges ? 0 : terms->inquiry;
	if (!address->refused)
		snprintf(address->text, sizeof(address->text), "%.150s", ipc->text);
	bool all = true;
	for (size_t i = 0; i < watched_target->n; i++)
		all &= watched_target->addresses[i].refused || watched_target->addresses[i].forges;
	if (all)
		target_note(&watched_target->plain.standing, TARGET_REFUSED, address->text,
			loop_wall_ms(watched_target->loop));
	if (forges)
		watched_target_probe_soon(watched_target);
	watched_target->on_change(watched_target->context);
}

bool watched_target_is_broken(const struct watched_target *watched_target)
{
	return watched_target->broken[0] &&
	       loop_now_ms(watched_target->loop) < watched_target->broken_ms + BROKEN_MS;
}

/* A probe cannot see it, so no probe ends it. It is tried no less: else who brings it about, by a
 * large message maybe, would take the host from all. */
static void note_broken(struct watched_target *watched_target, const char *text)
{
	if (!watched_target_is_broken(watched_target))
		log_warning("server %s: host %s port %u is broken: %s",
			watched_target->terms->server, watched_target->target.name,
			(unsigned)watched_target->target.port, text);
	snprintf(watched_target->broken, sizeof(watched_target->broken), "%s", text);
	watched_target->broken_ms = loop_now_ms(watched_target->loop);
}

void watched_target_on_host(struct watched_target *watched_target, const struct ipc_host *ipc)
{
	const struct watched_target_address *address = find(watched_target, &ipc->host.addr);
	/* plain flows never come to this address: it says nothing of theirs */
	bool forges = address && address->forges, probed = watched_target->terms->probe, plain,
	     read;
	uint64_t wall_ms = loop_wall_ms(watched_target->loop);
	char text[TARGET_TEXT_SIZE];

	snprintf(text, sizeof(text), "%.150s", ipc->text);
	switch ((enum ipc_host_kind)ipc->kind) {
	case IPC_HOST_ASKED:
		on_asked(watched_target, ipc);
		return;
	case IPC_HOST_WORKED:
		plain = !forges && shown_state_worked(&watched_target->plain, probed, wall_ms);
		read = shown_state_worked(&watched_target->read, probed, wall_ms);
		if (!plain && !read)
			return;
		if (probed && (plain || forges))
			watched_target->last_family = ipc->host.addr.family;
		break;
	case IPC_HOST_LOGIN:
		login_hold_begin(&watched_target->login, wall_ms + TARGET_LOGIN_MS, text);
		break;
	case IPC_HOST_FAILED:
		if (!forges)
			shown_state_failed(&watched_target->plain, probed, text, wall_ms);
		shown_state_failed(&watched_target->read, probed, text, wall_ms);
		if (probed)
			watched_target_probe_soon(watched_target);
		break;
	case IPC_HOST_BROKEN:
		note_broken(watched_target, text);
		break;
	}
	watched_target->on_change(watched_target->context);
}

void watched_target_seed(
	struct watched_target *watched_target, const struct ipc_target *told, uint64_t inquiry)
{
	struct ipc_target_read plain = {.state = told->state,
		.since_ms = told->since_ms,
		.client_families = told->client_families};
	unsigned n = ipc_target_addresses(told);

	if (watched_target->plain.standing.state != TARGET_UNKNOWN || watched_target->ended_ms)
		return;
	login_hold_begin(&watched_target->login, told->login_until_ms, told->read.text);
	memcpy(plain.text, told->text, sizeof(plain.text));
	shown_state_seed(&watched_target->plain, &plain);
	shown_state_seed(&watched_target->read, &told->read);
	watched_target->latency_us = told->latency_us;
	if (n > 0)
		watched_target->last_family = told->addresses[0].family;
	for (unsigned i = 0; i < n; i++) {
		struct watched_target_address *address = find(watched_target, &told->addresses[i]);
		if (address) {
			address->asked = told->asked >> i & 1 ? inquiry : 0;
			address->lost = told->lost >> i & 1;
			address->forges = i >= told->naddresses;
			address->offers = told->offers;
		}
	}
}
