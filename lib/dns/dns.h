/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns reading DNS answers (RFC 1035): addresses, MX records and PTR records of one name out of one
 * message. Every byte of it may be an enemy's. */
#ifndef POSTERN_LIB_DNS_DNS_H
#define POSTERN_LIB_DNS_DNS_H

#include "lib/base/addr.h"

#define DNS_NAME_SIZE     256 /* text, with NUL; RFC 1035 has 253 at most */
#define DNS_ADDRESSES_MAX 16  /* kept of an answer */
#define DNS_MX_MAX        48  /* kept of an answer: the best */
#define DNS_PTR_MAX       8   /* kept of an answer */
#define DNS_ALIASES_MAX   16  /* CNAMEs followed within one answer */
#define DNS_REVERSE_SIZE  73  /* of an address, with NUL */

enum dns_type {
	DNS_A = 1,
	DNS_PTR = 12,
	DNS_MX = 15,
	DNS_AAAA = 28,
};

enum dns_status {
	DNS_GOOD,      /* at least one record of the type */
	DNS_NO_NAME,   /* there is no such name */
	DNS_NO_DATA,   /* the name has no such record */
	DNS_FAILED,    /* no answer came */
	DNS_REFUSED,   /* the server refuses to answer */
	DNS_TROUBLED,  /* the server says that it cannot */
	DNS_MALFORMED, /* not an answer to this question */
};
#define DNS_STATUSES 7
/* "good", "does not exist", ... */
extern const char *const dns_status_texts[DNS_STATUSES];

/* name "": the root, which as the only MX says that the domain takes no mail (RFC 7505). */
struct dns_mx {
	uint16_t preference;
	char name[DNS_NAME_SIZE];
};

struct dns_answer {
	enum dns_status status;
	uint32_t ttl_s;  /* the least of the records used; of a negative answer RFC 2308's */
	bool has_ttl;    /* false: a negative answer without SOA */
	size_t n;        /* kept */
	size_t unfit;    /* MX and PTR records left out: no host name */
	size_t left_off; /* records of the type that did not fit */
	union {
		struct addr addresses[DNS_ADDRESSES_MAX];
		struct dns_mx mx[DNS_MX_MAX]; /* ascending preference */
		/* Lower case, ascending, each once: which are kept does not depend on the order in
		 * which the server says them. The last label is not a number (RFC 1123, 2.1). */
		char ptr[DNS_PTR_MAX][DNS_NAME_SIZE];
	};
};

/* Letters, digits, hyphens, underscores and dots; no label empty or over 63. */
bool dns_is_host_name(const char *name);
/* Same name in any letter case; one dot at the end does not count. */
bool dns_same_name(const char *a, const char *b);
/* Where the names of an address are asked for: "7.2.0.192.in-addr.arpa" (RFC 1035, 3.5; RFC 3596,
 * 2.5). The address is of a family. Returns name. */
const char *dns_reverse_name(const struct addr *addr, char name[static DNS_REVERSE_SIZE]);

/* Reads a whole message as the answer to (name, type). Aliases are followed within it. */
void dns_read(const uint8_t *bytes, size_t len, const char *name, enum dns_type type,
	struct dns_answer *answer);

#endif
