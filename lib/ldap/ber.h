/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns BER as LDAP uses it (RFC 4511, 5.1): tags of one byte, definite lengths. */
#ifndef POSTERN_LIB_LDAP_BER_H
#define POSTERN_LIB_LDAP_BER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum ber_tag {
	BER_BOOLEAN = 0x01,
	BER_INTEGER = 0x02,
	BER_OCTETS = 0x04,
	BER_ENUMERATED = 0x0a,
	BER_SEQUENCE = 0x30,
	BER_SET = 0x31,
};

/* Borrowed bytes of a message. */
struct ber_slice {
	const uint8_t *bytes;
	size_t len;
};

/* The one reader: whoever reads what is not there gets nothing, and `bad` stays. */
struct ber_reader {
	const uint8_t *bytes;
	size_t len, at;
	bool bad;
};

/* Length of the element that begins at bytes, its tag and length included; 0 when more bytes are
 * needed to say; -EBADMSG when it has no form that LDAP allows, -EMSGSIZE when it is over max. */
long ber_length(const uint8_t *bytes, size_t len, size_t max);

/* Tag of what comes next, 0 at the end. */
uint8_t ber_peek(const struct ber_reader *reader);
/* Takes the next element, which must have the tag: its content, empty when it has not. */
struct ber_slice ber_get(struct ber_reader *reader, uint8_t tag);
/* The same as a reader of what is inside. */
struct ber_reader ber_enter(struct ber_reader *reader, uint8_t tag);
/* Of at most four bytes: LDAP's own are 0 to 2^31 - 1. */
int32_t ber_get_integer(struct ber_reader *reader, uint8_t tag);
/* Takes the next element, whatever it is. */
void ber_skip(struct ber_reader *reader);

/* Into the caller's bytes; what does not fit makes it `full`, and nothing more is written. */
struct ber_writer {
	uint8_t *bytes;
	size_t size, len;
	bool full;
};

/* An element whose length is not known yet, and its end: what ber_begin() returned. */
size_t ber_begin(struct ber_writer *writer, uint8_t tag);
void ber_end(struct ber_writer *writer, size_t begun);
void ber_put(struct ber_writer *writer, uint8_t tag, const void *bytes, size_t len);
void ber_put_text(struct ber_writer *writer, uint8_t tag, const char *text);
/* value: 0 to 2^31 - 1 */
void ber_put_integer(struct ber_writer *writer, uint8_t tag, int32_t value);
void ber_put_boolean(struct ber_writer *writer, uint8_t tag, bool value);

#endif
