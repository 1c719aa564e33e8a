/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/posternctl/queue_entries.h"

#include "lib/base/container.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

struct seen {
	struct hash_link link;
	char id[];
};

void queue_entries_init(struct queue_entries *entries, FILE *in)
{
	*entries = (struct queue_entries){.in = in};
}

void queue_entries_fini(struct queue_entries *entries)
{
	struct hash_walk walk = {0};

	for (struct hash_link *link; (link = hash_step(&entries->seen, &walk));) {
		hash_del(&entries->seen, link);
		free(container_of(link, struct seen, link));
	}
	hash_fini(&entries->seen);
	free(entries->line);
}

/* Without memory it is new, too: one that is shown twice is better than one that is not. */
static bool is_new(struct queue_entries *entries, const char *id)
{
	const size_t len = strlen(id);
	const uint32_t value = hash_bytes(id, len);

	for (struct hash_link *link = hash_find(&entries->seen, value); link;
		link = hash_next(link))
		if (strcmp(container_of(link, struct seen, link)->id, id) == 0)
			return false;
	struct seen *seen = malloc(sizeof(*seen) + len + 1);
	if (!seen || hash_reserve(&entries->seen)) {
		free(seen);
		return true;
	}
	memcpy(seen->id, id, len + 1);
	hash_add(&entries->seen, &seen->link, value);
	return true;
}

json_t *queue_entries_next(struct queue_entries *entries)
{
	while (getline(&entries->line, &entries->room, entries->in) > 0) {
		json_t *entry = json_loads(entries->line, 0, NULL);
		const char *id = json_string_value(json_object_get(entry, "queue_id"));
		if (id && is_new(entries, id))
			return entry;
		if (!id)
			entries->unread++;
		json_decref(entry);
	}
	return NULL;
}
