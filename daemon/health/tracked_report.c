#include "daemon/health/tracked_report.h"

#include "daemon/base/log.h"

#include <stdio.h>
#include <string.h>

static enum target_state state_of(const struct tracked *tracked, const struct view *view)
{
	if (tracked->target.never)
		return TARGET_NEVER;
	if (tracked->login.until_ms)
		return TARGET_DOWN;
	if (tracked->target.pending && tracked->n == 0)
		return TARGET_UNKNOWN;
	return tracked->n == 0 ? TARGET_DOWN : (enum target_state)view->standing.state;
}

static const char *text_of(const struct tracked *tracked, const struct view *view)
{
	const struct target *target = &tracked->target;
	if (target->text[0] && (target->never || tracked->n == 0))
		return target->text;
	if (tracked->login.until_ms)
		return tracked->login.text;
	/* no probe sees it, and what was failing may be long mended where none probes */
	if (tracked_is_broken(tracked) && view->standing.state != TARGET_DOWN)
		return tracked->broken;
	if (view->standing.text[0])
		return view->standing.text;
	if (tracked_is_broken(tracked))
		return tracked->broken;
	for (size_t i = 0; i < tracked->n; i++)
		if (tracked->addresses[i].refused ||
			(tracked->addresses[i].forges && view == &tracked->plain))
			return tracked->addresses[i].text;
	if (target->text[0])
		return target->text;
	return target->stale ? "cannot be looked up now: the last answer is used" : "";
}

static void log_state(
	const struct tracked *tracked, enum target_state state, const char *whose, const char *text)
{
	static const char *const words[] = {
		[TARGET_UNKNOWN] = "is not known yet",
		[TARGET_UP] = "is up",
		[TARGET_DOWN] = "is down",
		[TARGET_NEVER] = "must not be used",
	};
	bool good = state == TARGET_UNKNOWN || state == TARGET_UP;
	const char *server = tracked->terms->server, *name = tracked->target.name;
	log_event(good ? POLICY_LOG_INFO : POLICY_LOG_WARNING, LOG_ID_HOST_STATE,
		LOG_FIELDS({LOG_FIELD_SERVER, server}, {LOG_FIELD_HOST, name},
			{LOG_FIELD_STATE, target_state_names[state]}, {LOG_FIELD_REASON, text}),
		"server %s: host %s port %u %s%s%s%s", server, name, (unsigned)tracked->target.port,
		words[state], whose, *text ? ": " : "", text);
}

/* Of the flows that come. Where both do, the second word is said if it is another one. */
static bool show_states(struct tracked *tracked)
{
	struct view *plain = &tracked->plain, *read = &tracked->read;
	uint64_t wall_ms = loop_wall_ms(tracked->loop);
	bool plain_is_new = view_show(plain, state_of(tracked, plain), wall_ms) &&
			    terms_are_plain(tracked->terms);
	bool read_is_new =
		view_show(read, state_of(tracked, read), wall_ms) &&
		terms_are_read(tracked->terms) &&
		(!terms_are_plain(tracked->terms) || read->shown_state != plain->shown_state);

	if (plain_is_new)
		log_state(tracked, (enum target_state)plain->shown_state, "",
			text_of(tracked, plain));
	if (read_is_new)
		log_state(tracked, (enum target_state)read->shown_state,
			terms_are_plain(tracked->terms) ? " for flows that are read" : "",
			text_of(tracked, read));
	return plain_is_new || read_is_new;
}

/* They stand in an order in which each kind of flow may try the first ones. One that must not be
 * used shows all. */
static void fill_addresses(const struct tracked *tracked, struct ipc_target *ipc)
{
	const struct tracked_address *order[TARGET_ADDRESSES_MAX];
	size_t n = tracked_order(tracked, order);

	for (size_t i = 0; i < n; i++) {
		ipc->addresses[i] = order[i]->addr;
		ipc->naddresses +=
			ipc->state == TARGET_NEVER || (!order[i]->refused && !order[i]->forges);
		ipc->read.naddresses += ipc->read.state == TARGET_NEVER || !order[i]->refused;
	}
	for (size_t i = 0; i < ipc->naddresses; i++)
		ipc->asked |= (uint16_t)((order[i]->asked == tracked->terms->inquiry) << i);
	ipc->offers = n > 0 ? UINT8_MAX : 0;
	for (size_t i = 0; i < ipc->read.naddresses; i++)
		ipc->offers &= order[i]->offers;
	for (size_t i = ipc_target_addresses(ipc); i < n; i++)
		memset(&ipc->addresses[i], 0, sizeof(ipc->addresses[i]));
}

bool tracked_report(struct tracked *tracked, struct ipc_target *ipc)
{
	const struct target *target = &tracked->target;
	const struct view *plain = &tracked->plain, *read = &tracked->read;
	bool changed = show_states(tracked);

	memset(ipc, 0, sizeof(*ipc));
	snprintf(ipc->name, sizeof(ipc->name), "%s", target->name);
	snprintf(ipc->text, sizeof(ipc->text), "%s", text_of(tracked, plain));
	ipc->since_ms = plain->shown_since_ms;
	ipc->login_until_ms = tracked->login.until_ms;
	ipc->weight = target->weight;
	ipc->limit_flows = target->limit_flows;
	ipc->latency_us = tracked->latency_us;
	ipc->line = target->line;
	ipc->pending = target->pending && tracked->n == 0;
	ipc->port = target->port;
	ipc->preference = target->preference;
	ipc->depth = target->depth;
	ipc->state = plain->shown_state;
	ipc->client_families = plain->clients;
	ipc->failing = plain->failing && plain->shown_state == TARGET_UNKNOWN;
	ipc->stale = target->stale;
	snprintf(ipc->read.text, sizeof(ipc->read.text), "%s", text_of(tracked, read));
	ipc->read.since_ms = read->shown_since_ms;
	ipc->read.state = read->shown_state;
	ipc->read.client_families = read->clients;
	ipc->read.failing = read->failing && read->shown_state == TARGET_UNKNOWN;
	fill_addresses(tracked, ipc);
	return changed;
}

static bool is_bad(const struct view *view)
{
	return view->shown_state == TARGET_DOWN || view->shown_state == TARGET_NEVER;
}

bool tracked_report_is_down(const struct tracked *tracked)
{
	return (terms_are_plain(tracked->terms) && is_bad(&tracked->plain)) ||
	       (terms_are_read(tracked->terms) && is_bad(&tracked->read));
}

bool tracked_report_tls(struct tracked *tracked, struct ipc_host_tls *ipc)
{
	for (size_t i = 0; i < tracked->n; i++) {
		struct tracked_address *address = &tracked->addresses[i];
		if (!address->tls_due)
			continue;
		ipc_init(ipc, IPC_HOST_TLS, sizeof(*ipc));
		snprintf(ipc->server, sizeof(ipc->server), "%s", tracked->terms->server);
		snprintf(ipc->name, sizeof(ipc->name), "%s", tracked->target.name);
		ipc->host = (struct endpoint){.addr = address->addr, .port = tracked->target.port};
		ipc->digest = tracked->tls;
		ipc->mode = tracked_tls_mode(tracked);
		address->tls_due = false;
		if (!address->tls)
			return true;
		ipc->seen_ms = address->tls_seen_ms;
		ipc->tls = *address->tls;
		return true;
	}
	return false;
}

void tracked_report_tls_again(struct tracked *tracked)
{
	for (size_t i = 0; i < tracked->n; i++)
		tracked->addresses[i].tls_due = tracked->addresses[i].tls;
}
