/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns the attributes of a packet, one by one, and those of vendors within them. */
#ifndef POSTERN_LIB_RADIUS_ATTRIBUTE_H
#define POSTERN_LIB_RADIUS_ATTRIBUTE_H

#include "lib/radius/digest.h"

#define RADIUS_ATTRIBUTE_HEAD 2 /* type and length */

enum radius_type {
	RADIUS_USER_NAME = 1,
	RADIUS_NAS_IP_ADDRESS = 4,
	RADIUS_FRAMED_IP_ADDRESS = 8,
	RADIUS_FILTER_ID = 11,
	RADIUS_CLASS = 25,
	RADIUS_VENDOR_SPECIFIC = 26,
	RADIUS_SESSION_TIMEOUT = 27,
	RADIUS_CALLED_STATION_ID = 30,
	RADIUS_CALLING_STATION_ID = 31,
	RADIUS_NAS_IDENTIFIER = 32,
	RADIUS_PROXY_STATE = 33,
	RADIUS_ACCT_STATUS_TYPE = 40,
	RADIUS_ACCT_DELAY_TIME = 41,
	RADIUS_ACCT_SESSION_ID = 44,
	RADIUS_ACCT_SESSION_TIME = 46,
	RADIUS_ACCT_MULTI_SESSION_ID = 50,
	RADIUS_EVENT_TIMESTAMP = 55,
	RADIUS_MESSAGE_AUTHENTICATOR = 80,
	RADIUS_ACCT_INTERIM_INTERVAL = 85,
	RADIUS_CHARGEABLE_USER_IDENTITY = 89,
	RADIUS_NAS_IPV6_ADDRESS = 95,
	RADIUS_FRAMED_INTERFACE_ID = 96,
	RADIUS_FRAMED_IPV6_PREFIX = 97,
	RADIUS_DELEGATED_IPV6_PREFIX = 123,
	RADIUS_FRAMED_IPV6_ADDRESS = 168,
};

enum radius_vendor {
	RADIUS_VENDOR_CISCO = 9,
	RADIUS_VENDOR_AIRESPACE = 14179,
	RADIUS_VENDOR_ARUBA = 14823,
	RADIUS_VENDOR_RUCKUS = 25053,
};

struct radius_attribute {
	uint8_t type;
	struct radius_octets value;
};

/* The one reader: nothing outside of what it was given is read. */
struct radius_reader {
	const uint8_t *at, *end;
	bool bad; /* an attribute has no length, or ends behind the end: nothing more is read */
};

void radius_reader_init(struct radius_reader *reader, const struct radius_octets *octets);
/* False: none is left. */
bool radius_next(struct radius_reader *reader, struct radius_attribute *attribute);
/* Of a Vendor-Specific: whose it is, and a reader of what is in it. False: it is too short. */
bool radius_enter_vendor(
	const struct radius_octets *value, uint32_t *vendor, struct radius_reader *reader);
/* Of an attribute that is a number of four bytes. */
bool radius_number(const struct radius_octets *value, uint32_t *number);

#endif
