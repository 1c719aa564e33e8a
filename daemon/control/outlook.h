/* Owns what a connection would meet besides the decision of the policy: a bypass before it; what
 * the kernel remembers of it, limits and the state of the servers' hosts behind it. For `explain`;
 * changes nothing. */
#ifndef POSTERN_OUTLOOK_H
#define POSTERN_OUTLOOK_H

#include "daemon/control/ask.h"
#include "lib/decide.h"
#include "lib/ipc/flow.h"

struct control;

/* The bypass that lets the zone's connections pass at this time (wall clock). NULL: none. */
const struct bypass_line *outlook_bypass(struct control *control, const char *zone, uint64_t at_ms);

/* Calls step with what it does. */
void outlook_tell_bypass(
	struct control *control, const struct bypass_line *line, decide_step *step, void *context);

/* Calls step for each host of the server, in the order in which flows try them. */
void outlook_hosts(struct control *control, size_t server, enum addr_family client,
	decide_step *step, void *context);

/* All hosts of all servers that a flow which is read may be sent to are down, as control knows
 * them: it hears ENDING_NO_SERVER at its greeting. */
bool outlook_unreachable(struct control *control, const struct decide_origin *origin,
	const struct decide_envelope *envelope, uint64_t now_ms);

/* A flow that is read is greeted before it meets this, if anything. */
bool outlook_is_of_server(enum ending ending);

/* Calls step with what the kernel may remember of the client. */
void outlook_kernel(const struct decide_world *world, const struct decide_origin *origin,
	uint64_t now_ms, decide_step *step, void *context);

/* A question to the relays, which know the limits. */
struct outlook {
	struct ask ask;           /* first */
	enum ending ending;       /* ENDING_NONE: it would go to a host */
	char text[IPC_TEXT_SIZE]; /* else why not; of no relay: "" with ENDING_NO_POLICY */
	void (*done)(struct outlook *outlook);
};

/* done is called once, perhaps before the return. */
void outlook_ask(struct control *control, struct outlook *outlook, struct ipc_foresee *question);

#endif
