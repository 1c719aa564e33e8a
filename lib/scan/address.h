/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns where a scan is asked: "unix:/run/filter.sock", "inet:localhost:11332" of a milter,
 * "/run/clamav/clamd.ctl", "[2001:db8::7]:3310" of clamd. */
#ifndef POSTERN_LIB_SCAN_ADDRESS_H
#define POSTERN_LIB_SCAN_ADDRESS_H

#include "lib/policy/policy.h"

/* Parts of the text that was read. */
struct scan_address {
	const char *path; /* of a socket, up to the text's end; NULL: host and port */
	const char *host; /* without brackets */
	size_t host_len;
	struct addr addr; /* family ADDR_NONE: the host is a name */
	uint16_t port;
};

/* NULL, or what was expected instead. */
const char *scan_address_parse(
	enum policy_scan_kind kind, const char *text, struct scan_address *address);

#endif
