/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What doctor finds of the servers: that each has a host that may be used, and the way there. */
#include "daemon/control/doctor/examination.h"

#include "daemon/base/own_address.h"
#include "daemon/control/control.h"
#include "daemon/control/credential/credentials.h"
#include "daemon/control/peers/health/health_peer.h"
#include "daemon/control/peers/health/host_tls.h"
#include "lib/policy/level.h"
#include "lib/tls/advice.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Asks the routing table by connecting a datagram socket; nothing is sent. 0 or -errno. */
static int find_route(const struct addr *addr, struct addr *own)
{
	struct sockaddr_storage sa;
	struct endpoint to = {.addr = *addr, .port = 25}, from;
	size_t len = endpoint_encode(&to, &sa);
	int fd = socket(sa.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	socklen_t own_len = sizeof(sa);
	int error = 0;
	if (connect(fd, (struct sockaddr *)&sa, (socklen_t)len) < 0 ||
		getsockname(fd, (struct sockaddr *)&sa, &own_len) < 0)
		error = -errno;
	else
		error = endpoint_decode((struct sockaddr *)&sa, own_len, &from);
	close(fd);
	if (!error)
		*own = from.addr;
	return error;
}

static void check_route(const struct examination *exam, const struct policy_server *server,
	const char *host, const struct addr *addr)
{
	char text[ADDR_TEXT_SIZE], own_text[ADDR_TEXT_SIZE] = "";
	struct addr own;
	int error = find_route(addr, &own);
	bool named = strcmp(host, addr_format(addr, text)) != 0;
	if (!error)
		addr_format(&own, own_text);
	examination_find(exam, "server-route", error ? DOCTOR_ERROR : DOCTOR_OK,
		"give the gateway a route to the server, and the server one back",
		"server %s: %s%s%s %s%s", server->name.text, host, named ? " " : "",
		named ? text : "", error ? strerror(-error) : "from ", own_text);
}

/* Down is trouble for all when no other host is there; never is always somebody's mistake. */
static void check_view(const struct examination *exam, const struct ipc_targets *targets,
	const struct ipc_target *target, const char *level, bool others)
{
	char advice[128];
	bool never = target->state == TARGET_NEVER;
	if (target->state != TARGET_DOWN && !never && !target->failing)
		return;
	snprintf(advice, sizeof(advice), "posternctl server test %s", targets->server);
	examination_find(exam, "server-host", never || !others ? DOCTOR_ERROR : DOCTOR_WARNING,
		advice, "server %s: %s port %u is %s%s: %s", targets->server, target->name,
		target->port,
		never             ? "never used"
		: target->failing ? "not to be had"
				  : "down",
		level, target->text);
}

/* Where TLS is only offered, a host without any is as it may be. */
static void check_tls(const struct examination *exam, size_t index, const struct ipc_target *target,
	const struct addr *addr)
{
	const struct control *control = exam->control;
	const struct policy_server *server = &control->policy->servers[index];
	const struct ipc_host_tls *seen = health_peer_tls(control->health, index, target, addr);
	char text[ADDR_TEXT_SIZE], date[CERTIFICATE_DATE_SIZE], advice[TLS_ADVICE_SIZE];
	int64_t days;

	if (!seen)
		return;
	addr_format(addr, text);
	if (seen->tls.why[0] && seen->mode != POLICY_SERVER_TLS_OFFER)
		examination_find(exam, "server-tls", DOCTOR_ERROR, tls_advice(&seen->tls, advice),
			"server %s: %s at %s port %u: TLS: %s", server->name.text, target->name,
			text, target->port, seen->tls.why);
	else if (host_tls_days(control, seen, &days))
		examination_find(exam, "server-tls",
			days <= CREDENTIAL_TROUBLE_DAYS   ? DOCTOR_ERROR
			: days <= CREDENTIAL_WARNING_DAYS ? DOCTOR_WARNING
							  : DOCTOR_OK,
			"whoever runs the server has to renew it; after its end the host is down "
			"for the gateway",
			"server %s: certificate of %s at %s port %u ends on %s, %" PRId64
			" days from now",
			server->name.text, target->name, text, target->port,
			certificate_date(seen->tls.ends, date), days);
}

static bool is_usable(const struct ipc_target *target)
{
	return !target->drained && target->weight > 0 && target->naddresses > 0 &&
	       !target->failing && (target->state == TARGET_UP || target->state == TARGET_UNKNOWN);
}

/* Hosts that flows of one level can use, if some may come. */
struct usable {
	bool any_come[2]; /* plain, read */
	size_t n[2];
};

static struct usable count_usable(const struct ipc_targets *targets)
{
	struct usable usable = {.any_come = {true, false}};

	if (!targets)
		return usable;
	usable.any_come[1] = targets->flows & LEVEL_FLOWS_READ;
	usable.any_come[0] = !usable.any_come[1] || targets->flows & LEVEL_FLOWS_PLAIN;
	for (uint32_t i = 0; i < targets->n; i++)
		for (unsigned read = 0; read < 2; read++) {
			struct ipc_target target = ipc_target_seen(&targets->v[i], read);
			usable.n[read] += is_usable(&target);
		}
	return usable;
}

static void tell_usable(const struct examination *exam, const struct policy_server *server,
	const struct ipc_targets *targets, const struct usable *usable)
{
	unsigned all = targets ? (unsigned)targets->n : 0;
	bool bad = (usable->any_come[0] && usable->n[0] == 0) ||
		   (usable->any_come[1] && usable->n[1] == 0);
	char more[64] = "";

	if (usable->any_come[0] && usable->any_come[1] && usable->n[0] != usable->n[1])
		snprintf(more, sizeof(more), " at connection level, %zu at message level",
			usable->n[1]);
	examination_find(exam, "server", bad ? DOCTOR_ERROR : DOCTOR_OK,
		"posternctl server show # without a host that can be used, clients get 421",
		"server %s: %zu of %u hosts can be used now%s", server->name.text,
		usable->n[!usable->any_come[0]], all, more);
}

/* A server on the gateway itself that takes a login at our word. The keeper tells "N refused N"
 * where the kernel keeps local users off them. */
static void check_login(const struct examination *exam, const struct policy_server *server)
{
	size_t at = 0;
	const char *fact = examination_fact(exam->facts, "logins", &at);
	const char *refused = fact ? strstr(fact, "refused ") : NULL;
	char text[ENDPOINT_TEXT_SIZE];

	for (size_t i = 0; policy_server_takes_login(server) && i < server->nhosts; i++) {
		const struct endpoint host = {server->hosts[i].addr, server->hosts[i].port};
		if (host.addr.family == ADDR_NONE ||
			!(addr_is_loopback(&host.addr) || own_address(&host.addr)))
			continue;
		examination_find(exam, "server-login", refused ? DOCTOR_OK : DOCTOR_ERROR,
			"it takes a user at the gateway's word, and now at any local program's, "
			"too: "
			"see the log for why the table is not in force",
			"server %s: local users %s kept off %s%s%s%s", server->name.text,
			refused ? "are" : "are not", endpoint_format(&host, text),
			refused ? " (" : "", refused ? refused + strlen("refused ") : "",
			refused ? " of their packets refused)" : "");
	}
}

static void check_server(const struct examination *exam, size_t index)
{
	const struct policy_server *server = &exam->control->policy->servers[index];
	const struct ipc_targets *targets = health_peer_targets(exam->control->health, index);
	const struct usable usable = count_usable(targets);

	for (uint32_t i = 0; targets && i < targets->n; i++) {
		const struct ipc_target *target = &targets->v[i];
		struct ipc_target views[2];
		unsigned n = ipc_target_views(targets->flows, target, views);
		for (unsigned v = 0; v < n; v++)
			check_view(exam, targets, &views[v], ipc_target_level(v, n),
				usable.n[v == 1 || !usable.any_come[0]] > 0);
		for (unsigned a = 0; a < ipc_target_addresses(target); a++) {
			check_route(exam, server, target->name, &target->addresses[a]);
			check_tls(exam, index, target, &target->addresses[a]);
		}
	}
	tell_usable(exam, server, targets, &usable);
	check_login(exam, server);
}

void examination_of_servers(const struct examination *exam)
{
	for (size_t i = 0; i < exam->control->policy->nservers; i++)
		check_server(exam, i);
}
