/* SPDX-License-Identifier: GPL-2.0-or-later */
/* LDAP's answers, and filters: whatever the bytes are, nothing outside of them is found, and what
 * is checked is written. */
#include "lib/ldap/dn.h"
#include "lib/ldap/filter.h"
#include "lib/ldap/message.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_inside(const uint8_t *bytes, size_t size, struct ber_slice slice)
{
	assert(slice.len == 0 || (slice.bytes >= bytes && slice.bytes + slice.len <= bytes + size));
}

static void read_answer(const uint8_t *bytes, size_t size)
{
	struct ldap_message message;
	struct ber_slice name, value;
	struct ber_reader values;
	char group[32];

	long length = ber_length(bytes, size, 65536);
	assert(length <= 65536);
	if (ldap_read(bytes, size, &message) < 0)
		return;
	assert(length == (long)size);
	check_inside(bytes, size, message.text);
	check_inside(bytes, size, message.dn);
	while (ldap_next_attribute(&message, &name, &values)) {
		check_inside(bytes, size, name);
		while (ldap_next_value(&values, &value)) {
			check_inside(bytes, size, value);
			if (dn_group(value, "", group, sizeof(group)))
				assert(group[0] && strlen(group) < sizeof(group));
		}
		assert(!values.bad);
	}
	assert(!message.list.bad);
}

/* The user's name is one value, whatever it is: elements are as many as with another name. */
static size_t count(struct ber_reader reader)
{
	size_t n = 0;

	for (uint8_t tag; (tag = ber_peek(&reader)); n++)
		if (tag & 0x20)
			n += count(ber_enter(&reader, tag));
		else
			ber_skip(&reader);
	assert(!reader.bad);
	return n;
}

static size_t elements(const char *filter, const char *user)
{
	static uint8_t room[65536];
	struct ber_writer writer = {.bytes = room, .size = sizeof(room)};

	ldap_filter_write(&writer, filter, user);
	return writer.full ? 0 : count((struct ber_reader){.bytes = room, .len = writer.len});
}

static void write_filter(const char *filter)
{
	struct ldap_filter_error error;
	size_t len = strlen(filter);

	bool good = ldap_filter_check(filter, &error);
	assert(error.at <= len);
	assert(good == !error.expected);
	if (good && len < 1000)
		assert(elements(filter, "u") == elements(filter, "*)(|"));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *copy = malloc(size + 1);

	if (!copy)
		return 0;
	memcpy(copy, data, size);
	copy[size] = '\0';
	read_answer((const uint8_t *)copy, size);
	write_filter(copy);
	free(copy);
	return 0;
}
