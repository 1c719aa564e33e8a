/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns one connection to a login page, and the request that is under way on it.
 *
 * state   holds                            moved on by
 * ------  -------------------------------  ------------------------------------------------
 * COMES   a connection, not more           its turn, at which libmicrohttpd has it
 * READS   what of a request has come       the rest of it
 * WAITS   a request that is whole          its turn
 * SHOWS   a question who is logged in      control's answer; its time
 * CHECKS  a question about a password      auth's verdict; its time
 * ACTS    an order to control              control's answer; its time
 * HOLDS   a no                             its time
 * SAYS    an answer                        libmicrohttpd, which takes it
 * SENDS   nothing: libmicrohttpd has it    its last byte is sent
 *
 * In all but COMES, READS, SAYS and SENDS the connection is suspended. What is asked of others is
 * known by the visit's id and seq: what comes after the visit is over belongs to nobody. */
#ifndef POSTERN_DAEMON_WEB_PORTAL_VISIT_H
#define POSTERN_DAEMON_WEB_PORTAL_VISIT_H

#include "daemon/flow/origin.h"
#include "daemon/web/portal/portal.h"
#include "lib/ipc/web.h"
#include "lib/portal/form.h"
#include "lib/portal/request.h"
#include "lib/record/ending.h"

#include <microhttpd.h>

struct web;

enum visit_state {
	VISIT_COMES,
	VISIT_READS,
	VISIT_WAITS,
	VISIT_SHOWS,
	VISIT_CHECKS,
	VISIT_ACTS,
	VISIT_HOLDS,
	VISIT_SAYS,
	VISIT_SENDS,
};

struct visit {
	struct visit *next, *before; /* of all of the process */
	struct service *service;
	struct guest *guest;
	struct MHD_Connection *mhd; /* NULL: not yet */
	int fd;                     /* libmicrohttpd's, unless visit_is_ours() */
	struct loop_watch watch;    /* of HTTP, as the next two; fd -1: not yet */
	size_t came;
	unsigned newlines; /* without anything between them */
	struct origin origin;
	struct portal_client client; /* of the request: zone "", it is of none of the portal's */
	struct portal_client device; /* the same, as what it is counted and its forms are made */
	enum ending unknown;         /* why; NONE: it is known */
	uint64_t begun_ms, end_ms;   /* of the connection */
	enum visit_state state;
	bool secured; /* the client's part of the TLS handshake is over */
	bool suspended;
	struct loop_timer timer;

	enum portal_route route;
	uint64_t asked_ms; /* when the request was whole */
	uint64_t id;       /* what auth was asked by; 0: nothing */
	uint32_t seq;      /* what control was asked by; 0: nothing */
	char user[PORTAL_FIELD_MAX + 1];
	char terms[PORTAL_VERSION_SIZE]; /* which he was shown and accepted; "": none */
	unsigned status;
	struct MHD_Response *response;
	bool shared; /* the response is the portal's */
	bool too_long;
	size_t body_len;
	char body[PORTAL_BODY_MAX + 1]; /* wiped when it was read */
};

#define VISITS_MAX       256
#define VISITS_PER_GUEST 8
#define VISIT_LIFE_MS    30000
#define VISIT_IDLE_S     15

_Static_assert(VISITS_MAX < GUESTS_MAX, "who is new always finds a place among the guests");

/* on_time: of its timer. NULL: no memory. */
struct visit *visit_new(struct service *service, struct guest *guest, int fd,
	const struct origin *origin, void (*on_time)(struct loop_timer *timer, uint64_t now_ms));
/* Is its descriptor ours? By HTTP, and as long as it comes. */
bool visit_is_ours(const struct visit *visit);
/* Of such a one: it is over. */
void visit_close(struct visit *visit);
/* It is over, whatever it waited for. */
void visit_free(struct visit *visit);
/* Of a request nothing is kept or waited for any more. */
void visit_forget_request(struct visit *visit);
/* Whoever waits is answered so; a response of NULL is none that could be made. */
void visit_say(struct visit *visit, unsigned status, struct MHD_Response *response);
/* The same by a response that all visitors share. */
void visit_say_shared(struct visit *visit, struct MHD_Response *response);

#endif
