#include "daemon/flow/record.h"

#include "daemon/process/child.h"

#include <errno.h>
#include <sys/mman.h>

int record_init(struct record_ring *ring)
{
	void *memory = mmap(NULL, RECORDS_WAITING_BYTES, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (memory == MAP_FAILED)
		return -ENOMEM;
	ipc_backlog_init(&ring->waiting, memory, RECORDS_WAITING_BYTES);
	return 0;
}

void record_fini(struct record_ring *ring)
{
	if (ring->waiting.bytes)
		munmap(ring->waiting.bytes, RECORDS_WAITING_BYTES);
	ring->waiting.bytes = NULL;
}

static bool can_send(const struct child *child)
{
	return child_hears(child) && channel_queued_bytes(child->control) < RECORD_QUEUE_BYTES_MAX;
}

void record_put(struct record_ring *ring, struct child *child, enum ipc_record_kind kind,
	const uint8_t *bytes, size_t len)
{
	unsigned lost = ipc_backlog_put(&ring->waiting, (uint16_t)kind, bytes, (uint32_t)len);

	while (lost-- > 0)
		child_count(child, COUNTER_AUDIT_LOST);
}

void record_flush(struct record_ring *ring, struct child *child)
{
	_Alignas(struct ipc_header) uint8_t bytes[IPC_BYTES_MAX];
	struct ipc_told told = {0};

	/* one that was begun is told to its end */
	while (ring->waiting.n > 0 && (told.at > 0 || can_send(child))) {
		told = ipc_records_fill((struct ipc_records *)bytes, &ring->waiting, told.at);
		if (child_send(child, bytes) < 0)
			return;
		ipc_backlog_drop(&ring->waiting, told.n);
	}
}
