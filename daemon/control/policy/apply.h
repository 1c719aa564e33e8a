/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns the way of a checked policy into force: prepare everywhere, store, commit; or nothing.
 *
 *	prepare	the relays parse it; one error ends the apply, nothing has changed
 *	plan	the keeper programs the kernel in one transaction; an error ends it as well
 *	store	record and `current` reach the disk: from here on it is the running policy
 *	commit	the relays switch, then control; cached verdicts leave the kernel
 *
 * Killed before `store`, control starts with the old policy and puts the old plan back. One apply
 * runs at a time; what else wants to change the policy waits, because it begins from the running
 * one. */
#ifndef POSTERN_DAEMON_CONTROL_POLICY_APPLY_H
#define POSTERN_DAEMON_CONTROL_POLICY_APPLY_H

#include "daemon/control/policy/guard.h"
#include "daemon/control/policy/history/texts.h"
#include "lib/policy/policy.h"

struct apply;
struct control;
struct policy_current;

/* outcome DONE, UNCHANGED (what runs is what was wanted) or why not; text says what failed. */
typedef void apply_done(void *context, enum outcome outcome, const char *text);

/* What is to be applied. apply_begin() takes policy, source and texts over. */
struct apply_order {
	struct policy *policy;
	char *source; /* malloc'ed */
	size_t source_len;
	struct policy_texts texts;
	const char *origin; /* "file", or a command's words; copied */
	uint32_t uid;
	bool is_file;        /* remember the file's hash */
	uint64_t confirm_ms; /* 0: none */
	struct guard_pass pass;
	apply_done *done;
	void *context;
};

/* What comes behind it, made by whoever starts control. */
struct apply_face {
	/* Another policy is the running one: what is kept by it follows. */
	void (*on_switch)(struct control *control);
	/* `current` on the disk says something else now: a confirm begins to wait, or ends. */
	void (*on_current)(struct control *control);
};

struct apply *apply_new(struct control *control, const struct apply_face *face);
void apply_free(struct apply *apply);
/* The policy that is under way, borrowed; NULL: none. */
const struct policy *apply_coming(const struct apply *apply);
/* Only when it is nobody's turn (turns.h). The order's members are taken over in any case. Refused,
 * before anything is tried, by what guard.h says; the same text and meaning as what runs is no
 * change. */
void apply_begin(struct apply *apply, const struct apply_order *order);

/* Another `current` of the running policy reaches the disk; failure: what is said where it does
 * not. Only when it is nobody's turn (turns.h). 0 or -errno at once. */
int apply_note(struct apply *apply, const struct policy_current *current, const char *failure,
	apply_done *done, void *context);
/* The file says what runs, as after `policy save`: from now on it counts as applied. Only when no
 * apply is under way; done as above. 0 or -errno at once. */
int apply_remember_file(struct apply *apply, const struct policy_texts *texts, const char *source,
	size_t source_len, apply_done *done, void *context);

#endif
