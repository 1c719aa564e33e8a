/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns what of clamd's own configuration, clamd.conf(5), decides on what it looks at of a message.
 */
#ifndef POSTERN_LIB_SCAN_CLAMD_CONF_H
#define POSTERN_LIB_SCAN_CLAMD_CONF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CLAMD_CONF_SOCKET_SIZE 108 /* sun_path */

struct clamd_conf {
	char socket[CLAMD_CONF_SOCKET_SIZE]; /* LocalSocket; empty: none */
	uint16_t port;                       /* TCPSocket; 0: none */
	bool alerts; /* AlertExceedsMax: what is beyond its limits is not called clean */
	/* Limits, bytes; UINT64_MAX: none. */
	uint64_t stream_bytes, scan_bytes, file_bytes;
};

/* As clamd 1.0 and later read it: the first of an option counts, 0 is no limit, and what is not
 * written is by default. A line that clamd would not start with is passed over. */
void clamd_conf_read(struct clamd_conf *conf, const char *bytes, size_t len);

#endif
