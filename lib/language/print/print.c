/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/language/print/write.h"

#include "lib/policy/element.h"

#include <string.h>

#define LINE_COLUMNS 100

/* `limit flows` is not told then: written, it would be of what the kernel does not count. */
static bool any_by_kernel(const struct policy *policy)
{
	bool any = false;

	for (size_t i = 0; !any && i < policy->nrules; i++)
		any = !policy->rules[i].disabled &&
		      policy_rule_by_kernel(policy, &policy->rules[i]);
	return any;
}

static void print_top(struct language_writer *w, const struct policy *policy, bool full)
{
	static const char *const levels[] = {[POLICY_LOG_ERROR] = "error",
		[POLICY_LOG_WARNING] = "warning",
		[POLICY_LOG_INFO] = "info",
		[POLICY_LOG_DEBUG] = "debug"};
	unsigned given = full ? ~0u : policy->given;
	char text[ADDR_TEXT_SIZE > 32 ? ADDR_TEXT_SIZE : 32];

	if (given & POLICY_GIVEN_LANGUAGE)
		language_put(w, "language 1\n");
	if (policy->given & POLICY_GIVEN_HOSTNAME) {
		language_put(w, "hostname ");
		language_put_string(w, &policy->hostname);
		language_put(w, "\n");
	}
	if (given & POLICY_GIVEN_ON_FAILURE)
		language_writef(w, "on-failure %s\n", language_posture_word(policy->on_failure));
	if (given & POLICY_GIVEN_DRAIN) {
		language_put_duration(w, "drain ", policy->drain_s * 1000ull);
		language_put(w, "\n");
	}
	if (policy->given & POLICY_GIVEN_LIMIT || (full && !any_by_kernel(policy)))
		language_writef(w, "limit flows %u\n", policy->limit_flows);
	if (given &
		(POLICY_GIVEN_AUDIT_KEEP | POLICY_GIVEN_AUDIT_SIZE | POLICY_GIVEN_AUDIT_NAMES)) {
		language_put(w, "audit {");
		if (given & POLICY_GIVEN_AUDIT_KEEP)
			language_put_duration(w, " keep ", policy->audit_keep_s * 1000ull);
		if (given & POLICY_GIVEN_AUDIT_SIZE)
			language_writef(w, " size %s",
				language_format_size(policy->audit_size_bytes, text));
		if (given & POLICY_GIVEN_AUDIT_NAMES)
			language_put(w, policy->audit_names_none ? " names none" : " names plain");
		language_put(w, " }\n");
	}
	if (given & POLICY_GIVEN_LOG_LEVEL)
		language_writef(w, "log level %s\n", levels[policy->log_level]);
	if (policy->given & POLICY_GIVEN_METRICS)
		language_writef(w, "metrics listen %s port %u\n",
			addr_format(&policy->metrics_addr, text), policy->metrics_port);
}

static void put_where(
	struct language_writer *w, const char *word, const struct policy_where *where, bool full)
{
	if (!where->given && !full)
		return;
	language_put(w, word);
	if (!where->given || where->any) {
		language_put(w, "any");
		return;
	}
	language_put(w, where->negated ? "not " : "");
	language_put(w, where->protected ? "protected" : "");
	for (size_t i = 0; i < where->elems.n; i++) {
		language_put(w, i > 0 ? ", " : "");
		language_put_elem(w, &where->elems.v[i]);
	}
	language_put_names(w, "", &where->list_names, where->elems.n > 0);
}

static void put_mails(struct language_writer *w, const char *word, const struct policy_mails *mails)
{
	size_t before = mails->own;

	if (!mails->given)
		return;
	language_put(w, word);
	language_put(w, mails->negated ? "not " : "");
	language_put(w, mails->own ? "own" : "");
	if (mails->none)
		language_put(w, before++ > 0 ? ", none" : "none");
	if (mails->protected)
		language_put(w, before++ > 0 ? ", protected" : "protected");
	for (size_t i = 0; i < mails->elems.n; i++) {
		language_put(w, before++ > 0 ? ", " : "");
		language_put_elem(w, &mails->elems.v[i]);
	}
	language_put_names(w, "", &mails->list_names, before > 0);
}

static void print_listener(
	struct language_writer *w, const struct policy_listener *listener, bool full)
{
	char limit[LANGUAGE_LIMIT_SIZE], addr[ADDR_TEXT_SIZE];
	unsigned given = full ? ~0u : listener->given;

	language_writef(w, "listener %s {\n    address", listener->name.text);
	for (size_t i = 0; i < listener->naddresses; i++)
		language_writef(
			w, "%s %s", i > 0 ? "," : "", addr_format(&listener->addresses[i], addr));
	if (given & POLICY_LISTENER_PORT)
		language_put_ports(w, "\n    port ", &listener->ports);
	language_put_names(w, "\n    auth ", &listener->auth_names, false);
	put_where(w, "\n    accept ", &listener->accept, full);
	if (listener->tls.given || full) {
		language_put(w, "\n    ");
		language_put_client_tls(w, &listener->tls, full);
	}
	if (listener->given & POLICY_LISTENER_NEWLINE)
		language_put(w, listener->newline == POLICY_NEWLINE_REPAIR
					? "\n    newline repair"
					: "\n    newline strict");
	for (size_t i = 0; i < listener->limits.n; i++) {
		if (listener->limits.v[i].implied && !full)
			continue;
		language_put(w, "\n    ");
		language_put(w, language_format_limit(&listener->limits.v[i], limit));
	}
	if (given & POLICY_LISTENER_UNMATCHED) {
		language_put(w, "\n    unmatched ");
		language_put_act(w, &listener->unmatched, full);
	}
	if (listener->given & POLICY_LISTENER_COMMENT) {
		language_put(w, "\n    comment ");
		language_put_string(w, &listener->comment);
	}
	language_put(w, "\n}\n");
}

static void print_domain(struct language_writer *w, const struct policy_domain *domain, bool full)
{
	language_writef(w, "domain %s {", domain->name.text);
	language_put_strings(w, " name ", &domain->names);
	language_put_names(
		w, domain->names.n ? "" : " name ", &domain->list_names, domain->names.n > 0);
	language_writef(w, " server %s", domain->server_name.text);
	put_mails(w, " recipient ", &domain->recipients);
	if (domain->recipient_any || (full && !domain->recipients.given))
		language_put(w, " recipient any");
	if (domain->comment.len > 0) {
		language_put(w, " comment ");
		language_put_string(w, &domain->comment);
	}
	language_put(w, " }\n");
}

static size_t columns_of(const struct policy_elem *elem)
{
	char text[ELEMENT_TEXT_SIZE];

	return strlen(element_format(elem, text)) + (element_text_len(elem) ? 4 : 2);
}

static size_t columns_of_all(const struct policy_elems *elems)
{
	size_t columns = 0;

	for (size_t i = 0; i < elems->n && columns <= LINE_COLUMNS; i++)
		columns += columns_of(&elems->v[i]);
	return columns;
}

/* On one line if it fits, else as many elements a line as fit. */
static void print_list(
	struct language_writer *w, const struct policy_list *list, enum language_print flags)
{
	language_writef(w, "list %s", list->name.text);
	if (list->holds_given || list->holds != POLICY_HOLDS_ADDRESSES)
		language_writef(w, " %s", policy_holds_names[list->holds]);
	if (list->kind == POLICY_LIST_DYNAMIC) {
		language_put(w, " dynamic\n");
		return;
	}
	if (list->kind == POLICY_LIST_FILE && !(flags & LANGUAGE_PRINT_RESOLVED)) {
		language_put(w, " file ");
		language_put_string(w, &list->path);
		language_put(w, "\n");
		return;
	}
	language_put(w, " {");
	bool one_line = list->name.len + columns_of_all(&list->elems) + 9 <= LINE_COLUMNS;
	size_t column = LINE_COLUMNS;
	for (size_t i = 0; i < list->elems.n; i++) {
		size_t len = columns_of(&list->elems.v[i]);
		bool next = !one_line && column + len > LINE_COLUMNS;
		language_put(w, i > 0 ? "," : "");
		language_put(w, next ? "\n    " : " ");
		language_put_elem(w, &list->elems.v[i]);
		column = next ? 4 + len : column + len;
	}
	language_put(w, one_line ? " }\n" : "\n}\n");
}

static void print_host(struct language_writer *w, const struct policy_host *host, bool full)
{
	unsigned given = full ? ~0u : host->given;
	char text[ADDR_TEXT_SIZE];

	language_put(w, host->is_mx ? "    mx " : "    host ");
	if (host->addr.family != ADDR_NONE)
		language_put(w, addr_format(&host->addr, text));
	else
		language_put_string(w, &host->name);
	if (given & POLICY_HOST_PORT)
		language_writef(w, " port %u", host->port);
	if (given & POLICY_HOST_PREFERENCE)
		language_writef(w, " preference %u", host->preference);
	if (given & POLICY_HOST_WEIGHT)
		language_writef(w, " weight %u", host->weight);
	if (host->given & POLICY_HOST_LIMIT)
		language_writef(w, " { limit flows %u", host->limit_flows);
	if (host->tls.given) {
		language_put(w, host->given & POLICY_HOST_LIMIT ? " " : " { ");
		language_put_server_tls(w, &host->tls);
	}
	language_put(w, host->given & POLICY_HOST_LIMIT || host->tls.given ? " }\n" : "\n");
}

static void print_deadlines(
	struct language_writer *w, const struct policy_server *server, unsigned given)
{
	unsigned all = POLICY_SERVER_FIRST | POLICY_SERVER_CONNECT | POLICY_SERVER_GREETING |
		       POLICY_SERVER_IDLE | POLICY_SERVER_COMMAND;

	if (!(given & all))
		return;
	language_put(w, "    deadline");
	if (given & POLICY_SERVER_FIRST)
		language_put_duration(w, " first ", server->first_ms);
	if (given & POLICY_SERVER_CONNECT)
		language_put_duration(w, " connect ", server->connect_ms);
	if (given & POLICY_SERVER_GREETING)
		language_put_duration(w, " greeting ", server->greeting_ms);
	if (given & POLICY_SERVER_IDLE)
		language_put_duration(w, " idle ", server->idle_ms);
	if (given & POLICY_SERVER_COMMAND)
		language_put_duration(w, " command ", server->command_ms);
	language_put(w, "\n");
}

static void print_server(struct language_writer *w, const struct policy_server *server, bool full)
{
	static const char *const announces[] = {[POLICY_ANNOUNCE_NONE] = "none",
		[POLICY_ANNOUNCE_PROXY_V1] = "proxy-v1",
		[POLICY_ANNOUNCE_PROXY_V2] = "proxy-v2",
		[POLICY_ANNOUNCE_XCLIENT] = "xclient"};
	unsigned given = full ? ~0u : server->given;
	char text[ADDR_TEXT_SIZE];

	language_writef(w, "server %s {\n", server->name.text);
	for (size_t i = 0; i < server->nhosts; i++)
		print_host(w, &server->hosts[i], full);
	if (given & POLICY_SERVER_BIND)
		language_writef(w, "    bind %s\n",
			server->bind == POLICY_BIND_GATEWAY ? "gateway"
			: server->bind == POLICY_BIND_CLIENT
				? "client"
				: addr_format(&server->bind_addr, text));
	if (given & POLICY_SERVER_ANNOUNCE) {
		language_writef(w, "    announce %s", announces[server->announce]);
		if (given & POLICY_SERVER_LOGIN && server->announce != POLICY_ANNOUNCE_NONE)
			language_writef(
				w, " { login %s }", policy_login_names[server->announce_login]);
		language_put(w, "\n");
	}
	if (given & POLICY_SERVER_PROBE) {
		language_put(w, server->probe ? "    probe smtp" : "    probe none");
		if (server->probe && given & POLICY_SERVER_EVERY)
			language_put_duration(w, " every ", server->probe_every_s * 1000ull);
		language_put(w, "\n");
	}
	print_deadlines(w, server, given);
	if (server->given & POLICY_SERVER_LIMIT)
		language_writef(w, "    limit flows %u\n", server->limit_flows);
	/* the kernel writes no lines, and nothing is to be said of a default */
	if (given & POLICY_SERVER_TRACE &&
		(server->path != POLICY_PATH_KERNEL || server->given & POLICY_SERVER_TRACE))
		language_put(w, server->trace ? "    trace on\n" : "    trace off\n");
	if (given & POLICY_SERVER_PATH)
		language_writef(w, "    path %s\n", policy_path_names[server->path]);
	/* the default is not told: written, it is a word that has flows read */
	if (server->tls.given) {
		language_put(w, "    ");
		language_put_server_tls(w, &server->tls);
		language_put(w, "\n");
	}
	if (server->account.given) {
		language_put(w, "    ");
		language_put_account(w, &server->account, full);
		language_put(w, "\n");
	}
	if (server->given & POLICY_SERVER_COMMENT) {
		language_put(w, "    comment ");
		language_put_string(w, &server->comment);
		language_put(w, "\n");
	}
	language_put(w, "}\n");
}

static void print_device(struct language_writer *w, const struct policy_device *device)
{
	char text[MAC_TEXT_SIZE];

	language_writef(w, "device %s { zone %s", device->name.text, device->zone_name.text);
	for (size_t i = 0; i < device->nmacs; i++) {
		language_put(w, i == 0 ? " mac " : ", ");
		language_put(w, mac_format_spelled(&device->macs[i], device->spellings[i], text));
	}
	language_put_names(w, " mac ", &device->mac_list_names, device->nmacs > 0);
	language_put_prefixes(w, " address ", &device->addresses);
	language_put_names(w, " address ", &device->list_names, device->addresses.n > 0);
	language_put(w, " user ");
	language_put_string(w, &device->user);
	language_put_strings(w, " group ", &device->groups);
	if (device->comment.len > 0) {
		language_put(w, " comment ");
		language_put_string(w, &device->comment);
	}
	language_put(w, " }\n");
}

static void put_limits(struct language_writer *w, const struct policy_rule *rule)
{
	char text[LANGUAGE_LIMIT_SIZE];

	for (size_t i = 0; i < rule->limits.n; i++) {
		language_put(w, " ");
		language_put(w, language_format_limit(&rule->limits.v[i], text));
	}
	if (rule->limit_none)
		language_put(w, " limit none");
}

static void put_schedule(struct language_writer *w, const struct policy_schedule *schedule)
{
	static const char days[7][4] = {"mon", "tue", "wed", "thu", "fri", "sat", "sun"};

	for (size_t i = 0; i < schedule->n; i++) {
		const struct policy_range *range = &schedule->v[i];
		language_put(w, i == 0 ? " schedule " : ", ");
		if (range->days_given)
			language_put(w, days[range->first_day]);
		if (range->days_given && range->last_day != range->first_day)
			language_writef(w, "-%s", days[range->last_day]);
		if (range->days_given && range->hours_given)
			language_put(w, " ");
		if (range->hours_given)
			language_writef(w, "%02u:%02u-%02u:%02u", range->from / 60,
				range->from % 60, range->to / 60, range->to % 60);
	}
}

static void print_rule(struct language_writer *w, const struct policy_rule *rule, bool full)
{
	language_writef(w, "rule %s {", rule->name.text);
	if (full && rule->zone_names.n == 0 && !rule->listens)
		language_put(w, " zone any");
	language_put_names(w, " zone ", &rule->zone_names, false);
	language_put_names(w, rule->listener_negated ? " listener not " : " listener ",
		&rule->listener_names, false);
	if (rule->user_any || (full && !rule->user_given && !rule->listens))
		language_put(w, " user any");
	language_put(w, rule->user_none ? " user none" : "");
	language_put_strings(w, rule->user_negated ? " user not " : " user ", &rule->users);
	language_put_strings(w, rule->group_negated ? " group not " : " group ", &rule->groups);
	language_put_ports(w, " port ", &rule->ports);
	put_where(w, " source ", &rule->source, full);
	put_where(w, " destination ", &rule->destination, full);
	if (full && rule->schedule.n == 0)
		language_put(w, " schedule always");
	put_schedule(w, &rule->schedule);
	put_mails(w, " sender ", &rule->sender);
	put_mails(w, " recipient ", &rule->recipient);
	language_put_tls_condition(w, &rule->tls);
	if (rule->to_server) {
		language_put(w, " server ");
		language_put(w, rule->to_original    ? "original"
				: rule->to_protected ? "protected"
						     : rule->server_name.text);
	} else {
		language_put(w, " verdict ");
		language_put_act(w, &rule->act, full);
	}
	language_put_names(w, " scan ", &rule->scan_names, false);
	language_put(w, rule->scan_none ? " scan none" : "");
	put_limits(w, rule);
	if (rule->audit_given || full)
		language_put(w, rule->audit ? " audit on" : " audit off");
	if (rule->disabled)
		language_put(w, " disabled");
	if (rule->comment.len > 0) {
		language_put(w, " comment ");
		language_put_string(w, &rule->comment);
	}
	language_put(w, " }\n");
}

void language_write_gap(struct language_writer *w)
{
	if (w->len > 0)
		language_put(w, "\n");
}

static void gap(struct language_writer *w, size_t n)
{
	if (n > 0)
		language_write_gap(w);
}

void language_write_part(struct language_writer *w, const struct policy *policy,
	enum policy_kind kind, size_t i, enum language_print flags)
{
	bool full = flags & LANGUAGE_PRINT_FULL;

	switch (kind) {
	case POLICY_KIND_ZONE:
		language_put_zone(w, policy, i, full);
		break;
	case POLICY_KIND_LISTENER:
		print_listener(w, &policy->listeners[i], full);
		break;
	case POLICY_KIND_DOMAIN:
		print_domain(w, &policy->domains[i], full);
		break;
	case POLICY_KIND_LIST:
		print_list(w, &policy->lists[i], flags);
		break;
	case POLICY_KIND_CERTIFICATE:
		language_put_certificate(w, &policy->certificates[i]);
		break;
	case POLICY_KIND_AUTH:
		language_put_auth(w, &policy->auths[i]);
		break;
	case POLICY_KIND_SERVER:
		print_server(w, &policy->servers[i], full);
		break;
	case POLICY_KIND_SCAN:
		language_put_scan(w, &policy->scans[i], full);
		break;
	case POLICY_KIND_RADIUS:
		language_put_radius(w, &policy->radiuses[i], full);
		break;
	case POLICY_KIND_PORTAL:
		language_put_portal(w, &policy->portals[i], full);
		break;
	case POLICY_KIND_DEVICE:
		print_device(w, &policy->devices[i]);
		break;
	case POLICY_KIND_RULE:
		print_rule(w, &policy->rules[i], full);
		break;
	}
}

void language_write_rule(struct language_writer *w, const struct policy_rule *rule)
{
	print_rule(w, rule, false);
}

void language_write_top(struct language_writer *w, const struct policy *policy, bool full)
{
	print_top(w, policy, full);
}

char *language_print(const struct policy *policy, enum language_print flags, size_t *len)
{
	struct language_writer w = {0};

	print_top(&w, policy, flags & LANGUAGE_PRINT_FULL);
	for (unsigned kind = 0; kind < LANGUAGE_KINDS; kind++) {
		size_t n = language_count(policy, (enum policy_kind)kind);
		gap(&w, n);
		for (size_t i = 0; i < n; i++)
			language_write_part(&w, policy, (enum policy_kind)kind, i, flags);
	}
	/* a policy that says nothing is a text, too: no text at all is what was cut off */
	if (!w.len && !w.failed)
		language_write(&w, "\n", 1);
	return language_write_end(&w, len);
}

char *language_print_one(const struct policy *policy, enum policy_kind kind, size_t i)
{
	struct language_writer w = {0};

	language_write_part(&w, policy, kind, i, LANGUAGE_PRINT_CANONICAL);
	return language_write_end(&w, NULL);
}

static char *print_part(
	const struct policy *policy, enum policy_kind kind, size_t i, enum language_print flags)
{
	struct language_writer w = {0};

	language_write_part(&w, policy, kind, i, flags);
	return language_write_end(&w, NULL);
}

char *language_print_rule(const struct policy *policy, size_t rule, enum language_print flags)
{
	return print_part(policy, POLICY_KIND_RULE, rule, flags);
}

char *language_print_server(const struct policy *policy, size_t server, enum language_print flags)
{
	return print_part(policy, POLICY_KIND_SERVER, server, flags);
}

char *language_print_zone(const struct policy *policy, size_t zone, enum language_print flags)
{
	return print_part(policy, POLICY_KIND_ZONE, zone, flags);
}

char *language_print_device(const struct policy *policy, size_t device, enum language_print flags)
{
	return print_part(policy, POLICY_KIND_DEVICE, device, flags);
}
