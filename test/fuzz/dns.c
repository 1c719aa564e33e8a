/* SPDX-License-Identifier: GPL-2.0-or-later */
/* DNS answers: whatever the bytes are, what is kept of them is bounded and fit to be shown. */
#include "lib/dns/dns.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_mx(const struct dns_answer *answer)
{
	for (size_t i = 0; i < answer->n; i++) {
		assert(!answer->mx[i].name[0] || dns_is_host_name(answer->mx[i].name));
		assert(i == 0 || answer->mx[i - 1].preference <= answer->mx[i].preference);
	}
}

static void check_addresses(const struct dns_answer *answer)
{
	char text[ADDR_TEXT_SIZE];
	for (size_t i = 0; i < answer->n; i++) {
		struct addr again;
		addr_format(&answer->addresses[i], text);
		assert(addr_parse(text, strlen(text), &again) == 0);
		assert(addr_equal(&again, &answer->addresses[i]));
	}
}

static void check_ptr(const struct dns_answer *answer)
{
	for (size_t i = 0; i < answer->n; i++) {
		const char *name = answer->ptr[i];
		assert(dns_is_host_name(name));
		assert(strcspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == strlen(name));
		assert(i == 0 || strcmp(answer->ptr[i - 1], name) < 0);
	}
}

/* The question is taken out of the bytes themselves, so that answers to it are reached. */
static void read_as(const uint8_t *bytes, size_t size, enum dns_type type)
{
	static const char name[] = "mail.example.org";
	struct dns_answer answer;

	dns_read(bytes, size, name, type, &answer);
	assert(answer.status < DNS_STATUSES);
	assert((answer.n > 0) == (answer.status == DNS_GOOD));
	assert(answer.n <= (type == DNS_MX           ? DNS_MX_MAX
				   : type == DNS_PTR ? DNS_PTR_MAX
						     : DNS_ADDRESSES_MAX));
	assert(answer.ttl_s <= 0x7fffffff || answer.status != DNS_GOOD);
	if (type == DNS_MX)
		check_mx(&answer);
	else if (type == DNS_PTR)
		check_ptr(&answer);
	else
		check_addresses(&answer);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const enum dns_type types[] = {DNS_A, DNS_AAAA, DNS_MX, DNS_PTR};
	static const uint8_t question[] = "\4mail\7example\3org";
	const size_t header = 12, end = header + sizeof(question) + 4;
	/* an exact copy: a read behind the end is seen */
	uint8_t *copy = malloc(size ? size : 1);

	if (!copy)
		return 0;
	memcpy(copy, data, size);
	for (size_t i = 0; i < 4; i++)
		read_as(copy, size, types[i]);
	/* most inputs fail in header and question: mend them */
	for (size_t i = 0; i < 4 && size >= end; i++) {
		copy[2] = (uint8_t)((copy[2] | 0x80) & ~0x02);
		copy[3] &= 0xf3;
		memcpy(copy + 4, "\0\1", 2);
		memcpy(copy + header, question, sizeof(question));
		memcpy(copy + header + sizeof(question), "\0\0\0\1", 4);
		copy[header + sizeof(question) + 1] = (uint8_t)types[i];
		read_as(copy, size, types[i]);
	}
	free(copy);
	return 0;
}
