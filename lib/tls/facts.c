/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/tls/facts.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

const char *const tls_version_names[TLS_VERSIONS] = {
	[TLS_VERSION_NONE] = "",
	[TLS_VERSION_1_0] = "TLSv1",
	[TLS_VERSION_1_1] = "TLSv1.1",
	[TLS_VERSION_1_2] = "TLSv1.2",
	[TLS_VERSION_1_3] = "TLSv1.3",
};

const char *const tls_reason_names[TLS_REASONS] = {
#define TLS_REASON_NAME(id, name, words) name,
	TLS_REASON_TABLE(TLS_REASON_NAME)
#undef TLS_REASON_NAME
};

const char *const tls_reason_words[TLS_REASONS] = {
#define TLS_REASON_WORDS(id, name, words) words,
	TLS_REASON_TABLE(TLS_REASON_WORDS)
#undef TLS_REASON_WORDS
};

/* Without the last of them. */
static size_t shorten(const char *names, size_t len)
{
	while (len > 0 && names[len - 1] != ',')
		len--;
	return len > 0 ? len - 1 : 0;
}

const char *tls_names_said(const char *names, uint32_t more, char *buf, size_t room)
{
	size_t len = strlen(names);

	while (len > 0 && len + (more > 0 ? TLS_NAMES_MORE_SIZE : 1) > room) {
		len = shorten(names, len);
		more++;
	}
	if (more > 0)
		snprintf(buf, room, "%.*s%s%" PRIu32 " more", (int)len, names,
			len > 0 ? ", and " : "", more);
	else
		snprintf(buf, room, "%s", names);
	return buf;
}
