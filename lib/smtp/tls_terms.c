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
