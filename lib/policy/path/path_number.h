/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns how many numbers a policy's paths in the kernel need. A path is a host's place at a server,
 * and how many flows one client may have there at once. */
#ifndef POSTERN_LIB_POLICY_PATH_PATH_NUMBER_H
#define POSTERN_LIB_POLICY_PATH_PATH_NUMBER_H

#include "lib/policy/policy.h"

/* A domain may have as many mail hosts with a path of their own; those beyond them have none. */
#define PATH_NUMBER_PER_MX 8

/* The paths of all rules of one limit that lead to one server of `path kernel`. */
struct path_leg {
	size_t server;  /* index */
	uint32_t flows; /* of one client at once; 0: any number */
};

/* How many places the server's hosts have. */
unsigned path_number_places(const struct policy_server *server);
/* Each leg of the policy once, ordered by server and flows; malloc'ed. 0 or -ENOMEM. */
int path_number_legs(const struct policy *policy, struct path_leg **legs, size_t *n);
/* So many numbers do all of them need together. 0 or -ENOMEM. */
int path_number_needed(const struct policy *policy, size_t *needed);

#endif
