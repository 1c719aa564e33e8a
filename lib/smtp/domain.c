/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/smtp/domain.h"

#include "lib/base/addr.h"
#include "lib/base/text.h"

#include <errno.h>
#include <idn2.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define LABEL_MAX 63

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static bool is_label(const char *label, size_t len)
{
	if (len == 0 || len > LABEL_MAX || label[0] == '-' || label[len - 1] == '-')
		return false;
	for (size_t i = 0; i < len; i++) {
		char c = lower(label[i]);
		if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') && c != '-' && c != '_')
			return false;
	}
	return true;
}

static bool is_number(const char *label, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (label[i] < '0' || label[i] > '9')
			return false;
	return true;
}

/* The last label is no number: 192.0.2.1 without brackets is an address to some resolvers. */
static bool is_domain(const char *text, size_t len)
{
	size_t from = 0;

	for (size_t i = 0; i < len; i++) {
		if (text[i] != '.')
			continue;
		if (!is_label(text + from, i - from))
			return false;
		from = i + 1;
	}
	return is_label(text + from, len - from) && !is_number(text + from, len - from);
}

/* Into A-labels. What IDNA maps to an ASCII byte with a meaning (a full-width @) is found behind
 * it: IDN2_USE_STD3_ASCII_RULES would leave such bytes out and take the rest. Returns the length;
 * or -EINVAL. */
static int encode_labels(const char *text, size_t len, char out[static SMTP_DOMAIN_MAX])
{
	char domain[SMTP_DOMAIN_MAX + 1];
	char *labels = NULL;
	int n = -EINVAL;

	for (size_t i = 0, step; i < len; i += step)
		if ((step = text_shown(text + i, len - i)) == 0)
			return -EINVAL;
	memcpy(domain, text, len);
	domain[len] = '\0';
	if (idn2_to_ascii_8z(domain, &labels, IDN2_NONTRANSITIONAL) == IDN2_OK) {
		size_t labels_len = strlen(labels);
		if (labels_len <= SMTP_DOMAIN_MAX && is_domain(labels, labels_len)) {
			memcpy(out, labels, labels_len);
			n = (int)labels_len;
		}
	}
	idn2_free(labels);
	return n;
}

int smtp_domain_parse(const char *text, size_t len, char out[static SMTP_DOMAIN_MAX])
{
	bool ascii = true;

	if (len > 0 && text[len - 1] == '.')
		len--;
	if (len == 0 || len > SMTP_DOMAIN_MAX)
		return -EINVAL;
	for (size_t i = 0; i < len; i++)
		ascii = ascii && (unsigned char)text[i] < 0x80;
	if (!ascii)
		return encode_labels(text, len, out);
	if (!is_domain(text, len))
		return -EINVAL;
	for (size_t i = 0; i < len; i++)
		out[i] = lower(text[i]);
	return (int)len;
}

int smtp_domain_parse_literal(const char *text, size_t len, char out[static SMTP_DOMAIN_MAX])
{
	static const char tag[] = "IPv6:";
	struct addr addr;
	char address[ADDR_TEXT_SIZE], literal[ADDR_TEXT_SIZE + 8];

	if (len < 2 || text[0] != '[' || text[len - 1] != ']')
		return -EINVAL;
	text++;
	len -= 2;
	bool tagged = len > strlen(tag) && strncasecmp(text, tag, strlen(tag)) == 0;
	if (tagged) {
		text += strlen(tag);
		len -= strlen(tag);
	}
	if (addr_parse(text, len, &addr) < 0 || tagged != (memchr(text, ':', len) != NULL))
		return -EINVAL;
	int n = snprintf(literal, sizeof(literal), "[%s%s]", addr.family == ADDR_IP6 ? tag : "",
		addr_format(&addr, address));
	memcpy(out, literal, (size_t)n);
	return n;
}
