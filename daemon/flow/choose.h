/* Owns which host a flow tries next: the targets of each server as health told them or, while it
 * has not, as far as the policy itself says them.
 *
 * A list of targets never changes: what health tells anew is a new list, and a flow that is still
 * looking for its host goes on in the one it began with. */
#ifndef POSTERN_CHOOSE_H
#define POSTERN_CHOOSE_H

#include "lib/choice.h"
#include "lib/policy.h"

struct way;

#define CHOOSE_NO_TARGET UINT8_MAX

/* What this process's own flows saw of a target. */
struct choose_seen {
	uint64_t told_ms; /* monotonic: when control heard that it failed; 0: never */
	uint8_t family;   /* of the address that worked last; ADDR_NONE: none yet */
	bool failed;      /* its last flow failed */
	uint8_t told;     /* failures within a second of told_ms */
};

/* The targets of one server. */
struct choose_list {
	unsigned references;
	struct policy *policy; /* a reference: what the targets' lines are lines of */
	size_t server;         /* index in policy */
	uint64_t inquiry;      /* in which health asked those that are `asked`; 0: none are */
	bool is_open;          /* some host's name was not looked up yet */
	size_t n, room;
	struct balance_item *turns; /* room of each */
	struct choose_seen *seen;
	struct ipc_target v[];
};

/* Told before its policy was in force. */
struct choose_early {
	struct choose_early *next;
	struct ipc_targets ipc; /* and its targets behind it */
};

struct choose_table {
	struct policy *policy; /* a reference; NULL: none yet */
	uint64_t number;
	struct choose_list **v; /* one for each server of policy */
	struct choose_early *early;
};

void choose_fini(struct choose_table *table);
/* Another policy is in force. What is known of hosts that it also has, stays. 0 or -ENOMEM, and
 * nothing has changed. */
int choose_set_policy(struct choose_table *table, struct policy *policy, uint64_t number);
/* Health told a server's targets. */
void choose_take(struct choose_table *table, const struct ipc_targets *ipc);

/* The server that has a host at this address. -ENOENT: none; -EAGAIN: it cannot be known yet. */
ptrdiff_t choose_find_server(const struct choose_table *table, const struct addr *addr);

/* The flow begins to look for a host; it looks no further. */
void choose_begin(struct way *way);
void choose_end(struct way *way);
/* The next address to try, as way->host: of the host at hand, else of the next host. False: none
 * is left. */
bool choose_next(struct way *way);
/* The host at hand is done with, whatever other addresses it has. */
void choose_skip_host(struct way *way);
/* The target that way->host is an address of; NULL with `server original`. */
const struct ipc_target *choose_target(const struct way *way);
/* Health asked this address in the inquiry at hand, and it offers nothing that it must not. */
bool choose_was_asked(const struct way *way);
/* How many addresses are left to try if the one at hand fails. */
size_t choose_left(const struct way *way);

/* What became of the host at hand: tells control what may be news to health. */
void choose_worked(struct way *way);
void choose_failed(struct way *way, const char *words);

#endif
