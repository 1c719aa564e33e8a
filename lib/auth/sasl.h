/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns the dialogue of those SASL mechanisms in which the password itself is said: PLAIN (RFC 4616)
 * and LOGIN, which no RFC has and every old program speaks. */
#ifndef POSTERN_LIB_AUTH_SASL_H
#define POSTERN_LIB_AUTH_SASL_H

#include <stdbool.h>
#include <stddef.h>

#define SASL_USER_MAX     255 /* bytes that are read; RFC 4616 asks for no less */
#define SASL_PASSWORD_MAX 512

enum sasl_mechanism {
	SASL_PLAIN,
	SASL_LOGIN,
	SASL_OTHER, /* for who understands it: no word of it is read here */
};

/* Of a mechanism's name, in any case. */
enum sasl_mechanism sasl_mechanism_of(const char *name);

enum sasl_status {
	SASL_MORE,      /* say sasl_challenge(), and come again with the response */
	SASL_DONE,      /* user and password are there */
	SASL_REFUSED,   /* before anybody is asked: no password, a NUL or a line's end in it, a name
			   that is no UTF-8 or has control characters, what is too long, another
			   name to act for beside the own */
	SASL_MALFORMED, /* no response of this mechanism */
};

/* Has no pointer. To be wiped by its owner. */
struct sasl {
	enum sasl_mechanism mechanism;
	bool asked; /* a challenge was said */
	bool named; /* LOGIN's user was said, whatever he is */
	size_t user_len;
	char user[SASL_USER_MAX + 1];
	char password[SASL_PASSWORD_MAX + 1];
};

void sasl_init(struct sasl *sasl, enum sasl_mechanism mechanism);
/* A response, decoded; given: there is one, as there need not be beside the command. */
enum sasl_status sasl_respond(struct sasl *sasl, const void *bytes, size_t len, bool given);
/* Of SASL_MORE: what is said to the client, before it is encoded. */
const char *sasl_challenge(const struct sasl *sasl);

/* Who is it, of the mechanisms that say so in the client's first response: CRAM-MD5 (RFC 2195) and
 * the SCRAM ones (RFC 5802), which else are not read here? */
bool sasl_names_user(const char *mechanism);
/* Of that response, decoded: false, it names nobody, or is none of the mechanism's. What it says is
 * not proven. */
bool sasl_named_user(
	const char *mechanism, const void *bytes, size_t len, char user[static SASL_USER_MAX + 1]);

#endif
