/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns what one `server test` tries, one after the other: each address of each host of a server, as
 * each client that it is to be tried for. */
#ifndef POSTERN_DAEMON_HEALTH_SERVER_TEST_STEPS_H
#define POSTERN_DAEMON_HEALTH_SERVER_TEST_STEPS_H

#include "daemon/health/watched_target.h"
#include "daemon/tls/secure.h"

/* One dialogue: an address of a host, and a client. */
struct tried {
	char name[TARGET_NAME_SIZE];
	char text[TARGET_TEXT_SIZE]; /* without an address: why */
	struct endpoint host;        /* ADDR_NONE: it has no address */
	struct endpoint client;      /* ADDR_NONE: the gateway, as itself */
	bool foreign;                /* it is connected from the client's address */
	struct secure_order tls;     /* holds its context */
	enum policy_server_tls_mode mode;
	char tls_name[DNS_NAME_SIZE]; /* of the order */
};

struct tried_list {
	struct tried *v;
	size_t n;
};

/* hosts: of one server, as they are now. client: as whom; ADDR_NONE: as one of each IP version,
 * since a server may take only one, or with `bind client` as one that can reach the host. 0 or
 * -ENOMEM. */
int tried_list_make(
	struct tried_list *list, const struct watched_target *hosts, const struct addr *client);
/* Ends as {0}, which is allowed. */
void tried_list_fini(struct tried_list *list);

#endif
