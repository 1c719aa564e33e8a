/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "test/netns/path-driver.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kernel-rules/conntrack.h"
#include "kernel-rules/conntrack_message.h"
#include "kernel-rules/flow_log.h"
#include "lib/base/copy.h"

#define FLOWS_MAX 256

/* ADDRESS/PORT, or - for none */
static bool parse_end(const char *word, struct endpoint *end)
{
	const char *slash = strchr(word, '/');
	*end = (struct endpoint){0};
	if (strcmp(word, "-") == 0)
		return true;
	if (!slash || addr_parse(word, (size_t)(slash - word), &end->addr))
		return false;
	end->port = (uint16_t)atoi(slash + 1);
	return true;
}

/* path NUMBER SERVER AT4|- AT6|- [gateway] [FLOWS] */
static int do_path(struct plan *plan, char **w, size_t n)
{
	struct plan_path path = {0};
	if (n < 5 || !parse_end(w[3], &path.at4) || !parse_end(w[4], &path.at6))
		return -EINVAL;
	path.number = (uint16_t)atoi(w[1]);
	copy_text(path.server, sizeof(path.server), w[2]);
	path.gateway = n > 5 && strcmp(w[5], "gateway") == 0;
	path.flows = n > 6 ? (uint32_t)atoi(w[6]) : 0;
	plan->kernel_path = true;
	return plan_add_path(plan, &path);
}

/* lead NUMBER AT4|- AT6|- */
static int do_lead(struct plan *plan, struct table *table, char **w, size_t n)
{
	struct endpoint at4, at6;
	if (n != 4 || !parse_end(w[2], &at4) || !parse_end(w[3], &at6))
		return -EINVAL;
	int status = plan_lead_path(plan, (uint16_t)atoi(w[1]), &at4, &at6);
	return status ? status : table_change_paths(table, plan);
}

static const char *end_text(const struct endpoint *end, char buf[static ENDPOINT_TEXT_SIZE + 8])
{
	char addr[ADDR_TEXT_SIZE];
	snprintf(buf, ENDPOINT_TEXT_SIZE + 8, "%s/%u", addr_format(&end->addr, addr), end->port);
	return buf;
}

static void on_raw(void *context, size_t index, const void *bytes, size_t len)
{
	char source[ENDPOINT_TEXT_SIZE + 8], destination[ENDPOINT_TEXT_SIZE + 8];
	char answerer[ENDPOINT_TEXT_SIZE + 8];
	struct conntrack_one one;

	(void)context;
	if (len == 0)
		printf("flow %zu gone\n", index);
	else if (conntrack_message_parse(bytes, len, &one))
		printf("flow %zu bad\n", index);
	else
		printf("flow %zu %s %s %s mark %08x over %d bytes %llu %llu\n", index,
			end_text(&one.source, source), end_text(&one.destination, destination),
			end_text(&one.answerer, answerer), one.mark, conntrack_is_over(&one),
			(unsigned long long)one.sent_bytes, (unsigned long long)one.answered_bytes);
}

/* flow SOURCE DESTINATION [BEFORE]: behind so many that are not there. */
static int do_get(const struct conntrack_tuple *tuple, unsigned long before)
{
	struct conntrack_tuple tuples[FLOWS_MAX];

	if (before >= FLOWS_MAX)
		return -EINVAL;
	for (unsigned long i = 0; i <= before; i++) {
		tuples[i] = *tuple;
		tuples[i].destination.port = (uint16_t)(tuple->destination.port + before - i);
	}
	return conntrack_get(tuples, before + 1, on_raw, NULL);
}

/* flow, or kill-flow SOURCE DESTINATION */
static int do_flow(const struct plan *plan, char **w, size_t n)
{
	struct conntrack_tuple tuple;
	if (n < 3 || !parse_end(w[1], &tuple.source) || !parse_end(w[2], &tuple.destination))
		return -EINVAL;
	if (strcmp(w[0], "flow") == 0 && n <= 4)
		return do_get(&tuple, n == 4 ? strtoul(w[3], NULL, 10) : 0);
	if (n != 3)
		return -EINVAL;
	int marked = conntrack_kill_flows(plan->mark_mask, &tuple, 1);
	printf("marked %d\n", marked);
	return marked < 0 ? marked : 0;
}

int path_driver_act(
	struct path_driver *driver, struct plan *plan, struct table *table, char **w, size_t n)
{
	if (strcmp(w[0], "path") == 0)
		return do_path(plan, w, n);
	if (strcmp(w[0], "lead") == 0)
		return do_lead(plan, table, w, n);
	if (strcmp(w[0], "flow") == 0 || strcmp(w[0], "kill-flow") == 0)
		return do_flow(plan, w, n);
	if (strcmp(w[0], "flows") == 0)
		return conntrack_dump(plan->mark_mask, MARK_KERNEL, on_raw, NULL);
	if (strcmp(w[0], "log") == 0) {
		driver->log = flow_log_open(plan->queue);
		return driver->log < 0 ? driver->log : 0;
	}
	return -EINVAL;
}

static void on_entry(void *context, const struct flow_log_entry *entry)
{
	char source[ENDPOINT_TEXT_SIZE + 8], destination[ENDPOINT_TEXT_SIZE + 8];
	char mac[MAC_TEXT_SIZE];

	(void)context;
	printf("event log %s %s %s mac %s ifindex %u mark %08x reset %d\n",
		flow_log_prefixes[entry->kind], end_text(&entry->source, source),
		end_text(&entry->destination, destination), mac_format(&entry->mac, mac),
		entry->ifindex, entry->mark, entry->is_reset);
}

void path_driver_read(struct path_driver *driver)
{
	int status = flow_log_read(driver->log, on_entry, NULL);
	if (status)
		printf("event log-failed %d\n", status);
}

void path_driver_close(struct path_driver *driver)
{
	if (driver->log >= 0)
		close(driver->log);
	driver->log = -1;
}
