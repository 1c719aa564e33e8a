/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns what control keeps over a restart besides the policy: sessions, the entries of dynamic
 * lists, and blocks, in state.db. A change whose done() was called with 0 survives a power cut. */
#ifndef POSTERN_DAEMON_CONTROL_STORE_SESSION_STORE_H
#define POSTERN_DAEMON_CONTROL_STORE_SESSION_STORE_H

#include "daemon/base/loop.h"
#include "lib/base/siphash.h"
#include "lib/policy/block.h"
#include "lib/policy/lists.h"
#include "lib/policy/session.h"
#include "lib/radius/ledger.h"

struct session_store;

/* Opens state_dir/state.db and puts everything in it into table, lists and blocks, whatever is
 * over by now_ms left out. *last_id is the highest session id ever stored (ids are not used again).
 * 0 or -errno. */
int session_store_open(struct loop *loop, const char *state_dir, struct session_table *table,
	struct lists *lists, struct blocks *blocks, uint64_t now_ms, uint64_t *last_id,
	struct session_store **store);
/* Waits for what was asked, and for what that led to. Was there anything? */
bool session_store_settle(struct session_store *store);
/* The same, and closes. NULL is allowed. */
void session_store_close(struct session_store *store);

/* What the database has lost since it was last open, in words; "" for nothing. */
const char *session_store_loss(const struct session_store *store);
/* Why the last change could not be stored, -errno; 0: it was. */
int session_store_trouble(const struct session_store *store);

/* Called in the loop when the change is on the disk (0) or could not be stored (-errno). */
typedef void session_store_done(void *context, int status);

/* All copy what they are given. done may be NULL. 0, or -ENOMEM: done is not called. Changes are
 * carried out in order. */
int session_store_put(struct session_store *store, const struct session *session,
	session_store_done *done, void *context);
int session_store_del(
	struct session_store *store, uint64_t id, session_store_done *done, void *context);
int session_store_list_add(struct session_store *store, const char *list,
	const struct policy_elem *elem, uint64_t end_ms, session_store_done *done, void *context);
int session_store_list_remove(struct session_store *store, const char *list,
	const struct policy_elem *elem, session_store_done *done, void *context);
/* Sets the whole list, n may be 0: `list clear`, `replace`, `import`. All or nothing. */
struct session_store_entry {
	struct policy_elem elem;
	uint64_t end_ms; /* 0: for ever */
};
int session_store_list_set(struct session_store *store, const char *list,
	const struct session_store_entry *entries, size_t n, session_store_done *done,
	void *context);
int session_store_block_put(struct session_store *store, const struct block *block,
	session_store_done *done, void *context);
int session_store_block_del(struct session_store *store, const struct block *subject,
	session_store_done *done, void *context);

/* What is known of sessions by accounting, as it stood at the start. */
struct account_rows {
	struct radius_entry *v;
	size_t n, room;
	uint8_t secret[SIPHASH_SECRET_SIZE]; /* of the hashes in it */
	bool has_secret;
};
/* To be fini'ed by account_rows_fini() when it was taken in. */
struct account_rows *session_store_account_rows(struct session_store *store);
int session_store_account_put(struct session_store *store, const struct radius_entry *entry,
	session_store_done *done, void *context);
int session_store_account_del(struct session_store *store, const struct radius_key *key,
	session_store_done *done, void *context);
int session_store_account_secret(struct session_store *store,
	const uint8_t secret[static SIPHASH_SECRET_SIZE], session_store_done *done, void *context);

#endif
