/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns stage 8, audit: the records of finished flows and refused admissions, each as one row of
 * audit.db and one line of the log, with the same id and the same words.
 *
 * Mail never waits for it: when the disk is full, slow or read-only, records are lost, counted, and
 * the loss is logged once a minute until it ends by itself. */
#ifndef POSTERN_DAEMON_CONTROL_AUDIT_AUDIT_H
#define POSTERN_DAEMON_CONTROL_AUDIT_AUDIT_H

#include "daemon/base/loop.h"
#include "daemon/control/audit/archive.h"
#include "daemon/control/audit/filter.h"
#include "daemon/control/audit/login_row.h"
#include "lib/ipc/flow.h"
#include "lib/metrics/counter.h"
#include "lib/policy/policy.h"

#include <stdbool.h>
#include <stdint.h>

struct audit;

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

/* A login at a login page. Those of one zone and ending are thinned together, so that no account
 * fills the audit; wrong ones by their client, too, and they go first with the above. */
void audit_login(struct audit *audit, const struct login_record *login);

/* Why the last record could not be stored, -errno; 0: it was. */
int audit_trouble(const struct audit *audit);

/* Newest first. row is called in the loop for each, with its JSON object (one line) and its key
 * for paging; done after the last, with 0 or -errno and whether there are more rows. Returns the
 * id for audit_cancel(), which a caller that goes away must call; 0: out of memory, and nothing
 * will be called. */
uint64_t audit_query(struct audit *audit, const struct audit_filter *filter, audit_row *row,
	audit_done *done, void *context);
/* Neither row nor done is called any more; also from within row. */
void audit_cancel(struct audit *audit, uint64_t query);

#endif
