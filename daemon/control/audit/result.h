/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns a page of records as it was found. */
#ifndef POSTERN_DAEMON_CONTROL_AUDIT_RESULT_H
#define POSTERN_DAEMON_CONTROL_AUDIT_RESULT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct audit_found {
	char *json;
	uint64_t key;
};

struct audit_result {
	struct audit_found *v; /* newest first */
	size_t n;
	bool more; /* than the limit */
};

void audit_result_fini(struct audit_result *result);

#endif
