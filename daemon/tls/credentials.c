/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/tls/credentials.h"

#include "daemon/base/channel.h"
#include "lib/base/vector.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static void wipe(void *bytes, size_t len)
{
	if (bytes)
		explicit_bzero(bytes, len);
	free(bytes);
}

static void free_one(struct tls_credential *one)
{
	if (!one)
		return;
	if (one->mapped)
		munmap(one->bytes, one->len);
	else
		wipe(one->bytes, one->len);
	wipe(one->key, one->key_len);
	free(one);
}

void tls_credentials_fini(struct tls_credentials *all)
{
	for (size_t i = 0; i < all->n; i++)
		free_one(all->v[i]);
	free(all->v);
	*all = (struct tls_credentials){0};
}

/* NULL: out of memory. */
static uint8_t *copy(const uint8_t *bytes, size_t len)
{
	uint8_t *own = malloc(len ? len : 1);

	if (own)
		memcpy(own, bytes, len);
	return own;
}

static int take_bytes(struct tls_credential *one, const struct ipc_credential *ipc, int fd)
{
	const bool keyed = one->kind == CREDENTIAL_CERTIFICATE || one->kind == CREDENTIAL_OWN;
	void *map;

	if (credential_is_public(one->kind)) {
		int error = channel_map(fd, &map, &one->len);
		one->bytes = error ? NULL : map;
		one->mapped = !error;
		return error;
	}
	if (fd >= 0)
		close(fd);
	one->bytes = copy(ipc->data, ipc->file_bytes);
	one->len = ipc->file_bytes;
	if (keyed) {
		one->key = copy(ipc->data + ipc->file_bytes, ipc->key_bytes);
		one->key_len = ipc->key_bytes;
	}
	return one->bytes && (one->key || !keyed) ? 0 : -ENOMEM;
}

static bool is_same(const struct tls_credential *one, enum credential_kind kind, const char *name,
	const char *file, const char *key_file)
{
	return one->kind == kind && strcmp(one->name, name) == 0 && strcmp(one->file, file) == 0 &&
	       strcmp(one->key_file, key_file) == 0;
}

static void remove_at(struct tls_credentials *all, size_t i)
{
	free_one(all->v[i]);
	all->v[i] = all->v[--all->n];
}

static int add(struct tls_credentials *all, struct tls_credential *one)
{
	struct tls_credential **v = vector_grow(all->v, all->n, &all->room, sizeof(*v));
	if (!v)
		return -ENOMEM;
	all->v = v;
	all->v[all->n++] = one;
	return 0;
}

int tls_credentials_put(struct tls_credentials *all, const struct ipc_credential *ipc, int fd)
{
	struct tls_credential *one = calloc(1, sizeof(*one));

	if (!one) {
		if (fd >= 0)
			close(fd);
		return -ENOMEM;
	}
	one->kind = (enum credential_kind)ipc->kind;
	one->coming = true;
	memcpy(one->name, ipc->name, sizeof(one->name));
	memcpy(one->file, ipc->file, sizeof(one->file));
	memcpy(one->key_file, ipc->key, sizeof(one->key_file));
	int error = take_bytes(one, ipc, fd);
	for (size_t i = all->n; !error && i-- > 0;)
		if (all->v[i]->coming &&
			is_same(all->v[i], one->kind, one->name, one->file, one->key_file))
			remove_at(all, i);
	if (!error)
		error = add(all, one);
	if (error)
		free_one(one);
	return error;
}

const struct tls_credential *tls_credentials_find(
	const struct tls_credentials *all, const struct credential *wanted)
{
	const struct tls_credential *found = NULL;

	for (size_t i = 0; i < all->n; i++)
		if ((!found || all->v[i]->coming) &&
			is_same(all->v[i], wanted->kind, wanted->name, wanted->file, wanted->key))
			found = all->v[i];
	return found;
}

static bool is_replaced(const struct tls_credentials *all, const struct tls_credential *one)
{
	for (size_t i = 0; !one->coming && i < all->n; i++)
		if (all->v[i]->coming &&
			is_same(all->v[i], one->kind, one->name, one->file, one->key_file))
			return true;
	return false;
}

static bool is_wanted(const struct credentials *wanted, const struct tls_credential *one)
{
	for (size_t i = 0; i < wanted->n; i++)
		if (is_same(one, wanted->v[i].kind, wanted->v[i].name, wanted->v[i].file,
			    wanted->v[i].key))
			return true;
	return false;
}

void tls_credentials_settle(struct tls_credentials *all, const struct policy *policy)
{
	struct credentials wanted;
	bool known = credentials_of(policy, &wanted) == 0;

	for (size_t i = all->n; i-- > 0;)
		if (is_replaced(all, all->v[i]) || (known && !is_wanted(&wanted, all->v[i])))
			remove_at(all, i);
	for (size_t i = 0; i < all->n; i++)
		all->v[i]->coming = false;
	credentials_fini(&wanted);
}

void tls_credentials_drop(struct tls_credentials *all)
{
	for (size_t i = all->n; i-- > 0;)
		if (all->v[i]->coming)
			remove_at(all, i);
}
