/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns reading what postqueue -j says: an entry of the queue a line, as JSON. It reads one of
 * Postfix's queues after the other, and may so find one entry in two of them that moves meanwhile.
 */
#ifndef POSTERN_TOOLS_POSTERNCTL_QUEUE_ENTRIES_H
#define POSTERN_TOOLS_POSTERNCTL_QUEUE_ENTRIES_H

#include "lib/base/hash.h"

#include <jansson.h>
#include <stdio.h>

struct queue_entries {
	FILE *in;
	char *line;
	size_t room;
	struct hash seen;
	size_t unread; /* lines that are no entry */
};

/* Borrows in. */
void queue_entries_init(struct queue_entries *entries, FILE *in);
void queue_entries_fini(struct queue_entries *entries);
/* The next entry that was not there yet, with its "queue_id", as the caller's own; NULL: there is
 * none. */
json_t *queue_entries_next(struct queue_entries *entries);

#endif
