/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns how each scan fares in this process: what was counted, whether it is tried at all, how many
 * messages it may have at once and who waits for that; control is told.
 *
 * Circuit: SCANNER_FAULTS in a row open it for SCANNER_OPEN_MS, in which nobody is tried; then one
 * is, and the others still are not until that one has a verdict or the time is over again. It is
 * this process's own: each finds out by itself. It is of one filter, and closed for another one. */
#ifndef POSTERN_DAEMON_SMTP_SCAN_SCANNER_H
#define POSTERN_DAEMON_SMTP_SCAN_SCANNER_H

#include "lib/ipc/scan.h"

#include <stdbool.h>

struct policy_scan;
struct smtp;

#define SCANNER_FAULTS  5
#define SCANNER_OPEN_MS 10000
#define SCANNER_PLACES  16 /* of all smtp processes together */
/* A place, by a client that is slow with its text, while others wait for one: less than they do. */
#define SCANNER_KEPT_MS 10000

/* Embedded by whoever needs a place. */
struct scanner_place {
	struct scanner_place *next; /* that waits, or of those that are held */
	uint64_t since_ms;          /* it is held */
	bool waits, held;
	bool ended; /* the text is there: its filter is waited for, and not its client */
	/* It has one now. */
	void (*on_place)(struct scanner_place *place);
};

struct scanner {
	struct smtp *smtp;
	uint64_t open_ms; /* monotonic: until then nobody is tried */
	uint32_t faults;  /* in a row */
	struct scanner_place *first, **last;
	struct scanner_place *holders;
	bool told, changed;
	bool reported_drop; /* of header changes that its mode does not allow */
	struct ipc_scan_state state;
};

struct scanners {
	struct scanner **v;
	size_t n;
};

void scanners_fini(struct scanners *scanners);
/* Once a second: control is told what has changed, and whose client is slow keeps nobody waiting:
 * his text goes on without its place. */
void scanners_tick(struct scanners *scanners);
/* Another control has to be told of all. */
void scanners_tell_again(struct scanners *scanners);
/* Another policy is in force: what has another filter under its name begins anew with that. */
void scanners_follow(struct smtp *smtp);
/* The one of this name, which lives as long as the process. NULL: no memory. */
struct scanner *scanner_of(struct smtp *smtp, const struct policy_scan *scan);

/* filter: that a message is asked of, policy_scan_filter(). Of one that the policy in force has no
 * more, under which a flow began, all counts, but it tells nothing of the one that it has. */

/* May it be tried? One whose turn it is to find out whether it is up again is told yes once. */
bool scanner_may_try(struct scanner *scanner, uint64_t filter);
/* True: it is had. Else it is waited for, in turn. */
bool scanner_take(struct scanner *scanner, struct scanner_place *place);
/* One that neither has nor waits for one is allowed. */
void scanner_give(struct scanner *scanner, struct scanner_place *place);

/* What became of a message with it. */
void scanner_asked(struct scanner *scanner);
void scanner_judged(struct scanner *scanner, uint64_t filter, bool refused);
/* It said no to a recipient. */
void scanner_refused(struct scanner *scanner);
/* How long its verdict on a text took. */
void scanner_took(struct scanner *scanner, uint64_t ms);
/* It failed. counts: against it. */
void scanner_failed(struct scanner *scanner, uint64_t filter, const char *words, bool counts);
void scanner_shed(struct scanner *scanner);
void scanner_crowded(struct scanner *scanner);
/* A message goes on, or will, without its verdict; words: why, and whose. */
void scanner_unscanned(struct scanner *scanner, const char *flow, const char *words);
void scanner_changes(struct scanner *scanner, uint64_t made, uint64_t dropped);

#endif
