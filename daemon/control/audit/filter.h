/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns what records of flows are looked for by. */
#ifndef POSTERN_DAEMON_CONTROL_AUDIT_FILTER_H
#define POSTERN_DAEMON_CONTROL_AUDIT_FILTER_H

#include "lib/base/addr.h"
#include "lib/policy/policy.h"

#include <stdbool.h>
#include <stdint.h>

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
	const char *ending;           /* of a flow or a login, a word of either table; NULL: any */
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

#endif
