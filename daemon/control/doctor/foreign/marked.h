/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns what other programs' chains do to the marks of connections that the kernel leads to a
 * server: by its packet's mark and its connection's, a first packet is led there, and a flow is
 * known. */
#ifndef POSTERN_DAEMON_CONTROL_DOCTOR_FOREIGN_MARKED_H
#define POSTERN_DAEMON_CONTROL_DOCTOR_FOREIGN_MARKED_H

#include "daemon/control/doctor/foreign/forwarded.h"

/* What comes of a mark that was overwritten, the worst last. */
enum foreign_effect {
	FOREIGN_NO_EFFECT,
	FOREIGN_UNNUMBERED, /* the connection has lost its server's number */
	FOREIGN_LOST,       /* it goes on, and is not known any more */
	FOREIGN_BROKEN,     /* it is taken for a relay's */
	FOREIGN_MISLED,     /* it goes to another server, or is reset */
	FOREIGN_RESET,
	FOREIGN_UNGUARDED, /* what nothing leads to a server is not held back */
	FOREIGN_OUT,       /* it leaves without being led to its server */
};
#define FOREIGN_EFFECTS 8
extern const char *const foreign_effect_names[FOREIGN_EFFECTS];

struct foreign_marked;

/* The chains are borrowed. NULL: no memory. */
struct foreign_marked *foreign_marked_new(
	const struct foreign_chains *chains, uint32_t mark_mask, uint32_t server_mask);
void foreign_marked_free(struct foreign_marked *marked); /* NULL is allowed */
/* Follows connections that clients open to this port. */
void foreign_marked_follow(
	struct foreign_marked *marked, const struct foreign_forwarded *forwarded, uint16_t port);
/* One text a fact, one fact a rule (see foreign.c). */
void foreign_marked_tell(const struct foreign_marked *marked,
	void (*tell)(void *context, const char *text), void *context);

#endif
