/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/health/server_test_steps.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TRIED_MAX (TARGETS_MAX * 8)

static void add(struct tried_list *list, const struct watched_target *host, const struct addr *addr,
	const struct endpoint *client, bool foreign)
{
	if (list->n == TRIED_MAX)
		return;
	struct tried *one = &list->v[list->n++];
	snprintf(one->name, sizeof(one->name), "%s", host->target.name);
	snprintf(one->text, sizeof(one->text), "%s", host->target.text);
	one->foreign = foreign;
	one->mode = watched_target_tls_mode(host);
	one->tls = watched_target_tls(host);
	if (one->tls.context)
		tls_context_hold(one->tls.context);
	snprintf(one->tls_name, sizeof(one->tls_name), "%s", one->tls.name ? one->tls.name : "");
	one->tls.name = *one->tls_name ? one->tls_name : NULL;
	if (client)
		one->client = *client;
	if (!addr)
		return;
	one->host.addr = *addr;
	one->host.port = host->target.port;
}

static void add_address(struct tried_list *list, const struct watched_target *host,
	const struct addr *addr, const struct endpoint *asked)
{
	static const uint8_t bits[] = {TARGET_CLIENTS_IP4, TARGET_CLIENTS_IP6};
	const struct terms *terms = host->terms;
	bool announces = terms->announce != POLICY_ANNOUNCE_NONE;
	unsigned own = addr->family == ADDR_IP6;

	if (asked->addr.family != ADDR_NONE && (announces || terms->from_client))
		add(list, host, addr, asked, terms->from_client);
	else if (terms_are_foreign(terms, addr->family))
		add(list, host, addr, &terms->clients[own], true);
	else if (!announces)
		add(list, host, addr, NULL, false);
	else
		for (unsigned i = 0; i < 2; i++)
			if (terms->families & bits[i])
				add(list, host, addr, &terms->clients[i], false);
}

int tried_list_make(
	struct tried_list *list, const struct watched_target *hosts, const struct addr *client)
{
	const struct endpoint asked = {.addr = *client, .port = 40025};

	*list = (struct tried_list){.v = calloc(TRIED_MAX, sizeof(list->v[0]))};
	if (!list->v)
		return -ENOMEM;
	for (const struct watched_target *host = hosts; host; host = host->next) {
		for (size_t i = 0; i < host->target.n; i++)
			add_address(list, host, &host->target.addresses[i], &asked);
		if (host->target.n == 0)
			add(list, host, NULL, NULL, false);
	}
	return 0;
}

void tried_list_fini(struct tried_list *list)
{
	for (size_t i = 0; i < list->n; i++)
		tls_context_free(list->v[i].tls.context);
	free(list->v);
	*list = (struct tried_list){0};
}
