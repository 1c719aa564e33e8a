#include "daemon/health/tracked.h"

#include "daemon/base/log.h"
#include "daemon/health/jitter.h"
#include "daemon/tls/contexts.h"
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
	struct tracked *tracked =
		(struct tracked *)(void *)((char *)timer - offsetof(struct tracked, timer));
	tracked->due = true;
	tracked->due_ms = now_ms;
}

static void on_login_over(struct login_hold *hold)
{
	struct tracked *tracked =
		(struct tracked *)(void *)((char *)hold - offsetof(struct tracked, login));
	tracked->on_change(tracked->context);
}

struct tracked *tracked_new(struct loop *loop, const struct terms *terms,
	void (*on_change)(void *context), void *context)
{
	struct tracked *tracked = calloc(1, sizeof(*tracked));
	if (!tracked)
		return NULL;
	tracked->loop = loop;
	tracked->terms = terms;
	tracked->on_change = on_change;
	tracked->context = context;
	tracked->timer.on_time = on_time;
	login_hold_init(&tracked->login, loop, on_login_over);
	tracked->plain.clients = tracked->read.clients = TARGET_CLIENTS_ALL;
	return tracked;
}

static void stop_round(struct tracked *tracked)
{
	if (tracked->probe)
		probe_stop(tracked->probe);
	tracked->probe = NULL;
	tracked->norder = tracked->at = 0;
	tracked->due = false;
}

void tracked_free(struct tracked *tracked)
{
	stop_round(tracked);
	loop_timer_clear(tracked->loop, &tracked->timer);
	login_hold_fini(&tracked->login);
	for (size_t i = 0; i < tracked->n; i++)
		free(tracked->addresses[i].tls);
	free(tracked);
}

void tracked_probe_soon(struct tracked *tracked)
{
	uint64_t at_ms = loop_now_ms(tracked->loop) + jitter_below(SOON_MS);
	if (tracked->probe || tracked->due)
		return;
	if (tracked->ended_ms && at_ms < tracked->ended_ms + AGAIN_MS)
		at_ms = tracked->ended_ms + AGAIN_MS;
	if (!tracked->timer.slot || tracked->timer.at_ms > at_ms)
		loop_timer_set(tracked->loop, &tracked->timer, at_ms);
}

void tracked_reset(struct tracked *tracked)
{
	stop_round(tracked);
	view_forget(&tracked->plain);
	view_forget(&tracked->read);
	for (size_t i = 0; i < tracked->n; i++) {
		struct tracked_address *address = &tracked->addresses[i];
		bool due = address->tls || address->tls_due;
		free(address->tls);
		*address = (struct tracked_address){.addr = address->addr, .tls_due = due};
	}
	tracked->latency_us = 0;
	tracked->broken[0] = '\0';
	tracked->ended_ms = 0;
	tracked_probe_soon(tracked);
}

static struct tracked_address *find(struct tracked *tracked, const struct addr *addr)
{
	for (size_t i = 0; i < tracked->n; i++)
		if (addr_equal(&tracked->addresses[i].addr, addr))
			return &tracked->addresses[i];
	return NULL;
}

/* NULL: it leads to no server of a policy. */
static const struct policy_host *host_of(const struct tracked *tracked)
{
	const struct policy_server *policy = tracked->terms->policy;

	return policy && tracked->target.line < policy->nhosts
		       ? &policy->hosts[tracked->target.line]
		       : NULL;
}

/* True: its terms are others than before. */
static bool take_tls(struct tracked *tracked)
{
	const struct policy_host *host = host_of(tracked);
	uint64_t tls = host ? tls_terms_digest(tracked->terms->policy, host) : 0;
	bool is_new = tls != tracked->tls;

	tracked->tls = tls;
	return is_new;
}

void tracked_update(struct tracked *tracked, const struct target *target)
{
	struct tracked_address fresh[TARGET_ADDRESSES_MAX] = {0};
	bool some_are_new = false;

	tracked->wanted = true;
	tracked->target = *target;
	for (size_t i = 0; i < target->n; i++) {
		struct tracked_address *old = find(tracked, &target->addresses[i]);
		if (old) {
			fresh[i] = *old;
			old->tls = NULL;
		} else {
			some_are_new = true;
		}
		fresh[i].addr = target->addresses[i];
	}
	for (size_t i = 0; i < tracked->n; i++)
		free(tracked->addresses[i].tls);
	memcpy(tracked->addresses, fresh, sizeof(fresh));
	tracked->n = target->n;
	if (take_tls(tracked)) {
		tracked_reset(tracked);
	} else if (some_are_new) {
		tracked->ended_ms = 0;
		tracked_probe_soon(tracked);
	}
}

size_t tracked_order(
	const struct tracked *tracked, const struct tracked_address *order[TARGET_ADDRESSES_MAX])
{
	size_t n = 0;
	for (unsigned pass = 0; pass < 6; pass++)
		for (size_t i = 0; i < tracked->n; i++) {
			const struct tracked_address *address = &tracked->addresses[i];
			unsigned rank = address->refused ? 2 : address->forges;
			bool other = tracked->last_family &&
				     address->addr.family != tracked->last_family;
			if (other + 2u * rank == pass)
				order[n++] = address;
		}
	return n;
}

static void on_probed(void *context, const struct probe_result *result);

static void begin_round(struct tracked *tracked)
{
	const struct tracked_address *order[TARGET_ADDRESSES_MAX];
	tracked->norder = tracked_order(tracked, order);
	for (size_t i = 0; i < tracked->norder; i++)
		tracked->order[i] = order[i]->addr;
	tracked->at = 0;
	tracked->inquiry = tracked->terms->inquiry;
	view_begin_round(&tracked->plain);
	view_begin_round(&tracked->read);
}

/* Seen and state disagree: sooner, so that a dead host is known as such within about one interval
 * instead of three. */
static uint64_t interval_ms(const struct tracked *tracked)
{
	uint64_t ms =
		tracked->terms->probe ? (uint64_t)tracked->terms->every_s * 1000 : QUESTION_MS;
	bool unasked = !tracked->plain.worked && !tracked->plain.refused;
	bool wavers = target_wavers(&tracked->plain.standing) ||
		      (terms_are_read(tracked->terms) && target_wavers(&tracked->read.standing));

	if (tracked->terms->probe ? wavers : unasked)
		ms /= 3;
	return ms < AGAIN_MS ? AGAIN_MS : ms;
}

static void end_round(struct tracked *tracked)
{
	/* what it found may count no more already */
	bool is_old = tracked->inquiry != tracked->terms->inquiry;
	uint64_t wall_ms = loop_wall_ms(tracked->loop);

	view_end_round(&tracked->plain, tracked->terms->probe, wall_ms);
	view_end_round(&tracked->read, tracked->terms->probe, wall_ms);
	tracked->norder = tracked->at = 0;
	tracked->ended_ms = loop_now_ms(tracked->loop);
	loop_timer_set(tracked->loop, &tracked->timer,
		tracked->ended_ms + (is_old ? AGAIN_MS : jitter_around(interval_ms(tracked))));
	tracked->on_change(tracked->context);
}

enum policy_server_tls_mode tracked_tls_mode(const struct tracked *tracked)
{
	const struct policy_host *host = host_of(tracked);

	return host ? tls_terms_mode(policy_host_tls(tracked->terms->policy, host))
		    : POLICY_SERVER_TLS_OFFER;
}

/* Plain flows leave TLS to their clients; those that are read speak it, as all are where it is
 * written or the gateway logs in. A host of both is asked in clear for what it offers there. */
struct secure_order tracked_tls(const struct tracked *tracked)
{
	const struct terms *terms = tracked->terms;
	const struct policy_host *host = host_of(tracked);
	const struct policy_server_tls *tls = host ? policy_host_tls(terms->policy, host) : NULL;

	if (!host || !(tls->given || terms->policy->account.given || terms_speak_tls(terms)))
		return (struct secure_order){.tls = ENGINE_TLS_NONE};
	return (struct secure_order){.tls = tls_terms_wanted(tls),
		.context = tls_contexts_host(terms->contexts, terms->index, tracked->target.line),
		.name = tls_terms_name(host, tls)};
}

bool tracked_probe(struct tracked *tracked, struct probes *probes)
{
	const struct terms *terms = tracked->terms;
	struct probe_order order = {.bind = terms->bind,
		.announce = terms->announce,
		.login = terms->login,
		.read = terms_are_read(tracked->terms),
		.clients = {terms->clients[0], terms->clients[1]},
		.connect_ms = terms->connect_ms,
		.reply_ms = terms->reply_ms,
		.hostname = terms->hostname,
		.tls = tracked_tls(tracked)};

	if (tracked->at == tracked->norder)
		begin_round(tracked);
	if (tracked->norder == 0) {
		tracked->due = false;
		return true; /* an address that comes later calls for a round */
	}
	order.host = (struct endpoint){tracked->order[tracked->at], tracked->target.port};
	order.foreign = terms_are_foreign(terms, order.host.addr.family);
	if (order.foreign)
		order.bind = terms->clients[order.host.addr.family == ADDR_IP6].addr;
	tracked->probe = probe_begin(probes, &order, on_probed, tracked);
	if (!tracked->probe)
		return false;
	tracked->due = false;
	return true;
}

/* What was found of one address. Of one that failed what was known stays. */
static void take_address(struct tracked *tracked, struct tracked_address *address,
	const struct probe_result *result, const char *forgery)
{
	bool known = !result->forges || result->read;

	if (result->outcome != TARGET_MISSED || result->forges) {
		address->asked =
			result->forges || result->outcome != TARGET_WORKED ? 0 : tracked->inquiry;
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

static void keep_tls(
	struct tracked *tracked, struct tracked_address *address, const struct probe_result *result)
{
	if (!result->saw_tls || (!address->tls && !(address->tls = malloc(sizeof(*address->tls)))))
		return;
	*address->tls = result->tls;
	address->tls_seen_ms = loop_wall_ms(tracked->loop);
	address->tls_due = true;
}

static void on_probed(void *context, const struct probe_result *result)
{
	struct tracked *tracked = context;
	struct addr addr = tracked->order[tracked->at];
	struct tracked_address *address = find(tracked, &addr);
	char text[ADDR_TEXT_SIZE], forgery[TARGET_TEXT_SIZE] = "";
	bool probed = tracked->terms->probe;
	uint64_t wall_ms = loop_wall_ms(tracked->loop);
	bool first = !tracked->plain.worked && !(result->forges && tracked->read.worked);

	tracked->probe = NULL;
	if (address)
		keep_tls(tracked, address, result);
	if (result->forges)
		dialogue_forgery(tracked->terms->announce, result->forges, forgery);
	if (result->outcome == TARGET_WORKED && first) {
		tracked->latency_us = result->latency_us;
		tracked->last_family = addr.family;
	}
	view_take(&tracked->plain, probed, result->forges ? TARGET_REFUSED : result->outcome,
		result, result->forges ? forgery : result->text, wall_ms);
	if (!result->forges || result->read)
		view_take(&tracked->read, probed, result->outcome, result, result->text, wall_ms);
	else
		view_forget(&tracked->read);
	if (address)
		take_address(tracked, address, result, forgery);
	log_debug("server %s host %s at %s: %s %s", tracked->terms->server, tracked->target.name,
		addr_format(&addr, text),
		result->outcome == TARGET_WORKED ? "works" : "does not work:", result->text);
	if (++tracked->at < tracked->norder) {
		tracked->due = true;
		tracked->due_ms = loop_now_ms(tracked->loop);
		tracked->on_change(tracked->context);
	} else {
		end_round(tracked);
	}
}

bool tracked_has(const struct tracked *tracked, const struct endpoint *host)
{
	if (tracked->target.port != host->port)
		return false;
	for (size_t i = 0; i < tracked->n; i++)
		if (addr_equal(&tracked->addresses[i].addr, &host->addr))
			return true;
	return false;
}

/* A relay asks without any identity: with `announce xclient` what is offered is as it should be. */
static void on_asked(struct tracked *tracked, const struct ipc_host *ipc)
{
	const struct terms *terms = tracked->terms;
	struct tracked_address *address = find(tracked, &ipc->host.addr);
	bool forges = !ipc->usable;

	if (!address || terms->announce != POLICY_ANNOUNCE_NONE || ipc->inquiry != terms->inquiry ||
		(address->asked == terms->inquiry && !forges))
		return;
	address->forges = forges;
	address->asked = forges ? 0 : terms->inquiry;
	if (!address->refused)
		snprintf(address->text, sizeof(address->text), "%.150s", ipc->text);
	bool all = true;
	for (size_t i = 0; i < tracked->n; i++)
		all &= tracked->addresses[i].refused || tracked->addresses[i].forges;
	if (all)
		target_note(&tracked->plain.standing, TARGET_REFUSED, address->text,
			loop_wall_ms(tracked->loop));
	if (forges)
		tracked_probe_soon(tracked);
	tracked->on_change(tracked->context);
}

bool tracked_is_broken(const struct tracked *tracked)
{
	return tracked->broken[0] && loop_now_ms(tracked->loop) < tracked->broken_ms + BROKEN_MS;
}

/* A probe cannot see it, so no probe ends it. It is tried no less: else who brings it about, by a
 * large message maybe, would take the host from all. */
static void note_broken(struct tracked *tracked, const char *text)
{
	if (!tracked_is_broken(tracked))
		log_warning("server %s: host %s port %u is broken: %s", tracked->terms->server,
			tracked->target.name, (unsigned)tracked->target.port, text);
	snprintf(tracked->broken, sizeof(tracked->broken), "%s", text);
	tracked->broken_ms = loop_now_ms(tracked->loop);
}

void tracked_on_host(struct tracked *tracked, const struct ipc_host *ipc)
{
	const struct tracked_address *address = find(tracked, &ipc->host.addr);
	/* plain flows never come to this address: it says nothing of theirs */
	bool forges = address && address->forges, probed = tracked->terms->probe, plain, read;
	uint64_t wall_ms = loop_wall_ms(tracked->loop);
	char text[TARGET_TEXT_SIZE];

	snprintf(text, sizeof(text), "%.150s", ipc->text);
	switch ((enum ipc_host_kind)ipc->kind) {
	case IPC_HOST_ASKED:
		on_asked(tracked, ipc);
		return;
	case IPC_HOST_WORKED:
		plain = !forges && view_worked(&tracked->plain, probed, wall_ms);
		read = view_worked(&tracked->read, probed, wall_ms);
		if (!plain && !read)
			return;
		if (probed && (plain || forges))
			tracked->last_family = ipc->host.addr.family;
		break;
	case IPC_HOST_LOGIN:
		login_hold_begin(&tracked->login, wall_ms + TARGET_LOGIN_MS, text);
		break;
	case IPC_HOST_FAILED:
		if (!forges)
			view_failed(&tracked->plain, probed, text, wall_ms);
		view_failed(&tracked->read, probed, text, wall_ms);
		if (probed)
			tracked_probe_soon(tracked);
		break;
	case IPC_HOST_BROKEN:
		note_broken(tracked, text);
		break;
	}
	tracked->on_change(tracked->context);
}

void tracked_seed(struct tracked *tracked, const struct ipc_target *told, uint64_t inquiry)
{
	struct ipc_target_read plain = {.state = told->state,
		.since_ms = told->since_ms,
		.client_families = told->client_families};
	unsigned n = ipc_target_addresses(told);

	if (tracked->plain.standing.state != TARGET_UNKNOWN || tracked->ended_ms)
		return;
	login_hold_begin(&tracked->login, told->login_until_ms, told->read.text);
	memcpy(plain.text, told->text, sizeof(plain.text));
	view_seed(&tracked->plain, &plain);
	view_seed(&tracked->read, &told->read);
	tracked->latency_us = told->latency_us;
	if (n > 0)
		tracked->last_family = told->addresses[0].family;
	for (unsigned i = 0; i < n; i++) {
		struct tracked_address *address = find(tracked, &told->addresses[i]);
		if (address) {
			address->asked = told->asked >> i & 1 ? inquiry : 0;
			address->forges = i >= told->naddresses;
			address->offers = told->offers;
		}
	}
}
