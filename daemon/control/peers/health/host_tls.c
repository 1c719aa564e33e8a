/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/control/peers/health/host_tls.h"

#include "daemon/base/log.h"
#include "daemon/control/control.h"
#include "daemon/control/credential/credentials.h"
#include "daemon/control/request/json_row.h"
#include "lib/dns/dns.h"
#include "lib/tls/advice.h"
#include "lib/tls/terms.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct host_tls {
	struct host_tls *next;
	unsigned days_said; /* of the two marks, the one that the log has; 0: none */
	struct ipc_host_tls ipc;
};

static bool same_place(const struct ipc_host_tls *a, const struct ipc_host_tls *b)
{
	return strcmp(a->server, b->server) == 0 && dns_same_name(a->name, b->name) &&
	       a->host.port == b->host.port && addr_equal(&a->host.addr, &b->host.addr);
}

static void keep(struct host_tls **all,
	bool (*stays)(const struct ipc_host_tls *ipc, const void *among), const void *among)
{
	while (*all) {
		struct host_tls *one = *all;
		if (stays(&one->ipc, among)) {
			all = &one->next;
			continue;
		}
		*all = one->next;
		free(one);
	}
}

static bool is_elsewhere(const struct ipc_host_tls *ipc, const void *other)
{
	return !same_place(ipc, other);
}

static bool is_of(const struct ipc_host_tls *ipc, const struct ipc_target *target)
{
	return target->port == ipc->host.port && dns_same_name(target->name, ipc->name);
}

static bool is_among(const struct ipc_host_tls *ipc, const void *among)
{
	const struct ipc_targets *targets = among;

	if (strcmp(ipc->server, targets->server) != 0)
		return true;
	for (uint32_t i = 0; i < targets->n; i++) {
		const struct ipc_target *target = &targets->v[i];
		if (!is_of(ipc, target))
			continue;
		for (unsigned j = 0; j < ipc_target_addresses(target); j++)
			if (addr_equal(&target->addresses[j], &ipc->host.addr))
				return true;
	}
	return false;
}

void host_tls_keep(struct host_tls **all, const struct ipc_targets *targets)
{
	keep(all, is_among, targets);
}

static bool has_server(const struct ipc_host_tls *ipc, const void *policy)
{
	return policy_find_server(policy, ipc->server) >= 0;
}

void host_tls_follow(struct host_tls **all, const struct policy *policy)
{
	keep(all, has_server, policy);
}

static bool nothing_stays(const struct ipc_host_tls *ipc, const void *among)
{
	(void)ipc, (void)among;
	return false;
}

void host_tls_free(struct host_tls **all)
{
	keep(all, nothing_stays, NULL);
}

/* Of the same host under other terms nothing is known. */
static bool holds_still(const struct ipc_host_tls *ipc, const struct policy_server *server,
	const struct ipc_target *target)
{
	return target->line < server->nhosts &&
	       ipc->digest == tls_terms_digest(server, &server->hosts[target->line]);
}

const struct ipc_host_tls *host_tls_find(const struct host_tls *all,
	const struct policy_server *server, const struct ipc_target *target,
	const struct addr *addr)
{
	for (; all; all = all->next)
		if (strcmp(all->ipc.server, server->name.text) == 0 && is_of(&all->ipc, target) &&
			addr_equal(&all->ipc.host.addr, addr))
			return holds_still(&all->ipc, server, target) ? &all->ipc : NULL;
	return NULL;
}

static int64_t days_left(const struct control *control, const struct tls_seen *seen)
{
	const struct certificate_facts facts = {.ends = seen->ends};

	return certificate_days_left(&facts, credentials_now_s(control->credentials));
}

bool host_tls_days(const struct control *control, const struct ipc_host_tls *ipc, int64_t *days)
{
	if (ipc->mode != POLICY_SERVER_TLS_VERIFY || !ipc->tls.ends)
		return false;
	*days = days_left(control, &ipc->tls);
	return true;
}

static bool holds(const struct control *control, const struct ipc_targets *targets,
	const struct ipc_host_tls *ipc)
{
	ptrdiff_t at = control->policy ? policy_find_server(control->policy, ipc->server) : -1;

	for (uint32_t i = 0; at >= 0 && targets && i < targets->n; i++)
		if (is_of(ipc, &targets->v[i]))
			return holds_still(ipc, &control->policy->servers[at], &targets->v[i]);
	return false;
}

/* What is refused is told as the host's state. */
static void log_end(
	const struct control *control, const struct ipc_targets *targets, struct host_tls *one)
{
	const struct ipc_host_tls *ipc = &one->ipc;
	char date[CERTIFICATE_DATE_SIZE], addr[ADDR_TEXT_SIZE];
	int64_t days;

	if (ipc->tls.why[0] || !holds(control, targets, ipc) || !host_tls_days(control, ipc, &days))
		return;
	unsigned mark = days <= CREDENTIAL_TROUBLE_DAYS   ? CREDENTIAL_TROUBLE_DAYS
			: days <= CREDENTIAL_WARNING_DAYS ? CREDENTIAL_WARNING_DAYS
							  : 0;
	if (mark && mark != one->days_said)
		log_warning("server %s: the certificate of host %s at %s ends on %s, in %" PRId64
			    " days",
			ipc->server, ipc->name, addr_format(&ipc->host.addr, addr),
			certificate_date(ipc->tls.ends, date), days);
	one->days_said = mark;
}

void host_tls_take(struct host_tls **all, const struct control *control,
	const struct ipc_targets *targets, const struct ipc_host_tls *ipc)
{
	struct host_tls *one = *all;

	while (one && !same_place(&one->ipc, ipc))
		one = one->next;
	if (!ipc->seen_ms) {
		keep(all, is_elsewhere, ipc);
		return;
	}
	if (!one) {
		one = calloc(1, sizeof(*one));
		if (!one)
			return;
		one->next = *all;
		*all = one;
	}
	one->ipc = *ipc;
	log_end(control, targets, one);
}

static json_t *text_or_null(const char *text)
{
	return *text ? json_row_text(text) : json_null();
}

static json_t *warning_of(const struct control *control, const struct ipc_host_tls *ipc)
{
	char date[CERTIFICATE_DATE_SIZE], text[96];
	int64_t days;

	if (!host_tls_days(control, ipc, &days) || days > CREDENTIAL_WARNING_DAYS)
		return json_null();
	certificate_date(ipc->tls.ends, date);
	if (days < 0)
		snprintf(text, sizeof(text), "its certificate has expired on %s", date);
	else
		snprintf(text, sizeof(text), "its certificate ends on %s, in %" PRId64 " days",
			date, days);
	return json_row_text(text);
}

json_t *host_tls_row(const struct control *control, const struct ipc_host_tls *ipc)
{
	const struct tls_seen *seen = &ipc->tls;
	enum policy_server_tls_mode mode = (enum policy_server_tls_mode)ipc->mode;
	char pin[TLS_PIN_SIZE], names[TLS_NAMES_SIZE + TLS_NAMES_MORE_SIZE];
	bool shown = seen->ends != 0;

	return json_pack("{s:o, s:s, s:o, s:o, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "address",
		json_row_addr(&ipc->host.addr), "wanted", policy_server_tls_names[mode], "version",
		text_or_null(tls_version_names[seen->version]), "cipher",
		text_or_null(seen->cipher), "check", tls_terms_check(mode, seen), "names",
		text_or_null(tls_names_said(seen->names, seen->more, names, sizeof(names))),
		"ends_at", shown ? json_row_time((uint64_t)seen->ends * 1000) : json_null(),
		"days_left",
		shown ? json_integer((json_int_t)days_left(control, seen)) : json_null(), "pin",
		shown ? json_string(tls_pin(seen->key, pin)) : json_null(), "why",
		text_or_null(seen->why), "warning", warning_of(control, ipc), "seen_at",
		json_row_time(ipc->seen_ms));
}
