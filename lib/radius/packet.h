/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns the packet of RADIUS accounting (RFC 2866, with RFC 5997's Status-Server): whether it is
 * one, whether it was made by who knows the secret, and what it is answered. Every byte may be an
 * enemy's. */
#ifndef POSTERN_LIB_RADIUS_PACKET_H
#define POSTERN_LIB_RADIUS_PACKET_H

#include "lib/radius/digest.h"

#define RADIUS_HEADER_BYTES 20
#define RADIUS_PACKET_MAX   4096

enum radius_code {
	RADIUS_ACCOUNTING_REQUEST = 4,
	RADIUS_ACCOUNTING_RESPONSE = 5,
	RADIUS_STATUS_SERVER = 12,
};

/* What becomes of a datagram. X(identifier, word, what it says) */
#define RADIUS_VERDICT_TABLE(X)                                                                   \
	X(GOOD, "good", "")                                                                       \
	X(SHORT, "short", "shorter than it says, or than a packet is")                            \
	X(LENGTH, "length", "its length is none that a packet has")                               \
	X(CODE, "code", "it is no accounting request")                                            \
	X(ATTRIBUTES, "attributes", "its attributes do not end where it does")                    \
	X(AUTHENTICATOR, "authenticator", "its authenticator is wrong: the secrets differ")       \
	X(MESSAGE_AUTHENTICATOR, "message-authenticator", "its Message-Authenticator is wrong")   \
	X(UNSIGNED, "unsigned", "a Status-Server without the one Message-Authenticator it needs") \
	X(NO_MD5, "no-md5", "this machine has no MD5")

enum radius_verdict {
#define RADIUS_VERDICT_ENUM(id, ...) RADIUS_VERDICT_##id,
	RADIUS_VERDICT_TABLE(RADIUS_VERDICT_ENUM)
#undef RADIUS_VERDICT_ENUM
};
#define RADIUS_VERDICTS (RADIUS_VERDICT_NO_MD5 + 1)
extern const char *const radius_verdict_names[RADIUS_VERDICTS];
extern const char *const radius_verdict_meanings[RADIUS_VERDICTS];

/* Borrowed from the datagram. */
struct radius_packet {
	uint8_t code, id;
	const uint8_t *bytes; /* all of it, up to its own length */
	size_t len;
	const uint8_t *authenticator;    /* of 16 bytes */
	struct radius_octets attributes; /* each ends within */
};

/* Its form alone; octets behind its own length are none of it. */
enum radius_verdict radius_packet_read(
	const uint8_t *bytes, size_t len, struct radius_packet *packet);
/* Was it made by who knows the secret? */
enum radius_verdict radius_packet_prove(const struct radius_packet *packet,
	const struct radius_octets *secret, const struct radius_digest *digest);

/* What a packet is answered by: its own, or one of which that much was kept. */
struct radius_question {
	uint8_t code, id;
	uint8_t authenticator[RADIUS_MD5_SIZE];
	const uint8_t *proxy_states; /* these attributes whole, in their order */
	size_t proxy_len;
};
/* How many bytes its Proxy-State attributes take; into `states` if there is room for them. */
size_t radius_proxy_states(const struct radius_packet *packet, uint8_t *states, size_t room);
/* An Accounting-Response: its length; 0: no MD5. */
size_t radius_packet_answer(const struct radius_question *question,
	const struct radius_octets *secret, const struct radius_digest *digest,
	uint8_t answer[static RADIUS_PACKET_MAX]);

#endif
