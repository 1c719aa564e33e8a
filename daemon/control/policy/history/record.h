/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns one policy as it is kept in the state folder: its texts, who applied it, and a checksum that
 * tells a file that was cut off. */
#ifndef POSTERN_DAEMON_CONTROL_POLICY_HISTORY_RECORD_H
#define POSTERN_DAEMON_CONTROL_POLICY_HISTORY_RECORD_H

#include "daemon/control/policy/history/texts.h"

#define POLICY_ORIGIN_SIZE 256

/* Did a command make the policy of this origin, by changing a part of another? Else it came as a
 * whole: the file, a text, an earlier one again. */
bool policy_record_is_edit(const char *origin);

struct policy_record {
	uint64_t number;
	uint64_t at_ms; /* wall clock */
	uint32_t uid;
	char origin[POLICY_ORIGIN_SIZE]; /* "file", or the command's words */
	char *source;                    /* as it was applied, comments included */
	size_t source_len;
	char *canonical;
	size_t canonical_len;
	struct policy_texts texts; /* what the canonical text reads: list files */
};

void policy_record_fini(struct policy_record *record);
/* *bytes is malloc'ed. 0 or -ENOMEM. */
int policy_record_encode(const struct policy_record *record, char **bytes, size_t *len);
/* 0; -EBADMSG: cut off, changed or no record; -ENOMEM. */
int policy_record_decode(const char *bytes, size_t len, struct policy_record *record);

/* From the first bytes of a record: number, at_ms, uid, origin and source_len alone, which need no
 * policy_record_fini(). Whether the rest is whole is not looked at. 0 or -EBADMSG. */
int policy_record_decode_head(const char *bytes, size_t len, struct policy_record *record);

/* Which policy runs: the one small file whose replacement commits an apply. */
struct policy_current {
	uint64_t number;
	uint64_t file_hash;        /* of the file when it was last applied; 0: never */
	uint64_t confirm_until_ms; /* steady; 0: nothing waits for a confirm */
	uint64_t confirm_back;     /* number to go back to */
	char **paths;              /* files that the file took in */
	size_t npaths;
};

void policy_current_fini(struct policy_current *current);
int policy_current_add_path(struct policy_current *current, const char *path);
int policy_current_copy(struct policy_current *to, const struct policy_current *from);
int policy_current_encode(const struct policy_current *current, char **bytes, size_t *len);
int policy_current_decode(const char *bytes, size_t len, struct policy_current *current);

#endif
