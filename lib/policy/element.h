/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns what an element of a list is by its kind: its text, the order of two, the networks that it
 * falls into. */
#ifndef POSTERN_LIB_POLICY_ELEMENT_H
#define POSTERN_LIB_POLICY_ELEMENT_H

#include "lib/policy/policy.h"

#define ELEMENT_TEXT_SIZE 328 /* with NUL: 64 bytes, '@', 253 bytes, and some */

/* Reads one of a list of this kind; a mail address or host name is borrowed from the text. NULL:
 * good; else what would have been right, in words: "an address, a network, a range or a MAC". */
const char *element_parse(
	enum policy_list_holds holds, const char *text, size_t len, struct policy_elem *elem);
/* As it was written, but for the spelling of addresses. Returns buf. */
const char *element_format(const struct policy_elem *elem, char buf[static ELEMENT_TEXT_SIZE]);
enum policy_list_holds element_holds(const struct policy_elem *elem);
/* Of a mail address or host name, which is borrowed; else 0. */
size_t element_text_len(const struct policy_elem *elem);
/* Total order; 0: the same, however each is spelled. */
int element_compare(const struct policy_elem *a, const struct policy_elem *b);
/* The networks of an address, network or range; of the others none. Returns how many. */
unsigned element_parts(const struct policy_elem *elem, struct prefix parts[static RANGE_PARTS_MAX]);
/* Every address of a family? */
bool element_is_family(const struct policy_elem *elem);

/* As a key of bytes, for the store. encode returns the length. */
#define ELEMENT_BYTES_MAX ELEMENT_TEXT_SIZE
int element_encode(const struct policy_elem *elem, uint8_t bytes[static ELEMENT_BYTES_MAX]);
bool element_decode(const uint8_t *bytes, int len, struct policy_elem *elem);

/* Of kind HOST: is it a domain to protect? One label would be a whole top domain, or no domain. */
bool element_is_domain(const struct policy_elem *elem);
/* Of kind HOST: is it all below a top domain, or below what names all addresses? Anybody has a name
 * there. */
bool element_is_anybodys(const struct policy_elem *elem);

#endif
