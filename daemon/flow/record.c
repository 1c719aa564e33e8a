#include "daemon/flow/record.h"

#include "daemon/relay/relay.h"

#include <errno.h>
#include <sys/mman.h>

#define RING_BYTES (sizeof(struct ipc_flow) * RECORDS_WAITING_MAX)

int record_init(struct record_ring *ring)
{
	ring->first = ring->n = 0;
	ring->waiting = mmap(NULL, RING_BYTES, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (ring->waiting != MAP_FAILED)
		return 0;
	ring->waiting = NULL;
	return -ENOMEM;
}

void record_fini(struct record_ring *ring)
{
	if (ring->waiting)
		munmap(ring->waiting, RING_BYTES);
	ring->waiting = NULL;
}

static bool can_send(const struct relay *relay)
{
	return child_hears(&relay->child) &&
	       channel_queued_bytes(relay->child.control) < RECORD_QUEUE_BYTES_MAX;
}

static void keep(struct relay *relay, const struct ipc_flow *message)
{
	struct record_ring *ring = &relay->records;
	uint32_t at = (ring->first + ring->n) % RECORDS_WAITING_MAX;
	ring->waiting[at] = *message;
	if (ring->n < RECORDS_WAITING_MAX) {
		ring->n++;
		return;
	}
	ring->first = (ring->first + 1) % RECORDS_WAITING_MAX;
	relay_count(relay, COUNTER_AUDIT_LOST);
}

void record_flush(struct relay *relay)
{
	struct record_ring *ring = &relay->records;
	while (ring->n > 0 && can_send(relay)) {
		if (relay_send(relay, &ring->waiting[ring->first]) < 0)
			return;
		ring->first = (ring->first + 1) % RECORDS_WAITING_MAX;
		ring->n--;
	}
}

void record_send(struct relay *relay, const struct ipc_flow *message)
{
	record_flush(relay);
	if (relay->records.n > 0 || !can_send(relay) || relay_send(relay, message) < 0)
		keep(relay, message);
}
