/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns how all hosts of a server are asked: what of the policy and of the gateway it depends on. */
#ifndef POSTERN_DAEMON_HEALTH_TERMS_H
#define POSTERN_DAEMON_HEALTH_TERMS_H

#include "lib/dns/dns.h"
#include "lib/ipc/health.h"
#include "lib/policy/policy.h"

struct tls_contexts;

struct terms {
	char server[POLICY_NAME_SIZE];
	char hostname[DNS_NAME_SIZE];
	uint64_t inquiry; /* the one at hand */
	enum policy_announce announce;
	enum policy_login login;
	struct addr bind; /* ADDR_NONE: routing decides */
	/* Flows come from their clients' addresses, and so do probes: from clients[], where a
	 * zone's network says one (foreign: enum target_clients). */
	bool from_client;
	uint8_t foreign;
	uint8_t families; /* of clients that there can be: enum target_clients */
	uint8_t flows;    /* that may come: enum level_flows */
	bool probe;       /* else the host is asked for what it offers, and no more */
	uint32_t every_s, connect_ms, reply_ms;
	struct endpoint clients[2];
	/* Of each host that has `tls`: */
	const struct policy_server *policy; /* borrowed, as long as the terms */
	size_t index;                       /* in the policy */
	const struct tls_contexts *contexts;
};

/* What they are made of; of one policy. */
struct terms_source {
	const struct policy *policy;
	const struct tls_contexts *contexts; /* NULL: none */
	uint64_t inquiry;
	const char *hostname;
	const struct ipc_client_side *side;
};

/* Of that server of the policy. */
struct terms terms_make(const struct terms_source *source, size_t server);
/* Would a probe under these find the same? Of TLS each host judges itself. */
bool terms_same_question(const struct terms *a, const struct terms *b);
/* Is a host of that family reached from a client's address, terms->clients[] of its family? */
bool terms_are_foreign(const struct terms *terms, enum addr_family family);
/* Do flows come that are read? Others, or nobody at all? */
bool terms_are_read(const struct terms *terms);
bool terms_are_plain(const struct terms *terms);
/* Do all flows that may come speak TLS where it is offered, with every host? */
bool terms_speak_tls(const struct terms *terms);

#endif
