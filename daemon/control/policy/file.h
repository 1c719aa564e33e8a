/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns the rule of the configuration file: when it counts, and when the running policy goes on
 * (doc/design.md). */
#ifndef POSTERN_DAEMON_CONTROL_POLICY_FILE_H
#define POSTERN_DAEMON_CONTROL_POLICY_FILE_H

#include "daemon/control/policy/apply.h"
#include "lib/language/language.h"

struct control;

enum policy_file_state {
	POLICY_FILE_SAME,    /* as it was last applied, or it says what runs */
	POLICY_FILE_CHANGED, /* and good: policy is set */
	POLICY_FILE_BAD,     /* changed, and it does not parse; text says how */
	POLICY_FILE_MISSING, /* cannot be read; text says why */
};

struct policy_file {
	enum policy_file_state state;
	struct policy *policy; /* one reference */
	char *source;
	size_t source_len;
	struct policy_texts texts;
	char *text; /* what is wrong; with CHANGED the warnings */
};

/* Reads and judges the file. always: also one that is as it was last applied, or says what runs. */
void policy_file_look(struct control *control, bool always, struct policy_file *file);
void policy_file_fini(struct policy_file *file);
/* Only whether it was changed and not applied. *why: a word or two, in any case. Cheap when asked
 * again. */
bool policy_file_differs(struct control *control, const char **why);

/* Logs a text of several lines. */
void policy_file_log(enum policy_log_level level, const char *text);

/* SIGHUP, a start, and with `always` the command that names no file. */
struct policy_file_order {
	uint32_t uid;
	uint64_t confirm_ms;
	bool always;
	struct guard_pass pass; /* but for its kind */
	apply_done *done;
	void *context;
};
void policy_file_apply(struct control *control, const struct policy_file_order *order);

#endif
