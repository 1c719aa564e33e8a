/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns the policies in the state folder: the running one, the last 20 that were applied as a whole,
 * the last 200 that commands made of them, and what waits for a confirm. */
#ifndef POSTERN_DAEMON_CONTROL_POLICY_HISTORY_STORE_H
#define POSTERN_DAEMON_CONTROL_POLICY_HISTORY_STORE_H

#include "daemon/base/worker.h"
#include "daemon/control/policy/history/record.h"

#define POLICY_STORE_APPLIED 20
#define POLICY_STORE_EDITED  200

struct policy_store;

/* One line of the history. */
struct policy_store_line {
	uint64_t number, at_ms;
	uint32_t uid;
	size_t bytes;
	char origin[POLICY_ORIGIN_SIZE];
};

/* Reads the folder, waiting for the disk. disk: writes after the start; may be NULL in tests.
 * NULL with *error. */
struct policy_store *policy_store_open(const char *state_dir, struct worker *disk, int *error);
void policy_store_free(struct policy_store *store);

/* Which runs; number 0: none was ever applied. Borrowed. */
const struct policy_current *policy_store_current(const struct policy_store *store);
/* What was found wrong at the opening ("policy 7 was cut off, policy 6 runs"), "" for nothing. */
const char *policy_store_trouble(const struct policy_store *store);
/* 0; -ENOENT: not in the history; -EBADMSG: cut off. */
int policy_store_load(
	const struct policy_store *store, uint64_t number, struct policy_record *record);
/* In ascending order of numbers; borrowed until the next save. */
const struct policy_store_line *policy_store_history(const struct policy_store *store, size_t *n);
uint64_t policy_store_next_number(const struct policy_store *store);

/* Makes a policy the running one: its record (NULL: it is in the history already), then `current`.
 * At every moment the old or the new one is the running one. Waits for the disk. 0 or -errno, and
 * then the old one runs. */
int policy_store_save(struct policy_store *store, const struct policy_record *record,
	const struct policy_current *current);

/* The same by the disk's thread. done is called in the loop, status 0 or -errno. Everything is
 * copied. One at a time: the caller waits for done before the next. 0 or -ENOMEM. */
int policy_store_begin_save(struct policy_store *store, const struct policy_record *record,
	const struct policy_current *current, void (*done)(void *context, int status),
	void *context);
/* Is that policy of the text that the file was last applied or saved with? True, too, where it is
 * no longer in the history: nothing is claimed. */
bool policy_store_is_filed(struct policy_store *store, uint64_t number);

#endif
