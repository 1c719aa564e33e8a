/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/health/targets.h"

#include "daemon/base/log.h"
#include "daemon/base/own_address.h"
#include "daemon/health/names/host_names.h"
#include "daemon/health/names/resolve_cache.h"
#include "daemon/health/probe.h"
#include "daemon/health/seeds.h"
#include "daemon/health/target_report.h"
#include "daemon/health/watched_target.h"
#include "daemon/process/replica.h"
#include "daemon/tls/contexts.h"
#include "lib/base/container.h"
#include "lib/dns/hosts.h"
#include "lib/metrics/counter.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define HOSTS_FILE       "/etc/hosts"
#define HOSTS_FILE_BYTES 65536
/* A list with names that are still being looked up waits so long, so that a relay does not begin
 * with the second best. */
#define HOLD_MS    1000
#define ROUNDS_MAX 8 /* of one run: an answer may call for another look-up */

struct server {
	struct server *next;
	struct targets *targets;
	struct terms terms;
	size_t index; /* in the policy */
	bool wanted;
	bool pending; /* names are being looked up */
	uint64_t pending_ms;
	struct watched_target *hosts; /* in the order of the last expansion */
	size_t left_off;
	struct ipc_targets *sent; /* as last told; NULL: never */
};

struct targets {
	struct loop *loop;
	uint64_t *counters;
	uint16_t relay_port;
	const struct targets_face *face;
	struct resolve_cache *cache;
	struct probes *probes;
	struct policy *policy;         /* NULL: none yet */
	struct tls_contexts *contexts; /* held: of the policy; NULL: none */
	uint64_t number, inquiry;
	char hostname[DNS_NAME_SIZE];
	struct ipc_client_side side;
	struct server *servers;
	bool expand; /* DNS or policy have changed */
	bool tell;   /* or only a state */
	struct loop_timer hold;
	struct target_list list; /* the one at hand */
	struct seeds seeds;
	struct host_names names;
	struct ipc_targets *built; /* IPC_BYTES_MAX */
};

static void on_answer(void *context)
{
	struct targets *targets = context;
	targets->expand = true;
}

static void on_state(void *context)
{
	struct targets *targets = context;
	targets->tell = true;
}

static void on_hold(struct loop_timer *timer, uint64_t now_ms)
{
	struct targets *targets = container_of(timer, struct targets, hold);
	(void)now_ms;
	targets->tell = true;
}

static void fix_name(void *context, const char *name, const struct addr *addr)
{
	resolve_cache_fix(context, name, addr);
}

static void read_hosts_file(struct targets *targets)
{
	static char text[HOSTS_FILE_BYTES];
	int fd = open(HOSTS_FILE, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return;
	ssize_t len = read(fd, text, sizeof(text));
	close(fd);
	if (len > 0)
		hosts_read(text, (size_t)len, fix_name, targets->cache);
}

int targets_open(struct loop *loop, uint64_t *counters, uint16_t relay_port,
	const struct targets_face *face, struct dials *dials, struct targets **out)
{
	struct targets *targets = calloc(1, sizeof(*targets));
	int error = -ENOMEM;

	if (!targets)
		return error;
	targets->loop = loop;
	targets->counters = counters;
	targets->relay_port = relay_port;
	targets->face = face;
	targets->hold.on_time = on_hold;
	targets->built = malloc(IPC_BYTES_MAX);
	targets->probes = probe_open(loop, counters, dials);
	if (targets->built && targets->probes)
		error = resolve_cache_open(loop, counters, on_answer, targets, &targets->cache);
	if (error) {
		targets_close(targets);
		return error;
	}
	read_hosts_file(targets);
	*out = targets;
	return 0;
}

static void free_server(struct server *server)
{
	while (server->hosts) {
		struct watched_target *host = server->hosts;
		server->hosts = host->next;
		watched_target_free(host);
	}
	free(server->sent);
	free(server);
}

void targets_close(struct targets *targets)
{
	if (!targets)
		return;
	while (targets->servers) {
		struct server *server = targets->servers;
		targets->servers = server->next;
		free_server(server);
	}
	seeds_drop(&targets->seeds);
	loop_timer_clear(targets->loop, &targets->hold);
	host_names_fini(&targets->names);
	probe_close(targets->probes);
	resolve_cache_close(targets->cache);
	policy_unref(targets->policy);
	tls_contexts_free(targets->contexts);
	free(targets->built);
	free(targets);
}

static struct server *find_server(const struct targets *targets, const char *name)
{
	struct server *server = targets->servers;
	while (server && strcmp(server->terms.server, name) != 0)
		server = server->next;
	return server;
}

static struct terms terms_of(const struct targets *targets, size_t server)
{
	const struct terms_source source = {.policy = targets->policy,
		.contexts = targets->contexts,
		.inquiry = targets->inquiry,
		.hostname = targets->hostname,
		.side = &targets->side};

	return terms_make(&source, server);
}

void targets_set_client_side(struct targets *targets, const struct ipc_client_side *side)
{
	targets->side = *side;
	for (struct server *server = targets->servers; server; server = server->next) {
		struct terms terms = terms_of(targets, server->index);
		bool same = terms_same_question(&server->terms, &terms);
		server->terms = terms;
		for (struct watched_target *host = server->hosts; host && !same; host = host->next)
			watched_target_reset(host);
	}
}

static void put_server(struct targets *targets, size_t index)
{
	struct terms terms = terms_of(targets, index);
	struct server *server = find_server(targets, terms.server);

	if (!server) {
		server = calloc(1, sizeof(*server));
		if (!server)
			return;
		server->targets = targets;
		server->next = targets->servers;
		targets->servers = server;
		server->terms = terms;
	}
	bool same = terms_same_question(&server->terms, &terms);
	server->terms = terms;
	server->index = index;
	server->wanted = true;
	for (struct watched_target *host = server->hosts; host; host = host->next) {
		login_hold_end(&host->login);
		if (!same)
			watched_target_reset(host);
		else
			watched_target_probe_soon(host);
	}
}

void targets_begin_inquiry(struct targets *targets, uint64_t inquiry)
{
	targets->inquiry = inquiry;
	targets->tell = true;
	for (struct server *server = targets->servers; server; server = server->next) {
		server->terms.inquiry = inquiry;
		for (struct watched_target *host = server->hosts; host; host = host->next)
			watched_target_probe_soon(host);
	}
}

void targets_set_policy(
	struct targets *targets, const struct picture *picture, const char *hostname)
{
	struct policy *policy = policy_ref(picture->policy);
	struct tls_contexts *contexts =
		picture->contexts ? tls_contexts_hold(picture->contexts) : NULL;
	policy_unref(targets->policy);
	tls_contexts_free(targets->contexts);
	targets->policy = policy;
	targets->contexts = contexts;
	targets->number = picture->number;
	targets->inquiry = picture->inquiry;
	snprintf(targets->hostname, sizeof(targets->hostname), "%s", hostname);
	for (struct server *server = targets->servers; server; server = server->next)
		server->wanted = false;
	for (size_t i = 0; i < policy->nservers; i++)
		put_server(targets, i);
	for (struct server **at = &targets->servers; *at;) {
		struct server *server = *at;
		if (server->wanted) {
			at = &server->next;
			continue;
		}
		*at = server->next;
		free_server(server);
	}
	targets->expand = true;
}

static void look_up_addresses(void *context, const char *name, struct target_addresses *found)
{
	resolve_cache_addresses(((struct targets *)context)->cache, name, found);
}

static void look_up_mx(void *context, const char *domain, struct target_mx *found)
{
	resolve_cache_mx(((struct targets *)context)->cache, domain, found);
}

static bool is_own(void *context, const struct addr *addr)
{
	(void)context;
	return own_address(addr);
}

/* The host of this name and port, taken out of the list or made. */
static struct watched_target *take_host(
	struct server *server, struct watched_target **old, const struct target *target)
{
	for (struct watched_target **at = old; *at; at = &(*at)->next) {
		struct watched_target *host = *at;
		if (host->target.port == target->port &&
			dns_same_name(host->target.name, target->name)) {
			*at = host->next;
			return host;
		}
	}
	return watched_target_new(server->targets->loop, &server->terms, on_state, server->targets);
}

static void use_list(struct server *server, const struct target_list *list)
{
	struct watched_target *old = server->hosts, **last = &server->hosts;
	uint64_t now_ms = loop_now_ms(server->targets->loop);

	server->hosts = NULL;
	for (size_t i = 0; i < list->n; i++) {
		struct watched_target *host = take_host(server, &old, &list->v[i]);
		if (!host)
			continue;
		watched_target_update(host, &list->v[i]);
		host->next = NULL;
		*last = host;
		last = &host->next;
	}
	while (old) {
		struct watched_target *host = old;
		old = host->next;
		watched_target_free(host);
	}
	if (list->pending && !server->pending)
		server->pending_ms = now_ms;
	server->pending = list->pending;
	if (list->left_off > 0 && list->left_off != server->left_off)
		log_warning("server %s: %zu hosts by MX are not used, %d is the most",
			server->terms.server, list->left_off, TARGETS_MAX);
	server->left_off = list->left_off;
}

static void expand(struct targets *targets)
{
	const struct target_world world = {.context = targets,
		.addresses = look_up_addresses,
		.mx = look_up_mx,
		.own_address = is_own,
		.hostname = targets->hostname,
		.relay_port = targets->relay_port,
		.policy = targets->policy};

	targets->expand = false;
	targets->tell = true;
	targets->counters[COUNTER_DNS_REFUSED] = 0;
	seeds_use_records(&targets->seeds, targets->cache, targets->policy, targets->number);
	resolve_cache_begin(targets->cache);
	for (struct server *server = targets->servers; server; server = server->next) {
		target_expand(&targets->policy->servers[server->index], &world, &targets->list);
		targets->counters[COUNTER_DNS_REFUSED] += targets->list.refused;
		use_list(server, &targets->list);
		seeds_use(&targets->seeds, server->terms.server, server->hosts);
	}
	seeds_drop(&targets->seeds);
	host_names_tell(
		&targets->names, targets->cache, targets->face->send, targets->face->context);
	resolve_cache_sweep(targets->cache);
}

static bool held(struct server *server)
{
	struct targets *targets = server->targets;
	uint64_t end_ms = server->pending_ms + HOLD_MS;
	if (!server->pending || loop_now_ms(targets->loop) >= end_ms)
		return false;
	if (!targets->hold.slot || targets->hold.at_ms > end_ms)
		loop_timer_set(targets->loop, &targets->hold, end_ms);
	return true;
}

static void tell_server(struct server *server)
{
	struct targets *targets = server->targets;
	struct ipc_targets *ipc = targets->built;

	if (held(server))
		return;
	ipc_init(ipc, IPC_TARGETS, sizeof(*ipc));
	ipc->number = targets->number;
	ipc->inquiry = targets->inquiry;
	ipc->known = 1;
	ipc->flows = server->terms.flows;
	snprintf(ipc->server, sizeof(ipc->server), "%s", server->terms.server);
	for (struct watched_target *host = server->hosts; host; host = host->next)
		if (target_report(host, &ipc->v[ipc->n++]))
			targets->counters[COUNTER_TARGETS_CHANGES]++;
	ipc->header.bytes = (uint32_t)(sizeof(*ipc) + ipc->n * sizeof(ipc->v[0]));
	if (server->sent && server->sent->header.bytes == ipc->header.bytes &&
		memcmp(server->sent, ipc, ipc->header.bytes) == 0)
		return;
	free(server->sent);
	server->sent = malloc(ipc->header.bytes);
	if (server->sent)
		memcpy(server->sent, ipc, ipc->header.bytes);
	targets->face->send(targets->face->context, ipc);
}

static void tell_tls(struct server *server)
{
	struct targets *targets = server->targets;
	struct ipc_host_tls ipc;

	for (struct watched_target *host = server->hosts; host; host = host->next)
		while (target_report_tls(host, &ipc))
			targets->face->send(targets->face->context, &ipc);
}

static void tell(struct targets *targets)
{
	uint64_t hosts = 0, down = 0;
	targets->tell = false;
	for (struct server *server = targets->servers; server; server = server->next) {
		tell_server(server);
		tell_tls(server);
		for (struct watched_target *host = server->hosts; host; host = host->next) {
			hosts++;
			down += target_report_is_down(host);
		}
	}
	targets->counters[COUNTER_TARGETS] = hosts;
	targets->counters[COUNTER_TARGETS_DOWN] = down;
}

/* Who has waited longest. */
static struct watched_target *first_due(struct targets *targets)
{
	struct watched_target *first = NULL;
	for (struct server *server = targets->servers; server; server = server->next)
		for (struct watched_target *host = server->hosts; host; host = host->next)
			if (host->due && !host->probe && (!first || host->due_ms < first->due_ms))
				first = host;
	return first;
}

static void probe_due(struct targets *targets)
{
	struct watched_target *host;
	while ((host = first_due(targets)) && watched_target_probe(host, targets->probes))
		continue;
}

void targets_run(struct targets *targets)
{
	for (unsigned i = 0; i < ROUNDS_MAX && (i == 0 || targets->expand); i++) {
		if (targets->expand && targets->policy)
			expand(targets);
		resolve_cache_run(targets->cache);
	}
	if (targets->tell)
		tell(targets);
	probe_due(targets);
}

static struct watched_target *find_host(struct server *server, const struct endpoint *end)
{
	struct watched_target *host = server->hosts;
	while (host && !watched_target_has(host, end))
		host = host->next;
	return host;
}

void targets_on_host(struct targets *targets, const struct ipc_host *ipc)
{
	struct server *server = find_server(targets, ipc->server);
	struct watched_target *host = server ? find_host(server, &ipc->host) : NULL;
	if (host)
		watched_target_on_host(host, ipc);
}

void targets_probe_now(struct targets *targets, const char *name)
{
	for (struct server *server = targets->servers; server; server = server->next) {
		if (*name && strcmp(server->terms.server, name) != 0)
			continue;
		for (struct watched_target *host = server->hosts; host; host = host->next)
			watched_target_probe_soon(host);
	}
}

const struct watched_target *targets_hosts(const struct targets *targets, const char *name)
{
	const struct server *server = find_server(targets, name);
	return server ? server->hosts : NULL;
}

uint32_t targets_login_held_s(
	const struct targets *targets, const char *name, const struct endpoint *end)
{
	struct server *server = find_server(targets, name);
	const struct watched_target *host = server ? find_host(server, end) : NULL;
	return host ? login_hold_left_s(&host->login) : 0;
}

void targets_on_tested(struct targets *targets, const char *name, const struct endpoint *end)
{
	struct server *server = find_server(targets, name);
	struct watched_target *host = server ? find_host(server, end) : NULL;
	if (host)
		login_hold_on_tested(&host->login);
}

void targets_tell_all(struct targets *targets)
{
	for (struct server *server = targets->servers; server; server = server->next) {
		free(server->sent);
		server->sent = NULL;
		for (struct watched_target *host = server->hosts; host; host = host->next)
			target_report_tls_again(host);
	}
	targets->tell = true;
}

void targets_seed(struct targets *targets, const struct ipc_targets *ipc)
{
	if (seeds_take(&targets->seeds, targets->cache, ipc))
		targets->expand = true;
}

void targets_name(struct targets *targets, const struct ipc_resolve *ipc)
{
	host_names_ask(&targets->names, ipc);
	targets->expand = true;
}
