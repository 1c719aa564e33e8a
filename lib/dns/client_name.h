/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns the judgement of a client's names: which of those that reverse DNS says of its address are
 * its own. Whoever has the address says there what he likes; a name is the client's own when the
 * name's owner says the address, too. Pure: DNS is asked by whoever holds the look-up. */
#ifndef POSTERN_LIB_DNS_CLIENT_NAME_H
#define POSTERN_LIB_DNS_CLIENT_NAME_H

#include "lib/dns/dns.h"

#define CLIENT_NAMES_MAX DNS_PTR_MAX

enum client_name_state {
	CLIENT_NAME_ASKED,   /* DNS has not said its addresses yet */
	CLIENT_NAME_OWN,     /* the client's address is among them */
	CLIENT_NAME_FOREIGN, /* it is not: the name says nothing of the client */
	CLIENT_NAME_UNKNOWN, /* DNS cannot say them */
};

/* First the question for the names, then one for the addresses of each. */
struct client_names {
	struct addr addr;
	bool reversed; /* DNS was asked for the names, and has answered or failed */
	bool failed;   /* it has failed: there may be names */
	uint32_t ttl_s;
	bool has_ttl;
	size_t n;
	struct client_name {
		char text[DNS_NAME_SIZE]; /* as in struct dns_answer */
		enum client_name_state state;
	} v[CLIENT_NAMES_MAX];
};

enum client_names_known {
	CLIENT_NAMES_PENDING,
	CLIENT_NAMES_KNOWN,   /* its own are all that it has, maybe none */
	CLIENT_NAMES_PARTIAL, /* it may have others, which DNS could not say */
};

/* The name to ask for PTR records is dns_reverse_name(). */
void client_names_begin(struct client_names *names, const struct addr *addr);
/* The answer to it. From here on each of v[0..n) waits for its addresses. */
void client_names_reversed(struct client_names *names, const struct dns_answer *answer);
/* Of which kind they are to be asked for: the client's family alone is of use. */
enum dns_type client_names_type(const struct client_names *names);
/* The answer for v[at]. An address that is not kept in it (left_off) is not among them. */
void client_names_resolved(struct client_names *names, size_t at, const struct dns_answer *answer);

enum client_names_known client_names_known(const struct client_names *names);
/* How long that may be taken for true. 0 while it is pending. */
uint32_t client_names_ttl_s(const struct client_names *names);
/* One of its own, by which it is shown: always the same of the same names. NULL: none. */
const char *client_names_first(const struct client_names *names);

#endif
