/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns control's picture of the kernel's client entries: what was put in, for whom, until when.
 *
 * The kernel's sets are a cache of decisions. Whoever changes what a decision rests on names the
 * clients it touches here; the entries go from the picture at once and from the kernel with the
 * next batch, whose answer the caller waits for. */
#ifndef POSTERN_DAEMON_CONTROL_KERNEL_ENTRIES_H
#define POSTERN_DAEMON_CONTROL_KERNEL_ENTRIES_H

#include "daemon/control/peers/question.h"
#include "lib/ipc/kernel.h"
#include "lib/policy/mark.h"

struct control;
struct entries;

#define ENTRIES_MAX 200000 /* below the kernel's own bound, so that it never is met */

struct entry {
	struct ipc_entry key; /* as sent; timeout_ms is of the time it was sent */
	uint64_t session;     /* 0: none */
	uint16_t way;         /* path.h: that its connections go, or would if a host were up; 0 */
	uint64_t end_ms;      /* monotonic */
};

struct entries *entries_new(struct control *control);
void entries_free(struct entries *entries);
size_t entries_count(const struct entries *entries);

/* Notes an entry that goes to the kernel now. false: full, nothing may be cached. */
bool entries_add(
	struct entries *entries, const struct ipc_entry *key, uint64_t session, uint16_t way);
/* NULL: none. Borrowed until the next change. */
const struct entry *entries_find(const struct entries *entries, const struct ipc_entry *key);
/* Takes one entry out of the picture only, e.g. when its delete travels with a verdict. */
void entries_forget(struct entries *entries, const struct ipc_entry *key);
/* Another client's entry on the same interface and address; NULL: none. */
const struct entry *entries_find_other(const struct entries *entries, const struct ipc_entry *key);

/* Take entries out of the picture and into the batch of deletes. */
void entries_drop_session(struct entries *entries, uint64_t session);
void entries_drop_mac(struct entries *entries, const struct mac *mac);
void entries_drop_prefix(struct entries *entries, const struct prefix *prefix);
void entries_drop_range(struct entries *entries, const struct range *range);
/* Those of zones that do not know their clients by MAC. */
void entries_drop_unnamed(struct entries *entries);
/* Those of clients of that family that go that way, with that mark. */
void entries_drop_way(
	struct entries *entries, uint16_t way, enum addr_family family, enum mark mark);
void entries_drop_interface(struct entries *entries, const char *ifname);
void entries_drop_all(struct entries *entries);
/* Sends the batch; its answers are parts of the gather. gather may be NULL. */
void entries_send(struct entries *entries, struct gather *gather);

int entries_each(const struct entries *entries,
	int (*visit)(void *context, const struct entry *entry), void *context);

#endif
