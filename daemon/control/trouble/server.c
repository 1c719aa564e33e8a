/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/control/trouble/trouble.h"

#include "daemon/control/control.h"
#include "daemon/control/credential/credentials.h"
#include "daemon/control/doctor/doctor.h"
#include "daemon/control/peers/health/health_peer.h"
#include "daemon/control/peers/health/host_tls.h"
#include "daemon/control/store/drained.h"
#include "lib/policy/choice.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* What other programs' rules do to us, as doctor finds it. */
struct foreign {
	json_t *troubles;
	bool at_hosts; /* connections to hosts, or their answers, may be what is dropped */
};

static void on_finding(void *context, const char *check, enum doctor_state state, const char *found,
	const char *advice)
{
	struct foreign *foreign = context;
	(void)advice;
	if (state == DOCTOR_OK)
		return;
	foreign->at_hosts |= strcmp(check, "output") == 0 || strcmp(check, "input") == 0;
	trouble_add(foreign->troubles, "posternctl doctor", "%s: %s", check, found);
}

/* Nothing was ever seen of it, or the last that was seen was bad. */
static bool is_bad(const struct ipc_target *target)
{
	return target->state == TARGET_DOWN || target->state == TARGET_NEVER || target->failing;
}

bool trouble_wants_rules(const struct control *control)
{
	struct ipc_target views[2];

	for (size_t i = 0; i < control->policy->nservers; i++) {
		const struct ipc_targets *targets = health_peer_targets(control->health, i);
		for (uint32_t j = 0; targets && j < targets->n; j++)
			for (unsigned v = ipc_target_views(targets->flows, &targets->v[j], views);
				v > 0; v--)
				if (!views[v - 1].drained && views[v - 1].state != TARGET_NEVER &&
					is_bad(&views[v - 1]))
					return true;
	}
	return false;
}

/* Is it its TLS that keeps it from being used? A test says what is wrong and what to write. */
static bool wants_other_tls(
	const struct control *control, size_t server, const struct ipc_target *target)
{
	bool bad = false;

	for (unsigned i = 0; i < ipc_target_addresses(target); i++) {
		const struct ipc_host_tls *seen =
			health_peer_tls(control->health, server, target, &target->addresses[i]);
		bad |= seen && seen->tls.why[0] && strstr(target->text, seen->tls.why);
	}
	return bad;
}

/* As some flows find it. A host that is drained is as it is wanted. tls: that is what is wrong. */
static void look_at_view(const struct ipc_targets *targets, const struct ipc_target *target,
	const char *level, bool tls, const struct foreign *foreign)
{
	char next[96];
	bool never = target->state == TARGET_NEVER;
	if (target->drained || !is_bad(target))
		return;
	if (!never && foreign->at_hosts)
		snprintf(next, sizeof(next), "posternctl doctor");
	else if (target->state == TARGET_DOWN && !tls)
		snprintf(next, sizeof(next), "posternctl server show %s", targets->server);
	else
		snprintf(next, sizeof(next), "posternctl server test %s", targets->server);
	trouble_add(foreign->troubles, next, "server %s host %s is %s%s: %s%s", targets->server,
		target->name,
		never             ? "never used"
		: target->failing ? "not to be had"
				  : target_state_names[target->state],
		level, target->text, !never && foreign->at_hosts ? "; a firewall may be why" : "");
}

static void look_at_target(const struct control *control, size_t server,
	const struct ipc_targets *targets, const struct ipc_target *target,
	const struct foreign *foreign)
{
	struct ipc_target views[2];
	unsigned n = ipc_target_views(targets->flows, target, views);

	for (unsigned v = 0; v < n; v++)
		look_at_view(targets, &views[v], ipc_target_level(v, n),
			wants_other_tls(control, server, &views[v]), foreign);
}

static bool may_any(const struct ipc_targets *targets, const struct ipc_target *target)
{
	struct ipc_target views[2];
	unsigned n = ipc_target_views(targets->flows, target, views);
	bool may = false;

	for (unsigned v = 0; v < n; v++)
		may |= choice_may(&views[v], ADDR_IP4) || choice_may(&views[v], ADDR_IP6);
	return may;
}

/* A certificate that ends soon; and one that is refused where other addresses keep the host up. */
static void look_at_tls(const struct control *control, size_t server,
	const struct ipc_target *target, json_t *troubles)
{
	const char *name = control->policy->servers[server].name.text;
	char show[POLICY_NAME_SIZE + 32], test[POLICY_NAME_SIZE + 32], addr[ADDR_TEXT_SIZE];
	char date[CERTIFICATE_DATE_SIZE];
	int64_t days;
	/* who speaks TLS is read */
	const struct ipc_target read = ipc_target_seen(target, true);

	snprintf(show, sizeof(show), "posternctl server show %s", name);
	snprintf(test, sizeof(test), "posternctl server test %s", name);
	for (unsigned i = 0; !target->drained && i < ipc_target_addresses(target); i++) {
		const struct ipc_host_tls *seen =
			health_peer_tls(control->health, server, target, &target->addresses[i]);
		if (!seen)
			continue;
		addr_format(&seen->host.addr, addr);
		if (seen->tls.reason && !is_bad(&read))
			trouble_add(troubles, test, "server %s host %s at %s: TLS: %s", name,
				target->name, addr, seen->tls.why);
		else if (!seen->tls.reason && host_tls_days(control, seen, &days) &&
			 days <= CREDENTIAL_TROUBLE_DAYS)
			trouble_add(troubles, show,
				"server %s host %s at %s: its certificate ends on %s, in %" PRId64
				" days",
				name, target->name, addr, certificate_date(seen->tls.ends, date),
				days);
	}
}

/* Nobody's mail goes there, though no host may be said to be broken. */
static void look_at_server(
	const struct control *control, const struct ipc_targets *targets, json_t *troubles)
{
	const struct ipc_target *drained = NULL, *idle = NULL;
	char next[POLICY_NAME_SIZE + TARGET_NAME_SIZE + 64];
	for (uint32_t i = 0; i < targets->n; i++) {
		const struct ipc_target *target = &targets->v[i];
		if (may_any(targets, target))
			return;
		if (target->drained)
			drained = target;
		else if (target->weight == 0)
			idle = target;
	}
	if (drained) {
		bool whole =
			drained_since(control->drained, targets->server, drained->name, 0) != 0;
		int n = snprintf(next, sizeof(next), "posternctl server enable %s host %s",
			targets->server, drained->name);
		if (!whole)
			snprintf(next + n, sizeof(next) - (size_t)n, " port %u", drained->port);
		trouble_add(troubles, next,
			"server %s: every host is drained or cannot be used; its clients get 421",
			targets->server);
	} else if (idle) {
		trouble_add(troubles, "posternctl server show",
			"server %s: every host has weight 0 or cannot be used; its clients get 421",
			targets->server);
	}
}

void trouble_of_servers(const struct control *control, const struct facts *facts, json_t *troubles)
{
	struct doctor_facts lines = {.n = 0};
	struct foreign foreign = {.troubles = troubles};
	doctor_facts_take(&lines, control, facts);
	doctor_examine_foreign(control, &lines, on_finding, &foreign);
	doctor_facts_fini(&lines);
	for (size_t i = 0; i < control->policy->nservers; i++) {
		const struct ipc_targets *targets = health_peer_targets(control->health, i);
		for (uint32_t j = 0; targets && j < targets->n; j++) {
			look_at_target(control, i, targets, &targets->v[j], &foreign);
			look_at_tls(control, i, &targets->v[j], troubles);
		}
		if (targets)
			look_at_server(control, targets, troubles);
	}
}
