/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/control/path/reading.h"

#include "daemon/base/log.h"
#include "daemon/control/path/looking.h"
#include "daemon/control/path/opening.h"
#include "kernel-rules/flow_log.h"
#include "lib/base/container.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

/* By then a connection that was closed by both is over in the kernel, too. */
#define CLOSED_MS 150
#define RESET_MS  50
/* Flows of one client's end, the newest first: of more the client's own end tells, or a look at
 * all. Nobody has more but to keep us busy. */
#define OF_ONE_END_MOST 64
/* So long what is lost may gather before the whole table is looked at for it. */
#define LOST_MS 1000

static void close_one(struct kernel_path *path, struct kernel_flow *flow,
	const struct flow_log_entry *entry, enum ending ending)
{
	if (flow->state == KERNEL_FLOW_CUT)
		return;
	kernel_flows_close(flow, ending);
	flow->looks = 0;
	looking_at(path, flow, entry->is_reset ? RESET_MS : CLOSED_MS);
}

static enum ending ending_of_client(const struct flow_log_entry *entry)
{
	return entry->is_reset ? ENDING_CLIENT_RESET : ENDING_CLIENT_CLOSED;
}

static enum ending ending_of_server(const struct flow_log_entry *entry)
{
	if (entry->is_refusal)
		return ENDING_CONNECT_REFUSED;
	return entry->is_reset ? ENDING_SERVER_RESET : ENDING_SERVER_CLOSED;
}

/* The server speaks to the client, or to the gateway's own end, by which a flow is not found: its
 * client closes, too. */
static void take_answer(struct kernel_path *path, const struct flow_log_entry *entry)
{
	struct kernel_flow *flow = NULL;

	for (unsigned n = 0; n < OF_ONE_END_MOST; n++) {
		flow = kernel_flows_of_client(path->flows, &entry->destination, flow);
		if (!flow)
			return;
		if (flow->known && !addr_equal(&flow->last.answerer.addr, &entry->source.addr))
			continue;
		/* a connection that is refused the kernel forgets at once: nothing else says by
		 * whom */
		if (!flow->known)
			flow->last.answerer = entry->source;
		close_one(path, flow, entry, ending_of_server(entry));
	}
}

static void on_entry(void *context, const struct flow_log_entry *entry)
{
	struct kernel_path *path = context;
	const struct ipc_tuple tuple = {.client = entry->source, .original = entry->destination};
	struct kernel_flow *flow;

	switch (entry->kind) {
	case FLOW_LOG_BEGIN:
		opening_take(path, &tuple,
			&(struct kernel_flow_opening){
				.ifindex = entry->ifindex, .mark = entry->mark, .mac = entry->mac});
		if (!path->whole.slot)
			looking_whole(path, LOOKING_WHOLE_MS);
		break;
	case FLOW_LOG_END:
		flow = kernel_flows_find_tuple(path->flows, &tuple);
		if (flow)
			close_one(path, flow, entry, ending_of_client(entry));
		break;
	case FLOW_LOG_ANSWER:
		take_answer(path, entry);
		break;
	}
}

static int read_some(struct kernel_path *path)
{
	int error = flow_log_read(path->log.fd, on_entry, path);

	if (error == -ENOBUFS) {
		if (path->control->counters[COUNTER_PATH_LOG_LOST]++ == 0)
			log_warning("the kernel's log of flows was fuller than could be read: its "
				    "table of connections tells the rest");
		looking_whole(path, LOST_MS);
	} else if (error) {
		log_error("the kernel's log of flows: %s", strerror(-error));
		reading_close(path);
	}
	return error;
}

static void on_readable(struct loop_watch *watch, uint32_t events)
{
	(void)events;
	read_some(container_of(watch, struct kernel_path, log));
}

void reading_drain(struct kernel_path *path)
{
	if (path->log.fd >= 0)
		read_some(path);
}

void reading_init(struct kernel_path *path)
{
	path->log.fd = -1;
	path->log.on_event = on_readable;
}

void reading_watch(struct kernel_path *path, int fd)
{
	reading_close(path);
	path->log.fd = fd;
	int error = loop_add(path->control->loop, &path->log, EPOLLIN);
	if (!error)
		return;
	log_error("the kernel's log of flows: %s", strerror(-error));
	close(fd);
	path->log.fd = -1;
}

void reading_close(struct kernel_path *path)
{
	if (path->log.fd < 0)
		return;
	loop_del(path->control->loop, &path->log);
	close(path->log.fd);
	path->log.fd = -1;
}
