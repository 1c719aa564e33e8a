/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns a connection to a filter: it is made, what is said goes out in order, what comes is given
 * on, and why it broke is told in words.
 *
 * Nothing is done for its flow from within: whoever embeds it hears what happened, notes it, and
 * acts when the event is over (on_settled), where the link may be freed. What scan_link_open() can
 * tell at once it tells from within the call.
 *
 * CLOSED   nothing                                      scan_link_open()
 * RESOLVES a name that health was asked for             the answer, its time
 * CONNECTS a socket, or the wait for room in a backlog  the connection, an error, its time
 * OPEN     a socket                                     scan_link_close(), its end */
#ifndef POSTERN_DAEMON_SMTP_SCAN_LINK_H
#define POSTERN_DAEMON_SMTP_SCAN_LINK_H

#include "daemon/base/loop.h"
#include "daemon/process/host_addresses.h"
#include "lib/base/addr.h"
#include "lib/policy/policy.h"

#define SCAN_ADDRESSES_MAX 16

struct scan_link;
struct smtp;

#define SCAN_CONNECT_MS 5000 /* for each address */
#define SCAN_FAULT_SIZE 160

enum scan_link_state {
	SCAN_LINK_CLOSED,
	SCAN_LINK_RESOLVES,
	SCAN_LINK_CONNECTS,
	SCAN_LINK_OPEN,
};

struct scan_link_face {
	void (*on_open)(struct scan_link *link);
	/* May close it. */
	void (*on_bytes)(struct scan_link *link, const uint8_t *bytes, size_t len);
	/* All that was said has gone. */
	void (*on_drained)(struct scan_link *link);
	/* It is closed. */
	void (*on_broken)(struct scan_link *link, const char *words);
	void (*on_settled)(struct scan_link *link);
};

struct scan_link {
	struct loop_watch watch;
	struct host_wait host;
	struct smtp *smtp;
	const struct policy_scan *scan; /* of a policy that the flow holds */
	const struct scan_link_face *face;
	uint64_t due_ms; /* UINT64_MAX: it waits for nothing with a time */
	uint64_t give_up_ms;
	uint8_t state;               /* enum scan_link_state */
	uint8_t address, naddresses; /* which is next, of those of a name as they were known */
	struct addr addresses[SCAN_ADDRESSES_MAX];
	bool readable, writable, ended;
	bool deaf;     /* it takes nothing any more: what it still says is read */
	uint8_t *held; /* what did not go yet; NULL: nothing ever did not */
	size_t held_at, held_len, held_room;
	char fault[SCAN_FAULT_SIZE]; /* why the last address that was tried is none */
};

void scan_link_init(struct scan_link *link, struct smtp *smtp, const struct policy_scan *scan,
	const struct scan_link_face *face);
void scan_link_open(struct scan_link *link);
/* Says so much, now or as it can. */
void scan_link_put(struct scan_link *link, const void *bytes, size_t len);
/* Is there something that could not be said yet? */
bool scan_link_is_full(const struct scan_link *link);
/* More is to come before anything is said: who says it in several writes does not wait for us. */
void scan_link_acknowledge(struct scan_link *link);
/* Where it is, or was tried last: a path, or an address with its name. Returns text. */
#define SCAN_WHERE_SIZE 320
const char *scan_link_where(const struct scan_link *link, char text[static SCAN_WHERE_SIZE]);
void scan_link_on_time(struct scan_link *link, uint64_t now_ms);
void scan_link_close(struct scan_link *link);

#endif
