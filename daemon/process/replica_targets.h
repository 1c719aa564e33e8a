/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns what a process is told of the hosts of the servers: the targets of each server as health
 * sees them or, while it has not spoken, as far as the policy itself says them.
 *
 * The targets of a server never change: what health tells anew takes their place, and a flow that
 * is still looking for its host goes on among those it began with. */
#ifndef POSTERN_DAEMON_PROCESS_REPLICA_TARGETS_H
#define POSTERN_DAEMON_PROCESS_REPLICA_TARGETS_H

#include "lib/ipc/replica.h"
#include "lib/policy/balance.h"
#include "lib/policy/policy.h"

/* What this process's own flows saw of a target. */
struct replica_seen {
	uint64_t told_ms;    /* monotonic: when control heard that it failed; 0: never */
	uint8_t family;      /* of the address that worked last; ADDR_NONE: none yet */
	bool failed;         /* its last flow failed */
	uint8_t told;        /* failures within a second of told_ms */
	uint64_t login_ms;   /* monotonic: when it refused its server's account */
	uint64_t login_with; /* tls_contexts_number(): whose secret that was; 0: it never did */
};

/* The targets of one server. Whose turn it is among them, and what was seen of each, changes, and
 * goes on when others take their place. */
struct replica_server {
	unsigned references;
	struct policy *policy; /* a reference: what the targets' lines are lines of */
	size_t server;         /* index in policy */
	uint64_t inquiry;      /* in which health asked those that are `asked`; 0: none are */
	unsigned flows;        /* that may come, as health told last: enum level_flows */
	bool told;             /* health has spoken under this policy */
	bool known;            /* or under an earlier one, of some of them */
	size_t n, room;
	struct balance_item *turns; /* room of each */
	struct replica_seen *seen;
	struct ipc_target v[];
};

/* Told before its policy was in force. */
struct replica_early {
	struct replica_early *next;
	struct ipc_targets ipc; /* and its targets behind it */
};

struct replica_targets {
	bool read;             /* as flows that are read find them; set before the first is taken */
	struct policy *policy; /* a reference; NULL: none yet */
	uint64_t number;
	struct replica_server **v; /* one for each server of policy */
	struct replica_early *early;
};

void replica_targets_fini(struct replica_targets *table);
/* Another policy is in force. What is known of hosts that it also has, stays. 0 or -ENOMEM, and
 * nothing has changed. */
int replica_targets_set_policy(
	struct replica_targets *table, struct policy *policy, uint64_t number);
/* Health told a server's targets; or control, what it knows of them. It may know less, being new:
 * what is known goes on, but for what is drained. */
void replica_targets_take(struct replica_targets *table, const struct ipc_targets *ipc);
/* A list as it is told to others; ipc has room for its n. */
void replica_targets_tell(const struct replica_targets *table, const struct replica_server *list,
	struct ipc_targets *ipc);

/* The targets of a server of this policy; of a policy before, whose flows go on, those of the
 * server that has its name now. Borrowed. NULL: server is -1, or there is none any more. */
struct replica_server *replica_targets_of(
	const struct replica_targets *table, const struct policy *policy, int32_t server);
/* The same list, held; and given up. NULL is allowed. */
struct replica_server *replica_targets_ref(struct replica_server *list);
void replica_targets_unref(struct replica_server *list);
/* May a flow of such a client that is read be sent to one of these hosts, as far as is known? Not
 * where each is down or may not be used. Of a host whose name was not looked up yet nothing is
 * known, nor of the original: there list is NULL. offers: enum smtp_offer, what all that it may be
 * sent to showed last. */
bool replica_targets_serve(
	const struct replica_server *list, enum addr_family client, uint8_t *offers);
/* Is this the address of one of its hosts, as far as is known? */
bool replica_targets_has(const struct replica_server *list, const struct addr *addr);
/* The server that has a host at this address. -ENOENT: none; -EAGAIN: it cannot be known yet. */
ptrdiff_t replica_targets_find_server(const struct replica_targets *table, const struct addr *addr);

#endif
