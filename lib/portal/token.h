/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns the token in each form of the login page, by which a post is known to come from a page that
 * was shown to this client a short time ago: no other site can post in his name, nor make him post
 * in another's (CSRF and login-CSRF), and no page serves twice for ever.
 *
 * HMAC-SHA256 (RFC 2104) of zone and device, form and time. The device is the MAC where there is
 * one: a telephone may get the page by IPv6 and post it by IPv4. */
#ifndef POSTERN_LIB_PORTAL_TOKEN_H
#define POSTERN_LIB_PORTAL_TOKEN_H

#include "lib/portal/client.h"

#define PORTAL_KEY_SIZE     32
#define PORTAL_TOKEN_SIZE   65 /* with NUL */
#define PORTAL_TOKEN_SLOT_S 600

enum portal_form_kind {
	PORTAL_FORM_LOGIN,
	PORTAL_FORM_RENEW,
	PORTAL_FORM_LOGOUT,
};

/* key: random, of this process. now_ms: of any clock, but of one. */
void portal_token_make(const uint8_t key[static PORTAL_KEY_SIZE],
	const struct portal_client *client, enum portal_form_kind kind, uint64_t now_ms,
	char token[static PORTAL_TOKEN_SIZE]);
/* Was it made for this client and form in this slot of time or the one before? In a time that does
 * not tell where it differs. */
bool portal_token_check(const uint8_t key[static PORTAL_KEY_SIZE],
	const struct portal_client *client, enum portal_form_kind kind, uint64_t now_ms,
	const char *token);

#endif
