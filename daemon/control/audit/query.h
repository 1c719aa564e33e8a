/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns looking for audit records: which index a filter goes by, and the page it gives. */
#ifndef POSTERN_DAEMON_CONTROL_AUDIT_QUERY_H
#define POSTERN_DAEMON_CONTROL_AUDIT_QUERY_H

#include "daemon/control/audit/filter.h"
#include "daemon/control/audit/result.h"
#include "daemon/control/audit/row.h"

#define AUDIT_QUERY_LIMIT     50 /* rows, when none is given */
#define AUDIT_QUERY_LIMIT_MAX 100000

/* On the store's thread. 0 or -errno; audit_result_fini() in either case. */
int audit_query_run(struct database *store, struct sqlite3 *db, const struct audit_filter *filter,
	struct audit_result *result);

#define AUDIT_SQL_SIZE 1536
/* Is this column looked at with equality? */
bool audit_query_has(const struct audit_filter *filter, enum audit_column column);
/* The statement for a filter that goes by the index of a column, or by time alone (-1). */
void audit_query_sql(
	const struct audit_filter *filter, int column, char sql[static AUDIT_SQL_SIZE]);

#endif
