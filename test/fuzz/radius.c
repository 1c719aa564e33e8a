/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A packet of accounting: whatever the bytes are, nothing outside of them is read, and what is
 * found is bounded, within them, and good for what it is used for. */
#include "lib/radius/account.h"
#include "lib/radius/attribute.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* No MD5, but of all bytes. */
static bool fold(void *context, const struct radius_octets *pieces, size_t n,
	uint8_t sum[static RADIUS_MD5_SIZE])
{
	(void)context;
	memset(sum, 0, RADIUS_MD5_SIZE);
	for (size_t i = 0, at = 0; i < n; i++)
		for (size_t j = 0; j < pieces[i].len; j++, at++)
			sum[at % RADIUS_MD5_SIZE] ^= pieces[i].bytes[j];
	return true;
}

static void is_within(const struct radius_packet *packet, const struct radius_octets *octets)
{
	assert(octets->len == 0 ||
		(octets->bytes >= packet->attributes.bytes &&
			octets->bytes + octets->len <= packet->bytes + packet->len));
}

static void check(const struct radius_packet *packet)
{
	struct radius_account account;

	radius_account_read(packet, &account);
	const struct radius_octets *octets[] = {&account.user_name, &account.cui, &account.session,
		&account.nas_identifier, &account.ssid};
	for (size_t i = 0; i < sizeof(octets) / sizeof(*octets); i++)
		is_within(packet, octets[i]);
	assert(account.nclasses <= RADIUS_GROUPS_MAX && account.nfilters <= RADIUS_GROUPS_MAX);
	for (size_t i = 0; i < account.nclasses; i++)
		is_within(packet, &account.classes[i]);
	for (size_t i = 0; i < account.nfilters; i++)
		is_within(packet, &account.filters[i]);
	assert(account.naddresses <= RADIUS_ADDRESSES_MAX);
	for (size_t i = 0; i < account.naddresses; i++) {
		assert(prefix_is_good(&account.addresses[i]));
		assert(account.addresses[i].len > 0);
		for (size_t j = 0; j < i; j++)
			assert(!prefix_equal(&account.addresses[i], &account.addresses[j]));
	}
	assert(!mac_is_group(&account.mac));
}

static void answer(const struct radius_packet *packet, const struct radius_digest *digest)
{
	const struct radius_octets secret = {(const uint8_t *)"secret", 6};
	uint8_t states[RADIUS_PACKET_MAX], out[RADIUS_PACKET_MAX];
	struct radius_question question = {.code = packet->code, .id = packet->id};

	memcpy(question.authenticator, packet->authenticator, sizeof(question.authenticator));
	question.proxy_states = states;
	question.proxy_len = radius_proxy_states(packet, states, sizeof(states));
	assert(question.proxy_len <= packet->attributes.len);
	size_t len = radius_packet_answer(&question, &secret, digest, out);
	assert(len == RADIUS_HEADER_BYTES + question.proxy_len);
	assert(out[2] << 8 == (int)(len & 0xff00) && out[3] == (len & 0xff));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct radius_digest digest = {.md5 = fold};
	const struct radius_octets secret = {(const uint8_t *)"secret", 6};
	struct radius_packet packet;
	uint8_t *exact = malloc(size ? size : 1); /* a read behind the end is seen */

	if (!exact)
		return 0;
	memcpy(exact, data, size);
	if (radius_packet_read(exact, size, &packet) == RADIUS_VERDICT_GOOD) {
		assert(packet.len <= size && packet.len <= RADIUS_PACKET_MAX);
		(void)radius_packet_prove(&packet, &secret, &digest);
		check(&packet);
		answer(&packet, &digest);
	}
	free(exact);
	return 0;
}
