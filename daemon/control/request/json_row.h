/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns how sessions and their parts look as rows: the field names are the CLI's columns. */
#ifndef POSTERN_DAEMON_CONTROL_REQUEST_JSON_ROW_H
#define POSTERN_DAEMON_CONTROL_REQUEST_JSON_ROW_H

#include "lib/policy/level.h"
#include "lib/policy/session.h"

#include <jansson.h>

/* All return a new reference, NULL only when out of memory. Times are seconds since 1970 in fields
 * that end in _at, durations in _s and _ms, sizes in _bytes. */
json_t *json_row_text(const char *text); /* of bytes that may be no UTF-8 */
json_t *json_row_string(const struct policy_string *string);
json_t *json_row_strings(const struct policy_string *strings, size_t n);
json_t *json_row_addr(const struct addr *addr); /* null for none */
json_t *json_row_mac(const struct mac *mac);    /* null for none */
json_t *json_row_prefix(const struct prefix *prefix);
/* One side in TLS, without its SNI; the parts are taken over. */
json_t *json_row_tls(json_t *version, json_t *cipher, json_t *peer, json_t *check);
json_t *json_row_endpoint(const struct endpoint *endpoint);
/* "connection" or "message"; by which word: "rule mail: recipient", or null. */
json_t *json_row_level(const struct level_cause *cause);
json_t *json_row_level_cause(const struct policy *policy, const struct level_cause *cause);
json_t *json_row_time(uint64_t wall_ms);

/* As `session show` names it: "7", a device "d0"; 0: null. */
json_t *json_row_session_id(uint64_t id);
struct control;
json_t *json_row_session(const struct control *control, const struct session *session);

#endif
