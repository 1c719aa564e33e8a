/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/portal/token.h"

#include <assert.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <string.h>

#define SUM_SIZE 32 /* of SHA-256 */

_Static_assert(PORTAL_TOKEN_SIZE == 2 * SUM_SIZE + 1, "a token is the sum in hexadecimal digits");

/* What is signed: each member at its place, the rest zero. */
struct claim {
	uint64_t slot;
	uint32_t kind;
	char zone[POLICY_NAME_SIZE];
	struct mac mac;
	struct addr address;
};

static void make(const uint8_t *key, const struct portal_client *client, enum portal_form_kind kind,
	uint64_t slot, char token[static PORTAL_TOKEN_SIZE])
{
	static const char digits[] = "0123456789abcdef";
	struct claim claim;
	uint8_t sum[EVP_MAX_MD_SIZE];
	unsigned len = 0;

	memset(&claim, 0, sizeof(claim));
	claim.slot = slot;
	claim.kind = kind;
	memcpy(claim.zone, client->zone, strnlen(client->zone, sizeof(claim.zone)));
	if (mac_is_set(&client->mac))
		claim.mac = client->mac;
	else
		claim.address = client->address;
	const unsigned char *done = HMAC(EVP_sha256(), key, PORTAL_KEY_SIZE,
		(const unsigned char *)&claim, sizeof(claim), sum, &len);
	assert(done && len == SUM_SIZE); /* SHA-256 is there wherever TLS is */
	for (size_t i = 0; i < SUM_SIZE; i++) {
		token[2 * i] = digits[sum[i] >> 4];
		token[2 * i + 1] = digits[sum[i] & 15];
	}
	token[2 * SUM_SIZE] = '\0';
}

void portal_token_make(const uint8_t key[static PORTAL_KEY_SIZE],
	const struct portal_client *client, enum portal_form_kind kind, uint64_t now_ms,
	char token[static PORTAL_TOKEN_SIZE])
{
	make(key, client, kind, now_ms / 1000 / PORTAL_TOKEN_SLOT_S, token);
}

bool portal_token_check(const uint8_t key[static PORTAL_KEY_SIZE],
	const struct portal_client *client, enum portal_form_kind kind, uint64_t now_ms,
	const char *token)
{
	uint64_t slot = now_ms / 1000 / PORTAL_TOKEN_SLOT_S;
	char now[PORTAL_TOKEN_SIZE], before[PORTAL_TOKEN_SIZE];

	if (strlen(token) != PORTAL_TOKEN_SIZE - 1)
		return false;
	make(key, client, kind, slot, now);
	make(key, client, kind, slot - 1, before);
	int differs_now = CRYPTO_memcmp(token, now, sizeof(now));
	int differs_before = CRYPTO_memcmp(token, before, sizeof(before));
	return differs_now == 0 || differs_before == 0;
}
