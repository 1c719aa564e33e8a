/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns the state of one parse, shared by the scanner, the grammar and the checks of the language.
 * Private to lib/language/, scan.l and grammar.y. */
#ifndef POSTERN_LIB_LANGUAGE_PARSE_H
#define POSTERN_LIB_LANGUAGE_PARSE_H

#include "lib/base/arena.h"
#include "lib/base/net/lpm.h"
#include "lib/language/language.h"

#define LANGUAGE_ERRORS_MAX   20
#define LANGUAGE_WARNINGS_MAX 100
#define LANGUAGE_DEPTH_MAX    8    /* includes within includes */
#define LANGUAGE_INCLUDES_MAX 1000 /* files in all */

/* A word in a source: where it begins and how many columns it takes. width 0: no word. */
struct language_span {
	struct policy_place place;
	uint16_t width;
};

/* One text that is read: a file, or an argument of the CLI. It is kept until the checks are done,
 * which quote its lines. */
struct language_source {
	const char *name;
	const char *text;
	char *taken; /* text, when it is ours to free */
	size_t len;
	uint32_t *lines; /* offsets of line starts, made when the first line is quoted */
	size_t nlines;
	struct policy_place language; /* of `language N`; line 0: none */
};

/* A growing array on the heap. */
struct language_vector {
	void *v;
	size_t n, room;
};

/* One value of a comma list. */
enum language_item_kind {
	LANGUAGE_ITEM_STRING,
	LANGUAGE_ITEM_NONE,
	LANGUAGE_ITEM_PROTECTED,
	LANGUAGE_ITEM_OWN,
	LANGUAGE_ITEM_ELEM,
	LANGUAGE_ITEM_PORT,
	LANGUAGE_ITEM_NUMBER,
	LANGUAGE_ITEM_RANGE,
};

struct language_item {
	struct language_span span;
	enum language_item_kind kind;
	union {
		struct policy_string string;
		struct policy_elem elem;
		uint16_t port;
		uint64_t number;
		struct policy_range range;
	};
};

/* What the scanner says of a word beside its token. */
struct language_token {
	const char *text; /* in the source; a string with escapes: unescaped, in the arena */
	size_t len;
	uint64_t number;  /* of numbers, amounts and rates */
	const char *unit; /* of amounts and rates, up to the end of text */
	size_t unit_len;
	struct policy_elem elem;   /* of addresses, networks and MACs */
	struct policy_range range; /* of days and hours */
	bool host_bits;            /* a network had bits behind its length; elem has not */
	const char *wrong;         /* what a range should have been; NULL: it is good */
};

struct language_count {
	uint64_t count;
	uint32_t seconds;
};

/* Where the parts of a statement stand, which the policy itself does not keep: one span for each
 * member of the array of the same name. */
struct language_spans {
	struct language_span *v;
	size_t n;
};

/* Of `tls`, with the word itself. */
struct language_tls_note {
	struct language_span word, client, ca, legacy, insecure, immediate, certificate;
	struct language_spans certificates, names;
};

struct language_zone_note {
	struct language_tls_note tls;
	struct language_span name, identity, level, newline, unmatched;
	struct language_span message_limit; /* the first of messages, recipients or size */
	struct language_spans interfaces, networks, ports;
};

struct language_listener_note {
	struct language_span name, accept, unmatched;
	struct language_tls_note tls;
	struct language_spans addresses, ports, lists, auths;
	struct language_span auth;
};

struct language_domain_note {
	struct language_span name, server;
	struct language_spans names, lists, recipients; /* the last: lists of them */
	bool named;                                     /* perhaps badly */
};

struct language_list_note {
	struct language_span name;
	struct language_span whole_family; /* of an element that holds every address */
};

struct language_certificate_note {
	struct language_span name;
};

/* The texts of `ldap`, in the order in which they are printed. */
enum language_ldap {
	LANGUAGE_LDAP_BASE,
	LANGUAGE_LDAP_FILTER,
	LANGUAGE_LDAP_BIND,
	LANGUAGE_LDAP_SECRET,
	LANGUAGE_LDAP_GROUP,
	LANGUAGE_LDAP_PREFIX,
	LANGUAGE_LDAP_MAIL,
	LANGUAGE_LDAP_CA,
};
#define LANGUAGE_LDAPS (LANGUAGE_LDAP_CA + 1)

struct language_auth_note {
	struct language_span name, backend, value; /* `ldap`, and what stands behind it */
	struct language_span domain, insecure;
	struct language_span ldap[LANGUAGE_LDAPS]; /* of the texts */
	struct language_spans urls, mechanisms;
};

struct language_account_note {
	struct language_span word, sender, insecure;
};

struct language_server_note {
	struct language_span name, bind, announce, login, probe, deadline, limit, trace, path;
	struct language_spans hosts;
	struct language_tls_note tls;
	struct language_tls_note *host_tls; /* n = hosts.n */
	struct language_account_note account;
};

struct language_scan_note {
	struct language_span name, backend, value; /* `milter`, and what stands behind it */
	struct language_span quarantine;
};

/* Of each `from`, and of each `zone`. */
struct language_radius_part_note {
	struct language_span word;
	struct language_spans values; /* networks; names of wireless networks */
};

struct language_radius_note {
	struct language_span name, listen, from;
	struct language_spans addresses, users;
	struct language_radius_part_note *sources, *zones;
};

struct language_portal_note {
	struct language_span name, port, http, auth, certificate, files[3];
	struct language_spans zones, names, addresses, certificates, auths;
	bool no_certificate, no_auth;
};

struct language_device_note {
	struct language_span name, zone;
	struct language_spans macs, mac_lists, addresses, lists;
};

struct language_rule_note {
	struct language_span name, server, verdict, user, source, destination, recipient;
	struct language_span message_word; /* the first word of the message level */
	struct language_span flow_limit;   /* the first limit of flows, or a rate of them */
	struct language_span limit_none;
	struct language_span tls;
	struct language_span scan; /* unless it is `scan none` */
	struct language_spans zones, listeners, ports, scans;
	struct language_spans lists[4]; /* of source, destination, sender and recipient */
};

/* The blocks of the grammar. */
enum language_block_kind {
	LANGUAGE_BLOCK_TOP,
	LANGUAGE_BLOCK_AUDIT,
	LANGUAGE_BLOCK_ZONE,
	LANGUAGE_BLOCK_CLIENT_TLS,
	LANGUAGE_BLOCK_CERTIFICATE,
	LANGUAGE_BLOCK_AUTH,
	LANGUAGE_BLOCK_LDAP,
	LANGUAGE_BLOCK_LISTENER,
	LANGUAGE_BLOCK_DOMAIN,
	LANGUAGE_BLOCK_SERVER,
	LANGUAGE_BLOCK_HOST,
	LANGUAGE_BLOCK_SERVER_TLS,
	LANGUAGE_BLOCK_ACCOUNT,
	LANGUAGE_BLOCK_ANNOUNCE,
	LANGUAGE_BLOCK_LIMIT,
	LANGUAGE_BLOCK_SESSIONS,
	LANGUAGE_BLOCK_SCAN,
	LANGUAGE_BLOCK_RADIUS,
	LANGUAGE_BLOCK_RADIUS_SOURCE,
	LANGUAGE_BLOCK_RADIUS_ZONE,
	LANGUAGE_BLOCK_RADIUS_GROUP,
	LANGUAGE_BLOCK_PORTAL,
	LANGUAGE_BLOCK_DEVICE,
	LANGUAGE_BLOCK_RULE,
};

/* Which statements of a block were seen, and where. */
#define LANGUAGE_SEEN_MAX 40
struct language_block {
	enum language_block_kind kind;
	struct policy_string name; /* len 0: the block has none */
	size_t nseen;
	struct {
		const char *word;
		struct policy_place place;
	} seen[LANGUAGE_SEEN_MAX];
};

struct language {
	const struct language_world *world;
	struct language_diagnosis *diagnosis;
	struct policy *policy;
	const struct policy *previous; /* if set, lists from its files are taken over, not read */
	bool out_of_memory;
	bool stopped; /* too many errors */
	size_t syntax_errors;

	struct language_vector sources; /* of struct language_source *; same index as files */
	size_t source;                  /* the one being read */
	size_t chain[LANGUAGE_DEPTH_MAX + 1];
	unsigned depth; /* members of chain */
	unsigned includes;

	/* The scanner. */
	void *scanner;
	uint32_t line, column;
	size_t offset, next_offset;
	unsigned braces; /* open ones */
#define LANGUAGE_BRACES_MAX 4
	struct policy_place open[LANGUAGE_BRACES_MAX]; /* where the first of them stand */
	struct language_token token;
	struct language_span span;       /* of the last token */
	int last;                        /* the last token */
	int before;                      /* and that in front of it */
	bool again;                      /* the last token is to be read again */
	struct language_span complained; /* the last syntax error */

	/* The block and the values being read. */
	size_t bad_members, bad_members_from; /* of the list; the first that is only counted */
	struct language_span top_limit;       /* `limit flows` of all */
	struct language_block top, block, inner, innermost;
	size_t errors_before;         /* syntax errors before the block */
	struct language_vector items; /* of the comma list */
	struct policy_range range;    /* its days, while hours may follow */
	struct language_vector interfaces, limits, hosts, host_spans, host_tls_notes;
	struct policy_zone zone;
	struct policy_listener listener;
	struct policy_list list;
	struct policy_certificate certificate;
	struct policy_auth auth;
	struct policy_domain domain;
	struct policy_server server;
	struct policy_host host;
	struct policy_scan scan;
	struct policy_radius radius;
	struct policy_radius_source radius_source;
	struct policy_radius_zone radius_zone;
	struct language_radius_part_note radius_part_note;
	struct language_vector radius_sources, radius_zones; /* of the radius being read */
	struct language_vector radius_source_notes, radius_zone_notes;
	struct policy_portal portal;
	struct policy_device device;
	struct policy_rule rule;
	struct policy_client_tls client_tls; /* the `tls` being read, and its options' block */
	struct policy_server_tls server_tls;
	struct language_tls_note tls_note;
	struct language_block *tls_block;
	uint32_t limit_block_s; /* of the limit being read */
	struct language_span limit_block;
	bool limit_over_given, limit_over_replaces;
	struct language_zone_note zone_note;
	struct language_listener_note listener_note;
	struct language_list_note list_note;
	struct language_certificate_note certificate_note;
	struct language_auth_note auth_note;
	struct language_domain_note domain_note;
	struct language_server_note server_note;
	struct language_tls_note host_tls_note;
	struct language_scan_note scan_note;
	struct language_radius_note radius_note;
	struct language_portal_note portal_note;
	struct language_device_note device_note;
	struct language_rule_note rule_note;

	/* Finished blocks; they become the policy's arrays. */
	struct language_vector zones, listeners, lists, domains, certificates, auths, servers,
		scans, radiuses, portals, devices, rules;
	struct language_vector zone_notes, listener_notes, list_notes, domain_notes,
		certificate_notes, auth_notes, server_notes, scan_notes, radius_notes, portal_notes,
		device_notes, rule_notes;
};

/* language.c. A parse from front to end: begin (NULL: out of memory), read one or more sources,
 * finish, which checks and returns the policy or NULL. */
struct language *language_begin(
	const struct language_world *world, struct language_diagnosis *diagnosis);
void language_read_source(struct language *l, const char *name, const char *text, size_t len);
struct policy *language_finish(struct language *l);
/* A source for messages, not read as statements; taken: text is freed with it. Its index, or
 * SIZE_MAX: out of memory, with text freed if taken. */
size_t language_add_source(
	struct language *l, const char *name, const char *text, size_t len, bool taken);
static inline struct language_source *language_source_at(const struct language *l, size_t i)
{
	return ((struct language_source **)l->sources.v)[i];
}
void language_include(
	struct language *l, const struct language_span *span, const struct policy_string *path);
/* The path as the file being read means it: relative to it. In the arena; NULL: no memory. */
const char *language_resolve_path(struct language *l, const struct policy_string *path);

/* vector.c. Room for one more; the new member or NULL: out of memory, and said. */
void *language_push(struct language *l, struct language_vector *vector, size_t size);
void language_vector_fini(struct language_vector *vector);
/* The members as an array in the policy's arena; NULL when there are none, or no memory. */
void *language_keep(struct language *l, const struct language_vector *vector, size_t size);
void *language_alloc(struct language *l, size_t n, size_t size);
/* What an unset text is: empty, never NULL. */
struct policy_string language_empty(void);
/* A copy in the policy's arena, with its hash. */
struct policy_string language_copy(struct language *l, const char *text, size_t len);

/* diagnose.c. Adds "file:line:column: error: " and the formatted text, then the source
 * line with a caret under the span, then the hint as a line of its own unless NULL. */
void language_say(struct language *l, enum language_severity severity,
	const struct language_span *span, const char *hint, const char *format, ...)
	__attribute__((format(printf, 5, 6)));
#define language_error(l, span, ...) language_say(l, LANGUAGE_ERROR, span, NULL, __VA_ARGS__)
/* What an earlier version, or the same with another machine around it, may have run. */
#define language_fault(l, span, ...) \
	language_say(                \
		l, (l)->world->lenient ? LANGUAGE_FAULT : LANGUAGE_ERROR, span, NULL, __VA_ARGS__)
#define language_warn(l, span, ...) language_say(l, LANGUAGE_WARNING, span, NULL, __VA_ARGS__)
/* The same without a parse at hand: text is the whole. 0 or -ENOMEM. */
int language_diagnosis_add(struct language_diagnosis *diagnosis, enum language_severity severity,
	const struct policy_place *place, const char *file, const char *text);
void language_diagnosis_sort(struct language_diagnosis *diagnosis);
/* `no such zone "gest"; zones: guest, staff`. */
void language_no_such(struct language *l, const struct language_span *span, enum policy_kind kind,
	const struct policy_string *name);
void language_out_of_memory(struct language *l);
/* A word as messages quote it: cut when long, without control characters. Returns buf. */
#define LANGUAGE_QUOTE_SIZE 96
const char *language_quote(const char *text, size_t len, char buf[static LANGUAGE_QUOTE_SIZE]);

/* words.c */
struct language_word {
	const char *word;
	int token;
};
const struct language_word *language_words(size_t *n);
int language_find_keyword(const char *word, size_t len); /* its token, or 0 */
bool language_is_reserved(const char *word, size_t len);
/* The words that start a statement of the block, ended by NULL. */
const char *const *language_statements(enum language_block_kind kind);

/* amount.c: numbers with units. false: no such unit, or too much. */
bool language_milliseconds(uint64_t count, const char *unit, size_t len, uint64_t *ms);
bool language_bytes(uint64_t count, const char *unit, size_t len, uint64_t *bytes);

/* check/, index.c and shadow.c, after all sources were read. */
void language_check(struct language *l);
/* The index of a name, or it is said that there is none. */
bool language_resolve(struct language *l, enum policy_kind kind, const struct policy_string *name,
	const struct language_span *span, size_t *index);
void language_resolve_all(struct language *l, enum policy_kind kind,
	const struct policy_strings *names, const struct language_spans *spans, size_t *indexes);
void language_check_tls(struct language *l);
void language_check_auth(struct language *l);
void language_check_auth_rules(struct language *l);
/* Of those that are asked one behind the other, all of which are there. */
void language_check_auth_order(struct language *l, const struct policy_strings *names,
	const size_t *auths, const struct language_spans *spans);
void language_check_scans(struct language *l);
void language_check_scan_rules(struct language *l);
void language_check_radiuses(struct language *l);
void language_check_portals(struct language *l);
void language_check_tls_rules(struct language *l);
void language_index(struct language *l);
void language_check_credentials(struct language *l);
/* What is wrong with a host's name or a domain; NULL: nothing. A dot may stand at its end. */
const char *language_refuse_host(const struct policy_string *name);
void language_check_devices_apart(struct language *l);
void language_check_limits(struct language *l);
void language_check_path_numbers(struct language *l);
void language_check_zones(struct language *l);
/* Do we listen there ourselves? */
bool language_is_listener(const struct language *l, const struct addr *addr, uint16_t port);
void language_check_servers(struct language *l);
void language_check_rules(struct language *l);
void language_check_shadow(struct language *l);
void language_check_ways(struct language *l);
void language_check_levels(struct language *l);
void language_check_paths(struct language *l);
void language_check_relay(struct language *l);

#endif
