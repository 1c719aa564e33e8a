/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/control/commands/nouns.h"
#include "daemon/control/commands/parts.h"
#include "daemon/control/request/command.h"

#include "daemon/control/control.h"
#include "daemon/control/credential/credentials.h"
#include "daemon/control/credential/renew.h"
#include "daemon/control/kernel/path.h"
#include "daemon/control/peers/flow_reports.h"
#include "daemon/control/peers/health/health_peer.h"
#include "daemon/control/peers/health/host_tls.h"
#include "daemon/control/peers/health/target_words.h"
#include "daemon/control/request/json_row.h"
#include "daemon/control/store/drained.h"
#include "lib/base/text.h"
#include "lib/ipc/health.h"
#include "lib/policy/level.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* NULL: the command has been ended. */
static const char *take_server(struct command *command, size_t *at)
{
	const struct policy *policy = command->control->policy;
	const char *name = command_value(command, "NAME");
	ptrdiff_t index = policy_find_server(policy, name);
	if (index < 0)
		command_no_such(command, POLICY_KIND_SERVER, name);
	else
		*at = (size_t)index;
	return index < 0 ? NULL : name;
}

/* ---- show: the targets as they are, with the flows that the relays count at each ---- */

struct shown {
	struct shown *next;
	uint64_t flows[TARGETS_MAX];
	struct ipc_targets targets; /* last: as long as it is */
};

struct showing {
	struct flow_gather flows; /* first */
	struct command *command;
	struct shown *first;
};

static void forget_showing(struct command *command)
{
	struct showing *showing = command->state;
	while (showing && showing->first) {
		struct shown *shown = showing->first;
		showing->first = shown->next;
		free(shown);
	}
}

static bool keep(struct showing *showing, struct shown ***last, size_t server)
{
	const struct ipc_targets *targets =
		health_peer_targets(showing->command->control->health, server);
	struct shown *shown =
		targets ? calloc(1, offsetof(struct shown, targets) + targets->header.bytes) : NULL;
	if (!shown)
		return false;
	memcpy(&shown->targets, targets, targets->header.bytes);
	**last = shown;
	*last = &shown->next;
	return true;
}

static bool is_at(const struct ipc_target *target, const struct endpoint *host)
{
	for (unsigned i = 0; target->port == host->port && i < ipc_target_addresses(target); i++)
		if (addr_equal(&target->addresses[i], &host->addr))
			return true;
	return false;
}

static void on_load(struct flow_gather *flows, const struct ipc_load *load)
{
	struct shown *shown = ((struct showing *)flows)->first;
	while (shown && strcmp(shown->targets.server, load->server) != 0)
		shown = shown->next;
	for (uint32_t i = 0; shown && i < shown->targets.n; i++)
		if (is_at(&shown->targets.v[i], &load->host)) {
			shown->flows[i] += load->flows;
			return;
		}
}

static json_t *since_of(const struct control *control, const struct ipc_targets *targets,
	const struct ipc_target *target)
{
	struct ipc_target views[2];

	ipc_target_views(targets->flows, target, views);
	return json_row_time(target->drained ? drained_since(control->drained, targets->server,
						       target->name, target->port)
					     : views[0].since_ms);
}

static json_t *tls_of(struct command *command, const char *name, const struct ipc_target *target)
{
	const struct control *control = command->control;
	json_t *array = json_array();
	ptrdiff_t at = policy_find_server(control->policy, name);

	for (unsigned i = 0; at >= 0 && i < ipc_target_addresses(target); i++) {
		const struct ipc_host_tls *seen =
			health_peer_tls(control->health, (size_t)at, target, &target->addresses[i]);
		if (seen)
			json_array_append_new(array, host_tls_row(control, seen));
	}
	return array;
}

static json_t *account_of(const struct command *command, const char *name)
{
	const struct policy *policy = command->control->policy;
	ptrdiff_t at = policy_find_server(policy, name);

	return at >= 0 && policy->servers[at].account.given
		       ? json_row_string(&policy->servers[at].account.user)
		       : json_null();
}

struct paths_of {
	json_t *array;
	const struct ipc_target *target;
};

static json_t *end_of(const struct endpoint *at)
{
	return at->port ? json_row_endpoint(at) : json_null();
}

static void tell_path(void *context, const struct path_row *row)
{
	struct paths_of *paths = context;

	if (row->port != paths->target->port || !dns_same_name(row->host, paths->target->name))
		return;
	json_array_append_new(paths->array,
		json_pack("{s:i, s:o, s:o, s:o}", "path", (int)row->number, "limit",
			row->flows ? json_integer((json_int_t)row->flows) : json_null(), "ip4",
			end_of(&row->at4), "ip6", end_of(&row->at6)));
}

/* Those that are the host's own, and where each leads now. */
static json_t *paths_of(struct control *control, const char *name, const struct ipc_target *target)
{
	struct paths_of paths = {.array = json_array(), .target = target};
	ptrdiff_t at = policy_find_server(control->policy, name);

	if (at >= 0 && control->policy->servers[at].path == POLICY_PATH_KERNEL)
		paths_each(control->paths, (size_t)at, tell_path, &paths);
	return paths.array;
}

static const char *path_word(const struct control *control, const char *name)
{
	ptrdiff_t at = policy_find_server(control->policy, name);
	return policy_path_names[at < 0 ? POLICY_PATH_RELAY : control->policy->servers[at].path];
}

static void show_target(struct command *command, const struct shown *shown, uint32_t i)
{
	const struct ipc_target *target = &shown->targets.v[i];
	json_t *addresses = json_array();
	for (unsigned a = 0; a < ipc_target_addresses(target); a++)
		json_array_append_new(addresses, json_row_addr(&target->addresses[a]));
	command_row(command,
		json_pack("{s:o, s:o, s:o, s:i, s:i, s:i, s:s, s:o, s:o, s:o, s:I, s:s, s:o, s:o, "
			  "s:o, s:o, s:o, s:s, s:o}",
			"server", json_row_text(shown->targets.server), "host",
			json_row_text(target->name), "address", addresses, "port",
			(int)target->port, "preference", (int)target->preference, "weight",
			(int)target->weight, "state", target_words_state(&shown->targets, target),
			"since_at", since_of(command->control, &shown->targets, target), "why",
			target_words_why(&shown->targets, target), "latency_ms",
			target->latency_us
				? json_integer((json_int_t)(target->latency_us + 999) / 1000)
				: json_null(),
			"flows", (json_int_t)shown->flows[i], "stale",
			target->stale ? "last good DNS answer" : "", "limit",
			target->limit_flows ? json_integer((json_int_t)target->limit_flows)
					    : json_null(),
			"account", account_of(command, shown->targets.server), "login_until_at",
			json_row_time(target->login_until_ms), "tls",
			tls_of(command, shown->targets.server, target), "message_state",
			target_words_message_state(&shown->targets, target), "path",
			path_word(command->control, shown->targets.server), "paths",
			paths_of(command->control, shown->targets.server, target)));
}

static void on_shown(struct flow_gather *flows)
{
	struct showing *showing = (struct showing *)flows;
	struct command *command = showing->command;
	for (const struct shown *shown = showing->first; shown; shown = shown->next)
		for (uint32_t i = 0; i < shown->targets.n; i++)
			show_target(command, shown, i);
	command_ok(command);
}

static void run_show(struct command *command)
{
	struct showing *showing = command_new_state(command, sizeof(*showing));
	size_t i, end;
	if (!showing)
		return;
	command->forget = forget_showing;
	if (!command_named(command, POLICY_KIND_SERVER, &i, &end))
		return;
	showing->command = command;
	struct shown **last = &showing->first;
	for (; i < end; i++)
		if (!keep(showing, &last, i)) {
			command_done(command, OUTCOME_REFUSED, "out of memory");
			return;
		}
	showing->flows.on_load = on_load;
	showing->flows.done = on_shown;
	flow_reports_gather(command->control, &showing->flows);
}

/* ---- drain, enable ---- */

struct draining {
	struct gather gather; /* first */
	struct command *command;
	size_t server;
};

/* Hosts that new flows may still go to, drained ones left out. */
static size_t count_open(const struct ipc_targets *targets)
{
	size_t n = 0;
	for (uint32_t i = 0; i < targets->n; i++) {
		struct ipc_target views[2];
		bool open = false;
		for (unsigned v = ipc_target_views(targets->flows, &targets->v[i], views); v > 0;
			v--)
			open |= views[v - 1].state != TARGET_NEVER;
		n += open && !targets->v[i].drained && targets->v[i].weight > 0;
	}
	return n;
}

static void on_drained(struct gather *gather)
{
	struct draining *draining = (struct draining *)gather;
	struct command *command = draining->command;
	struct control *control = command->control;
	const char *name = command_value(command, "NAME");
	ptrdiff_t at = policy_find_server(control->policy, name);
	const struct ipc_targets *targets =
		at < 0 ? NULL : health_peer_targets(control->health, (size_t)at);

	for (uint32_t i = 0; targets && i < targets->n; i++)
		command_row(command,
			json_pack("{s:s, s:o, s:i, s:s, s:o}", "server", name, "host",
				json_row_text(targets->v[i].name), "port", (int)targets->v[i].port,
				"state", target_words_state(targets, &targets->v[i]), "since_at",
				since_of(control, targets, &targets->v[i])));
	if (targets && count_open(targets) == 0) {
		char text[POLICY_NAME_SIZE + 64];
		snprintf(text, sizeof(text), "no host of server %s takes new flows now", name);
		command_warning(command, text);
	}
	if (gather->status)
		command_done(command, OUTCOME_REFUSED, "%s", gather->text);
	else
		command_ok(command);
}

/* "203.0.113.10 port 25, 203.0.113.10 port 2525" */
static void list_hosts(const struct ipc_targets *targets, char *text, size_t size)
{
	size_t used = 0;
	*text = '\0';
	for (uint32_t i = 0; i < targets->n && used < size; i++)
		used += (size_t)snprintf(text + used, size - used, "%s%s port %u", i ? ", " : "",
			targets->v[i].name, targets->v[i].port);
}

/* The host's name as it is shown, among the targets of the server; NULL: refused. port 0: any. */
static const char *find_host(struct command *command, const struct ipc_targets *targets,
	const char *host, uint16_t port, char canonical[static ADDR_TEXT_SIZE])
{
	const struct drained *drained = command->control->drained;
	char names[512], cut[TEXT_CUT_SIZE], wanted[16] = "";
	const char *bare;
	size_t bare_len;
	struct addr addr;

	if (addr_parse(host, strlen(host), &addr) == 0)
		host = addr_format(&addr, canonical);
	for (uint32_t i = 0; i < targets->n; i++)
		if (dns_same_name(targets->v[i].name, host) &&
			(!port || targets->v[i].port == port))
			return host;
	/* what was drained and is gone can be enabled */
	if (port ? drained_since(drained, targets->server, host, port) != 0
		 : drained_host(drained, targets->server, host))
		return host;
	list_hosts(targets, names, sizeof(names));
	if (port)
		snprintf(wanted, sizeof(wanted), " port %u", port);
	command_done(command, OUTCOME_ABSENT, "server %s has no host \"%s\"%s%s; hosts: %s",
		targets->server, text_cut(host, cut), wanted,
		endpoint_split(host, strlen(host), &bare, &bare_len)
			? "; a port stands by itself: host H port N"
			: "",
		names);
	return NULL;
}

static const char *why_not(int error)
{
	return error == -ENOSPC  ? "too many hosts are drained"
	       : error == -EBUSY ? "the host is drained with all its ports: enable it, then drain "
				   "the others"
				 : strerror(-error);
}

/* 0: none given; -1: ended. */
static int take_port(struct command *command)
{
	const char *word = command_value(command, "port");
	unsigned long number = word ? strtoul(word, NULL, 10) : 0;
	if (number <= UINT16_MAX)
		return (int)number;
	command_usage(command, "%s is no port", word);
	return -1;
}

static void set_drained(struct command *command, bool on)
{
	struct control *control = command->control;
	struct draining *draining = command_new_state(command, sizeof(*draining));
	const char *name, *host = command_value(command, "host");
	char canonical[ADDR_TEXT_SIZE];

	if (!draining)
		return;
	if (!(name = take_server(command, &draining->server)))
		return;
	const struct ipc_targets *targets = health_peer_targets(control->health, draining->server);
	if (!targets) {
		command_done(command, OUTCOME_REFUSED, "out of memory");
		return;
	}
	int port = take_port(command);
	if (port < 0 || !(host = find_host(command, targets, host, (uint16_t)port, canonical)))
		return;
	draining->command = command;
	gather_init(&draining->gather, on_drained);
	int error =
		drained_set(control->drained, name, host, (uint16_t)port, on, &draining->gather);
	if (error && error != -EALREADY) {
		command_done(command, OUTCOME_REFUSED, "%s", why_not(error));
		return;
	}
	if (error) {
		command_unchanged(command);
	} else {
		command_log(command);
		health_peer_drained(control->health, name);
	}
	gather_end(&draining->gather, 0, NULL);
}

static void run_drain(struct command *command)
{
	set_drained(command, true);
}

static void run_enable(struct command *command)
{
	set_drained(command, false);
}

/* ---- test ---- */

struct testing {
	struct question ask; /* first */
	struct command *command;
	char server[POLICY_NAME_SIZE];
	unsigned hosts, refused, skipped;
};

static void show_tested(struct testing *testing, const struct ipc_tested *tested)
{
	static const char *const kinds[] = {
		[IPC_TESTED_SAID] = "said",
		[IPC_TESTED_HEARD] = "heard",
		[IPC_TESTED_TLS] = "tls",
		[IPC_TESTED_VERDICT] = "verdict",
	};
	bool is_end = tested->kind == IPC_TESTED_VERDICT;
	testing->hosts += is_end;
	testing->refused += is_end && tested->verdict == TRIAL_REFUSED;
	testing->skipped += is_end && tested->verdict == TRIAL_SKIPPED;
	command_row(testing->command,
		json_pack("{s:s, s:o, s:o, s:i, s:o, s:s, s:o, s:o}", "server", testing->server,
			"host", json_row_text(tested->name), "address",
			json_row_addr(&tested->host.addr), "port", (int)tested->host.port, "client",
			json_row_addr(&tested->client), "kind", kinds[tested->kind], "verdict",
			is_end ? json_row_text(trial_verdict_names[tested->verdict]) : json_null(),
			"text", json_row_text(tested->text)));
}

static void on_tested(struct question *ask, const struct ipc_header *ipc)
{
	struct testing *testing = (struct testing *)ask;
	struct command *command = testing->command;
	const struct ipc_reply *reply = (const struct ipc_reply *)ipc;

	if (ipc && ipc->type == IPC_TESTED) {
		show_tested(testing, (const struct ipc_tested *)ipc);
		return;
	}
	if (ipc && ipc->type != IPC_REPLY)
		return;
	if (!ipc)
		command_done(command, OUTCOME_REFUSED,
			"the health process, which tests, is not there; it comes again: see the "
			"log");
	else if (reply->status)
		command_done(
			command, OUTCOME_REFUSED, "server %s: %s", testing->server, reply->text);
	else if (testing->refused)
		command_done(command, OUTCOME_REFUSED,
			"server %s: %u of %u dialogues did not end with the message taken",
			testing->server, testing->refused, testing->hosts);
	else if (testing->hosts == testing->skipped)
		command_done(command, OUTCOME_REFUSED,
			"server %s: no host is of the client's IP version", testing->server);
	else
		command_ok(command);
}

/* A path for the ipc; NULL: absent. */
static bool put_path(struct command *command, char path[static TRIAL_PATH_SIZE], const char *word)
{
	if (!word)
		return true;
	if (trial_is_path(word)) {
		snprintf(path, TRIAL_PATH_SIZE, "%s", word);
		return true;
	}
	command_usage(command, "\"%s\" is no mail address", word);
	return false;
}

static bool read_test(struct command *command, struct ipc_test *ipc)
{
	const char *user = command_value(command, "user");
	const char *address = command_value(command, "address");
	const char *from = command_value(command, "from"), *to = command_value(command, "to");

	if (user && strlen(user) >= sizeof(ipc->user)) {
		command_usage(command, "the user's name is too long");
		return false;
	}
	if (address)
		addr_parse(address, strlen(address), &ipc->client);
	snprintf(ipc->user, sizeof(ipc->user), "%s", user ? user : "");
	/* the path of bounces */
	if (from && strcmp(from, "<>") == 0) {
		ipc->nobody = 1;
		from = NULL;
	}
	return put_path(command, ipc->from, from) &&
	       put_path(command, ipc->to, to ? to : "test@example.org");
}

/* With the secret of the account, which is nowhere here afterwards. */
static void send_test(struct testing *testing)
{
	struct command *command = testing->command;
	struct control *control = command->control;
	struct credential_read read = {0};
	ptrdiff_t at = policy_find_server(control->policy, testing->server);
	const struct policy_account *account =
		at >= 0 ? &control->policy->servers[at].account : NULL;
	struct {
		struct ipc_test test;
		char secret[CREDENTIAL_SECRET_BYTES_MAX];
	} ipc;

	ipc_init(&ipc, IPC_TEST, sizeof(ipc.test));
	snprintf(ipc.test.server, sizeof(ipc.test.server), "%s", testing->server);
	if (!read_test(command, &ipc.test))
		return;
	if (account && account->given)
		credentials_read_account(control->credentials, account, &read);
	if (read.usable && read.file.len <= sizeof(ipc.secret)) {
		ipc.test.secret_bytes = (uint16_t)read.file.len;
		memcpy((char *)&ipc + sizeof(ipc.test), read.file.bytes, read.file.len);
		ipc.test.header.bytes += ipc.test.secret_bytes;
	}
	credential_read_wipe(&read);
	testing->ask.on_answer = on_tested;
	health_peer_ask(control->health, &testing->ask, &ipc);
	explicit_bzero(&ipc, sizeof(ipc));
}

static void on_settled(void *context, bool bad, const char *text)
{
	(void)bad, (void)text; /* certificate show and doctor say it */
	send_test(context);
}

static void run_test(struct command *command)
{
	struct testing *testing = command_new_state(command, sizeof(*testing));
	struct control *control = command->control;
	size_t server;
	const char *name;

	if (!testing)
		return;
	if (!(name = take_server(command, &server)))
		return;
	snprintf(testing->server, sizeof(testing->server), "%s", name);
	testing->command = command;
	/* a test is of what flows say, and that is what the files say */
	if (!control->policy->servers[server].account.given)
		send_test(testing);
	else if (renew_settle(control->renew, on_settled, testing) < 0)
		command_done(command, OUTCOME_REFUSED, "out of memory");
}

static const struct command_verb verbs[] = {
	{"show", run_show},
	{"add", command_edit},
	{"replace", command_edit},
	{"set", command_edit},
	{"unset", command_edit},
	{"delete", command_edit},
	{"test", run_test},
	{"drain", run_drain},
	{"enable", run_enable},
	{NULL, NULL},
};

const struct command_noun command_server = {"server", verbs};
