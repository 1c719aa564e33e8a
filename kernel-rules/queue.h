/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns the netfilter queue: first packets of clients that the kernel does not know. */
#ifndef POSTERN_KERNEL_RULES_QUEUE_H
#define POSTERN_KERNEL_RULES_QUEUE_H

#include "kernel-rules/packet.h"
#include "kernel-rules/plan.h"

/* How many packets wait at most, and how long the reader may need to come to them: while control is
 * changed for another, or the machine is busy. What the rules let into the queue in that time fits;
 * so it is full only when nobody reads it, and that is a case of the zones' posture. */
#define QUEUE_LENGTH   4096
#define QUEUE_PAUSE_MS 600

struct queue_packet {
	uint32_t id;   /* counts up by one */
	uint32_t mark; /* as it came; goes back into queue_verdict() */
	uint32_t ifindex;
	struct mac mac; /* all zero: the interface has none */
	bool is_read; /* false: what came is no packet that can be parsed, and `packet` is empty */
	struct packet packet;
};

/* The packet waits until queue_verdict() or queue_drop() is called with its id. */
typedef void queue_on_packet(void *context, const struct queue_packet *packet);

struct queue;

/* Binds the queue: fail-open, QUEUE_LENGTH packets long, whole headers. mask and server_mask are
 * the plan's. -EBUSY or -EPERM: another process has it. */
int queue_open(struct queue **queue, uint16_t number, uint32_t mask, uint32_t server_mask,
	queue_on_packet *on_packet, void *context);
/* The same with the socket of an earlier program of this process: the queue is bound to it, and
 * what waits there still waits. Takes fd over when it returns 0. */
int queue_adopt(struct queue **queue, int fd, uint16_t number, uint32_t mask, uint32_t server_mask,
	queue_on_packet *on_packet, void *context);
/* Packets still held are dropped by the kernel: give them their verdicts first. */
void queue_close(struct queue *queue); /* NULL is allowed */
int queue_fd(const struct queue *queue);
/* Call when the descriptor is readable: reads a bounded number of packets. Returns how many packets
 * came; 0 also when there were none; -errno. */
int queue_read(struct queue *queue);
/* Lets the packet go on with the decision on it; MARK_NONE: undecided, the zone's posture
 * follows. path: with MARK_KERNEL the number of its path, otherwise 0. Other bits of mark are kept.
 * An id that is gone is no error. */
int queue_verdict(
	struct queue *queue, uint32_t id, uint32_t mark, enum mark decision, uint16_t path);
/* Drops it: its client sends it again, after a second. */
int queue_drop(struct queue *queue, uint32_t id);
/* Drops all that wait with this id or a lower one. */
int queue_drop_up_to(struct queue *queue, uint32_t id);
/* How often the kernel told us that it lost packets for want of room. */
uint64_t queue_overruns(const struct queue *queue);

#endif
