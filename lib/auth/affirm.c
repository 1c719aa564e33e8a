/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/auth/affirm.h"

#include "lib/policy/policy.h"
#include "lib/policy/session.h"

#include <assert.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <string.h>

/* What is signed: each member at its place, the rest zero; then the session. */
struct claim {
	uint64_t at_ms;
	char portal[POLICY_NAME_SIZE];
	struct addr place, client;
	uint8_t session[SESSION_ENCODED_MAX];
};

static void sign(const uint8_t *key, const struct affirmed *affirmed, struct affirm *affirm)
{
	struct claim claim;
	unsigned char sum[EVP_MAX_MD_SIZE];
	unsigned len = 0;

	memset(&claim, 0, offsetof(struct claim, session));
	claim.at_ms = affirm->at_ms;
	memcpy(claim.portal, affirmed->portal, strnlen(affirmed->portal, sizeof(claim.portal) - 1));
	claim.place = affirmed->place;
	claim.client = affirmed->client;
	assert(affirmed->session_bytes <= sizeof(claim.session));
	memcpy(claim.session, affirmed->session, affirmed->session_bytes);
	const unsigned char *done =
		HMAC(EVP_sha256(), key, AFFIRM_KEY_SIZE, (const unsigned char *)&claim,
			offsetof(struct claim, session) + affirmed->session_bytes, sum, &len);
	assert(done && len == AFFIRM_SUM_SIZE); /* SHA-256 is there wherever TLS is */
	memcpy(affirm->sum, sum, AFFIRM_SUM_SIZE);
}

void affirm_make(const uint8_t key[static AFFIRM_KEY_SIZE], const struct affirmed *affirmed,
	uint64_t now_ms, struct affirm *affirm)
{
	memset(affirm, 0, sizeof(*affirm));
	affirm->at_ms = now_ms;
	sign(key, affirmed, affirm);
}

/* Each process reads its clock once a batch: the other's may be ahead a little. */
bool affirm_check(const uint8_t key[static AFFIRM_KEY_SIZE], const struct affirmed *affirmed,
	uint64_t now_ms, const struct affirm *affirm)
{
	struct affirm right = {.at_ms = affirm->at_ms};
	uint64_t apart_ms =
		now_ms > affirm->at_ms ? now_ms - affirm->at_ms : affirm->at_ms - now_ms;

	sign(key, affirmed, &right);
	return CRYPTO_memcmp(right.sum, affirm->sum, AFFIRM_SUM_SIZE) == 0 &&
	       apart_ms <= AFFIRM_FOR_MS;
}
