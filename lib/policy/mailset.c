/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/policy/mailset.h"

#include "lib/base/container.h"
#include "lib/base/hash.h"
#include "lib/smtp/domain.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct entry {
	struct hash_link hashed; /* by its key */
	void *value;
	char key[];
};

struct mailset {
	struct hash hash;
};

static struct entry *entry_of(struct hash_link *link)
{
	return link ? container_of(link, struct entry, hashed) : NULL;
}

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
	struct hash_walk walk = {0};
	for (struct entry *entry; (entry = entry_of(hash_step(&set->hash, &walk)));)
		free(entry);
	hash_fini(&set->hash);
	free(set);
}

static struct entry *find(const struct mailset *set, const char *key, size_t len, uint32_t hash)
{
	struct entry *entry = entry_of(hash_find(&set->hash, hash));

	while (entry && (strncmp(entry->key, key, len) != 0 || entry->key[len] != '\0'))
		entry = entry_of(hash_next(&entry->hashed));
	return entry;
}

int mailset_add(struct mailset *set, const char *key, void *value)
{
	size_t len = strlen(key);
	uint32_t hash = hash_bytes(key, len);
	struct entry *entry = find(set, key, len, hash);

	if (entry) {
		entry->value = value;
		return 0;
	}
	entry = hash_reserve(&set->hash) == 0 ? malloc(sizeof(*entry) + len + 1) : NULL;
	if (!entry)
		return -ENOMEM;
	entry->value = value;
	memcpy(entry->key, key, len + 1);
	hash_add(&set->hash, &entry->hashed, hash);
	return 0;
}

void *mailset_del(struct mailset *set, const char *key)
{
	size_t len = strlen(key);
	struct entry *entry = find(set, key, len, hash_bytes(key, len));

	if (!entry)
		return NULL;
	void *value = entry->value;
	hash_del(&set->hash, &entry->hashed);
	free(entry);
	return value;
}

static void *find_bytes(const struct mailset *set, const char *key, size_t len)
{
	const struct entry *entry = find(set, key, len, hash_bytes(key, len));

	return entry ? entry->value : NULL;
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
