/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns a server's targets: which hosts its flows may try, in which order, and the state of each.
 *
 * A `host` line is one target; an `mx` line is as many as its domain has MX records. */
#ifndef POSTERN_LIB_POLICY_TARGET_H
#define POSTERN_LIB_POLICY_TARGET_H

#include "lib/dns/dns.h"
#include "lib/policy/policy.h"

#define TARGET_NAME_SIZE     DNS_NAME_SIZE
#define TARGET_TEXT_SIZE     160
#define TARGET_ADDRESSES_MAX 16
#define TARGETS_MAX          48 /* of one server */

/* DOWN is still tried when nothing else is left, NEVER is not. */
enum target_state {
	TARGET_UNKNOWN, /* not probed yet, or not at all */
	TARGET_UP,
	TARGET_DOWN,
	TARGET_NEVER,
};
#define TARGET_STATES 4
extern const char *const target_state_names[TARGET_STATES];

/* Clients whose identity a host takes. */
enum target_clients {
	TARGET_CLIENTS_IP4 = 1 << 0,
	TARGET_CLIENTS_IP6 = 1 << 1,
	TARGET_CLIENTS_ALL = TARGET_CLIENTS_IP4 | TARGET_CLIENTS_IP6,
};

/* What is known of a name. */
enum target_known {
	TARGET_PENDING, /* being asked for the first time */
	TARGET_GOOD,
	TARGET_NO_NAME,
	TARGET_NO_DATA,
	TARGET_FAILED, /* no answer, and none is held over */
};

struct target_addresses {
	enum target_known known;
	enum dns_status why; /* when FAILED */
	bool stale;
	size_t n;
	struct addr v[2 * DNS_ADDRESSES_MAX]; /* A and AAAA */
};

struct target_mx {
	enum target_known known;
	enum dns_status why; /* when FAILED */
	bool stale;
	const struct dns_answer *answer; /* when GOOD; borrowed until the next call */
};

/* Where the expansion looks names up. */
struct target_world {
	void *context;
	void (*addresses)(void *context, const char *name, struct target_addresses *found);
	void (*mx)(void *context, const char *domain, struct target_mx *found);
	bool (*own_address)(void *context, const struct addr *addr);
	const char *hostname; /* the gateway's own */
	uint16_t relay_port;
	const struct policy *policy; /* of whose listeners no server may be one; NULL: none */
};

struct target {
	char name[TARGET_NAME_SIZE];
	char text[TARGET_TEXT_SIZE]; /* what is wrong with it by DNS; may be empty */
	uint16_t line;               /* index of the policy's host */
	uint16_t port, preference;
	uint8_t depth; /* order within a preference, by the MX record's own */
	uint32_t weight, limit_flows;
	bool stale;
	bool pending; /* addresses are not known yet */
	bool never;   /* whatever a probe says; text has the reason */
	size_t n;     /* addresses; 0: cannot be reached now */
	struct addr addresses[TARGET_ADDRESSES_MAX];
};

struct target_list {
	struct target v[TARGETS_MAX];
	size_t n;
	size_t left_off; /* MX hosts beyond the best TARGETS_MAX */
	size_t refused;  /* addresses that no server may have */
	bool pending;    /* some name is not known yet */
};

/* The targets of a server as DNS is now, in the order in which flows try them. */
void target_expand(const struct policy_server *server, const struct target_world *world,
	struct target_list *list);

/* Why no host may have this address, where nobody wrote it on purpose; NULL: it may. */
const char *target_unfit(const struct addr *addr);

/* What was seen of a target: by a probe, or by a flow. */
enum target_outcome {
	TARGET_WORKED,
	TARGET_MISSED,  /* refused, silent, broken */
	TARGET_REFUSED, /* must not be used: identity refused, XCLIENT offered, a loop */
};

/* Servers lock who tries too often: so long no login is tried at a host that refused one. */
#define TARGET_LOGIN_MS (5u * 60 * 1000)

#define TARGET_FAILURES_DOWN 3
#define TARGET_SUCCESSES_UP  2

struct target_standing {
	uint8_t state; /* enum target_state */
	uint8_t failures, successes;
	uint64_t since_ms; /* wall clock: of the state */
	char text[TARGET_TEXT_SIZE];
};

/* Notes what was seen. From UNKNOWN one success is enough. True: the state has changed. */
bool target_note(struct target_standing *standing, enum target_outcome outcome, const char *text,
	uint64_t wall_ms);
/* Seen and state disagree: the next probe should come sooner. */
bool target_wavers(const struct target_standing *standing);
/* A client to probe with: behind a zone's network, else of the documentation range. */
struct endpoint target_probe_client(const struct policy *policy, enum addr_family family);
/* The same; ADDR_NONE: no zone has a network of that family. */
struct endpoint target_zone_client(const struct policy *policy, enum addr_family family);
/* The kinds of clients that the zones can have at all: enum target_clients. */
uint8_t target_zone_families(const struct policy *policy);

#endif
