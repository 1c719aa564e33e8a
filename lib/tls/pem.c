/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/tls/pem.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define BEGIN "-----BEGIN "

static bool label_is(const char *label, size_t len, const char *wanted)
{
	return len == strlen(wanted) && memcmp(label, wanted, len) == 0;
}

static bool ends_with(const char *label, size_t len, const char *end)
{
	size_t n = strlen(end);
	return len >= n && memcmp(label + len - n, end, n) == 0;
}

/* Keys of old had a line of their own for it, and the same label. */
static bool says_encrypted(const uint8_t *behind, size_t len)
{
	static const char word[] = "ENCRYPTED";
	return memmem(behind, len < 80 ? len : 80, word, sizeof(word) - 1) != NULL;
}

static void count_one(struct pem_blocks *blocks, const char *label, size_t label_len,
	const uint8_t *behind, size_t len)
{
	if (label_is(label, label_len, "CERTIFICATE") ||
		label_is(label, label_len, "X509 CERTIFICATE") ||
		label_is(label, label_len, "TRUSTED CERTIFICATE"))
		blocks->certificates++;
	else if (ends_with(label, label_len, "CERTIFICATE REQUEST"))
		blocks->requests++;
	else if (label_is(label, label_len, "ENCRYPTED PRIVATE KEY"))
		blocks->encrypted++;
	else if (ends_with(label, label_len, "PRIVATE KEY"))
		++*(says_encrypted(behind, len) ? &blocks->encrypted : &blocks->keys);
	else if (ends_with(label, label_len, "PUBLIC KEY"))
		blocks->public_keys++;
	else
		blocks->others++;
}

void pem_count(const uint8_t *bytes, size_t len, struct pem_blocks *blocks)
{
	const uint8_t *end = bytes + len, *at = bytes;

	*blocks = (struct pem_blocks){0};
	while (len && (at = memmem(at, (size_t)(end - at), BEGIN, strlen(BEGIN))) != NULL) {
		at += strlen(BEGIN);
		const uint8_t *stop = memmem(at, (size_t)(end - at), "-----", 5);
		if (!stop)
			return;
		count_one(blocks, (const char *)at, (size_t)(stop - at), stop + 5,
			(size_t)(end - stop) - 5);
		at = stop + 5;
	}
}

/* DER: a sequence, and of PKCS #12 the number 3 in it before anything else. */
static const char *binary_form(const uint8_t *bytes, size_t len)
{
	size_t head = len > 1 && bytes[1] & 0x80 ? 2u + (bytes[1] & 0x7fu) : 2;

	if (len < 8 || bytes[0] != 0x30)
		return NULL;
	return head + 3 <= len && memcmp(bytes + head, "\x02\x01\x03", 3) == 0 ? "PKCS #12" : "DER";
}

const char *pem_instead(const uint8_t *bytes, size_t len, const struct pem_blocks *blocks,
	const char *what, char buf[static PEM_TEXT_SIZE])
{
	const bool key = strcmp(what, "private key") == 0;
	const char *form = binary_form(bytes, len);

	if (len == 0)
		snprintf(buf, PEM_TEXT_SIZE, "it is empty, expected a %s in PEM", what);
	else if (form && strcmp(form, "DER") == 0)
		snprintf(buf, PEM_TEXT_SIZE,
			"it is in DER, expected a %s in PEM: openssl %s -inform der -in FILE -out "
			"NEW.pem",
			what, key ? "pkey" : "x509");
	else if (form)
		snprintf(buf, PEM_TEXT_SIZE,
			"it is in %s, expected a %s in PEM: openssl pkcs12 -in FILE %s -out "
			"NEW.pem",
			form, what, key ? "-nocerts -nodes" : "-nokeys");
	else if (key && blocks->encrypted)
		snprintf(buf, PEM_TEXT_SIZE,
			"it is encrypted, and nobody types a passphrase when the gateway starts: "
			"openssl pkey -in FILE -out NEW.key");
	else
		snprintf(buf, PEM_TEXT_SIZE, "it holds %s, expected a %s in PEM",
			blocks->certificates                ? "a certificate"
			: blocks->requests                  ? "a request for a certificate"
			: blocks->public_keys               ? "a public key"
			: blocks->keys || blocks->encrypted ? "a private key"
			: blocks->others                    ? "something else in PEM"
							    : "no PEM",
			what);
	return buf;
}
