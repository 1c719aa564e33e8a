/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/control/policy/history/texts.h"

#include "daemon/control/store/disk.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

uint64_t policy_texts_hash(uint64_t hash, const void *bytes, size_t len)
{
	const uint8_t *at = bytes;
	for (size_t i = 0; i < len; i++)
		hash = (hash ^ at[i]) * 0x100000001b3ull;
	return hash;
}

uint64_t policy_texts_hash_all(const struct policy_texts *texts, const char *text, size_t len)
{
	uint64_t hash = policy_texts_hash(POLICY_TEXTS_HASH, text, len);
	for (size_t i = 0; i < texts->n; i++) {
		const struct policy_text *one = &texts->v[i];
		hash = policy_texts_hash(hash, one->path, strlen(one->path) + 1);
		hash = policy_texts_hash(hash, one->text, one->len);
	}
	return hash ? hash : 1;
}

static const struct policy_text *find(const struct policy_texts *texts, const char *path)
{
	for (size_t i = 0; i < texts->n; i++)
		if (strcmp(texts->v[i].path, path) == 0)
			return &texts->v[i];
	return NULL;
}

static char *copy_of(const char *text, size_t len)
{
	char *copy = malloc(len + 1);
	if (copy) {
		memcpy(copy, text, len);
		copy[len] = '\0';
	}
	return copy;
}

int policy_texts_add(struct policy_texts *texts, const char *path, const char *text, size_t len)
{
	if (find(texts, path))
		return 0;
	if (texts->n == POLICY_TEXTS_MAX)
		return -E2BIG;
	struct policy_text *v = realloc(texts->v, (texts->n + 1) * sizeof(*v));
	if (!v)
		return -ENOMEM;
	texts->v = v;
	struct policy_text *one = &v[texts->n];
	one->path = strdup(path);
	one->text = copy_of(text, len);
	one->len = len;
	if (!one->path || !one->text) {
		free(one->path);
		free(one->text);
		return -ENOMEM;
	}
	texts->n++;
	return 0;
}

int policy_texts_read(void *context, const char *path, char **text, size_t *len)
{
	struct policy_texts *texts = context;
	const struct policy_text *kept = texts->replay ? find(texts, path) : NULL;
	if (kept) {
		*text = copy_of(kept->text, kept->len);
		*len = kept->len;
		return *text ? 0 : -ENOMEM;
	}
	int error = disk_read(path, POLICY_TEXT_BYTES_MAX, text, len);
	if (!error)
		error = policy_texts_add(texts, path, *text, *len);
	return error;
}

void policy_texts_fini(struct policy_texts *texts)
{
	for (size_t i = 0; i < texts->n; i++) {
		free(texts->v[i].path);
		free(texts->v[i].text);
	}
	free(texts->v);
	*texts = (struct policy_texts){0};
}
