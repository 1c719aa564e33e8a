/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns the texts that a policy is made of besides its first: what it includes and its list files,
 * as they were when it was parsed, so that it can be parsed again whatever happened to them. */
#ifndef POSTERN_DAEMON_CONTROL_POLICY_HISTORY_TEXTS_H
#define POSTERN_DAEMON_CONTROL_POLICY_HISTORY_TEXTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define POLICY_TEXTS_MAX      4096
#define POLICY_TEXT_BYTES_MAX (64u << 20) /* of one file */

struct policy_text {
	char *path;
	char *text;
	size_t len;
};

struct policy_texts {
	struct policy_text *v;
	size_t n;
	bool replay; /* what is kept is served, nothing is read from disk, unless missing */
};

/* The language_read of both: reads from disk and keeps a copy, or serves the copy. */
int policy_texts_read(void *texts, const char *path, char **text, size_t *len);
/* Keeps a copy. 0, -ENOMEM or -E2BIG. */
int policy_texts_add(struct policy_texts *texts, const char *path, const char *text, size_t len);
void policy_texts_fini(struct policy_texts *texts);

/* FNV-1a of 64 bits: tells files apart that are not made to deceive. Begin with
 * POLICY_TEXTS_HASH. */
#define POLICY_TEXTS_HASH 0xcbf29ce484222325ull
uint64_t policy_texts_hash(uint64_t hash, const void *bytes, size_t len);
/* The hash of a file with all that it takes in. Never 0. */
uint64_t policy_texts_hash_all(const struct policy_texts *texts, const char *text, size_t len);

#endif
