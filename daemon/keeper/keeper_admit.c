/* Admission, the privileged half: first packets go from the queue to control and wait for its word,
 * each with a deadline. Whatever happens, no packet waits longer: without a decision it goes on
 * undecided, and the table's second chain applies the zone's posture to it. */
#include "daemon/keeper/keeper.h"

#include "daemon/log.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>

#define HOLD_MS  500
#define PAUSE_MS 5000 /* a client sends its SYN again after 1 s and after 3 s */

#define KEEPER_OF(pointer, member) \
	((struct keeper *)(void *)((char *)(pointer)-offsetof(struct keeper, member)))

static enum plan_mark mark_of(uint8_t kernel)
{
	static const enum plan_mark marks[] = {
		[DECIDE_KERNEL_RELAY] = PLAN_MARK_RELAY,
		[DECIDE_KERNEL_PASS] = PLAN_MARK_PASS,
		[DECIDE_KERNEL_REJECT] = PLAN_MARK_REJECT,
		[DECIDE_KERNEL_DROP] = PLAN_MARK_DROP,
	};
	return marks[kernel]; /* message_check() has seen to its range */
}

struct client_change keeper_admit_change(const struct message_entry *entry)
{
	struct client_change change = {.add = entry->add,
		.client = {.addr = entry->source,
			.mark = mark_of(entry->kernel),
			.timeout_ms = entry->timeout_ms}};

	if (entry->has_mac)
		change.client.mac = entry->mac;
	memcpy(change.client.ifname, entry->ifname, sizeof(change.client.ifname));
	return change;
}

static uint64_t now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

static void set_deadline(struct keeper *keeper)
{
	uint64_t first_ms = UINT64_MAX;

	for (size_t i = 0; i < keeper->nheld; i++)
		if (keeper->held[i].until_ms < first_ms)
			first_ms = keeper->held[i].until_ms;
	if (keeper->nheld)
		loop_timer_set(keeper->loop, &keeper->held_end, first_ms);
	else
		loop_timer_clear(keeper->loop, &keeper->held_end);
}

static void release(struct keeper *keeper, size_t at, enum plan_mark decision)
{
	const struct keeper_held held = keeper->held[at];

	keeper->held[at] = keeper->held[--keeper->nheld];
	histogram_add(&keeper->admission, HISTOGRAM_ADMISSION, now_us() - held.since_us);
	int error = queue_verdict(keeper->queue, held.id, held.mark, decision);
	if (error)
		log_error("cannot give a queued packet its verdict: %s", strerror(-error));
}

static void on_held_end(struct loop_timer *timer, uint64_t now_ms)
{
	struct keeper *keeper = KEEPER_OF(timer, held_end);

	for (size_t i = keeper->nheld; i-- > 0;) {
		if (keeper->held[i].until_ms > now_ms)
			continue;
		release(keeper, i, PLAN_MARK_NONE);
		keeper_event(keeper, MESSAGE_EVENT_ADMIT_LATE, "no decision in %d ms", HOLD_MS);
	}
	set_deadline(keeper);
}

void keeper_admit_release(struct keeper *keeper)
{
	while (keeper->nheld)
		release(keeper, keeper->nheld - 1, PLAN_MARK_NONE);
	loop_timer_clear(keeper->loop, &keeper->held_end);
}

static void on_packet(void *context, const struct queue_packet *packet)
{
	struct keeper *keeper = context;
	struct message_admit admit;
	const struct link *link = links_find(keeper->links, packet->ifindex);

	if (!keeper->control_ready || !keeper->control.channel || !link ||
		keeper->nheld == KEEPER_HELD_MAX) {
		queue_verdict(keeper->queue, packet->id, packet->mark, PLAN_MARK_NONE);
		return;
	}
	message_init(&admit, MESSAGE_ADMIT, sizeof(admit));
	admit.packet = packet->id;
	admit.ifindex = packet->ifindex;
	admit.source = packet->packet.source;
	admit.original = packet->packet.destination;
	admit.mac = packet->mac;
	memcpy(admit.ifname, link->name, sizeof(admit.ifname));
	keeper->held[keeper->nheld++] = (struct keeper_held){.id = packet->id,
		.mark = packet->mark,
		.until_ms = loop_now_ms(keeper->loop) + HOLD_MS,
		.since_us = now_us()};
	if (keeper->nheld == 1)
		set_deadline(keeper);
	keeper_child_send(&keeper->control, &admit, -1);
}

static void on_queue(struct loop_watch *watch, uint32_t events)
{
	struct keeper *keeper = KEEPER_OF(watch, queue_watch);

	(void)events;
	int n = queue_read(keeper->queue);
	if (n < 0)
		log_error("cannot read the packet queue: %s", strerror(-n));
	for (uint64_t overruns = queue_overruns(keeper->queue); keeper->overruns < overruns;
		keeper->overruns++)
		keeper_event(keeper, MESSAGE_EVENT_QUEUE_OVERRUN, "packets were lost");
}

static void on_read_end(struct loop_timer *timer, uint64_t now_ms)
{
	(void)now_ms;
	log_warning("control is not back in time: what waits in the queue goes on undecided");
	keeper_admit_resume(KEEPER_OF(timer, queue_read_end));
}

static void set_read_end(struct keeper *keeper)
{
	loop_timer_set(keeper->loop, &keeper->queue_read_end, loop_now_ms(keeper->loop) + PAUSE_MS);
}

int keeper_admit_open(struct keeper *keeper, int fd)
{
	const struct process_options *options = &keeper->options;

	keeper->held_end.on_time = on_held_end;
	keeper->queue_read_end.on_time = on_read_end;
	int error = fd < 0 ? queue_open(&keeper->queue, options->queue, options->mark_mask,
				     on_packet, keeper)
			   : queue_adopt(&keeper->queue, fd, options->queue, options->mark_mask,
				     on_packet, keeper);
	if (error == -EBUSY || error == -EPERM)
		log_error("queue %u is used by another program: choose one with --queue",
			options->queue);
	else if (error)
		log_error("cannot open queue %u: %s (is nfnetlink_queue there?)", options->queue,
			strerror(-error));
	if (error)
		return error;
	keeper->queue_watch.fd = queue_fd(keeper->queue);
	keeper->queue_watch.on_event = on_queue;
	if (fd < 0) {
		keeper->queue_read = true;
		return loop_add(keeper->loop, &keeper->queue_watch, EPOLLIN);
	}
	set_read_end(keeper);
	return 0;
}

void keeper_admit_pause(struct keeper *keeper)
{
	if (keeper->queue_read)
		loop_del(keeper->loop, &keeper->queue_watch);
	keeper->queue_read = false;
	set_read_end(keeper);
}

void keeper_admit_resume(struct keeper *keeper)
{
	loop_timer_clear(keeper->loop, &keeper->queue_read_end);
	if (keeper->queue_read)
		return;
	int error = loop_add(keeper->loop, &keeper->queue_watch, EPOLLIN);
	if (error)
		log_error("cannot wait for packets: %s", strerror(-error));
	keeper->queue_read = !error;
}

/* First the entry, then the packet: the next SYN of this client then meets it for sure. */
static void cache(struct keeper *keeper, const struct message_verdict *verdict)
{
	struct client_change changes[2];
	size_t n = 0;

	if (verdict->forget)
		changes[n++] = keeper_admit_change(&verdict->forgotten);
	if (verdict->cache)
		changes[n++] = keeper_admit_change(&verdict->entry);
	if (!n)
		return;
	int error = clients_change(keeper->table, changes, n);
	if (error)
		keeper_event(keeper, MESSAGE_EVENT_ENTRY_FAILED, "%s",
			error == -ENFILE ? "a client set is full" : strerror(-error));
}

void keeper_admit_on_verdict(struct keeper *keeper, const struct message_verdict *verdict)
{
	cache(keeper, verdict);
	for (size_t i = 0; i < keeper->nheld; i++) {
		if (keeper->held[i].id != verdict->packet)
			continue;
		release(keeper, i, mark_of(verdict->kernel));
		if (!keeper->nheld)
			set_deadline(keeper);
		return;
	}
}
