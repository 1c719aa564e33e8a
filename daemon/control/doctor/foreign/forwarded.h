/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns what other programs' chains behind ours do with connections that are forwarded to a server:
 * whether they let them through, and whether they hide the client from it. */
#ifndef POSTERN_DAEMON_CONTROL_DOCTOR_FOREIGN_FORWARDED_H
#define POSTERN_DAEMON_CONTROL_DOCTOR_FOREIGN_FORWARDED_H

#include "daemon/control/doctor/foreign/chains.h"

#include "lib/base/addr.h"

/* Connections from a zone's interface to a host of a server, by DNAT. */
struct foreign_forwarded {
	const char *zone, *server; /* the interfaces */
	struct addr client;        /* one of them; family ADDR_NONE: not known */
	struct endpoint host;
	bool gateway; /* they come from the gateway's own address, by our own rules */
};

/* One text a fact, only where something is wrong (see foreign.c). mark: that of these connections,
 * in its place; a chain of which not all conditions are understood is not told. */
void foreign_forwarded_tell(const struct foreign_chains *chains, uint32_t mark_mask, uint32_t mark,
	const struct foreign_forwarded *forwarded, void (*tell)(void *context, const char *text),
	void *context);

#endif
