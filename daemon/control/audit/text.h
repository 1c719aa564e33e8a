/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns the words for an audit record or a live flow: as JSON, as a line of the log. */
#ifndef POSTERN_DAEMON_CONTROL_AUDIT_TEXT_H
#define POSTERN_DAEMON_CONTROL_AUDIT_TEXT_H

#include "lib/ipc/flow.h"

#include <jansson.h>

const char *audit_text_verdict(const struct ipc_flow *record);
const char *audit_text_reason(const struct ipc_flow *record);

#define AUDIT_SEEN_SIZE 128
/* "ehlo,starttls". Returns text. */
const char *audit_text_seen(uint32_t seen, char text[static AUDIT_SEEN_SIZE]);
/* A new reference; whole: with every attempt. */
json_t *audit_text_json(const struct ipc_flow *record, bool whole);
json_t *audit_text_attempts(const struct ipc_flow *record);
/* One side in TLS; null: it is not. sni: of a client's. */
json_t *audit_text_tls(const struct ipc_tls *tls, const char *sni);
/* "flow=f-7k3q9 user=ann ...", what is empty left out. Returns buf. */
#define AUDIT_LINE_SIZE 1900 /* what the log takes */
const char *audit_text_line(const struct ipc_flow *record, char buf[static AUDIT_LINE_SIZE]);

/* A live flow or a record as the JSON object that audit rows, `flow show` and `monitor` share;
 * malloc'ed, one line. NULL: out of memory. whole: with every attempt. */
char *audit_json(const struct ipc_flow *record, bool whole);

#endif
