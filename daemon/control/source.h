/* Owns the operator's own text of a policy, comments included: what becomes of it when a command
 * changes the policy. */
#ifndef POSTERN_SOURCE_H
#define POSTERN_SOURCE_H

#include "daemon/control/policy_record.h"
#include "lib/policy.h"

struct control;

/* The text that says `after`, malloc'ed: the running policy's own, in which the statement of this
 * kind ("rule", "device") and name is put in, replaced, moved or taken out (NULL: none is), and all
 * else is as it was written; or the canonical text where that cannot be. texts: what the running
 * policy read, for replay. NULL: out of memory. */
char *source_after(struct control *control, const struct policy *after, const char *kind,
	const char *name, struct policy_texts *texts, size_t *len);
/* Does the record's own text, with the files that it took in, still say the record's policy? */
bool source_holds(struct control *control, const struct policy_record *record);

#endif
