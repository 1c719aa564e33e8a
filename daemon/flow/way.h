/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns what a flow's way to its server is: whose it is, where it may go, what it holds of limits
 * and what it tried. A flow of any process embeds one, and the process that has such flows is their
 * host. Nothing here or above it in this folder knows what a flow is beside that. */
#ifndef POSTERN_DAEMON_FLOW_WAY_H
#define POSTERN_DAEMON_FLOW_WAY_H

#include "daemon/base/loop.h"
#include "daemon/base/pool.h"
#include "daemon/flow/ids.h"
#include "daemon/flow/link.h"
#include "daemon/flow/record.h"
#include "daemon/flow/stock.h"
#include "daemon/process/child.h"
#include "daemon/process/replica.h"
#include "lib/limit/limit.h"
#include "lib/limit/limit_of.h"
#include "lib/policy/policy.h"
#include "lib/policy/session.h"

struct attempts;

/* What the ways of a process share. */
struct way_host {
	struct child *child; /* sends, counts */
	struct loop *loop;   /* the child's */
	const struct replica *replica;
	unsigned column; /* of the limits */
	struct limit limit;
	struct pool attempts; /* struct attempts */
	struct link_table links;
	struct stock stock;
	struct ids ids;
	struct record_ring records;
};

/* Ways of so many flows at most, in a process whose child and replica are open; takes the limits
 * over that it was started with. 0 or -errno. */
int way_host_init(struct way_host *process, struct child *child, const struct replica *replica,
	uint32_t flows);
/* No way is left. */
void way_host_fini(struct way_host *process);
/* The picture in force. Its policy is NULL before the first one came. */
static inline const struct picture *way_host_picture(const struct way_host *process)
{
	return process->replica->now;
}

/* The limits that a flow can hold at once: enum limit_kind up to LIMIT_FLOWS_HOST. */
#define WAY_HOLDS 6

struct way {
	struct way_host *process;
	struct policy *policy;         /* a reference: the one that its zone and server are of */
	struct attempts *attempts;     /* NULL: none failed */
	struct replica_server *choice; /* a reference, while it looks for a host; or NULL */
	uint64_t tried;                /* targets of choice, as a mask */
	uint64_t id;
	uint64_t session; /* 0: none */
	/* times are monotonic */
	uint64_t first_end_ms;  /* the end of `deadline first` */
	uint64_t attempt_ms;    /* start of the attempt at hand */
	uint64_t connected_ms;  /* the good greeting; 0: none came */
	uint32_t connect_ms;    /* how long the attempt took that was taken */
	int32_t zone, listener; /* where it comes from: one of policy, the other is -1; or none */
	int32_t server;         /* of policy; -1: none */
	int32_t rule;           /* that took the connection, of policy; -1: none did */
	uint32_t holds[WAY_HOLDS]; /* charge.h */
	uint16_t addresses_tried;  /* of the target at hand */
	uint8_t target, address;   /* at hand */
	bool to_original;          /* the server is the original itself */
	bool from_permitted;       /* it may send to the server because of where it comes from */
	struct endpoint client, original;
	struct endpoint host;    /* at hand; ADDR_NONE: none */
	struct endpoint gateway; /* our end towards the host, once it has greeted well */
	struct mac mac;
	char ifname[POLICY_IFNAME_SIZE];
	char user[POLICY_USER_SIZE]; /* empty: none */
};

/* Under this policy, of which it takes a reference; it goes nowhere yet. */
void way_init_under(struct way *way, struct way_host *process, struct policy *policy);
/* Under the policy in force. */
void way_init(struct way *way, struct way_host *process);
/* Gives back whatever it holds. */
void way_fini(struct way *way);

/* NULL: none, or `server original`. */
static inline const struct policy_server *way_server(const struct way *way)
{
	return way->server < 0 ? NULL : &way->policy->servers[way->server];
}

/* Of its user, if it has one. */
static inline enum policy_source way_user_source(const struct way *way)
{
	/* a listener's clients have no session: who is known there said a password */
	if (way->listener >= 0)
		return POLICY_SOURCE_AUTH;
	return way->session & SESSION_DEVICE_ID ? POLICY_SOURCE_DEVICE : POLICY_SOURCE_SESSION;
}

/* Does it come from a zone or listener of its policy? */
static inline bool way_has_place(const struct way *way)
{
	return way->zone >= 0 || way->listener >= 0;
}

/* Of one that has. */
static inline struct limit_place way_place(const struct way *way)
{
	return (struct limit_place){.of_listener = way->listener >= 0,
		.at = (size_t)(way->listener >= 0 ? way->listener : way->zone)};
}

/* Is it one of those that the order ends? */
bool way_is_meant(const struct way *way, const struct ipc_kill *order);
/* For decide_world: is it a host of that server of the way's policy? context: the way. */
bool way_is_host(void *context, size_t server, const struct addr *addr);

static inline uint64_t way_now_ms(const struct way *way)
{
	return loop_now_ms(way->process->loop);
}

static inline void way_count(const struct way *way, unsigned counter)
{
	child_count(way->process->child, counter);
}

#endif
