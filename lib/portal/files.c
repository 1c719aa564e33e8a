/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/portal/files.h"

#include "lib/base/text.h"

#include <assert.h>
#include <openssl/evp.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

const char *portal_terms_check(const char *bytes, size_t len, size_t *line)
{
	bool any = false;

	*line = 0;
	if (len > PORTAL_TERMS_MAX)
		return "the terms are too long, expected at most 64 KiB";
	*line = 1;
	for (size_t at = 0, n; at < len; at += n) {
		char c = bytes[at];
		n = 1;
		if (c == '\n')
			++*line;
		if (c == '\n' || c == '\r' || c == '\t' || c == ' ')
			continue;
		any = true;
		n = text_character(bytes + at, len - at);
		if (n == 0)
			return "expected plain text in UTF-8, without control characters";
	}
	*line = 0;
	return any ? NULL : "the terms are empty";
}

void portal_terms_version(const char *bytes, size_t len, char version[static PORTAL_VERSION_SIZE])
{
	static const char digits[] = "0123456789abcdef";
	uint8_t sum[EVP_MAX_MD_SIZE];
	unsigned n = 0;

	int done = EVP_Digest(bytes, len, sum, &n, EVP_sha256(), NULL);
	assert(done && n >= PORTAL_VERSION_SIZE / 2); /* SHA-256 is there wherever TLS is */
	for (size_t i = 0; i < PORTAL_VERSION_SIZE / 2; i++) {
		version[2 * i] = digits[sum[i] >> 4];
		version[2 * i + 1] = digits[sum[i] & 15];
	}
	version[PORTAL_VERSION_SIZE - 1] = '\0';
}

static bool begins(const void *bytes, size_t len, size_t at, const char *with, size_t n)
{
	const char *text = bytes;
	return len >= at + n && memcmp(text + at, with, n) == 0;
}

const char *portal_logo_type(const void *bytes, size_t len)
{
	if (begins(bytes, len, 0, "\x89PNG\r\n\x1a\n", 8))
		return "image/png";
	if (begins(bytes, len, 0, "\xff\xd8\xff", 3))
		return "image/jpeg";
	if (begins(bytes, len, 0, "GIF87a", 6) || begins(bytes, len, 0, "GIF89a", 6))
		return "image/gif";
	if (begins(bytes, len, 0, "RIFF", 4) && begins(bytes, len, 8, "WEBP", 4))
		return "image/webp";
	return NULL;
}

const char *portal_logo_check(const void *bytes, size_t len)
{
	if (len > PORTAL_LOGO_MAX)
		return "the picture is too large, expected at most 256 KiB";
	return portal_logo_type(bytes, len) ? NULL
					    : "expected a picture in PNG, JPEG, GIF or WebP (in "
					      "SVG a script could stand)";
}
