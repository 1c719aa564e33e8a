/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/control/request/json_row.h"
#include "daemon/control/clock.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

json_t *json_row_text(const char *text)
{
	json_t *string = json_string(text);
	return string ? string : json_string("?");
}

json_t *json_row_string(const struct policy_string *string)
{
	return json_row_text(string->text ? string->text : "");
}

json_t *json_row_strings(const struct policy_string *strings, size_t n)
{
	json_t *array = json_array();
	for (size_t i = 0; i < n; i++)
		json_array_append_new(array, json_row_string(&strings[i]));
	return array;
}

json_t *json_row_addr(const struct addr *addr)
{
	char text[ADDR_TEXT_SIZE];
	return addr->family == ADDR_NONE ? json_null() : json_string(addr_format(addr, text));
}

json_t *json_row_prefix(const struct prefix *prefix)
{
	char text[PREFIX_TEXT_SIZE];
	return json_string(prefix_format(prefix, text));
}

json_t *json_row_mac(const struct mac *mac)
{
	char text[MAC_TEXT_SIZE];
	return mac_is_set(mac) ? json_string(mac_format(mac, text)) : json_null();
}

json_t *json_row_endpoint(const struct endpoint *endpoint)
{
	char text[ENDPOINT_TEXT_SIZE];
	return endpoint->addr.family == ADDR_NONE ? json_null()
						  : json_string(endpoint_format(endpoint, text));
}

json_t *json_row_tls(json_t *version, json_t *cipher, json_t *peer, json_t *check)
{
	return json_pack("{s:o, s:o, s:o, s:o}", "version", version, "cipher", cipher, "peer", peer,
		"check", check);
}

json_t *json_row_level(const struct level_cause *cause)
{
	return json_string(cause->word == LEVEL_NO_WORD ? "connection" : "message");
}

json_t *json_row_level_cause(const struct policy *policy, const struct level_cause *cause)
{
	char text[LEVEL_CAUSE_SIZE];
	return cause->word == LEVEL_NO_WORD
		       ? json_null()
		       : json_row_text(level_format_cause(policy, cause, text));
}

json_t *json_row_time(uint64_t wall_ms)
{
	return wall_ms ? json_integer((json_int_t)(wall_ms / 1000)) : json_null();
}

static json_t *left(uint64_t end_ms, uint64_t now_ms)
{
	if (!end_ms)
		return json_null();
	return json_integer(end_ms > now_ms ? (json_int_t)((end_ms - now_ms) / 1000) : 0);
}

static json_t *row_addresses(const struct session *session)
{
	json_t *array = json_array();
	for (size_t i = 0; i < session->naddresses; i++)
		json_array_append_new(array, json_row_prefix(&session->addresses[i].prefix));
	return array;
}

json_t *json_row_session_id(uint64_t id)
{
	char text[24];
	snprintf(text, sizeof(text), "%s%" PRIu64, id & SESSION_DEVICE_ID ? "d" : "",
		id & ~SESSION_DEVICE_ID);
	return id ? json_string(text) : json_null();
}

json_t *json_row_session(const struct control *control, const struct session *session)
{
	uint64_t now_ms = clock_now_ms(control);
	bool device = session->kind == SESSION_DEVICE;
	char source[SESSION_SOURCE_TEXT_SIZE];
	json_t *row = json_pack("{s:o, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}",
		"session", json_row_session_id(session->id), "kind", device ? "device" : "portal",
		"user", json_row_string(&session->user), "groups",
		json_row_strings(session->groups, session->ngroups), "zone",
		json_row_string(&session->zone), "mac", json_row_mac(&session->mac), "addresses",
		row_addresses(session), "started_at",
		json_row_time(clock_to_wall(control, session->started_ms)), "lease_left_s",
		left(session->lease_end_ms, now_ms), "idle_left_s",
		left(session->idle_s ? session->active_ms + session->idle_s * 1000ull : 0, now_ms),
		"active_at", json_row_time(clock_to_wall(control, session->active_ms)));
	json_object_set_new(row, "source", json_string(session_format_source(session, source)));
	if (session->hard_end_ms)
		json_object_set_new(
			row, "reauthenticate_left_s", left(session->hard_end_ms, now_ms));
	if (session->nas.len)
		json_object_set_new(row, "nas", json_row_string(&session->nas));
	if (*session->terms)
		json_object_set_new(row, "terms", json_row_text(session->terms));
	if (session->aside_until_ms)
		json_object_set_new(row, "aside_left_s", left(session->aside_until_ms, now_ms));
	return row;
}
