#include "lib/smtp/tls_terms.h"

enum engine_tls tls_terms_wanted(const struct policy_server_tls *tls)
{
	if (tls->given && tls->immediate && tls->mode != POLICY_SERVER_TLS_NONE)
		return ENGINE_TLS_IMMEDIATE;
	if (!tls->given)
		return ENGINE_TLS_OFFER;
	switch (tls->mode) {
	case POLICY_SERVER_TLS_NONE:
		return ENGINE_TLS_NONE;
	case POLICY_SERVER_TLS_OFFER:
		return ENGINE_TLS_OFFER;
	case POLICY_SERVER_TLS_REQUIRE:
	case POLICY_SERVER_TLS_VERIFY:
	case POLICY_SERVER_TLS_PIN:
		break;
	}
	return ENGINE_TLS_REQUIRE;
}

const char *tls_terms_name(const struct policy_host *host, const struct policy_server_tls *tls)
{
	if (!host->is_mx && host->addr.family == ADDR_NONE)
		return host->name.text;
	return tls->names.n > 0 ? tls->names.v[0].text : NULL;
}

static uint64_t digest(uint64_t sum, const void *bytes, size_t len)
{
	const uint8_t *p = bytes;

	for (size_t i = 0; i < len; i++)
		sum = (sum ^ p[i]) * 0x100000001b3; /* FNV */
	return sum;
}

static uint64_t digest_text(uint64_t sum, const struct policy_string *text)
{
	return digest(digest(sum, text->text, text->len), "", 1);
}

#define DIGEST_OF_NOTHING 0xcbf29ce484222325

static uint64_t digest_terms(uint64_t sum, const struct policy_server_tls *tls)
{
	const uint8_t bits[] = {tls->given, (uint8_t)tls->mode, tls->immediate, tls->legacy};

	sum = digest(sum, bits, sizeof(bits));
	for (size_t j = 0; j < tls->names.n; j++)
		sum = digest_text(sum, &tls->names.v[j]);
	sum = digest(sum, tls->pins, tls->npins * sizeof(*tls->pins));
	return digest_text(digest_text(sum, &tls->ca), &tls->certificate_name);
}

uint64_t tls_terms_digest_of(const struct policy_server_tls *tls)
{
	return digest_terms(DIGEST_OF_NOTHING, tls);
}

uint64_t tls_terms_digest(const struct policy_server *server)
{
	uint64_t sum = DIGEST_OF_NOTHING;

	for (size_t i = 0; i < server->nhosts; i++)
		sum = digest_terms(sum, policy_host_tls(server, &server->hosts[i]));
	return sum;
}
