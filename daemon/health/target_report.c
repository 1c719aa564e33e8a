/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/health/target_report.h"

#include "daemon/base/log.h"

#include <stdio.h>
#include <string.h>

static enum target_state state_of(
	const struct watched_target *watched, const struct shown_state *view)
{
	if (watched->target.never)
		return TARGET_NEVER;
	if (watched->login.until_ms)
		return TARGET_DOWN;
	if (watched->target.pending && watched->n == 0)
		return TARGET_UNKNOWN;
	return watched->n == 0 ? TARGET_DOWN : (enum target_state)view->standing.state;
}

static const char *text_of(const struct watched_target *watched, const struct shown_state *view)
{
	const struct target *target = &watched->target;
	if (target->text[0] && (target->never || watched->n == 0))
		return target->text;
	if (watched->login.until_ms)
		return watched->login.text;
	/* no probe sees it, and what was failing may be long mended where none probes */
	if (watched_target_is_broken(watched) && view->standing.state != TARGET_DOWN)
		return watched->broken;
	if (view->standing.text[0])
		return view->standing.text;
	if (watched_target_is_broken(watched))
		return watched->broken;
	for (size_t i = 0; i < watched->n; i++)
		if (watched->addresses[i].refused ||
			(watched->addresses[i].forges && view == &watched->plain))
			return watched->addresses[i].text;
	if (target->text[0])
		return target->text;
	return target->stale ? "cannot be looked up now: the last answer is used" : "";
}

static void log_state(const struct watched_target *watched, enum target_state state,
	const char *whose, const char *text)
{
	static const char *const words[] = {
		[TARGET_UNKNOWN] = "is not known yet",
		[TARGET_UP] = "is up",
		[TARGET_DOWN] = "is down",
		[TARGET_NEVER] = "must not be used",
	};
	bool good = state == TARGET_UNKNOWN || state == TARGET_UP;
	const char *server = watched->terms->server, *name = watched->target.name;
	log_event(good ? POLICY_LOG_INFO : POLICY_LOG_WARNING, LOG_ID_HOST_STATE,
		LOG_FIELDS({LOG_FIELD_SERVER, server}, {LOG_FIELD_HOST, name},
			{LOG_FIELD_STATE, target_state_names[state]}, {LOG_FIELD_REASON, text}),
		"server %s: host %s port %u %s%s%s%s", server, name, (unsigned)watched->target.port,
		words[state], whose, *text ? ": " : "", text);
}

/* Of the flows that come. Where both do, the second word is said if it is another one. */
static bool show_states(struct watched_target *watched)
{
	struct shown_state *plain = &watched->plain, *read = &watched->read;
	uint64_t wall_ms = loop_wall_ms(watched->loop);
	bool plain_is_new = shown_state_show(plain, state_of(watched, plain), wall_ms) &&
			    terms_are_plain(watched->terms);
	bool read_is_new =
		shown_state_show(read, state_of(watched, read), wall_ms) &&
		terms_are_read(watched->terms) &&
		(!terms_are_plain(watched->terms) || read->shown_state != plain->shown_state);

	if (plain_is_new)
		log_state(watched, (enum target_state)plain->shown_state, "",
			text_of(watched, plain));
	if (read_is_new)
		log_state(watched, (enum target_state)read->shown_state,
			terms_are_plain(watched->terms) ? " for flows that are read" : "",
			text_of(watched, read));
	return plain_is_new || read_is_new;
}

/* They stand in an order in which each kind of flow may try the first ones. One that must not be
 * used shows all. */
static void fill_addresses(const struct watched_target *watched, struct ipc_target *ipc)
{
	const struct watched_target_address *order[TARGET_ADDRESSES_MAX];
	size_t n = watched_target_order(watched, order);

	for (size_t i = 0; i < n; i++) {
		ipc->addresses[i] = order[i]->addr;
		ipc->naddresses +=
			ipc->state == TARGET_NEVER || (!order[i]->refused && !order[i]->forges);
		ipc->read.naddresses += ipc->read.state == TARGET_NEVER || !order[i]->refused;
	}
	for (size_t i = 0; i < ipc->naddresses; i++) {
		ipc->asked |= (uint16_t)((order[i]->asked == watched->terms->inquiry) << i);
		ipc->lost |= (uint16_t)(order[i]->lost << i);
	}
	ipc->offers = n > 0 ? UINT8_MAX : 0;
	for (size_t i = 0; i < ipc->read.naddresses; i++)
		ipc->offers &= order[i]->offers;
	for (size_t i = ipc_target_addresses(ipc); i < n; i++)
		memset(&ipc->addresses[i], 0, sizeof(ipc->addresses[i]));
}

bool target_report(struct watched_target *watched, struct ipc_target *ipc)
{
	const struct target *target = &watched->target;
	const struct shown_state *plain = &watched->plain, *read = &watched->read;
	bool changed = show_states(watched);

	memset(ipc, 0, sizeof(*ipc));
	snprintf(ipc->name, sizeof(ipc->name), "%s", target->name);
	snprintf(ipc->text, sizeof(ipc->text), "%s", text_of(watched, plain));
	ipc->since_ms = plain->shown_since_ms;
	ipc->login_until_ms = watched->login.until_ms;
	ipc->weight = target->weight;
	ipc->limit_flows = target->limit_flows;
	ipc->latency_us = watched->latency_us;
	ipc->line = target->line;
	ipc->pending = target->pending && watched->n == 0;
	ipc->port = target->port;
	ipc->preference = target->preference;
	ipc->depth = target->depth;
	ipc->state = plain->shown_state;
	ipc->client_families = plain->clients;
	ipc->failing = plain->failing && plain->shown_state == TARGET_UNKNOWN;
	ipc->stale = target->stale;
	snprintf(ipc->read.text, sizeof(ipc->read.text), "%s", text_of(watched, read));
	ipc->read.since_ms = read->shown_since_ms;
	ipc->read.state = read->shown_state;
	ipc->read.client_families = read->clients;
	ipc->read.failing = read->failing && read->shown_state == TARGET_UNKNOWN;
	fill_addresses(watched, ipc);
	return changed;
}

static bool is_bad(const struct shown_state *view)
{
	return view->shown_state == TARGET_DOWN || view->shown_state == TARGET_NEVER;
}

bool target_report_is_down(const struct watched_target *watched)
{
	return (terms_are_plain(watched->terms) && is_bad(&watched->plain)) ||
	       (terms_are_read(watched->terms) && is_bad(&watched->read));
}

bool target_report_tls(struct watched_target *watched, struct ipc_host_tls *ipc)
{
	for (size_t i = 0; i < watched->n; i++) {
		struct watched_target_address *address = &watched->addresses[i];
		if (!address->tls_due)
			continue;
		ipc_init(ipc, IPC_HOST_TLS, sizeof(*ipc));
		snprintf(ipc->server, sizeof(ipc->server), "%s", watched->terms->server);
		snprintf(ipc->name, sizeof(ipc->name), "%s", watched->target.name);
		ipc->host = (struct endpoint){.addr = address->addr, .port = watched->target.port};
		ipc->digest = watched->tls;
		ipc->mode = watched_target_tls_mode(watched);
		address->tls_due = false;
		if (!address->tls)
			return true;
		ipc->seen_ms = address->tls_seen_ms;
		ipc->tls = *address->tls;
		return true;
	}
	return false;
}

void target_report_tls_again(struct watched_target *watched)
{
	for (size_t i = 0; i < watched->n; i++)
		watched->addresses[i].tls_due = watched->addresses[i].tls;
}
