/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns what the stages of an smtp process share. */
#ifndef POSTERN_DAEMON_SMTP_SMTP_H
#define POSTERN_DAEMON_SMTP_SMTP_H

#include "daemon/flow/way.h"
#include "daemon/process/child.h"
#include "daemon/process/host_addresses.h"
#include "daemon/process/replica.h"
#include "daemon/smtp/flow.h"
#include "daemon/smtp/listen.h"
#include "daemon/smtp/login.h"
#include "daemon/smtp/scan/scanner.h"
#include "daemon/smtp/scan/test.h"
#include "daemon/smtp/spool/spool.h"
#include "daemon/smtp/take.h"
#include "lib/ipc/flow.h"
#include "lib/limit/message_limit.h"

struct smtp {
	struct child child;
	const struct process_start *start; /* as the child has it, and the loop, too */
	struct loop *loop;
	struct replica replica;
	struct smtp_flow_table table;
	struct spool spool;
	struct scanners scanners;
	struct scan_tests scan_tests;
	struct host_addresses hosts; /* of scans, by their names */
	uint8_t *scan_bytes;         /* MILTER_ROOM: for the call at hand */
	struct take take;
	struct listen listen;
	struct logins logins;
	struct way_host ways;
	struct message_limit limits; /* allowance.h */
	struct ipc_flow built;       /* the record at hand */
	char words[128];             /* of the refusal at hand */
	struct loop_timer drain_end;
	struct tls_context *tls_to_anybody; /* towards hosts that the policy has not */
	bool picture_known;                 /* wanted before the first flow */
	/* Ends the loop when the process is to end and nothing is left or can come. */
	void (*stop_when_done)(struct smtp *smtp);
	bool rests; /* wanted no longer: ends with the last flow */
};

static inline void smtp_count(struct smtp *smtp, unsigned counter)
{
	child_count(&smtp->child, counter);
}

/* To control, if there is one. 0 or -errno. */
static inline int smtp_send(struct smtp *smtp, const void *message)
{
	return child_send(&smtp->child, message);
}

/* The picture in force. Its policy is NULL before the first one came. */
static inline const struct picture *smtp_picture(const struct smtp *smtp)
{
	return smtp->replica.now;
}

/* What replies begin with: the policy's hostname (NULL: there is none), or the machine's. */
const char *smtp_name(const struct smtp *smtp, const struct policy *policy);
/* A flow's engine goes on, as talk.h has it: what comes out of it, what is done with that, a round.
 */
struct engine_out *smtp_out(struct smtp_flow *flow);
void smtp_act(struct smtp_flow *flow);
void smtp_run(struct smtp_flow *flow);

#endif
