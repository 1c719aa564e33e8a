/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns the table of packets that wait in the queue for control's word, by the kernel's numbers. */
#ifndef POSTERN_DAEMON_KEEPER_HELD_PACKETS_H
#define POSTERN_DAEMON_KEEPER_HELD_PACKETS_H

#include "kernel-rules/plan.h"
#include "kernel-rules/queue.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The numbers count up, so a place is found by a number's last bits; twice the queue's length, for
 * one that is decided late does not yet keep the next from its place. */
#define HELD_PACKET_MAX 8192
_Static_assert(HELD_PACKET_MAX >= 2 * QUEUE_LENGTH, "a full queue and those before it");

struct held_packet {
	uint32_t id, mark;
	bool used;
	bool decided; /* but the kernel has not taken the verdict yet: it is given again */
	bool dropped; /* decided: and not let go */
	enum mark decision;
	uint16_t path; /* with MARK_KERNEL: its number */
	uint64_t until_ms;
	uint64_t since_us; /* monotonic, finer than the loop's clock */
	struct endpoint source, destination;
};

/* All zero: empty. */
struct held_packets {
	struct held_packet v[HELD_PACKET_MAX];
	size_t n;
	uint32_t first, next; /* numbers from first up to before next may be there */
};

/* NULL: its place is taken by an older one. */
struct held_packet *held_packet_add(struct held_packets *table, uint32_t id);
struct held_packet *held_packet_find(struct held_packets *table, uint32_t id); /* or NULL */
void held_packet_del(struct held_packets *table, struct held_packet *held_packet);
/* The one with the lowest number, or NULL. */
struct held_packet *held_packet_oldest(struct held_packets *table);
/* The next one behind this number, or NULL. */
struct held_packet *held_packet_after(struct held_packets *table, uint32_t id);

#endif
