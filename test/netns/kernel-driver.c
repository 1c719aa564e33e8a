/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Carries out lines of standard input on the kernel by kernel-rules/, for test/netns/kernel-rules.
 *
 * Each line is answered by lines and then `ok` or `error NUMBER`; what happens by itself (packets
 * of the queue, interfaces, healing) is told in lines that begin with `event`. */
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "kernel-rules/conntrack.h"
#include "kernel-rules/links.h"
#include "kernel-rules/neighbour.h"
#include "kernel-rules/nftables/clients.h"
#include "kernel-rules/nftables/table_state.h"
#include "kernel-rules/nftables/watch.h"
#include "kernel-rules/queue.h"
#include "kernel-rules/routes.h"
#include "lib/base/copy.h"
#include "test/netns/path-driver.h"

#define WORDS_MAX 64

struct driver {
	struct plan plan;
	struct table *table;
	struct watch *watch;
	struct links *links;
	struct routes *routes;
	struct queue *queue;
	struct path_driver paths;
	bool follow; /* heal */
	bool dead;   /* applies do not vouch for verdicts to pass */
	bool hold;   /* keep queued packets waiting */
	enum mark decision;
	uint16_t path; /* with decision kernel */
	uint32_t cache_ms;
};

static const char *const marks[MARKS] = {
	"none", "relay", "pass", "reject", "drop", "kill", "limited", "kernel"};

static enum mark mark_of(const char *word)
{
	for (int i = 0; i < MARKS; i++) {
		if (strcmp(marks[i], word) == 0)
			return (enum mark)i;
	}
	return MARK_NONE;
}

static void on_link(
	void *context, enum link_change change, const struct link *old, const struct link *link)
{
	static const char *const words[] = {"came", "changed", "went"};
	(void)context, (void)old;
	printf("event link %s %u %s mac %d up %d\n", words[change], link->ifindex, link->name,
		link->has_mac, link->up);
}

static void on_packet(void *context, const struct queue_packet *packet)
{
	struct driver *d = context;
	char mac[MAC_TEXT_SIZE], from[ENDPOINT_TEXT_SIZE], to[ENDPOINT_TEXT_SIZE];
	const struct link *link = links_find(d->links, packet->ifindex);

	if (!packet->is_read) {
		queue_verdict(d->queue, packet->id, packet->mark, MARK_LIMITED, 0);
		return;
	}
	printf("event packet %s %s %s %s first %d mark %#x\n", link ? link->name : "?",
		mac_format(&packet->mac, mac), endpoint_format(&packet->packet.source, from),
		endpoint_format(&packet->packet.destination, to), packet->packet.is_first,
		packet->mark);
	if (d->hold)
		return;
	if (d->cache_ms && link && d->decision != MARK_NONE) {
		struct client_change change = {.add = true,
			.client = {.mac = packet->mac,
				.addr = packet->packet.source.addr,
				.mark = d->decision,
				.path = d->path,
				.timeout_ms = d->cache_ms}};
		strcpy(change.client.ifname, link->name);
		int status = clients_change(d->table, &change, 1);
		if (status)
			printf("event cache-failed %d\n", status);
	}
	int status = queue_verdict(d->queue, packet->id, packet->mark, d->decision, d->path);
	if (status)
		printf("event verdict-failed %d\n", status);
}

static void on_client(void *context, const struct client *client)
{
	char mac[MAC_TEXT_SIZE], addr[ADDR_TEXT_SIZE];
	(void)context;
	printf("client %s %s %s %s left %llu packets %llu path %u\n", client->ifname,
		mac_is_set(&client->mac) ? mac_format(&client->mac, mac) : "-",
		addr_format(&client->addr, addr), marks[client->mark],
		(unsigned long long)client->timeout_ms, (unsigned long long)client->packets,
		client->path);
}

static size_t split(char *text, char separator, char **words)
{
	size_t n = 0;
	for (char *at = text; at && *at && n < WORDS_MAX;) {
		char *next = strchr(at, separator);
		if (next)
			*next++ = 0;
		if (*at)
			words[n++] = at;
		at = next;
	}
	return n;
}

/* zone NAME open|closed mac|nomac IF,.. NET,..|- PORT,.. */
static int do_zone(struct driver *d, char **w, size_t n)
{
	char *ifs[WORDS_MAX], *nets[WORDS_MAX], *ports[WORDS_MAX];
	if (n != 7)
		return -EINVAL;
	size_t nifs = split(w[4], ',', ifs), nports = split(w[6], ',', ports);
	size_t nnets = strcmp(w[5], "-") ? split(w[5], ',', nets) : 0;
	struct plan_zone *zone = plan_add_zone(&d->plan, w[1], nifs, nnets, nports);
	if (!zone)
		return -ENOMEM;
	zone->open = strcmp(w[2], "open") == 0;
	zone->has_mac = strcmp(w[3], "mac") == 0;
	for (size_t i = 0; i < nifs; i++)
		copy_text(zone->interfaces[i], POLICY_IFNAME_SIZE, ifs[i]);
	for (size_t i = 0; i < nnets; i++) {
		if (prefix_parse(nets[i], strlen(nets[i]), &zone->networks[i]))
			return -EINVAL;
	}
	for (size_t i = 0; i < nports; i++)
		zone->ports[i] = (uint16_t)atoi(ports[i]);
	return 0;
}

/* bind ADDRESS PORT */
static int do_bind(struct driver *d, char **w, size_t n)
{
	struct endpoint host = {0};
	if (n != 3 || addr_parse(w[1], strlen(w[1]), &host.addr))
		return -EINVAL;
	host.port = (uint16_t)atoi(w[2]);
	d->plan.bind_client = true;
	return plan_add_host(&d->plan, &host);
}

/* login ADDRESS PORT USER */
static int do_login(struct driver *d, char **w, size_t n)
{
	struct endpoint host = {0};
	if (n != 4 || addr_parse(w[1], strlen(w[1]), &host.addr))
		return -EINVAL;
	host.port = (uint16_t)atoi(w[2]);
	d->plan.user = (uint32_t)atoi(w[3]);
	return plan_add_login(&d->plan, &host);
}

static int program(struct driver *d, const struct plan *plan)
{
	int status = table_apply(d->table, plan);
	if (status == 0 && plan->mode == PLAN_RUNNING && !d->dead)
		status = table_keep_alive(d->table, 3600000);
	return status;
}

/* The plan goes through its bytes, as in the daemon. */
static int do_apply(struct driver *d, enum plan_mode mode)
{
	struct plan plan;
	uint8_t *bytes;
	size_t len;

	d->plan.mode = mode;
	int status = plan_encode(&d->plan, &bytes, &len);
	if (status)
		return status;
	status = plan_decode(bytes, len, &plan);
	free(bytes);
	if (status)
		return status;
	status = program(d, &plan);
	if (status == 0 && d->routes)
		status = routes_apply(d->routes, &plan);
	printf("queue %d owned %d\n", table_queue(d->table), table_is_owned(d->table));
	plan_fini(&plan);
	return status;
}

/* add|del MARK[/PATH] IF MAC|- ADDR [MS] */
static int parse_change(char **w, size_t n, struct client_change *change)
{
	if (n < 5)
		return -EINVAL;
	*change = (struct client_change){.add = strcmp(w[0], "add") == 0};
	char *path = strchr(w[1], '/');
	if (path)
		*path++ = 0;
	change->client.path = path ? (uint16_t)atoi(path) : 0;
	change->client.mark = mark_of(w[1]);
	copy_text(change->client.ifname, POLICY_IFNAME_SIZE, w[2]);
	if (strcmp(w[3], "-") && mac_parse(w[3], strlen(w[3]), &change->client.mac))
		return -EINVAL;
	if (addr_parse(w[4], strlen(w[4]), &change->client.addr))
		return -EINVAL;
	change->client.timeout_ms = n > 5 ? strtoull(w[5], NULL, 10) : 60000;
	return 0;
}

static double now_us(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

static struct client_change made_up(const char *ifname, uint32_t number)
{
	struct client_change change = {
		.add = true, .client = {.mark = MARK_RELAY, .timeout_ms = 3600000}};
	copy_text(change.client.ifname, POLICY_IFNAME_SIZE, ifname);
	uint8_t mac[] = {
		2, 0, 0x5e, (uint8_t)(number >> 16), (uint8_t)(number >> 8), (uint8_t)number};
	memcpy(change.client.mac.bytes, mac, sizeof(mac));
	change.client.addr.family = ADDR_IP6;
	uint8_t start[] = {0x20, 1, 0xd, 0xb8};
	memcpy(change.client.addr.bytes, start, sizeof(start));
	memcpy(change.client.addr.bytes + 13, mac + 3, 3);
	return change;
}

/* load IF N: N made up clients; then the cost of single ones on top is printed. */
static int do_load(struct driver *d, char **w)
{
	uint32_t n = (uint32_t)atoi(w[2]);
	struct client_change *changes = calloc(CLIENTS_CHANGES_MAX, sizeof(*changes));
	int status = 0;

	double start = now_us();
	for (uint32_t at = 0; status == 0 && at < n;) {
		size_t count = 0;
		for (; count < CLIENTS_CHANGES_MAX && at < n; at++)
			changes[count++] = made_up(w[1], at);
		status = clients_change(d->table, changes, count);
	}
	printf("load-us %.0f\n", now_us() - start);
	double most = 0;
	start = now_us();
	for (uint32_t i = 0; status == 0 && i < 100; i++) {
		double before = now_us();
		changes[0] = made_up(w[1], 0x800000 + i);
		status = clients_change(d->table, changes, 1);
		most = now_us() - before > most ? now_us() - before : most;
	}
	printf("single-us mean %.1f most %.1f\n", (now_us() - start) / 100, most);
	free(changes);
	return status;
}

static int do_counters(struct driver *d)
{
	struct table_counters c;
	int status = table_counters(d->table, &c);
	printf("arrived %llu steered %llu queued %llu limited %llu posture_reset %llu "
	       "posture_passed %llu bypassed %llu stray_reset %llu refused %llu dropped %llu "
	       "killed %llu shielded %llu bound %llu unclaimed %llu path_begun %llu "
	       "path_lost %llu login_refused %llu\n",
		(unsigned long long)c.arrived, (unsigned long long)c.steered,
		(unsigned long long)c.queued, (unsigned long long)c.limited,
		(unsigned long long)c.posture_reset, (unsigned long long)c.posture_passed,
		(unsigned long long)c.bypassed, (unsigned long long)c.stray_reset,
		(unsigned long long)c.refused, (unsigned long long)c.dropped,
		(unsigned long long)c.killed, (unsigned long long)c.shielded,
		(unsigned long long)c.bound, (unsigned long long)c.unclaimed,
		(unsigned long long)c.path_begun, (unsigned long long)c.path_lost,
		(unsigned long long)c.login_refused);
	return status;
}

/* bypass on ZONE|- SECONDS, bypass off ZONE|-, bypass left ZONE|- */
static int do_bypass(struct driver *d, char **w, size_t n)
{
	const char *zone = n > 2 && strcmp(w[2], "-") ? w[2] : NULL;
	if (n > 3 && strcmp(w[1], "on") == 0)
		return table_bypass_on(d->table, zone, (uint32_t)atoi(w[3]));
	if (strcmp(w[1], "off") == 0)
		return table_bypass_off(d->table, zone);
	int64_t left = table_bypass_left(d->table, zone);
	printf("left %lld\n", (long long)left);
	return left < 0 ? (int)left : 0;
}

/* queue on|off|MARK[/PATH] [cache ms] */
static int do_queue(struct driver *d, char **w, size_t n)
{
	if (strcmp(w[1], "on") == 0)
		return queue_open(&d->queue, d->plan.queue, d->plan.mark_mask, d->plan.server_mask,
			on_packet, d);
	if (strcmp(w[1], "off") == 0) {
		queue_close(d->queue);
		d->queue = NULL;
		return 0;
	}
	d->hold = strcmp(w[1], "hold") == 0;
	char *path = strchr(w[1], '/');
	if (path)
		*path++ = 0;
	d->path = path ? (uint16_t)atoi(path) : 0;
	d->decision = mark_of(w[1]);
	d->cache_ms = n > 2 ? (uint32_t)atoi(w[2]) : 0;
	return 0;
}

static int do_neighbour(char **w)
{
	struct addr addr;
	struct mac mac;
	char text[MAC_TEXT_SIZE];
	if (addr_parse(w[2], strlen(w[2]), &addr))
		return -EINVAL;
	int status = neighbour_find((uint32_t)atoi(w[1]), &addr, &mac);
	if (status == 0)
		printf("mac %s\n", mac_format(&mac, text));
	return status;
}

static int do_kill(struct driver *d, char **w)
{
	struct prefix prefix;
	if (prefix_parse(w[1], strlen(w[1]), &prefix))
		return -EINVAL;
	int marked = conntrack_kill(d->plan.mark_mask, &prefix, NULL, 0);
	printf("marked %d\n", marked);
	return marked < 0 ? marked : 0;
}

static int do_follow(struct driver *d)
{
	int status = links_open(&d->links, on_link, d);
	if (status == 0)
		status = routes_open(&d->routes);
	if (status == 0)
		status = watch_open(d->table, &d->watch);
	d->follow = status == 0;
	return status;
}

static int do_standing(struct driver *d)
{
	static const enum addr_family families[] = {ADDR_IP4, ADDR_IP6};
	for (size_t i = 0; i < 2; i++) {
		const struct routes_standing *standing = routes_standing(d->routes, families[i]);
		printf("ip%d off %d priority %u behind %d %u contested %d\n", families[i],
			standing->off, standing->priority, standing->is_behind, standing->behind,
			standing->contested);
	}
	return 0;
}

static void forget_zones(struct driver *d)
{
	struct plan_options options;
	plan_options_init(&options);
	options.client_max = d->plan.client_max;
	plan_fini(&d->plan);
	plan_init(&d->plan, &options, PLAN_RUNNING);
}

static int carry_out(struct driver *d, char **w, size_t n)
{
	struct client_change change;
	int status;

	if (strcmp(w[0], "zone") == 0)
		return do_zone(d, w, n);
	if (strcmp(w[0], "bind") == 0)
		return do_bind(d, w, n);
	if (strcmp(w[0], "login") == 0)
		return do_login(d, w, n);
	if (strcmp(w[0], "forget") == 0) {
		forget_zones(d);
		return 0;
	}
	if (strcmp(w[0], "max") == 0 && n == 2) {
		d->plan.client_max = (uint32_t)atoi(w[1]);
		return 0;
	}
	if (strcmp(w[0], "older") == 0) { /* as if the kernel were Linux 5.10 */
		d->table->no_owner = d->table->no_set_counters = true;
		d->table->renews = false;
		return 0;
	}
	if (strcmp(w[0], "apply") == 0)
		return do_apply(d, n > 1 && strcmp(w[1], "bare") == 0 ? PLAN_BARE : PLAN_RUNNING);
	if (strcmp(w[0], "remove") == 0) {
		status = table_remove(d->table);
		return status || !d->routes ? status : routes_remove(d->routes, &d->plan);
	}
	if (strcmp(w[0], "add") == 0 || strcmp(w[0], "del") == 0) {
		status = parse_change(w, n, &change);
		return status ? status : clients_change(d->table, &change, 1);
	}
	if (strcmp(w[0], "dump") == 0)
		return clients_dump(d->table, on_client, NULL);
	if (strcmp(w[0], "flush") == 0)
		return clients_flush(d->table);
	if (strcmp(w[0], "load") == 0 && n == 3)
		return do_load(d, w);
	if (strcmp(w[0], "counters") == 0)
		return do_counters(d);
	if (strcmp(w[0], "bypass") == 0 && n > 1)
		return do_bypass(d, w, n);
	if (strcmp(w[0], "queue") == 0 && n > 1)
		return do_queue(d, w, n);
	if (strcmp(w[0], "neighbour") == 0 && n == 3)
		return do_neighbour(w);
	if (strcmp(w[0], "kill") == 0 && n == 2)
		return do_kill(d, w);
	if (strcmp(w[0], "priority") == 0 && n == 2) {
		d->plan.rule_priority = (uint32_t)atoi(w[1]);
		return 0;
	}
	if (strcmp(w[0], "alive") == 0 && n == 2) { /* ms; from then on an apply does not */
		d->dead = true;
		return table_keep_alive(d->table, (uint64_t)atoi(w[1]));
	}
	if (strcmp(w[0], "standing") == 0)
		return do_standing(d);
	if (strcmp(w[0], "unfollow") == 0) {
		d->follow = false;
		return 0;
	}
	if (strcmp(w[0], "follow") == 0)
		return do_follow(d);
	return path_driver_act(&d->paths, &d->plan, d->table, w, n);
}

static void heal(struct driver *d)
{
	printf("event table-changed\n");
	int status = program(d, &d->plan);
	if (status)
		printf("event heal-failed %d\n", status);
}

static void on_ready(struct driver *d, const struct pollfd *fds)
{
	if (fds[1].revents && links_read(d->links))
		printf("event links-failed\n");
	int changed = fds[2].revents ? routes_read(d->routes) : 0;
	if (changed > 0 && d->follow) {
		printf("event route-%s\n", changed == ROUTES_CHANGED ? "others" : "changed");
		if (routes_apply(d->routes, &d->plan))
			printf("event route-failed\n");
	}
	if (fds[3].revents && watch_read(d->watch) == 1)
		heal(d);
	if (fds[4].revents && queue_read(d->queue) < 0)
		printf("event queue-failed\n");
	if (fds[5].revents)
		path_driver_read(&d->paths);
}

/* One line at a time, so that poll() and stdio do not fight over the input. */
static bool read_line(char *line, size_t size)
{
	size_t len = 0;
	for (char c; len + 1 < size && read(STDIN_FILENO, &c, 1) == 1;) {
		if (c == '\n') {
			line[len] = 0;
			return true;
		}
		line[len++] = c;
	}
	return false;
}

int main(void)
{
	struct driver d = {.paths.log = -1};
	struct plan_options options;
	char line[8192], *words[WORDS_MAX];

	setvbuf(stdout, NULL, _IOLBF, 0);
	plan_options_init(&options);
	plan_init(&d.plan, &options, PLAN_RUNNING);
	if (table_open(&d.table))
		return 1;
	for (;;) {
		struct pollfd fds[] = {{.fd = STDIN_FILENO, .events = POLLIN},
			{.fd = d.links ? links_fd(d.links) : -1, .events = POLLIN},
			{.fd = d.routes ? routes_fd(d.routes) : -1, .events = POLLIN},
			{.fd = d.watch ? watch_fd(d.watch) : -1, .events = POLLIN},
			{.fd = d.queue ? queue_fd(d.queue) : -1, .events = POLLIN},
			{.fd = d.paths.log, .events = POLLIN}};
		if (poll(fds, 6, -1) < 0)
			continue;
		on_ready(&d, fds);
		if (!fds[0].revents)
			continue;
		if (!read_line(line, sizeof(line)))
			break;
		size_t n = split(line, ' ', words);
		int status = n ? carry_out(&d, words, n) : 0;
		if (status)
			printf("error %d\n", -status);
		else
			printf("ok\n");
	}
	path_driver_close(&d.paths);
	queue_close(d.queue);
	watch_close(d.watch);
	routes_close(d.routes);
	links_close(d.links);
	table_close(d.table);
	plan_fini(&d.plan);
	return 0;
}
