/* Owns what the stages of a relay process share. */
#ifndef POSTERN_RELAY_H
#define POSTERN_RELAY_H

#include "daemon/relay/accept.h"
#include "daemon/relay/bind.h"
#include "daemon/channel.h"
#include "daemon/relay/choose.h"
#include "daemon/relay/copy.h"
#include "daemon/relay/flow.h"
#include "daemon/relay/host.h"
#include "daemon/relay/link.h"
#include "daemon/loop.h"
#include "daemon/relay/picture.h"
#include "daemon/process/process.h"
#include "daemon/relay/report.h"
#include "lib/counter.h"
#include "lib/limit.h"

#define RELAY_NAME_SIZE 256

struct relay {
	const struct process_start *start;
	struct loop *loop;
	struct channel *keeper;
	struct channel *control; /* NULL: gone; a new one comes */
	struct picture_pair pictures;
	struct link_table links;
	struct flow_table table;
	struct copy_tools tools;
	struct limit limit;
	struct accept accept;
	struct host_table hosts;
	struct choose_table choose;
	struct bind_stock bind;
	struct report report;
	struct loop_timer tick; /* once a second */
	struct loop_timer drain_end;
	bool draining;
	bool leaving; /* control hands over: nothing new goes to it */
	struct loop_timer leave;
	bool links_known, picture_known;  /* both are wanted before the first flow */
	uint64_t next_id, last_id;        /* the block of flow ids in use */
	uint64_t spare_first, spare_last; /* and the next one */
	bool ids_asked;
	uint64_t counters[COUNTERS];
	uint64_t counters_sent[COUNTERS];
	struct histogram histograms[HISTOGRAMS];
	char machine[RELAY_NAME_SIZE]; /* the machine's own name */
};

static inline void relay_count(struct relay *relay, unsigned counter)
{
	relay->counters[counter]++;
}

/* The picture in force. Its policy is NULL before the first one came. */
const struct picture *relay_picture(const struct relay *relay);
/* What replies begin with: the policy's hostname, or the machine's. */
const char *relay_name(const struct relay *relay);
uint64_t relay_flow_id(struct relay *relay);
/* To control, if there is one. 0 or -errno. */
int relay_send(struct relay *relay, const void *message);
/* All counters, if one of them changed since they were told. */
void relay_send_counters(struct relay *relay);
/* A block of ids came. */
void relay_take_flow_ids(struct relay *relay, const struct message_flow_ids *message);
/* Ends the loop when the relay drains and nothing is left. */
void relay_stop_when_drained(struct relay *relay);
/* A flow was freed: accepting may go on, draining may be over. */
void relay_on_freed(struct relay *relay);

#endif
