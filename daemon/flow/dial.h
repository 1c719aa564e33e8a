/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns how a flow comes to a host of its server: one after the other is tried, each from where the
 * server says, within the server's deadlines. What it waits for meanwhile is its process's affair.
 *
 *	dial_first(way);
 *	while (dial_next(way)) {
 *		int fd = dial_connect(way);
 *		if (fd >= 0 || fd == -EAGAIN)
 *			wait for it; then dial_connected() and, with a good greeting, dial_taken();
 *			or dial_failed(), and on with dial_next()
 *	}
 *	dial_give_up(way);
 */
#ifndef POSTERN_DAEMON_FLOW_DIAL_H
#define POSTERN_DAEMON_FLOW_DIAL_H

#include "daemon/flow/way.h"

struct dial_deadlines {
	uint32_t first_ms, connect_ms, greeting_ms, idle_ms;
};
/* Those of the flow's server; for `server original` the language's defaults. */
struct dial_deadlines dial_deadlines_of(const struct way *way);

/* How long the attempt at hand may take to connect, and to greet, so that the hosts that are left
 * can still be tried within `deadline first`. */
uint32_t dial_may_connect_ms(const struct way *way);
uint32_t dial_may_greet_ms(const struct way *way);
/* How long it may take in all from its connect to its reply to MAIL. again: if it fails it is tried
 * once more. */
uint32_t dial_may_talk_ms(const struct way *way, bool again);

/* Begins to look for a host: `deadline first` runs from here. */
void dial_first(struct way *way);
/* The next host that may be tried, as way->host, counted at its limit. Those that may not are
 * noted on the way. False: none is left, or the time is over. */
bool dial_next(struct way *way);
/* Connects to the host at hand. The socket, which connects and is the caller's; -EAGAIN: it waits
 * for one in stock (stock.h); other -errno: that was noted, the next one, please. */
int dial_connect(struct way *way);
/* Such sockets come from the keeper, which had them first: they leave epoll by hand. */
bool dial_is_lent(const struct way *way);
/* The socket is connected: the server's word is next. */
void dial_connected(struct way *way, int fd);
/* The good greeting came over this socket: from now on this is the flow's server and no other. */
void dial_taken(struct way *way, int fd);

/* The host at hand is passed over: noted, but no reason to think less of it. */
void dial_pass_over(struct way *way, enum ending ending, const char *words);
/* The attempt at hand failed: noted, and told control where it is news of the host. words: the
 * server's own, or the system's; may be empty. */
void dial_failed(struct way *way, enum ending ending, const char *words);
/* No host is left: gives back what it holds of the server. What the attempts come to. */
enum ending dial_give_up(struct way *way);

/* A socket that connects to end from where the server says (NULL: `server original`), or -errno. */
int dial_socket(const struct endpoint *end, const struct policy_server *server);
/* What became of it: 0 or errno. */
int dial_error(int fd);
enum ending dial_ending(int error);

/* Of `server original`, whose address the client chose with its packets: NULL, or why nobody is
 * taken there. */
const char *dial_original_refusal(const struct addr *original);

#endif
