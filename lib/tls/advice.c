/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/tls/advice.h"

#include <stdio.h>
#include <string.h>

const char *tls_pin(const uint8_t key[static 32], char buf[static TLS_PIN_SIZE])
{
	int at = snprintf(buf, TLS_PIN_SIZE, "sha256:");

	for (size_t i = 0; i < 32; i++)
		at += snprintf(buf + at, TLS_PIN_SIZE - (size_t)at, "%02x", key[i]);
	return buf;
}

#define HOST_NAME_MAX_BYTES 253

/* The first of its names that `tls verify` takes: no wildcard, no mail address. 0: none. */
static size_t find_host(const char *names, const char **found)
{
	static const char host[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				   "0123456789-_.";

	for (const char *name = names; *name;) {
		size_t len = strcspn(name, ",");
		if (len <= HOST_NAME_MAX_BYTES && strspn(name, host) == len) {
			*found = name;
			return len;
		}
		name += len;
		name += strspn(name, ", ");
	}
	return 0;
}

static void advise_name(const struct tls_seen *seen, const char *pin, char *buf)
{
	const char *name = "";
	size_t len = find_host(seen->names, &name);

	if (len == 0)
		snprintf(buf, TLS_ADVICE_SIZE,
			"the server needs a certificate for the name that is wanted; or know it by "
			"its key: "
			"tls pin \"%s\"",
			pin);
	else
		snprintf(buf, TLS_ADVICE_SIZE,
			"the server needs a certificate for the name that is wanted; or want one "
			"that it has: tls verify \"%.*s\"",
			(int)len, name);
}

const char *tls_advice(const struct tls_seen *seen, char buf[static TLS_ADVICE_SIZE])
{
	char pin[TLS_PIN_SIZE];
	const char *words = "";

	tls_pin(seen->key, pin);
	switch ((enum tls_reason)seen->reason) {
	case TLS_REASON_NAME:
		advise_name(seen, pin, buf);
		return buf;
	case TLS_REASON_SELF_SIGNED:
	case TLS_REASON_UNKNOWN_ISSUER:
		snprintf(buf, TLS_ADVICE_SIZE,
			"say who signs it: ca \"FILE\" at its tls; or know it by its key: tls pin "
			"\"%s\"",
			pin);
		return buf;
	case TLS_REASON_PIN:
		snprintf(buf, TLS_ADVICE_SIZE,
			"if the server was given another key, ask whoever runs it, and write tls "
			"pin \"%s\"; else somebody else answers there",
			pin);
		return buf;
	case TLS_REASON_EXPIRED:
		words = "the server's certificate has to be renewed; or the gateway's clock is "
			"wrong: date";
		break;
	case TLS_REASON_NOT_YET_VALID:
		words = "the gateway's clock is wrong (date), or the server's certificate is";
		break;
	case TLS_REASON_ABSENT:
	case TLS_REASON_PURPOSE:
	case TLS_REASON_REVOKED:
	case TLS_REASON_INVALID:
		words = "the server needs another certificate";
		break;
	case TLS_REASON_NONE:
		words = seen->ours ? "posternctl certificate reload says what is missing"
				   : "is the port right, and `immediate` where TLS begins at once, "
				     "as at 465? old TLS alone needs `legacy`; the server's log "
				     "says more";
		break;
	}
	snprintf(buf, TLS_ADVICE_SIZE, "%s", words);
	return buf;
}
