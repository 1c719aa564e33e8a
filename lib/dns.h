/* Owns reading DNS answers (RFC 1035): addresses and MX records of one name out of one message.
 * Every byte of it may be an enemy's. */
#ifndef POSTERN_DNS_H
#define POSTERN_DNS_H

#include "lib/addr.h"

#define DNS_NAME_SIZE     256 /* text, with NUL; RFC 1035 has 253 at most */
#define DNS_ADDRESSES_MAX 16  /* kept of an answer */
#define DNS_MX_MAX        48  /* kept of an answer: the best */
#define DNS_ALIASES_MAX   16  /* CNAMEs followed within one answer */

enum dns_type {
	DNS_A = 1,
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
	size_t unfit;    /* MX records left out: no host name */
	size_t left_off; /* records of the type that did not fit */
	union {
		struct addr addresses[DNS_ADDRESSES_MAX];
		struct dns_mx mx[DNS_MX_MAX]; /* ascending preference */
	};
};

/* Letters, digits, hyphens, underscores and dots; no label empty or over 63. */
bool dns_is_host_name(const char *name);
/* Same name in any letter case; one dot at the end does not count. */
bool dns_same_name(const char *a, const char *b);

/* Reads a whole message as the answer to (name, type). Aliases are followed within it. */
void dns_read(const uint8_t *bytes, size_t len, const char *name, enum dns_type type,
	struct dns_answer *answer);

#endif
