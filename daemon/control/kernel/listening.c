/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/control/kernel/listening.h"

#include "daemon/control/control.h"

#include <string.h>

static struct listening_at *find(
	struct listening *listening, const struct endpoint *at, enum policy_taker taker)
{
	for (size_t i = 0; i < listening->n; i++)
		if (listening->v[i].taker == taker && listening->v[i].at.port == at->port &&
			addr_equal(&listening->v[i].at.addr, &at->addr))
			return &listening->v[i];
	return NULL;
}

static bool has_radius(const struct policy *policy, const struct listening_at *listening)
{
	ptrdiff_t index = policy_find_radius(policy, listening->listener);
	const struct policy_radius *radius = index < 0 ? NULL : &policy->radiuses[index];

	for (size_t i = 0; radius && i < radius->naddresses; i++)
		if (radius->port == listening->at.port &&
			addr_equal(&radius->addresses[i], &listening->at.addr))
			return true;
	return false;
}

static bool has_portal(const struct policy *policy, const struct listening_at *listening)
{
	ptrdiff_t index = policy_find_portal(policy, listening->listener);
	const struct policy_portal *portal = index < 0 ? NULL : &policy->portals[index];
	const uint16_t port = listening->at.port;

	if (!portal || (port != portal->port && port != portal->http_port))
		return false;
	for (size_t i = 0; i < portal->naddresses; i++)
		if (addr_equal(&portal->addresses[i], &listening->at.addr))
			return true;
	return false;
}

static bool has(const struct policy *policy, const struct listening_at *listening)
{
	if (listening->taker == POLICY_TAKER_RADIUS)
		return has_radius(policy, listening);
	if (listening->taker == POLICY_TAKER_PORTAL)
		return has_portal(policy, listening);
	ptrdiff_t index = policy_find_listener_at(policy, &listening->at);

	return index >= 0 && strcmp(policy->listeners[index].name.text, listening->listener) == 0;
}

void listening_follow(struct control *control)
{
	struct listening *listening = control->listening;
	size_t n = 0;

	for (size_t i = 0; i < listening->n; i++)
		if (has(control->policy, &listening->v[i]))
			listening->v[n++] = listening->v[i];
	listening->n = n;
}

void listening_put(struct control *control, const struct ipc_listening *ipc)
{
	struct listening *listening = control->listening;
	struct listening_at *one = find(listening, &ipc->at, (enum policy_taker)ipc->taker);

	/* those of an apply that failed */
	if (!one && listening->n == LISTENING_MAX && control->policy)
		listening_follow(control);
	if (!one && listening->n < LISTENING_MAX)
		one = &listening->v[listening->n++];
	if (!one)
		return;
	*one = (struct listening_at){
		.at = ipc->at, .error = (int)ipc->error, .taker = (enum policy_taker)ipc->taker};
	memcpy(one->listener, ipc->listener, sizeof(one->listener));
	memcpy(one->text, ipc->text, sizeof(one->text));
}

uint16_t listening_next_port(const struct listening *listening, uint16_t port, bool udp)
{
	uint16_t next = 0;

	for (size_t i = 0; i < listening->n; i++) {
		uint16_t other = listening->v[i].at.port;
		if ((listening->v[i].taker == POLICY_TAKER_RADIUS) == udp && other > port &&
			(!next || other < next))
			next = other;
	}
	return next;
}

const struct listening_at *listening_find(
	const struct control *control, const struct endpoint *at, enum policy_taker taker)
{
	return find(control->listening, at, taker);
}
