/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns the client sets: which client's connections the kernel decides by itself, and how. */
#ifndef POSTERN_KERNEL_RULES_NFTABLES_CLIENTS_H
#define POSTERN_KERNEL_RULES_NFTABLES_CLIENTS_H

#include "kernel-rules/nftables/table.h"

/* One entry: (interface, MAC, address), or (interface, address) where mac is all zero. */
struct client {
	char ifname[POLICY_IFNAME_SIZE];
	struct mac mac;
	struct addr addr;
	enum mark mark;      /* RELAY, PASS, REJECT, DROP or KERNEL */
	uint16_t path;       /* KERNEL: the number of its path; else 0 */
	uint64_t timeout_ms; /* of an entry read back: time left; 0: no end */
	uint64_t packets;    /* of an entry read back: hits; 0 where the kernel cannot count */
};

struct client_change {
	bool add; /* else delete; client.mark and timeout_ms are then not looked at */
	struct client client;
};

/* As many changes as one call may carry. */
#define CLIENTS_CHANGES_MAX 4096

/* Carries out all changes in one batch. Adding replaces any other verdict of the same client and
 * starts the timeout anew. Deleting what is not there (or has just expired) is no error. A client
 * may stand in it once: two changes of one client have no order.
 * 0; -ENFILE: a set is full, nothing was changed, nothing was tried; -E2BIG; -EINVAL; -ENOENT: no
 * running table; other -errno, and nothing was changed. */
int clients_change(struct table *table, const struct client_change *changes, size_t n);
/* Empties all client sets. */
int clients_flush(struct table *table);

typedef void clients_visit(void *context, const struct client *client);
/* Reads all entries of the kernel; 100,000 take some 100 ms. 0, -ENOENT or -errno. */
int clients_dump(struct table *table, clients_visit *visit, void *context);
/* How many entries at most are in the client sets (expired ones may still be counted). */
uint64_t clients_count(const struct table *table);

struct set_client;
/* A client's key in its set, and back. Length of the key; false: no such key. */
size_t clients_encode_key(const struct client *client, uint8_t key[static 48]);
bool clients_decode_key(
	const struct set_client *set, const uint8_t *key, size_t len, struct client *client);

#endif
