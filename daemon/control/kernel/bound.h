/* Owns the addresses that hosts of servers with `bind client` have by name: the kernel must know
 * them before a flow goes there, or the server's answers would not find the relay. */
#ifndef POSTERN_DAEMON_CONTROL_KERNEL_BOUND_H
#define POSTERN_DAEMON_CONTROL_KERNEL_BOUND_H

#include "kernel-rules/plan.h"
#include "lib/ipc/picture.h"

struct bound;
struct control;

/* known() is called when addresses that bound_pass() held back are in the kernel. */
struct bound *bound_new(struct control *control, void (*known)(void *context), void *context);
void bound_free(struct bound *bound);
/* May the relays hear of these targets now? False: a plan with their addresses goes first. */
bool bound_pass(struct bound *bound, const struct ipc_targets *targets);

/* Adds to a plan of the policy what health has told about such servers. 0 or -errno. */
int bound_add_hosts(struct control *control, const struct policy *policy, struct plan *plan);

#endif
