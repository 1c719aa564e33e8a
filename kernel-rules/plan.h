/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns the plan: the wanted state of the kernel as plain data.
 *
 * Control makes it from the policy and encodes it; the keeper decodes it and programs it. The
 * bytes are the privileged side's input, so plan_decode() believes nothing. */
#ifndef POSTERN_KERNEL_RULES_PLAN_H
#define POSTERN_KERNEL_RULES_PLAN_H

#include "lib/base/addr.h"
#include "lib/policy/mark.h"
#include "lib/policy/policy.h"

/* A checked policy is within them: they are the checker's. */
#define PLAN_ZONES_MAX         POLICY_ZONES_MAX
#define PLAN_INTERFACES_MAX    POLICY_INTERFACES_MAX /* in all, as the next two */
#define PLAN_NETWORKS_MAX      POLICY_NETWORKS_MAX
#define PLAN_ALL_PORTS_MAX     POLICY_ALL_PORTS_MAX
#define PLAN_PORTS_MAX         POLICY_PORTS_MAX             /* per zone */
#define PLAN_HOSTS_MAX         POLICY_BOUND_MAX             /* of servers with `bind client` */
#define PLAN_LOGINS_MAX        (2 * POLICY_LOGIN_HOSTS_MAX) /* and of each the other loopback */
#define PLAN_ENDPOINTS_MAX     POLICY_ENDPOINTS_MAX
#define PLAN_PATHS_MAX         4095
#define PLAN_PATH_HOSTS_MAX    4096 /* of servers with `path kernel` */
#define PLAN_BYTES_MAX         (4u << 20)
#define PLAN_RULE_PRIORITY_MAX 32763 /* three, in front of the machine's own */

enum plan_mode {
	PLAN_RUNNING,
	/* Postern is stopped: closed zones reset what would be redirected, open zones have no
	   rules. */
	PLAN_BARE,
};

struct plan_zone {
	char name[POLICY_NAME_SIZE];
	bool open;    /* on-failure open */
	bool has_mac; /* its clients are known by interface, MAC and address; else without MAC */
	char (*interfaces)[POLICY_IFNAME_SIZE]; /* a trailing '*' is a wildcard */
	size_t ninterfaces;                     /* at least one */
	struct prefix *networks;                /* none: every address on the interfaces */
	size_t nnetworks;
	uint16_t *ports; /* at least one, ascending, no twins */
	size_t nports;
};

/* Where the kernel alone leads connections: the number stands beside the mark KERNEL in a client's
 * entry, in the packet's mark and in the connection's. */
struct plan_path {
	uint16_t number; /* 1 to plan_numbers_max() */
	bool gateway;    /* with the gateway's own address (`bind gateway`) */
	uint32_t flows;  /* of one client at once; 0: any number */
	/* Whose number it is: another owner's comes with no client's entry. */
	char server[POLICY_NAME_SIZE];
	struct endpoint at4, at6; /* family ADDR_NONE: nowhere in this family */
};

/* Where a listener takes connections, or a radius packets: one of its addresses with one of its
 * ports. */
struct plan_endpoint {
	char listener[POLICY_NAME_SIZE];
	enum policy_taker taker; /* the name is one's of its kind */
	struct endpoint at;      /* 0.0.0.0 and :: are all addresses of their version */
};

struct plan {
	enum plan_mode mode;
	uint32_t mark_mask; /* at least three adjacent bits */
	/* Adjacent bits for the number of a path, where there are paths: none of mark_mask. */
	uint32_t server_mask;
	uint16_t relay_port;
	uint16_t queue;          /* of first packets; also the group of the log of paths' flows */
	uint32_t route_table;    /* number of the policy route's table */
	uint32_t rule_priority;  /* of the first ip rule; 0: in front of all others */
	uint32_t route_protocol; /* how our rules and routes are known from others': 1..255 */
	uint32_t client_max;     /* entries in one client set */
	struct plan_zone *zones;
	size_t nzones;
	size_t ninterfaces, nnetworks, nports; /* of all zones */
	bool bind_client; /* a server has `bind client`: relays need transparent sockets */
	/* Where flows with the client's own address go, or went when the policy was another one. */
	struct endpoint *hosts;
	size_t nhosts;
	/* Hosts of servers that take a login at the gateway's word (`announce xclient` without
	   `login off`). Where one is the gateway itself, nobody on it connects but this user and
	   root. */
	struct endpoint *logins;
	size_t nlogins;
	uint32_t user;
	struct plan_endpoint *endpoints; /* none twice */
	size_t nendpoints;
	bool kernel_path; /* a server has `path kernel` */
	/* Where paths lead or led, when the policy was another one, too: nowhere else does a packet
	   go that took one. */
	struct endpoint *path_hosts;
	size_t npath_hosts;
	struct plan_path *paths; /* no number twice */
	size_t npaths;
};

/* What the operator sets about the kernel side; the policy has no word in it. */
struct plan_options {
	uint32_t mark_mask;
	uint32_t server_mask;
	uint16_t relay_port;
	uint16_t queue;
	uint32_t route_table;
	uint32_t rule_priority;
	uint32_t route_protocol;
	uint32_t client_max;
	uint32_t user; /* whom the processes run as */
};

#define PLAN_SERVER_MASK 0x0fff0000

/* masks 0xf0000000 and PLAN_SERVER_MASK, relay port 4025, queue 25, table 4025, protocol 250,
 * 262144 entries, the user root. */
void plan_options_init(struct plan_options *options);

/* Fills a plan from a checked policy; of the hosts of servers with `bind client` those that the
 * policy holds as addresses, likewise of those with `path kernel`, and of those that take a login
 * at our word (a name never leads to the gateway itself: lib/policy/target.h). Paths are added by
 * who gives out their numbers. 0, -E2BIG (more than the plan can say),
 * -EINVAL (a zone has the relay's port) or -ENOMEM. */
int plan_from_policy(const struct policy *policy, const struct plan_options *options,
	enum plan_mode mode, struct plan *plan);

/* A plan without zones. */
void plan_init(struct plan *plan, const struct plan_options *options, enum plan_mode mode);
/* Adds a zone with room for the given numbers of things, which the caller fills. NULL: -ENOMEM or
 * too much. The pointer holds until the next zone is added. */
struct plan_zone *plan_add_zone(
	struct plan *plan, const char *name, size_t ninterfaces, size_t nnetworks, size_t nports);
/* Adds a host of a server with `bind client`; one that is there is no second time added. 0, -ENOMEM
 * or -E2BIG. */
int plan_add_host(struct plan *plan, const struct endpoint *host);
/* Adds a host of a server that takes a login at our word; one that is there is no second time
 * added. 0, -ENOMEM or -E2BIG. */
int plan_add_login(struct plan *plan, const struct endpoint *host);
/* Adds an endpoint of the listener, or of the radius, of this name. 0, -ENOMEM or -E2BIG. */
int plan_add_endpoint(struct plan *plan, const char *listener, const struct endpoint *at,
	enum policy_taker taker);
/* Adds a host of a server with `path kernel`; one that is there is no second time added. 0, -ENOMEM
 * or -E2BIG. */
int plan_add_path_host(struct plan *plan, const struct endpoint *host);
/* Adds a path, and where it leads as hosts. 0, -EEXIST (the number is another path's), -ENOMEM or
 * -E2BIG. */
int plan_add_path(struct plan *plan, const struct plan_path *path);
/* NULL: no path has the number. Borrowed until the next one is added. */
const struct plan_path *plan_find_path(const struct plan *plan, uint16_t number);
/* 0: it has no paths. */
uint16_t plan_highest_number(const struct plan *plan);
/* Is the path with this index the first with its limit of flows? */
bool plan_is_new_limit(const struct plan *plan, size_t index);
/* The path leads elsewhere from now on (family ADDR_NONE: nowhere). 0, -ENOENT (no such path),
 * -EINVAL (no such host can be), -ENOMEM or -E2BIG. */
int plan_lead_path(
	struct plan *plan, uint16_t number, const struct endpoint *at4, const struct endpoint *at6);
/* Paths that lead nowhere yet lead where they did in the plan that was in force, if their number
 * was the same server's. */
void plan_keep_leads(struct plan *plan, const struct plan *old);
/* Does any flow go by the kernel alone, or did one? */
bool plan_has_paths(const struct plan *plan);
/* Adds the hosts of the plan that was in force: flows that began under it go on. As many as fit. */
void plan_keep_hosts(struct plan *plan, const struct plan *old);
/* Does any flow bind to its client's address, or did one? */
bool plan_binds(const struct plan *plan);
/* Is there a server that takes a login at our word? */
bool plan_logs_in(const struct plan *plan);
void plan_fini(struct plan *plan); /* also right for a zeroed plan */

/* 0 when the plan can be programmed as it is, -EINVAL otherwise. */
int plan_check(const struct plan *plan);

/* One flat buffer, the caller's to free(). 0, -EINVAL (not a good plan) or -ENOMEM. */
int plan_encode(const struct plan *plan, uint8_t **bytes, size_t *len);
/* 0; -EBADMSG, and *plan is zeroed; -ENOMEM. */
int plan_decode(const uint8_t *bytes, size_t len, struct plan *plan);

/* A mark's bits in their place. */
uint32_t plan_mark_bits(uint32_t mask, enum mark mark);
/* A path's number in its place (0: no path), and back. */
uint32_t plan_number_bits(uint32_t server_mask, uint16_t number);
uint16_t plan_number_of(uint32_t server_mask, uint32_t mark);
/* The highest number that there is room for. */
uint16_t plan_numbers_max(uint32_t server_mask);

#endif
