/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns the words for what is known of one side's TLS, the client's or the server's. */
#ifndef POSTERN_LIB_TLS_FACTS_H
#define POSTERN_LIB_TLS_FACTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum tls_version {
	TLS_VERSION_NONE, /* not in TLS */
	TLS_VERSION_1_0,
	TLS_VERSION_1_1,
	TLS_VERSION_1_2,
	TLS_VERSION_1_3,
};
#define TLS_VERSIONS (TLS_VERSION_1_3 + 1)
extern const char *const tls_version_names[TLS_VERSIONS];

/* What is wrong with a peer's certificate. X(identifier, name, words behind "certificate ") */
#define TLS_REASON_TABLE(X)                                                      \
	X(NONE, "none", "is good")                                               \
	X(ABSENT, "absent", "was not shown")                                     \
	X(EXPIRED, "expired", "has expired")                                     \
	X(NOT_YET_VALID, "not-yet-valid", "is not valid yet")                    \
	X(SELF_SIGNED, "self-signed", "is signed by itself or by no known root") \
	X(UNKNOWN_ISSUER, "unknown-issuer", "is of an issuer who is not known")  \
	X(PURPOSE, "purpose", "is not made for this purpose")                    \
	X(REVOKED, "revoked", "is revoked")                                      \
	X(NAME, "name", "is for another name")                                   \
	X(PIN, "pin", "has another key than the pinned one")                     \
	X(INVALID, "invalid", "is not valid")

enum tls_reason {
#define TLS_REASON_ENUM(id, name, words) TLS_REASON_##id,
	TLS_REASON_TABLE(TLS_REASON_ENUM)
#undef TLS_REASON_ENUM
};
#define TLS_REASONS (TLS_REASON_INVALID + 1)
extern const char *const tls_reason_names[TLS_REASONS];
extern const char *const tls_reason_words[TLS_REASONS];

/* What else comes of looking at one, where there is nothing wrong. */
#define TLS_CHECK_VERIFIED  "verified"
#define TLS_CHECK_PINNED    "pinned"
#define TLS_CHECK_UNCHECKED "unchecked" /* any would do */

#define TLS_CIPHER_SIZE 40
#define TLS_NAME_SIZE   256

struct tls_facts {
	uint8_t version; /* enum tls_version */
	uint8_t reason;  /* enum tls_reason: of the peer's certificate; NONE: it is good */
	bool asked;      /* the peer's certificate was wanted; else there is no reason */
	uint8_t key[32]; /* SHA-256 of its public key (SPKI); with a certificate only */
	int64_t ends;    /* and when it ends, seconds since 1970 */
	uint16_t bits;   /* of the cipher's key, as it is used */
	char cipher[TLS_CIPHER_SIZE];
	char sni[TLS_NAME_SIZE];    /* that the client said */
	char name[TLS_NAME_SIZE];   /* the certificate's first; empty: none. Printable */
	char issuer[TLS_NAME_SIZE]; /* who signed it, in a name; likewise */
};

#define TLS_NAMES_SIZE 512
#define TLS_WORDS_SIZE 160

/* What a look at a host's TLS found: who showed itself there, also where that was no good. */
struct tls_seen {
	uint8_t version; /* enum tls_version; NONE: no handshake, and nothing below but why */
	uint8_t reason;  /* enum tls_reason: of the certificate that was no good; NONE: it is not
			    that, or nothing was wanted of it */
	uint8_t key[32]; /* SHA-256 of its public key (SPKI) */
	int64_t ends;    /* of the certificate, seconds since 1970; 0: none was shown */
	char cipher[TLS_CIPHER_SIZE];
	char names[TLS_NAMES_SIZE]; /* "mail.example, *.example", as many as have room */
	uint32_t more;              /* and how many have none */
	char why[TLS_WORDS_SIZE];   /* it is not in TLS as it should be; empty: it is */
	bool ours;                  /* since what we need for it is not there */
};

/* What a list of names has behind it when more were left out. */
#define TLS_NAMES_MORE_SIZE sizeof(", and 4294967295 more")
/* "mail.example, *.example, and 7 more": each name is whole or counted. Returns buf. */
const char *tls_names_said(const char *names, uint32_t more, char *buf, size_t room);

#endif
