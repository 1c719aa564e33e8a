/* Owns the netfilter queue: first packets of clients that the kernel does not know. */
#ifndef POSTERN_QUEUE_H
#define POSTERN_QUEUE_H

#include "kernel-rules/packet.h"
#include "kernel-rules/plan.h"

struct queue_packet {
	uint32_t id;
	uint32_t mark; /* as it came; goes back into queue_verdict() */
	uint32_t ifindex;
	struct mac mac; /* all zero: the interface has none */
	struct packet packet;
};

/* The packet waits until queue_verdict() is called with its id. */
typedef void queue_on_packet(void *context, const struct queue_packet *packet);

struct queue;

/* Binds the queue: fail-open, 256 packets long, whole headers. mask is the plan's mark mask.
 * -EBUSY or -EPERM: another process has it. */
int queue_open(struct queue **queue, uint16_t number, uint32_t mask, queue_on_packet *on_packet,
	void *context);
/* The same with the socket of an earlier program of this process: the queue is bound to it, and
 * what waits there still waits. Takes fd over when it returns 0. */
int queue_adopt(struct queue **queue, int fd, uint16_t number, uint32_t mask,
	queue_on_packet *on_packet, void *context);
/* Packets still held are dropped by the kernel: give them their verdicts first. */
void queue_close(struct queue *queue); /* NULL is allowed */
int queue_fd(const struct queue *queue);
/* Call when the descriptor is readable: reads a bounded number of packets. What cannot be parsed is
 * let go undecided. Returns how many packets came; 0 also when there were none; -errno. */
int queue_read(struct queue *queue);
/* Lets the packet go on with the decision on it; PLAN_MARK_NONE: undecided, the zone's posture
 * follows. Other bits of mark are kept. An id that is gone is no error. */
int queue_verdict(struct queue *queue, uint32_t id, uint32_t mark, enum plan_mark decision);
/* How often the kernel told us that it lost packets for want of room. */
uint64_t queue_overruns(const struct queue *queue);

#endif
