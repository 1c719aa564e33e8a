/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns what an accounting request says (RFC 2866, 2869, 3162, 4372, 4818, 6911, and the vendors'
 * names of a wireless network), as far as it tells who a client is. What does not read as what it
 * should be is left out, and counted. */
#ifndef POSTERN_LIB_RADIUS_ACCOUNT_H
#define POSTERN_LIB_RADIUS_ACCOUNT_H

#include "lib/base/addr.h"
#include "lib/radius/packet.h"

/* X(identifier, Acct-Status-Type, word) */
#define RADIUS_STATUS_TABLE(X)      \
	X(START, 1, "start")        \
	X(STOP, 2, "stop")          \
	X(INTERIM, 3, "interim")    \
	X(ON, 7, "accounting-on")   \
	X(OFF, 8, "accounting-off") \
	X(OTHER, 0, "other") /* FAILED, tunnels, what is no status at all */

enum radius_status {
#define RADIUS_STATUS_ENUM(id, ...) RADIUS_STATUS_##id,
	RADIUS_STATUS_TABLE(RADIUS_STATUS_ENUM)
#undef RADIUS_STATUS_ENUM
};
#define RADIUS_STATUSES (RADIUS_STATUS_OTHER + 1)
extern const char *const radius_status_names[RADIUS_STATUSES];

#define RADIUS_ADDRESSES_MAX 16
#define RADIUS_GROUPS_MAX    32

/* Octets are borrowed from the datagram; len 0: it does not say. */
struct radius_account {
	enum radius_status status;
	struct radius_octets user_name, cui; /* User-Name, Chargeable-User-Identity */
	struct radius_octets classes[RADIUS_GROUPS_MAX], filters[RADIUS_GROUPS_MAX];
	size_t nclasses, nfilters;
	struct radius_octets session, nas_identifier;
	struct addr nas_ip4, nas_ip6; /* ADDR_NONE: not said */
	struct mac mac;               /* of the client; not set: Calling-Station-Id is none */
	struct prefix addresses[RADIUS_ADDRESSES_MAX];
	size_t naddresses;
	struct radius_octets ssid; /* a vendor's attribute, else behind a whole MAC in Called- */
	bool has_wlan, has_time, has_session_time;
	uint32_t wlan;       /* Airespace-Wlan-Id */
	uint32_t time_s;     /* Event-Timestamp: since 1970 */
	uint32_t delay_s;    /* Acct-Delay-Time */
	uint32_t session_s;  /* Acct-Session-Time: so long it has lasted */
	uint32_t timeout_s;  /* Session-Timeout; 0: not said */
	uint32_t interval_s; /* Acct-Interim-Interval; 0: not said */
	unsigned bad;        /* attributes that do not read */
};

/* Of a packet that reads well. */
void radius_account_read(const struct radius_packet *packet, struct radius_account *account);

#endif
