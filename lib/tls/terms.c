/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/tls/terms.h"

#include "lib/tls/certificate.h"

#include <stdio.h>

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

enum policy_server_tls_mode tls_terms_mode(const struct policy_server_tls *tls)
{
	return tls->given ? tls->mode : POLICY_SERVER_TLS_OFFER;
}

const char *tls_terms_name(const struct policy_host *host, const struct policy_server_tls *tls)
{
	if (!host->is_mx && host->addr.family == ADDR_NONE)
		return host->name.text;
	return tls->names.n > 0 ? tls->names.v[0].text : NULL;
}

const char *tls_terms_check(enum policy_server_tls_mode mode, const struct tls_seen *seen)
{
	if (seen->version == TLS_VERSION_NONE)
		return "none";
	if (seen->why[0])
		return "refused";
	switch (mode) {
	case POLICY_SERVER_TLS_NONE:
	case POLICY_SERVER_TLS_OFFER:
	case POLICY_SERVER_TLS_REQUIRE:
		break;
	case POLICY_SERVER_TLS_VERIFY:
		return "verified";
	case POLICY_SERVER_TLS_PIN:
		return "pinned";
	}
	return "unchecked";
}

#define LINE_NAMES_SIZE (TLS_NAME_SIZE + TLS_NAMES_MORE_SIZE) /* one at least */

const char *tls_terms_line(enum policy_server_tls_mode mode, const struct tls_seen *seen,
	char buf[static TLS_TERMS_LINE_SIZE])
{
	char date[CERTIFICATE_DATE_SIZE] = "", names[LINE_NAMES_SIZE];

	if (seen->version == TLS_VERSION_NONE) {
		snprintf(buf, TLS_TERMS_LINE_SIZE, "no TLS: %s", seen->why);
		return buf;
	}
	if (seen->ends)
		certificate_date(seen->ends, date);
	snprintf(buf, TLS_TERMS_LINE_SIZE, "%s %s, %s, certificate of %s until %s",
		tls_version_names[seen->version], seen->cipher, tls_terms_check(mode, seen),
		seen->names[0] ? tls_names_said(seen->names, seen->more, names, sizeof(names))
			       : "nobody by name",
		seen->ends ? date : "no day");
	return buf;
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

uint64_t tls_terms_digest(const struct policy_server *server, const struct policy_host *host)
{
	const struct policy_server_tls *tls = policy_host_tls(server, host);
	const uint8_t bits[] = {tls->given, (uint8_t)tls->mode, tls->immediate, tls->legacy};
	uint64_t sum = digest(DIGEST_OF_NOTHING, bits, sizeof(bits));

	for (size_t j = 0; j < tls->names.n; j++)
		sum = digest_text(sum, &tls->names.v[j]);
	sum = digest(sum, tls->pins, tls->npins * sizeof(*tls->pins));
	return digest_text(digest_text(sum, &tls->ca), &tls->certificate_name);
}
