/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns what a policy is: the checked statements of the configuration language as plain data.
 *
 * A policy is made by policy_parse() (language.h), is never changed afterwards and is shared by
 * reference count: running flows keep the policy they began with. All its memory is one arena. */
#ifndef POSTERN_LIB_POLICY_POLICY_H
#define POSTERN_LIB_POLICY_POLICY_H

#include "lib/base/hash.h"
#include "lib/base/net/range.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define POLICY_NAME_SIZE   64  /* names of zones, rules, ...: 1..63 bytes and NUL */
#define POLICY_USER_SIZE   128 /* user and group names: 1..127 bytes of UTF-8 and NUL */
#define POLICY_TEXT_SIZE   256 /* operator's answer texts: ..255 bytes and NUL */
#define POLICY_IFNAME_SIZE 16  /* as the kernel's IFNAMSIZ */

/* What the kernel's plan holds (plan.h): the checker refuses more, and postern.conf(5) has the
 * numbers. */
#define POLICY_ZONES_MAX       1024
#define POLICY_INTERFACES_MAX  4096    /* of all zones */
#define POLICY_NETWORKS_MAX    65536   /* of all zones */
#define POLICY_PAIRS_MAX       1048576 /* (interface, network) of all zones: what a check takes */
#define POLICY_PORTS_MAX       1024    /* of one zone */
#define POLICY_ALL_PORTS_MAX   16384   /* of all zones */
#define POLICY_BOUND_MAX       4096    /* hosts of servers with `bind client` */
#define POLICY_LOGIN_HOSTS_MAX 4096    /* hosts of servers that take a login at our word */
#define POLICY_ENDPOINTS_MAX   64      /* addresses with a port, of all listeners and portals */

/* Where a statement stands, for messages. file indexes policy->files. */
struct policy_place {
	uint32_t line;
	uint16_t column;
	uint16_t file;
};

/* A word in a statement, with the columns it takes. line 0: it was not written. */
struct policy_span {
	struct policy_place place;
	uint16_t width;
};

/* hash is hash_bytes(text, len): compare it first, then the bytes. Unset: text "", len 0. */
struct policy_string {
	const char *text; /* NUL-terminated */
	uint32_t len;
	uint32_t hash;
};

struct policy_strings {
	struct policy_string *v;
	size_t n;
};

struct policy_prefixes {
	struct prefix *v;
	size_t n;
};

struct policy_ports {
	uint16_t *v;
	size_t n;
};

enum policy_verdict {
	POLICY_VERDICT_REDIRECT,
	POLICY_VERDICT_ANSWER,
	POLICY_VERDICT_PASS,
	POLICY_VERDICT_REJECT,
	POLICY_VERDICT_DROP,
};
#define POLICY_VERDICTS 5
extern const char *const policy_verdict_names[POLICY_VERDICTS];

/* What the language calls ACT. code and text only with ANSWER. */
struct policy_act {
	enum policy_verdict verdict;
	uint16_t code; /* 421 or 554 */
	bool code_given;
	struct policy_string text;
};

enum policy_posture {
	POLICY_POSTURE_CLOSED,
	POLICY_POSTURE_OPEN,
};

enum policy_identity {
	POLICY_IDENTITY_MAC,
	POLICY_IDENTITY_ADDRESS,
	POLICY_IDENTITY_MAC_ADDRESS,
};

enum policy_limit_kind {
	POLICY_LIMIT_FLOWS,
	POLICY_LIMIT_RATE,
	POLICY_LIMIT_SESSIONS,   /* per user */
	POLICY_LIMIT_MESSAGES,   /* in a time, or per flow */
	POLICY_LIMIT_RECIPIENTS, /* in a time, or per message */
	POLICY_LIMIT_SIZE,       /* of each message */
};
#define POLICY_LIMIT_KINDS 6

enum policy_per {
	POLICY_PER_ALL,
	POLICY_PER_CLIENT,
	POLICY_PER_USER,
	POLICY_PER_SENDER,
	POLICY_PER_FLOW,
	POLICY_PER_MESSAGE,
};
#define POLICY_PERS 6

/* How deep the flows of a zone are read. */
enum policy_level {
	POLICY_LEVEL_AUTO, /* as its rules, limits and `newline` need */
	POLICY_LEVEL_CONNECTION,
	POLICY_LEVEL_MESSAGE,
};

/* What becomes of a bare LF. DEFAULT: STRICT on transfer, REPAIR on submission. */
enum policy_newline {
	POLICY_NEWLINE_DEFAULT,
	POLICY_NEWLINE_STRICT,
	POLICY_NEWLINE_REPAIR,
};

/* What a message may be where nothing else is written. */
#define POLICY_SIZE_BYTES     UINT64_C(52428800)   /* 50m */
#define POLICY_RECIPIENTS     1000                 /* per message */
#define POLICY_SIZE_MAX_BYTES UINT64_C(4293918720) /* 4095m */

/* What a client may hold of all flows where his zone says nothing of it. */
#define POLICY_CLIENT_SHARE 8

struct policy_limit {
	bool implied; /* a default, not written: that share, the size, the recipients */
	struct policy_place place;
	enum policy_limit_kind kind;
	enum policy_per per;
	uint32_t count;       /* 0 with SIZE */
	uint32_t per_seconds; /* of a rate: 1, 60, 3600 or 86400; else 0 */
	uint32_t block_s;     /* of a rate: who is over it is blocked for so long; 0: is not */
	uint64_t size_bytes;  /* with SIZE, else 0 */
	bool over_given;      /* with SESSIONS: */
	bool over_replaces;   /* the user's oldest makes room; else one more is refused */
};

struct policy_limits {
	struct policy_limit *v;
	size_t n;
};

enum policy_elem_kind {
	POLICY_ELEM_PREFIX,
	POLICY_ELEM_RANGE,
	POLICY_ELEM_MAC,
	POLICY_ELEM_MAIL,
	POLICY_ELEM_HOST,
};

/* lib/policy/element.h has what can be done with one. */
struct policy_elem {
	enum policy_elem_kind kind;
	union {
		struct prefix prefix;
		struct range range;
		struct {
			struct mac mac;
			uint16_t spelling; /* mac_format_spelled() */
		};
		struct { /* MAIL, HOST: as written; no NUL */
			const char *text;
			uint32_t len;
		};
	};
};

struct policy_elems {
	struct policy_elem *v;
	size_t n;
};

/* A certificate with the chain that signed it, and its key. */
struct policy_certificate {
	struct policy_place place;
	struct policy_string name, file, key;
	struct policy_span file_at, key_at;
};

/* TLS on the clients' side. */
enum policy_tls {
	POLICY_TLS_NONE,
	POLICY_TLS_OFFER,     /* STARTTLS, if the client wants it */
	POLICY_TLS_REQUIRE,   /* no mail without it */
	POLICY_TLS_IMMEDIATE, /* TLS begins with the connection */
};
#define POLICY_TLS_MODES 4
extern const char *const policy_tls_names[POLICY_TLS_MODES];

/* What is asked of a client's own certificate. */
enum policy_tls_client {
	POLICY_TLS_CLIENT_NONE,
	POLICY_TLS_CLIENT_REQUEST, /* an invalid one is recorded, no more */
	POLICY_TLS_CLIENT_CHECK,   /* and refused */
	POLICY_TLS_CLIENT_REQUIRE, /* so is none */
};
#define POLICY_TLS_CLIENTS 4
extern const char *const policy_tls_client_names[POLICY_TLS_CLIENTS];

/* `tls` of a zone or listener. Not given: NONE, and all else unset. */
struct policy_client_tls {
	bool given;
	enum policy_tls mode;
	struct policy_strings certificate_names; /* at least one unless NONE */
	size_t *certificates;                    /* indexes, n = certificate_names.n */
	bool client_given;
	enum policy_tls_client client;
	struct policy_string ca;  /* a file; len 0: the machine's store */
	struct policy_span ca_at; /* the path; none: `tls` itself */
	bool legacy;              /* TLS 1.0 and its ciphers, too */
	bool insecure;            /* passwords may go in clear */
};

/* TLS towards servers. */
enum policy_server_tls_mode {
	POLICY_SERVER_TLS_NONE,
	POLICY_SERVER_TLS_OFFER, /* where the server has it, whoever it is */
	POLICY_SERVER_TLS_REQUIRE,
	POLICY_SERVER_TLS_VERIFY, /* with a certificate for its name */
	POLICY_SERVER_TLS_PIN,    /* with one of these keys */
};
#define POLICY_SERVER_TLS_MODES 5
extern const char *const policy_server_tls_names[POLICY_SERVER_TLS_MODES];

#define POLICY_PIN_SIZE 32 /* SHA-256 of the public key (SPKI) */

/* `tls` of a server, and of a host of it, whose stands instead of the server's. Not given at
 * either: OFFER, and all else unset; that has no flow read. */
struct policy_server_tls {
	bool given;
	enum policy_server_tls_mode mode;
	struct policy_strings names; /* VERIFY: any of them; none: the host's own */
	uint8_t (*pins)[POLICY_PIN_SIZE];
	size_t npins;                    /* PIN: at least one */
	struct policy_strings pin_texts; /* as written, n = npins */
	bool immediate;
	struct policy_string ca;               /* a file; len 0: the machine's store */
	struct policy_span ca_at;              /* the path; none: `tls` itself */
	struct policy_string certificate_name; /* our own; len 0: none */
	ptrdiff_t certificate;                 /* index, or -1 */
	bool legacy;
};

/* Who we are at a server. */
struct policy_account {
	bool given;
	struct policy_string user, secret_file;
	struct policy_span secret_at;
	bool sender_given;
	struct policy_string sender; /* of the envelope, instead of the client's; len 0: keep */
	bool insecure;               /* the password may go where others can read it */
};

/* Where users' passwords are checked. */
enum policy_auth_kind {
	POLICY_AUTH_LDAP,
	POLICY_AUTH_FORWARD, /* by another SMTP server */
	POLICY_AUTH_DOVECOT, /* by Dovecot's auth-client protocol */
	POLICY_AUTH_FILE,    /* lines "user:hash[:groups[:addresses]]" */
};
#define POLICY_AUTH_KINDS 4
extern const char *const policy_auth_kind_names[POLICY_AUTH_KINDS];

#define POLICY_AUTH_URLS_MAX      4
#define POLICY_AUTH_BACKENDS_MAX  8  /* of a listener */
#define POLICY_AUTH_MECHANISM_MAX 20 /* letters of one (RFC 4422, 3.1) */

/* A directory. Either it is searched for the user's entry, which is then bound with the password,
 * or `bind` has a %u and is the user's own name there. Unset strings have len 0. */
struct policy_ldap {
	struct policy_strings urls; /* lib/ldap/url.h: tried in order */
	struct policy_string base, filter;
	struct policy_string bind;        /* who searches; with %u: who is bound */
	struct policy_string secret_file; /* of who searches */
	struct policy_string group;       /* attribute: the user's groups */
	struct policy_string prefix;      /* lib/ldap/dn.h */
	struct policy_string mail;        /* attribute: the user's own addresses */
	struct policy_string ca;          /* a file; len 0: the machine's store */
	bool insecure;                    /* passwords may go in clear */
	struct policy_span secret_at, ca_at;
};

struct policy_auth {
	struct policy_place place;
	struct policy_string name;
	enum policy_auth_kind kind;
	struct policy_ldap ldap;
	struct policy_string server_name; /* FORWARD */
	size_t server;                    /* index */
	struct policy_string path;        /* DOVECOT: a socket; FILE */
	struct policy_span path_at;
	struct policy_strings mechanisms; /* none: what the backend can */
	struct policy_string domain;      /* of names without one; len 0: they stay without */
	struct policy_string comment;
};

/* What judges messages before their last byte goes to the server. */
enum policy_scan_kind {
	POLICY_SCAN_MILTER,
	POLICY_SCAN_CLAMAV, /* clamd itself */
};
#define POLICY_SCAN_KINDS 2
extern const char *const policy_scan_kind_names[POLICY_SCAN_KINDS];

/* When a message goes to the server. */
enum policy_scan_mode {
	POLICY_SCAN_STREAM, /* as it comes, but for its last dot */
	POLICY_SCAN_WHOLE,  /* once it was judged, with what a milter changed in its header */
};
#define POLICY_SCAN_MODES 2
extern const char *const policy_scan_mode_names[POLICY_SCAN_MODES];

/* What becomes of a message that cannot be judged, and of one that a milter puts in quarantine;
 * that is never accepted. */
enum policy_scan_failure {
	POLICY_SCAN_TEMPFAIL,
	POLICY_SCAN_ACCEPT,
	POLICY_SCAN_REJECT,
};
#define POLICY_SCAN_FAILURES 3
extern const char *const policy_scan_failure_names[POLICY_SCAN_FAILURES];

#define POLICY_SCAN_DEADLINE_MS     45000
#define POLICY_SCAN_DEADLINE_MIN_MS 1000
#define POLICY_SCAN_DEADLINE_MAX_MS 290000 /* before ENGINE_SCAN_MS: servers close at 300 s */
#define POLICY_SCANS_MAX            16     /* of a policy, as sets of them are masks */

/* Which optional statements of a scan were written. */
enum {
	POLICY_SCAN_GIVEN_MODE = 1 << 0,
	POLICY_SCAN_GIVEN_ON_FAILURE = 1 << 1,
	POLICY_SCAN_GIVEN_DEADLINE = 1 << 2,
	POLICY_SCAN_GIVEN_QUARANTINE = 1 << 3,
};

struct policy_scan {
	struct policy_place place;
	struct policy_string name;
	unsigned given;
	enum policy_scan_kind kind;
	struct policy_string address; /* as written: "unix:/run/filter", "localhost:3310" */
	struct policy_string path;    /* of its socket; len 0: host and port */
	struct policy_string host;    /* without brackets */
	struct addr addr;             /* family ADDR_NONE: host is a name */
	uint16_t port;
	enum policy_scan_mode mode;
	enum policy_scan_failure on_failure;
	uint32_t deadline_ms; /* for its verdict */
	enum policy_scan_failure quarantine;
	struct policy_string comment;
};

/* Whom a packet of accounting names, by what of it. */
enum policy_radius_user {
	POLICY_RADIUS_CUI,       /* Chargeable-User-Identity */
	POLICY_RADIUS_USER_NAME, /* User-Name */
	POLICY_RADIUS_MAC,       /* Calling-Station-Id */
};
#define POLICY_RADIUS_USERS 3
extern const char *const policy_radius_user_names[POLICY_RADIUS_USERS];

/* Where the groups stand. */
enum policy_radius_group {
	POLICY_RADIUS_CLASS,
	POLICY_RADIUS_FILTER_ID,
};
#define POLICY_RADIUS_GROUPS 2
extern const char *const policy_radius_group_names[POLICY_RADIUS_GROUPS];

/* Which optional statements were written. */
enum {
	POLICY_RADIUS_GIVEN_USER = 1 << 0,
	POLICY_RADIUS_GIVEN_TIMEOUT = 1 << 1,
	POLICY_RADIUS_GIVEN_SKEW = 1 << 2,
	POLICY_RADIUS_GIVEN_RESTART = 1 << 3,
	POLICY_RADIUS_GIVEN_GROUP = 1 << 4,
};

#define POLICY_RADIUS_TIMEOUT_S   28800
#define POLICY_RADIUS_SKEW_S      300
#define POLICY_RADIUS_SOURCES_MAX 64 /* `from` of one radius */
#define POLICY_RADIUS_ZONES_MAX   64

/* Who may tell, by one secret: they speak for the same NASes. */
struct policy_radius_source {
	struct policy_prefixes prefixes;
	struct policy_string secret_file;
	struct policy_span secret_at;
};

/* A zone that sessions may be of, and what a packet must say for it: all of what is given. */
struct policy_radius_zone {
	struct policy_string zone_name;
	size_t zone;                 /* index */
	struct policy_strings ssids; /* none: any */
	struct policy_strings nases; /* names or addresses; none: any */
	uint32_t *wlans;
	size_t nwlans; /* 0: any */
};

/* Accounting packets as a source of sessions. */
struct policy_radius {
	struct policy_place place;
	struct policy_string name;
	unsigned given;
	struct addr *addresses; /* at least one */
	size_t naddresses;
	uint16_t port;
	struct policy_radius_source *sources;
	size_t nsources;
	struct policy_radius_zone *zones;
	size_t nzones;
	enum policy_radius_user users[POLICY_RADIUS_USERS]; /* the first that there is */
	size_t nusers;
	struct policy_strings ignored; /* users that are none */
	enum policy_radius_group group;
	struct policy_string prefix; /* of a group; len 0: none */
	uint32_t timeout_s;          /* without news a session is over then */
	uint32_t skew_s;             /* so far an event may be from now */
	bool restart_keeps;          /* a NAS that begins anew ends nothing */
	struct policy_string comment;
};

#define POLICY_PORTAL_PORT      443
#define POLICY_PORTAL_HTTP_PORT 80

/* Which optional statements were written. */
enum {
	POLICY_PORTAL_GIVEN_PORT = 1 << 0,
	POLICY_PORTAL_GIVEN_HTTP = 1 << 1,
};

/* A page where clients log in. */
struct policy_portal {
	struct policy_place place;
	struct policy_string name;
	unsigned given;
	struct policy_strings zone_names; /* at least one; no other source of sessions has it */
	size_t *zones;                    /* indexes, n = zone_names.n */
	struct policy_strings names;      /* at least one: what it is called; the first is told */
	struct addr *addresses; /* at least one; 0.0.0.0 and :: are all of their version */
	size_t naddresses;
	uint16_t port;
	uint16_t http_port;                      /* 0: off */
	struct policy_strings certificate_names; /* none: its own, made and kept */
	size_t *certificates;                    /* indexes, n = certificate_names.n */
	struct policy_strings auth_names;        /* none: terms alone, the user is the MAC */
	size_t *auths;                           /* indexes, n = auth_names.n */
	struct policy_string terms_file, logo_file, texts_file; /* len 0: none */
	struct policy_span terms_at, logo_at, texts_at;
	struct policy_string comment;
};

/* What takes connections, or packets, at an address of the gateway: each stands in a block of the
 * policy that is called so. */
enum policy_taker {
	POLICY_TAKER_LISTENER,
	POLICY_TAKER_RADIUS, /* datagrams */
	POLICY_TAKER_PORTAL,
};
#define POLICY_TAKERS 3
extern const char *const policy_taker_names[POLICY_TAKERS];

/* `given` masks: which optional statements were written; the others hold their default. The
 * printer prints what was written, `policy show --full` all. */
enum {
	POLICY_ZONE_PORT = 1 << 0,
	POLICY_ZONE_IDENTITY = 1 << 1,
	POLICY_ZONE_UNAUTHENTICATED = 1 << 2,
	POLICY_ZONE_UNMATCHED = 1 << 3,
	POLICY_ZONE_ON_FAILURE = 1 << 4, /* else the policy's */
	POLICY_ZONE_LEASE = 1 << 5,
	POLICY_ZONE_IDLE = 1 << 6,
	POLICY_ZONE_ON_LOGOUT = 1 << 7,
	POLICY_ZONE_COMMENT = 1 << 8,
	POLICY_ZONE_LEVEL = 1 << 9,
	POLICY_ZONE_NEWLINE = 1 << 10,
	POLICY_ZONE_REAUTHENTICATE = 1 << 11,
	POLICY_ZONE_ON_LINK_DOWN = 1 << 12,
};

struct policy_zone {
	struct policy_place place;
	struct policy_string name;
	unsigned given;
	struct policy_strings interfaces; /* at least one; a trailing '*' is a wildcard */
	struct policy_prefixes networks;  /* none: every address on the interfaces */
	struct policy_ports ports;        /* at least one: 25 */
	enum policy_identity identity;
	struct policy_act unauthenticated;
	struct policy_act unmatched;
	enum policy_posture on_failure; /* resolved */
	uint32_t lease_s;               /* 0: none */
	uint32_t idle_s;                /* 0: none */
	uint32_t reauthenticate_s;      /* 0: none */
	bool logout_keeps;
	bool link_down_ends;
	enum policy_level level;
	enum policy_newline newline;
	struct policy_client_tls tls;
	struct policy_limits limits; /* of a kind and `per` at most one */
	struct policy_string comment;
};

/* Where a user's name comes from. The same name of two sources is two persons. */
enum policy_source {
	POLICY_SOURCE_SESSION,
	POLICY_SOURCE_DEVICE,
	POLICY_SOURCE_AUTH,
};
#define POLICY_SOURCES     3
#define POLICY_SOURCES_ALL ((1u << POLICY_SOURCES) - 1)
extern const char *const policy_source_names[POLICY_SOURCES];

/* Whom "anna" means, or "auth:anna". */
struct policy_user {
	unsigned sources; /* 1 << enum policy_source: of these */
	struct policy_string name;
};
/* The name borrows the text of what is written. */
struct policy_user policy_user_of(const struct policy_string *written);

/* The same of a text, which is moved to the name. */
unsigned policy_user_sources(const char **written);
/* Is this user meant, whose name is of this source? */
bool policy_user_is(const char *written, enum policy_source source, const char *user);

/* One condition on addresses. given == false: any. */
struct policy_where {
	bool given;
	bool any;       /* `any` written */
	bool protected; /* `destination protected`: a host of a domain's server; nothing beside it
			 */
	bool negated;
	struct policy_elems elems; /* hosts too, where a listener takes the client */
	struct policy_strings list_names;
	size_t *lists;         /* indexes, nlists = list_names.n */
	struct lpm *index;     /* of elems; NULL if there are none */
	struct mailset *hosts; /* of the hosts among elems, "@" in front; NULL: none */
};

/* One condition on mail addresses: `sender`, `recipient`. given == false: any. */
struct policy_mails {
	bool given;
	bool none;      /* `none` written: <> is among them */
	bool own;       /* `own` written: those that the login's backend names are among them */
	bool protected; /* `protected` written: whom a domain takes is among them */
	bool negated;
	struct policy_elems elems; /* POLICY_ELEM_MAIL */
	struct policy_strings list_names;
	size_t *lists;         /* indexes, n = list_names.n; all of kind mail */
	struct mailset *index; /* of elems; NULL if there are none. Owned by the policy */
};

/* Which optional statements of a listener were written. */
enum {
	POLICY_LISTENER_PORT = 1 << 0,
	POLICY_LISTENER_NEWLINE = 1 << 1,
	POLICY_LISTENER_UNMATCHED = 1 << 2,
	POLICY_LISTENER_COMMENT = 1 << 3,
};

/* What a listener holds where it says nothing of it. */
#define POLICY_LISTENER_FLOWS_PER_CLIENT 50 /* an address, of IPv6 its /64 */
#define POLICY_LISTENER_FLOWS            2000

/* An address and port of the gateway that takes SMTP by itself. */
struct policy_listener {
	struct policy_place place;
	struct policy_string name;
	unsigned given;
	struct addr *addresses; /* at least one; 0.0.0.0 and :: are all of their version */
	size_t naddresses;
	struct policy_ports ports; /* at least one: 25 */
	struct policy_client_tls tls;
	struct policy_strings auth_names; /* none: nobody can log in; else asked in this order */
	size_t *auths;                    /* indexes, n = auth_names.n */
	struct policy_where accept;       /* who may speak at all; given == false: anybody */
	enum policy_newline newline;
	struct policy_act unmatched;
	struct policy_limits limits; /* of a kind and `per` at most one */
	struct policy_string comment;
};

/* A protected domain: mail to it is incoming. */
struct policy_domain {
	struct policy_place place;
	struct policy_string name;
	struct policy_strings names; /* as written: "hotel.example", ".hotel.example" (all below) */
	struct policy_strings list_names;
	size_t *lists; /* indexes, n = list_names.n; all of kind host */
	struct policy_string server_name;
	size_t server;                  /* index */
	bool recipient_any;             /* `any` written */
	struct policy_mails recipients; /* given == false: every one of the domain */
	struct policy_string comment;
};

/* What a list is of: `list NAME mail ...`. */
enum policy_list_holds {
	POLICY_HOLDS_ADDRESSES, /* networks, ranges and MACs, too; the default */
	POLICY_HOLDS_MAIL,
	POLICY_HOLDS_HOSTS,
};
#define POLICY_HOLDS 3
extern const char *const policy_holds_names[POLICY_HOLDS];

/* Where a list's elements come from. */
enum policy_list_kind {
	POLICY_LIST_INLINE,
	POLICY_LIST_FILE,
	POLICY_LIST_DYNAMIC,
};

struct policy_list {
	struct policy_place place;
	struct policy_string name;
	enum policy_list_kind kind;
	enum policy_list_holds holds;
	bool holds_given;
	struct policy_string path; /* FILE */
	struct policy_elems elems; /* INLINE, and FILE once loaded */
	struct lpm *index;         /* of elems; NULL for DYNAMIC. Owned by the policy */
	struct mailset *mails;     /* the same of a list of mail addresses, else NULL */
	struct mailset *hosts;     /* of host names, "@" in front; NULL: none */
};

enum {
	POLICY_HOST_PORT = 1 << 0,
	POLICY_HOST_PREFERENCE = 1 << 1,
	POLICY_HOST_WEIGHT = 1 << 2,
	POLICY_HOST_LIMIT = 1 << 3,
};

struct policy_host {
	struct policy_place place;
	unsigned given;
	bool is_mx;
	struct addr addr;          /* family ADDR_NONE: a name */
	struct policy_string name; /* as written, also for an address */
	uint16_t port;
	uint16_t preference;
	uint16_t weight;
	uint32_t limit_flows; /* 0: none */
	struct policy_server_tls tls;
};

enum policy_bind {
	POLICY_BIND_GATEWAY,
	POLICY_BIND_CLIENT,
	POLICY_BIND_ADDRESS,
};

enum policy_announce {
	POLICY_ANNOUNCE_NONE,
	POLICY_ANNOUNCE_PROXY_V1,
	POLICY_ANNOUNCE_PROXY_V2,
	POLICY_ANNOUNCE_XCLIENT,
};

enum {
	POLICY_SERVER_BIND = 1 << 0,
	POLICY_SERVER_ANNOUNCE = 1 << 1,
	POLICY_SERVER_PROBE = 1 << 2,
	POLICY_SERVER_FIRST = 1 << 3, /* deadline first ... */
	POLICY_SERVER_CONNECT = 1 << 4,
	POLICY_SERVER_GREETING = 1 << 5,
	POLICY_SERVER_IDLE = 1 << 6,
	POLICY_SERVER_LIMIT = 1 << 7,
	POLICY_SERVER_COMMENT = 1 << 8,
	POLICY_SERVER_LOGIN = 1 << 9,
	POLICY_SERVER_EVERY = 1 << 10,
	POLICY_SERVER_COMMAND = 1 << 11, /* deadline command ... */
	POLICY_SERVER_TRACE = 1 << 12,
	POLICY_SERVER_PATH = 1 << 13,
};

/* What a server is told of the user where it is told who the client is. */
enum policy_login {
	POLICY_LOGIN_OFF,
	POLICY_LOGIN_ON,     /* his name */
	POLICY_LOGIN_TAGGED, /* behind the name's source: login_name.h */
};
#define POLICY_LOGINS 3
extern const char *const policy_login_names[POLICY_LOGINS];

/* What carries a server's flows. */
enum policy_path {
	POLICY_PATH_RELAY,
	POLICY_PATH_KERNEL, /* the kernel alone, by DNAT, where all of a client's flows go there */
};
#define POLICY_PATHS 2
extern const char *const policy_path_names[POLICY_PATHS];

#define POLICY_FIRST_MS    25000
#define POLICY_CONNECT_MS  5000
#define POLICY_GREETING_MS 15000
#define POLICY_IDLE_MS     900000
#define POLICY_COMMAND_MS  15000

/* How often a host is asked whether it is there, by what carries its flows. */
#define POLICY_PROBE_S        30
#define POLICY_PROBE_KERNEL_S 5

struct policy_server {
	struct policy_place place;
	struct policy_string name;
	unsigned given;
	struct policy_host *hosts; /* in the order written */
	size_t nhosts;             /* at least one */
	enum policy_bind bind;
	struct addr bind_addr;
	enum policy_announce announce;
	enum policy_login announce_login;
	bool probe; /* probe smtp */
	uint32_t probe_every_s;
	/* Defaults: POLICY_FIRST_MS, ... */
	uint32_t first_ms, connect_ms, greeting_ms, idle_ms, command_ms;
	bool trace; /* a Received line of ours; default: unless XCLIENT tells the server */
	struct policy_server_tls tls;
	struct policy_account account;
	uint32_t limit_flows; /* 0: none */
	enum policy_path path;
	struct policy_string comment;
};

struct policy_device {
	struct policy_place place;
	struct policy_string name;
	struct policy_string zone_name;
	size_t zone; /* index */
	struct mac *macs;
	uint16_t *spellings; /* of macs */
	size_t nmacs;
	struct policy_prefixes addresses;
	struct policy_strings mac_list_names; /* `mac NAME`: the MACs of a list */
	struct policy_strings list_names;     /* `address NAME`: all of it */
	size_t *mac_lists;                    /* indexes, n = mac_list_names.n */
	size_t *lists;                        /* indexes, nlists = list_names.n */
	struct policy_string user;
	struct policy_strings groups;
	struct policy_string comment;
};

/* `tls` of a rule: the client's side is in TLS; verified: with a certificate of its own that is
 * valid, for one of the names if there are any. given == false: any. */
struct policy_tls_condition {
	bool given, negated;
	bool verified;
	struct policy_strings names;
};

/* One RANGE: days as a mask (bit 0 = Monday), minutes of the local day. from > to crosses
 * midnight and belongs to the day it begins on. from == to == 0 with !hours_given: whole day. */
struct policy_range {
	uint8_t days; /* 0x7f when none was written */
	bool days_given;
	uint8_t first_day, last_day; /* as written; last < first wraps */
	bool hours_given;
	uint16_t from, to; /* 0..1440 */
};

struct policy_schedule {
	struct policy_range *v;
	size_t n; /* 0: always */
};

struct policy_rule {
	struct policy_place place;
	struct policy_string name;
	struct policy_strings zone_names; /* none: every zone */
	size_t *zones;                    /* indexes, n = zone_names.n */
	bool listens; /* `listener` written: for listeners only; else for zones only */
	bool listener_negated;
	struct policy_strings listener_names; /* at least one where it listens */
	size_t *listeners;                    /* indexes, n = listener_names.n */
	bool user_given, user_any, user_negated;
	bool user_none;              /* `user none`: who has no session and no login */
	struct policy_strings users; /* as written */
	struct policy_user *meant;   /* n = users.n */
	bool group_given, group_negated;
	struct policy_strings groups;
	struct policy_ports ports; /* none: all */
	struct policy_where source;
	struct policy_where destination;
	struct policy_schedule schedule;
	struct policy_mails sender;
	struct policy_mails recipient;
	struct policy_tls_condition tls;
	bool to_server;    /* else the act */
	bool to_original;  /* `server original` */
	bool to_protected; /* `server protected`: that of the recipient's domain */
	struct policy_string server_name;
	size_t server; /* index, when to_server and neither of those */
	struct policy_act act;
	bool scan_none;                   /* `scan none` written: as if nothing was */
	struct policy_strings scan_names; /* none: no message is scanned */
	size_t *scans;                    /* indexes, n = scan_names.n */
	struct policy_limits limits;      /* each instead of the zone's of that kind and `per` */
	bool limit_none;                  /* `limit none`: none of the zone's */
	bool audit_given, audit;          /* default on */
	bool disabled;
	struct policy_string comment;
};

enum {
	POLICY_GIVEN_LANGUAGE = 1 << 0,
	POLICY_GIVEN_HOSTNAME = 1 << 1,
	POLICY_GIVEN_ON_FAILURE = 1 << 2,
	POLICY_GIVEN_DRAIN = 1 << 3,
	POLICY_GIVEN_LIMIT = 1 << 4,
	POLICY_GIVEN_AUDIT_KEEP = 1 << 5,
	POLICY_GIVEN_AUDIT_SIZE = 1 << 6,
	POLICY_GIVEN_AUDIT_NAMES = 1 << 7,
	POLICY_GIVEN_LOG_LEVEL = 1 << 8,
	POLICY_GIVEN_METRICS = 1 << 9,
};

enum policy_log_level {
	POLICY_LOG_ERROR,
	POLICY_LOG_WARNING,
	POLICY_LOG_INFO,
	POLICY_LOG_DEBUG,
};

struct policy {
	unsigned references;
	unsigned given;
	struct policy_string hostname; /* len 0: the machine's */
	enum policy_posture on_failure;
	uint32_t drain_s;     /* default 300 */
	uint32_t limit_flows; /* default 8000 */
	uint32_t audit_keep_s;
	uint64_t audit_size_bytes;
	bool audit_names_none;
	enum policy_log_level log_level;
	struct addr metrics_addr; /* ADDR_NONE: off */
	uint16_t metrics_port;

	struct policy_zone *zones;
	size_t nzones;
	struct policy_listener *listeners;
	size_t nlisteners;
	struct policy_list *lists;
	size_t nlists;
	struct policy_certificate *certificates;
	size_t ncertificates;
	struct policy_auth *auths;
	size_t nauths;
	struct policy_domain *domains;
	size_t ndomains;
	struct policy_server *servers;
	size_t nservers;
	struct policy_scan *scans;
	size_t nscans;
	struct policy_radius *radiuses;
	size_t nradiuses;
	struct policy_portal *portals;
	size_t nportals;
	struct policy_device *devices;
	size_t ndevices;
	struct policy_rule *rules; /* in order */
	size_t nrules;

	const char **files; /* names for struct policy_place */
	size_t nfiles;
	struct arena *arena;
	void *names; /* hash of (kind, name) -> index, private to policy.c */
	/* Of the domains' names, "@" in front, each with its struct policy_domain; those in dynamic
	 * lists are not in it. NULL: none. */
	struct mailset *domain_names;
	const struct decide_summary *summaries; /* of the rules; NULL: none were made */
};

/* For the parser: an empty policy with one reference and the language's defaults; NULL: out of
 * memory. */
struct policy *policy_new(void);
/* For the parser: takes a name into the index. Returns -1 when it is new, else the index that has
 * it already; -ENOMEM. The name's text is borrowed. */
enum policy_kind {
	POLICY_KIND_ZONE,
	POLICY_KIND_LISTENER,
	POLICY_KIND_LIST,
	POLICY_KIND_CERTIFICATE,
	POLICY_KIND_AUTH,
	POLICY_KIND_DOMAIN,
	POLICY_KIND_SERVER,
	POLICY_KIND_SCAN,
	POLICY_KIND_RADIUS,
	POLICY_KIND_PORTAL,
	POLICY_KIND_DEVICE,
	POLICY_KIND_RULE,
};
ptrdiff_t policy_add_name(struct policy *policy, enum policy_kind kind,
	const struct policy_string *name, size_t index);
ptrdiff_t policy_find(
	const struct policy *policy, enum policy_kind kind, const struct policy_string *name);

struct policy *policy_ref(struct policy *policy);
/* NULL is allowed. Frees when the last reference goes. */
void policy_unref(struct policy *policy);

bool policy_string_equal(const struct policy_string *a, const struct policy_string *b);
bool policy_strings_equal(const struct policy_strings *a, const struct policy_strings *b);

/* Index of a name, or -1. Constant time. */
ptrdiff_t policy_find_zone(const struct policy *policy, const char *name);
ptrdiff_t policy_find_listener(const struct policy *policy, const char *name);
ptrdiff_t policy_find_list(const struct policy *policy, const char *name);
ptrdiff_t policy_find_auth(const struct policy *policy, const char *name);
ptrdiff_t policy_find_certificate(const struct policy *policy, const char *name);
ptrdiff_t policy_find_domain(const struct policy *policy, const char *name);
ptrdiff_t policy_find_server(const struct policy *policy, const char *name);
ptrdiff_t policy_find_scan(const struct policy *policy, const char *name);
ptrdiff_t policy_find_radius(const struct policy *policy, const char *name);
ptrdiff_t policy_find_portal(const struct policy *policy, const char *name);
/* The portal where clients of this zone log in; NULL: none. */
const struct policy_portal *policy_portal_of_zone(const struct policy *policy, size_t zone);
/* What a person types to come to it: "http://login.example/". Returns buf. */
#define POLICY_PORTAL_URL_SIZE 288
const char *policy_portal_url(
	const struct policy_portal *portal, char buf[static POLICY_PORTAL_URL_SIZE]);
/* Does it take a login at our word? It would take one at anybody's who may connect to it. */
bool policy_server_takes_login(const struct policy_server *server);
ptrdiff_t policy_find_device(const struct policy *policy, const char *name);
ptrdiff_t policy_find_rule(const struct policy *policy, const char *name);

/* Does an interface name match a zone's pattern ("br-guest", "wlan*")? */
bool policy_interface_match(const char *pattern, const char *ifname);
/* The zone of a client seen on an interface; -1: none. The longest network wins (two zones never
 * overlap, so there is at most one). */
ptrdiff_t policy_find_zone_of(
	const struct policy *policy, const char *ifname, const struct addr *source);
/* Is a part of the device named by this list? */
bool policy_device_follows(const struct policy_device *device, const char *list);
/* What holds towards a host of the server: its own `tls`, else the server's. */
const struct policy_server_tls *policy_host_tls(
	const struct policy_server *server, const struct policy_host *host);
/* Which filter it is, in a number: another kind or address is another one, whatever it is called.
 */
uint64_t policy_scan_filter(const struct policy_scan *scan);
/* Which scans it has: 1 << index into policy->scans. They are asked, and what they change is
 * changed, in the order of the policy. */
unsigned policy_rule_scans(const struct policy_rule *rule);
/* Does it lead to a server of `path kernel`? Disabled ones too. */
bool policy_rule_by_kernel(const struct policy *policy, const struct policy_rule *rule);
/* How many flows of one client at once the rule itself allows; 0: any number. What its zone's limit
 * counts over all of its rules is no count of the kernel's: such are refused. */
uint32_t policy_rule_flows(const struct policy_rule *rule);
/* Does an enabled rule lead flows of the zone there? */
bool policy_zone_by_kernel(const struct policy *policy, size_t zone);
/* Is the rule for this zone, or for this listener, by its index? Disabled ones too. */
bool policy_rule_in_zone(const struct policy_rule *rule, size_t zone);
bool policy_rule_in_listener(const struct policy_rule *rule, size_t listener);
/* Do connections to this address and port come to a listener of ours? 0.0.0.0 and :: are all
 * addresses of their version: own says whether this is one of the gateway's. */
bool policy_is_listener(
	const struct policy *policy, const struct addr *addr, uint16_t port, bool own);
/* The listener that takes what came to this address of the gateway; -1: none. */
ptrdiff_t policy_find_listener_at(const struct policy *policy, const struct endpoint *at);
bool policy_zone_has_port(const struct policy_zone *zone, uint16_t port);

#endif
