/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns which host a flow tries next, among the targets of its server (replica_targets.h). */
#ifndef POSTERN_DAEMON_FLOW_CHOOSE_H
#define POSTERN_DAEMON_FLOW_CHOOSE_H

#include "lib/ipc/replica.h"

struct way;

#define CHOOSE_NO_TARGET UINT8_MAX

/* The flow begins to look for a host; it looks no further. */
void choose_begin(struct way *way);
void choose_end(struct way *way);
/* The next address to try, as way->host: of the host at hand, else of the next host. False: none
 * is left. */
bool choose_next(struct way *way);
/* The host at hand is done with, whatever other addresses it has. */
void choose_skip_host(struct way *way);
/* The target that way->host is an address of; NULL with `server original`. */
const struct ipc_target *choose_target(const struct way *way);
/* Health asked this address in the inquiry at hand, and it offers nothing that it must not. */
bool choose_was_asked(const struct way *way);
/* How many addresses are left to try if the one at hand fails. */
size_t choose_left(const struct way *way);

/* What became of the host at hand: tells control what may be news to health. */
void choose_worked(struct way *way);
void choose_failed(struct way *way, const char *words);
/* It does not take the login of its server's account: nobody tries another one for now. */
void choose_login_refused(const struct way *way, const char *words);
/* It was taken, and does what no host may. */
void choose_broken(const struct way *way, const char *words);

#endif
