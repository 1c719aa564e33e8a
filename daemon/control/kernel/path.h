/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns the paths in the kernel as control sees them: the numbers that servers with `path kernel`
 * have, where each leads by what health tells, and which of them a client gets.
 *
 * All of it goes to the keeper by one channel, whose order is what keeps a packet from meeting a
 * number that leads nowhere: a host is there before the first client is told of it, and where a
 * server's last host of a family goes, its clients' entries go first. */
#ifndef POSTERN_DAEMON_CONTROL_KERNEL_PATH_H
#define POSTERN_DAEMON_CONTROL_KERNEL_PATH_H

#include "kernel-rules/plan.h"
#include "lib/ipc/replica.h"
#include "lib/policy/decide/decide.h"

struct control;
struct paths;

/* So many numbers there are with that --server-mask. */
uint16_t paths_most(uint32_t server_mask);

/* on_unnumbered: paths of the policy in force have no number, as another's had them: the keeper is
 * to get its plan once more. NULL: out of memory. */
struct paths *paths_new(struct control *control, void (*on_unnumbered)(struct control *control));
void paths_free(struct paths *paths); /* NULL is allowed */

/* Adds the paths to a plan of the policy: its own, and those of the one in force, which clients go
 * by until another is. Each leads where it leads now. 0 or -errno. */
int paths_plan(struct paths *paths, const struct policy *policy, struct plan *plan);
/* Another policy is in force, or hosts are asked anew: what was known of them does not count. */
void paths_follow(struct paths *paths);
/* What is known of the hosts of that server (index) has changed. */
void paths_follow_server(struct paths *paths, size_t server);

/* A client's connections of one way: a server, and so many flows at once. */
struct path_pick {
	uint16_t way;    /* for its entry, also where the relay takes it; 0: there is no such way */
	uint16_t number; /* 0: no host of the client's family is up */
	struct endpoint at; /* where it leads now */
};
struct path_pick paths_pick(
	struct paths *paths, const struct decide_path *path, const struct addr *client);

/* Does the path of that number lead there now? */
bool paths_lead_to(const struct paths *paths, uint16_t number, const struct endpoint *at);
/* Whose path has that number; NULL: nobody's. Borrowed. */
const char *paths_server_of(const struct paths *paths, uint16_t number);
/* Where the server's paths lead now, in order of their numbers. host: the name of the one that the
 * place is of; "": of none. */
struct path_row {
	uint16_t number;
	uint32_t flows;
	const char *host;
	uint16_t port;
	struct endpoint at4, at6; /* family ADDR_NONE: to the relay */
};
void paths_each(struct paths *paths, size_t server,
	void (*tell)(void *context, const struct path_row *row), void *context);
/* How many numbers the policy in force has, and how many of them lead somewhere. */
void paths_count(const struct paths *paths, size_t *all, size_t *led);

#endif
