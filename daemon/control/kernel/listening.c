/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/control/kernel/listening.h"

#include "daemon/control/control.h"

#include <string.h>

static struct listening_at *find(
	struct listening *listening, const struct endpoint *at, bool datagrams)
{
	for (size_t i = 0; i < listening->n; i++)
		if (listening->v[i].datagrams == datagrams && listening->v[i].at.port == at->port &&
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

static bool has(const struct policy *policy, const struct listening_at *listening)
{
	if (listening->datagrams)
		return has_radius(policy, listening);
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
	struct listening_at *one = find(listening, &ipc->at, ipc->datagrams);

	/* those of an apply that failed */
	if (!one && listening->n == LISTENING_MAX && control->policy)
		listening_follow(control);
	if (!one && listening->n < LISTENING_MAX)
		one = &listening->v[listening->n++];
	if (!one)
		return;
	*one = (struct listening_at){
		.at = ipc->at, .error = (int)ipc->error, .datagrams = ipc->datagrams};
	memcpy(one->listener, ipc->listener, sizeof(one->listener));
	memcpy(one->text, ipc->text, sizeof(one->text));
}

uint16_t listening_next_port(const struct listening *listening, uint16_t port)
{
	uint16_t next = 0;

	for (size_t i = 0; i < listening->n; i++) {
		uint16_t other = listening->v[i].at.port;
		if (!listening->v[i].datagrams && other > port && (!next || other < next))
			next = other;
	}
	return next;
}

const struct listening_at *listening_find(
	const struct control *control, const struct endpoint *at, bool datagrams)
{
	return find(control->listening, at, datagrams);
}
