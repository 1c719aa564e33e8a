/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/radius/packet.h"

#include "lib/radius/attribute.h"

#include <string.h>

#define AUTHENTICATOR_AT 4

const char *const radius_verdict_names[RADIUS_VERDICTS] = {
#define RADIUS_VERDICT_NAME(id, word, meaning) [RADIUS_VERDICT_##id] = word,
	RADIUS_VERDICT_TABLE(RADIUS_VERDICT_NAME)
#undef RADIUS_VERDICT_NAME
};

const char *const radius_verdict_meanings[RADIUS_VERDICTS] = {
#define RADIUS_VERDICT_MEANING(id, word, meaning) [RADIUS_VERDICT_##id] = meaning,
	RADIUS_VERDICT_TABLE(RADIUS_VERDICT_MEANING)
#undef RADIUS_VERDICT_MEANING
};

static const uint8_t zeros[RADIUS_MD5_SIZE];

enum radius_verdict radius_packet_read(
	const uint8_t *bytes, size_t len, struct radius_packet *packet)
{
	struct radius_reader reader;
	struct radius_attribute attribute;

	if (len < RADIUS_HEADER_BYTES)
		return RADIUS_VERDICT_SHORT;
	size_t own = (size_t)bytes[2] << 8 | bytes[3];
	if (own < RADIUS_HEADER_BYTES || own > RADIUS_PACKET_MAX)
		return RADIUS_VERDICT_LENGTH;
	if (own > len)
		return RADIUS_VERDICT_SHORT;
	if (bytes[0] != RADIUS_ACCOUNTING_REQUEST && bytes[0] != RADIUS_STATUS_SERVER)
		return RADIUS_VERDICT_CODE;
	*packet = (struct radius_packet){
		.code = bytes[0],
		.id = bytes[1],
		.bytes = bytes,
		.len = own,
		.authenticator = bytes + AUTHENTICATOR_AT,
		.attributes = {bytes + RADIUS_HEADER_BYTES, own - RADIUS_HEADER_BYTES},
	};
	radius_reader_init(&reader, &packet->attributes);
	while (radius_next(&reader, &attribute))
		continue;
	return reader.bad ? RADIUS_VERDICT_ATTRIBUTES : RADIUS_VERDICT_GOOD;
}

/* The one Message-Authenticator: its value; NULL: there is none. More than one, or of another
 * length, is bad. */
static const uint8_t *message_authenticator(const struct radius_packet *packet, bool *bad)
{
	struct radius_reader reader;
	struct radius_attribute attribute;
	const uint8_t *found = NULL;

	radius_reader_init(&reader, &packet->attributes);
	while (radius_next(&reader, &attribute)) {
		if (attribute.type != RADIUS_MESSAGE_AUTHENTICATOR)
			continue;
		if (found || attribute.value.len != RADIUS_MD5_SIZE)
			*bad = true;
		found = attribute.value.bytes;
	}
	return found;
}

/* RFC 3579, 3.2: with its own value as zeros, and the authenticator of a request that is computed
 * later, too. */
static enum radius_verdict prove_message(const struct radius_packet *packet,
	const struct radius_octets *secret, const struct radius_digest *digest)
{
	const bool status = packet->code == RADIUS_STATUS_SERVER;
	bool bad = false;
	uint8_t sum[RADIUS_MD5_SIZE];
	const uint8_t *own = message_authenticator(packet, &bad);

	if (!own && !bad)
		return status ? RADIUS_VERDICT_UNSIGNED : RADIUS_VERDICT_GOOD;
	if (bad)
		return status ? RADIUS_VERDICT_UNSIGNED : RADIUS_VERDICT_MESSAGE_AUTHENTICATOR;
	const uint8_t *after = own + RADIUS_MD5_SIZE;
	const struct radius_octets pieces[] = {
		{packet->bytes, AUTHENTICATOR_AT},
		{status ? packet->authenticator : zeros, RADIUS_MD5_SIZE},
		{packet->attributes.bytes, (size_t)(own - packet->attributes.bytes)},
		{zeros, RADIUS_MD5_SIZE},
		{after, (size_t)(packet->bytes + packet->len - after)},
	};
	if (!radius_hmac(digest, secret, pieces, sizeof(pieces) / sizeof(*pieces), sum))
		return RADIUS_VERDICT_NO_MD5;
	return radius_same(sum, own, sizeof(sum)) ? RADIUS_VERDICT_GOOD
						  : RADIUS_VERDICT_MESSAGE_AUTHENTICATOR;
}

/* RFC 2866, 3. */
static enum radius_verdict prove_request(const struct radius_packet *packet,
	const struct radius_octets *secret, const struct radius_digest *digest)
{
	uint8_t sum[RADIUS_MD5_SIZE];
	const struct radius_octets pieces[] = {
		{packet->bytes, AUTHENTICATOR_AT},
		{zeros, RADIUS_MD5_SIZE},
		packet->attributes,
		*secret,
	};

	if (!digest->md5(digest->context, pieces, sizeof(pieces) / sizeof(*pieces), sum))
		return RADIUS_VERDICT_NO_MD5;
	return radius_same(sum, packet->authenticator, sizeof(sum)) ? RADIUS_VERDICT_GOOD
								    : RADIUS_VERDICT_AUTHENTICATOR;
}

enum radius_verdict radius_packet_prove(const struct radius_packet *packet,
	const struct radius_octets *secret, const struct radius_digest *digest)
{
	/* that of a Status-Server is random */
	if (packet->code == RADIUS_ACCOUNTING_REQUEST) {
		enum radius_verdict verdict = prove_request(packet, secret, digest);
		if (verdict != RADIUS_VERDICT_GOOD)
			return verdict;
	}
	return prove_message(packet, secret, digest);
}

size_t radius_proxy_states(const struct radius_packet *packet, uint8_t *states, size_t room)
{
	struct radius_reader reader;
	struct radius_attribute attribute;
	size_t len = 0;

	radius_reader_init(&reader, &packet->attributes);
	while (radius_next(&reader, &attribute)) {
		if (attribute.type != RADIUS_PROXY_STATE)
			continue;
		size_t whole = RADIUS_ATTRIBUTE_HEAD + attribute.value.len;
		if (len + whole <= room)
			memcpy(states + len, attribute.value.bytes - RADIUS_ATTRIBUTE_HEAD, whole);
		len += whole;
	}
	return len;
}

size_t radius_packet_answer(const struct radius_question *question,
	const struct radius_octets *secret, const struct radius_digest *digest,
	uint8_t answer[static RADIUS_PACKET_MAX])
{
	const size_t len = RADIUS_HEADER_BYTES + question->proxy_len;

	if (len > RADIUS_PACKET_MAX)
		return 0;
	answer[0] = RADIUS_ACCOUNTING_RESPONSE;
	answer[1] = question->id;
	answer[2] = (uint8_t)(len >> 8);
	answer[3] = (uint8_t)len;
	memcpy(answer + AUTHENTICATOR_AT, question->authenticator, RADIUS_MD5_SIZE);
	if (question->proxy_len)
		memcpy(answer + RADIUS_HEADER_BYTES, question->proxy_states, question->proxy_len);
	const struct radius_octets pieces[] = {{answer, len}, *secret};
	uint8_t sum[RADIUS_MD5_SIZE];
	if (!digest->md5(digest->context, pieces, 2, sum))
		return 0;
	memcpy(answer + AUTHENTICATOR_AT, sum, sizeof(sum));
	return len;
}
