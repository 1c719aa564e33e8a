/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns the guests at the login pages: how many connections each has, and how fast he comes. Who
 * comes faster than people do waits for his turn and is then served: the handshakes and questions
 * of one leave time for those of others. A guest is an interface and a MAC, without MAC an address;
 * where the zone knows its clients by address alone, an address. */
#ifndef POSTERN_DAEMON_WEB_PORTAL_GUEST_H
#define POSTERN_DAEMON_WEB_PORTAL_GUEST_H

#include "daemon/flow/origin.h"

/* More than there are connections: one of those without is always there for who is new. */
#define GUESTS_MAX 512

/* What each has a turn for: so many at once, and then one each so many milliseconds. */
#define GUEST_AT_ONCE 60
#define GUEST_EACH_MS 100
enum guest_turn {
	GUEST_CONNECTS, /* a handshake costs a millisecond or two */
	GUEST_ASKS,     /* a page costs control a look into the records */
};
#define GUEST_TURNS (GUEST_ASKS + 1)

struct guest {
	struct origin origin; /* of the first of his connections */
	unsigned open;        /* connections */
	uint64_t seen_ms;     /* 0: nobody is that */
	uint64_t paid_ms[GUEST_TURNS];
};

struct guests {
	struct guest v[GUESTS_MAX];
};

/* Who that is (origin without MAC: known by address alone): the one there was, or a new one in the
 * place of who came least lately of those without connections. NULL: all have some. */
struct guest *guest_get(struct guests *guests, const struct origin *origin, uint64_t now_ms);
/* He takes a turn. Returns how many milliseconds he waits for it. */
uint64_t guest_turn(struct guest *guest, enum guest_turn turn, uint64_t now_ms);

#endif
