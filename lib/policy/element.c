/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/policy/element.h"

#include "lib/base/text.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

/* ---- names ---- */

/* Of an internationalized one each byte that is not ASCII counts as a letter; what is no UTF-8 was
 * refused before. */
static bool is_label_byte(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '-' || c == '_' || (unsigned char)c >= 0x80;
}

/* Labels by single dots, the last one no number, or a mistyped address would be a name. Returns how
 * many, 0: no such name. */
static unsigned labels_of(const char *text, size_t len)
{
	unsigned labels = 1;
	size_t label = 0;
	bool number = true;

	if (len == 0 || len > 253)
		return 0;
	for (size_t i = 0; i < len; i++) {
		bool end = i + 1 == len || text[i + 1] == '.';
		if (text[i] == '.') {
			if (label == 0)
				return 0;
			labels++;
			label = 0;
			number = true;
			continue;
		}
		if (!is_label_byte(text[i]) || ++label > 63 ||
			(text[i] == '-' && (label == 1 || end)))
			return 0;
		number = number && text[i] >= '0' && text[i] <= '9';
	}
	return label && !number ? labels : 0;
}

/* What a recipient may be: no quotes, no route, no other host behind '%' or '!'. */
static bool is_local_part(const char *text, size_t len)
{
	if (len > 64 || text[0] == '.' || text[len - 1] == '.')
		return false;
	for (size_t i = 0; i < len; i++)
		if (strchr(" \"(),:;<>@[\\]%!", text[i]) || (text[i] == '.' && text[i - 1] == '.'))
			return false;
	return true;
}

static bool is_text(const char *text, size_t len)
{
	for (size_t i = 0, n; i < len; i += n)
		if (!(n = text_character(text + i, len - i)))
			return false;
	return true;
}

static bool is_mail(const char *text, size_t len)
{
	const char *at = memchr(text, '@', len);
	size_t local = at ? (size_t)(at - text) : 0, skip = local + 1;

	if (!at || (local > 0 && !is_local_part(text, local)))
		return false;
	if (local == 0 && skip < len && text[skip] == '.')
		skip++;
	return labels_of(text + skip, len - skip) > 0 && is_text(text, len);
}

/* A single label would take every mistyped word for a host. */
static bool is_host(const char *text, size_t len)
{
	bool below = len > 0 && text[0] == '.';

	return labels_of(text + below, len - below) > (below ? 0 : 1) && is_text(text, len);
}

bool element_is_domain(const struct policy_elem *elem)
{
	bool below = elem->len > 0 && elem->text[0] == '.';

	return labels_of(elem->text + below, elem->len - below) > 1;
}

bool element_is_anybodys(const struct policy_elem *elem)
{
	static const char *const reverse[] = {".in-addr.arpa", ".ip6.arpa"};

	if (elem->len == 0 || elem->text[0] != '.')
		return false;
	for (size_t i = 0; i < sizeof(reverse) / sizeof(*reverse); i++)
		if (elem->len == strlen(reverse[i]) &&
			strncasecmp(elem->text, reverse[i], elem->len) == 0)
			return true;
	return !element_is_domain(elem);
}

/* ---- text ---- */

static const char *parse_place(const char *text, size_t len, struct policy_elem *elem)
{
	memset(elem, 0, sizeof(*elem));
	elem->kind = POLICY_ELEM_MAC;
	if (mac_parse_spelled(text, len, &elem->mac, &elem->spelling) == 0)
		return NULL;
	memset(elem, 0, sizeof(*elem));
	elem->kind = POLICY_ELEM_RANGE;
	int error = range_parse(text, len, &elem->range);
	if (error == 0)
		return NULL;
	if (error == -ERANGE)
		return elem->range.first.family == elem->range.last.family
			       ? "a range that begins before it ends"
			       : "a range of one address family";
	memset(elem, 0, sizeof(*elem));
	elem->kind = POLICY_ELEM_PREFIX;
	error = prefix_parse(text, len, &elem->prefix);
	return error == 0 || error == -EDOM ? NULL : "an address, a network, a range or a MAC";
}

const char *element_parse(
	enum policy_list_holds holds, const char *text, size_t len, struct policy_elem *elem)
{
	if (holds == POLICY_HOLDS_ADDRESSES)
		return parse_place(text, len, elem);
	memset(elem, 0, sizeof(*elem));
	elem->text = text;
	elem->len = (uint32_t)len;
	if (holds == POLICY_HOLDS_MAIL) {
		elem->kind = POLICY_ELEM_MAIL;
		return is_mail(text, len) ? NULL : "user@domain, @domain or @.domain";
	}
	elem->kind = POLICY_ELEM_HOST;
	return is_host(text, len) ? NULL : "a host's name such as mx1.example.net, or .example.net";
}

const char *element_format(const struct policy_elem *elem, char buf[static ELEMENT_TEXT_SIZE])
{
	switch (elem->kind) {
	case POLICY_ELEM_PREFIX:
		return prefix_format(&elem->prefix, buf);
	case POLICY_ELEM_RANGE:
		return range_format(&elem->range, buf);
	case POLICY_ELEM_MAC:
		return mac_format_spelled(&elem->mac, elem->spelling, buf);
	case POLICY_ELEM_MAIL:
	case POLICY_ELEM_HOST:
		memcpy(buf, elem->text, elem->len);
		buf[elem->len] = '\0';
		return buf;
	}
	return "";
}

enum policy_list_holds element_holds(const struct policy_elem *elem)
{
	switch (elem->kind) {
	case POLICY_ELEM_PREFIX:
	case POLICY_ELEM_RANGE:
	case POLICY_ELEM_MAC:
		break;
	case POLICY_ELEM_MAIL:
		return POLICY_HOLDS_MAIL;
	case POLICY_ELEM_HOST:
		return POLICY_HOLDS_HOSTS;
	}
	return POLICY_HOLDS_ADDRESSES;
}

size_t element_text_len(const struct policy_elem *elem)
{
	return element_holds(elem) == POLICY_HOLDS_ADDRESSES ? 0 : elem->len;
}

/* ---- order ---- */

static int compare_texts(const struct policy_elem *a, const struct policy_elem *b)
{
	int order = strncasecmp(a->text, b->text, a->len < b->len ? a->len : b->len);

	return order ? order : (a->len > b->len) - (a->len < b->len);
}

int element_compare(const struct policy_elem *a, const struct policy_elem *b)
{
	int order = (int)a->kind - (int)b->kind;

	if (order)
		return order;
	switch (a->kind) {
	case POLICY_ELEM_PREFIX:
		order = addr_compare(&a->prefix.addr, &b->prefix.addr);
		return order ? order : (int)a->prefix.len - (int)b->prefix.len;
	case POLICY_ELEM_RANGE:
		order = addr_compare(&a->range.first, &b->range.first);
		return order ? order : addr_compare(&a->range.last, &b->range.last);
	case POLICY_ELEM_MAC:
		return memcmp(&a->mac, &b->mac, sizeof(a->mac));
	case POLICY_ELEM_MAIL:
	case POLICY_ELEM_HOST:
		return compare_texts(a, b);
	}
	return 0;
}

/* ---- networks ---- */

unsigned element_parts(const struct policy_elem *elem, struct prefix parts[static RANGE_PARTS_MAX])
{
	switch (elem->kind) {
	case POLICY_ELEM_PREFIX:
		parts[0] = elem->prefix;
		return 1;
	case POLICY_ELEM_RANGE:
		return range_split(&elem->range, parts);
	case POLICY_ELEM_MAC:
	case POLICY_ELEM_MAIL:
	case POLICY_ELEM_HOST:
		break;
	}
	return 0;
}

bool element_is_family(const struct policy_elem *elem)
{
	struct prefix parts[RANGE_PARTS_MAX];

	return element_parts(elem, parts) == 1 && parts[0].len == 0;
}

/* ---- bytes: what it is, then what was read of the text ---- */

int element_encode(const struct policy_elem *elem, uint8_t bytes[static ELEMENT_BYTES_MAX])
{
	int len;

	switch (elem->kind) {
	case POLICY_ELEM_PREFIX:
		len = (int)addr_bits(&elem->prefix.addr) / 8;
		bytes[0] = elem->prefix.addr.family;
		bytes[1] = elem->prefix.len;
		memcpy(bytes + 2, elem->prefix.addr.bytes, (size_t)len);
		return len + 2;
	case POLICY_ELEM_RANGE:
		len = (int)addr_bits(&elem->range.first) / 8;
		bytes[0] = 'r';
		bytes[1] = elem->range.first.family;
		memcpy(bytes + 2, elem->range.first.bytes, (size_t)len);
		memcpy(bytes + 2 + len, elem->range.last.bytes, (size_t)len);
		return 2 + 2 * len;
	case POLICY_ELEM_MAC:
		bytes[0] = 'm';
		memcpy(bytes + 1, elem->mac.bytes, 6);
		bytes[7] = (uint8_t)(elem->spelling >> 8);
		bytes[8] = (uint8_t)elem->spelling;
		return elem->spelling ? 9 : 7;
	case POLICY_ELEM_MAIL:
	case POLICY_ELEM_HOST:
		bytes[0] = elem->kind == POLICY_ELEM_MAIL ? '@' : 'h';
		memcpy(bytes + 1, elem->text, elem->len);
		return 1 + (int)elem->len;
	}
	return 0;
}

static bool decode_prefix(const uint8_t *bytes, size_t len, struct policy_elem *elem)
{
	struct prefix *prefix = &elem->prefix;

	elem->kind = POLICY_ELEM_PREFIX;
	prefix->addr.family = bytes[0];
	prefix->len = bytes[1];
	memcpy(prefix->addr.bytes, bytes + 2, len - 2);
	return prefix_is_good(prefix);
}

static bool decode_range(const uint8_t *bytes, size_t len, struct policy_elem *elem)
{
	size_t half = (len - 2) / 2;

	elem->kind = POLICY_ELEM_RANGE;
	elem->range.first.family = elem->range.last.family = bytes[1];
	memcpy(elem->range.first.bytes, bytes + 2, half);
	memcpy(elem->range.last.bytes, bytes + 2 + half, half);
	return range_is_good(&elem->range);
}

bool element_decode(const uint8_t *bytes, int len, struct policy_elem *elem)
{
	memset(elem, 0, sizeof(*elem));
	if (len < 2 || len > ELEMENT_BYTES_MAX)
		return false;
	if ((len == 6 && bytes[0] == ADDR_IP4) || (len == 18 && bytes[0] == ADDR_IP6))
		return decode_prefix(bytes, (size_t)len, elem);
	if (bytes[0] == 'r' &&
		((len == 10 && bytes[1] == ADDR_IP4) || (len == 34 && bytes[1] == ADDR_IP6)))
		return decode_range(bytes, (size_t)len, elem);
	if (bytes[0] == 'm' && (len == 7 || len == 9)) {
		elem->kind = POLICY_ELEM_MAC;
		memcpy(elem->mac.bytes, bytes + 1, 6);
		if (len == 9)
			elem->spelling = (uint16_t)(bytes[7] << 8 | bytes[8]);
		return elem->spelling <= MAC_SPELLING_MAX;
	}
	if (bytes[0] != '@' && bytes[0] != 'h')
		return false;
	return !element_parse(bytes[0] == '@' ? POLICY_HOLDS_MAIL : POLICY_HOLDS_HOSTS,
		(const char *)bytes + 1, (size_t)len - 1, elem);
}
