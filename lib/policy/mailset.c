/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/policy/mailset.h"

#include "lib/policy/policy.h"
#include "lib/smtp/domain.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct entry {
	struct entry *next; /* in its bucket */
	uint32_t hash;
	void *value;
	char key[];
};

struct mailset {
	struct entry **buckets;
	size_t n, room; /* room is 0 or a power of two */
};

/* ---- keys */

static size_t put_domain(const char *text, size_t len, char *out)
{
	char domain[SMTP_DOMAIN_MAX];
	int n = smtp_domain_parse(text, len, domain);

	if (n > 0) {
		memcpy(out, domain, (size_t)n);
		return (size_t)n;
	}
	/* no address has this domain */
	for (size_t i = 0; i < len; i++)
		out[i] = text[i] >= 'A' && text[i] <= 'Z' ? (char)(text[i] | 0x20) : text[i];
	return len;
}

void mailset_key_of(const struct smtp_path *path, char key[static MAILSET_KEY_SIZE])
{
	struct smtp_path same;
	size_t n;

	smtp_path_key(path, &same);
	n = same.local_bytes;
	memcpy(key, same.local, n);
	if (same.domain_bytes > 0) {
		key[n++] = '@';
		memcpy(key + n, same.domain, same.domain_bytes);
		n += same.domain_bytes;
	}
	key[n] = '\0';
}

void mailset_key(const char *text, size_t len, char key[static MAILSET_KEY_SIZE])
{
	const char *at = memrchr(text, '@', len);
	size_t local = at ? (size_t)(at - text) : 0, from = local + 1;
	struct smtp_path path = {.local_bytes = (uint8_t)local};

	key[0] = '\0';
	if (!at || local > SMTP_PATH_LOCAL_MAX || len - from > SMTP_DOMAIN_MAX)
		return;
	memcpy(path.local, text, local);
	mailset_key_of(&path, key);
	size_t n = strlen(key);
	key[n++] = '@';
	if (local == 0 && from < len && text[from] == '.')
		key[n++] = text[from++];
	n += put_domain(text + from, len - from, key + n);
	key[n] = '\0';
}

void mailset_key_of_host(const char *text, size_t len, char key[static MAILSET_KEY_SIZE])
{
	bool below = len > 0 && text[0] == '.';
	size_t n = 0;

	key[0] = '\0';
	if (len > SMTP_DOMAIN_MAX)
		return;
	key[n++] = '@';
	if (below)
		key[n++] = '.';
	n += put_domain(text + below, len - below, key + n);
	key[n] = '\0';
}

/* ---- the set */

struct mailset *mailset_new(void)
{
	return calloc(1, sizeof(struct mailset));
}

void mailset_free(struct mailset *set)
{
	if (!set)
		return;
	for (size_t i = 0; i < set->room; i++)
		for (struct entry *entry = set->buckets[i], *next; entry; entry = next) {
			next = entry->next;
			free(entry);
		}
	free(set->buckets);
	free(set);
}

/* Where it hangs, or where it would. */
static struct entry **find(const struct mailset *set, const char *key, size_t len, uint32_t hash)
{
	struct entry **link = &set->buckets[hash & (set->room - 1)];

	while (*link && ((*link)->hash != hash || strncmp((*link)->key, key, len) != 0 ||
				(*link)->key[len] != '\0'))
		link = &(*link)->next;
	return link;
}

static int grow(struct mailset *set)
{
	size_t room = set->room ? set->room * 2 : 16;
	struct entry **buckets = calloc(room, sizeof(struct entry *));

	if (!buckets)
		return -ENOMEM;
	for (size_t i = 0; i < set->room; i++)
		for (struct entry *entry = set->buckets[i], *next; entry; entry = next) {
			struct entry **link = &buckets[entry->hash & (room - 1)];
			next = entry->next;
			entry->next = *link;
			*link = entry;
		}
	free(set->buckets);
	set->buckets = buckets;
	set->room = room;
	return 0;
}

int mailset_add(struct mailset *set, const char *key, void *value)
{
	size_t len = strlen(key);
	uint32_t hash = policy_hash(key, len);
	struct entry **link = set->room ? find(set, key, len, hash) : NULL;

	if (link && *link) {
		(*link)->value = value;
		return 0;
	}
	if (set->n == set->room && grow(set) < 0)
		return -ENOMEM;
	struct entry *entry = malloc(sizeof(*entry) + len + 1);
	if (!entry)
		return -ENOMEM;
	entry->next = NULL;
	entry->hash = hash;
	entry->value = value;
	memcpy(entry->key, key, len + 1);
	*find(set, key, len, hash) = entry;
	set->n++;
	return 0;
}

void *mailset_del(struct mailset *set, const char *key)
{
	size_t len = strlen(key);
	struct entry **link = set->room ? find(set, key, len, policy_hash(key, len)) : NULL;

	if (!link || !*link)
		return NULL;
	struct entry *entry = *link;
	void *value = entry->value;
	*link = entry->next;
	free(entry);
	set->n--;
	return value;
}

static void *find_bytes(const struct mailset *set, const char *key, size_t len)
{
	struct entry *const *link = set->room ? find(set, key, len, policy_hash(key, len)) : NULL;

	return link && *link ? (*link)->value : NULL;
}

void *mailset_find(const struct mailset *set, const char *key)
{
	return find_bytes(set, key, strlen(key));
}

static void note(void *value, void *values[static MAILSET_DEPTH], unsigned *n)
{
	if (value && *n < MAILSET_DEPTH)
		values[(*n)++] = value;
}

/* An element of the domains below one is "@.domain", which is how the key goes on behind each of
 * its dots with an '@' in front. */
unsigned mailset_find_all(
	const struct mailset *set, const char *key, void *values[static MAILSET_DEPTH])
{
	const char *at = strrchr(key, '@');
	char above[MAILSET_KEY_SIZE];
	unsigned n = 0;

	note(mailset_find(set, key), values, &n);
	if (!at)
		return n;
	if (at != key)
		note(mailset_find(set, at), values, &n);
	for (const char *dot = strchr(at, '.'); dot; dot = strchr(dot + 1, '.')) {
		size_t len = strlen(dot);
		if (len + 2 > sizeof(above))
			break;
		above[0] = '@';
		memcpy(above + 1, dot, len + 1);
		note(find_bytes(set, above, len + 1), values, &n);
	}
	return n;
}
