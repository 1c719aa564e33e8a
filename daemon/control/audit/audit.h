/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns stage 8, audit: the records of finished flows and refused admissions, each as one row of
 * audit.db and one line of the log, with the same id and the same words.
 *
 * Mail never waits for it: when the disk is full, slow or read-only, records are lost, counted, and
 * the loss is logged once a minute until it ends by itself. */
#ifndef POSTERN_DAEMON_CONTROL_AUDIT_AUDIT_H
#define POSTERN_DAEMON_CONTROL_AUDIT_AUDIT_H

#include "daemon/base/loop.h"
#include "lib/base/addr.h"
#include "lib/ipc/flow.h"
#include "lib/metrics/counter.h"
#include "lib/policy/policy.h"
#include "lib/record/ending.h"

#include <stdbool.h>
#include <stdint.h>

struct audit;

/* From the policy; audit_configure() after every apply. */
struct audit_config {
	uint32_t keep_s;     /* 0: no end */
	uint64_t size_bytes; /* 0: no end */
	bool names_none;     /* no user, addresses or MAC are kept or logged */
	/* The wall clock that age is reckoned by, since it cannot be undone; NULL: the loop's. */
	uint64_t (*believed_ms)(void *context);
	void *context;
	/* Flows and messages have a store each, and share size_bytes. What this one takes, and what
	 * the other one did when it last looked; NULL: it is alone. */
	uint64_t *used_bytes;
	const uint64_t *beside_bytes;
};
/* How much of size_bytes this store may take: what the other one leaves, and at least a half. 0: no
 * end. */
uint64_t audit_share_bytes(const struct audit_config *config);

/* Opens state_dir/audit.db. counters: control's own, to be counted in; borrowed. A database that
 * cannot be had now is said and tried again with each record. 0 or -errno. */
int audit_open(struct loop *loop, const char *state_dir, const struct audit_config *config,
	uint64_t counters[static COUNTERS], struct audit **audit);
/* The end is near: from now on a record that finds the queue full waits for the disk. */
void audit_be_patient(struct audit *audit);
/* Writes what is still waiting and answers all queries. Was there anything? */
bool audit_settle(struct audit *audit);
/* The same, and closes. NULL is allowed. */
void audit_close(struct audit *audit);
void audit_configure(struct audit *audit, const struct audit_config *config);

/* A finished flow (IPC_RECORDS). Nothing is kept when record->audit is 0. Of clients that are
 * not logged in records are thinned (thin.h), are within the bound below, and go first when the
 * audit is too large. */
void audit_record(struct audit *audit, const struct ipc_flow *record);
/* A refused admission: verdict reject or drop, no relay saw it. record->id may be 0 (one is not
 * given out for it). At most AUDIT_REFUSED_PER_MINUTE are kept, the others are counted. */
#define AUDIT_REFUSED_PER_MINUTE 600
void audit_refused(struct audit *audit, const struct ipc_flow *record);

/* Why the last record could not be stored, -errno; 0: it was. */
int audit_trouble(const struct audit *audit);

/* What to look for; members that are zero, empty or -1 as said are not looked at. */
struct audit_filter {
	uint64_t id;      /* 0: any. All below are ANDed */
	uint64_t session; /* 0: any */
	char user[POLICY_USER_SIZE];
	unsigned sources; /* of the user: 1 << enum policy_source; 0: any */
	char zone[POLICY_NAME_SIZE];
	char listener[POLICY_NAME_SIZE];
	char rule[POLICY_NAME_SIZE];
	char server[POLICY_NAME_SIZE];
	int verdict;                  /* enum policy_verdict; -1: any */
	int ending;                   /* enum ending; -1: any */
	struct prefix client;         /* family ADDR_NONE: any */
	struct prefix original;       /* the same */
	uint16_t gateway_port;        /* our own towards the server; 0: any */
	char reply[POLICY_NAME_SIZE]; /* stands in the server's last reply to a text; empty: any */
	struct mac mac;               /* not set: any */
	uint64_t since_ms;            /* of the end of the flow; 0: any */
	uint64_t until_ms;            /* before; 0: any */
	unsigned limit;               /* rows; 0: 50, at most 100,000 */
	uint64_t before; /* page on: the key of the last row seen; 0: from the newest */
	bool whole;      /* with every attempt */
};
void audit_filter_init(struct audit_filter *filter);

/* Newest first. row is called in the loop for each, with its JSON object (one line) and its key
 * for paging; done after the last, with 0 or -errno and whether there are more rows. Returns the
 * id for audit_cancel(), which a caller that goes away must call; 0: out of memory, and nothing
 * will be called. */
typedef void audit_row(void *context, const char *json, uint64_t key);
typedef void audit_done(void *context, int status, bool more);
uint64_t audit_query(struct audit *audit, const struct audit_filter *filter, audit_row *row,
	audit_done *done, void *context);
/* Neither row nor done is called any more; also from within row. */
void audit_cancel(struct audit *audit, uint64_t query);

/* A live flow or a record as the JSON object that audit rows, `flow show` and `monitor` share;
 * malloc'ed, one line. NULL: out of memory. whole: with every attempt. */
char *audit_json(const struct ipc_flow *record, bool whole);

#endif
