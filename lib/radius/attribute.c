/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/radius/attribute.h"

void radius_reader_init(struct radius_reader *reader, const struct radius_octets *octets)
{
	*reader = (struct radius_reader){octets->bytes, octets->bytes + octets->len, false};
}

bool radius_next(struct radius_reader *reader, struct radius_attribute *attribute)
{
	size_t left = (size_t)(reader->end - reader->at);

	if (reader->bad || left == 0)
		return false;
	if (left < RADIUS_ATTRIBUTE_HEAD || reader->at[1] < RADIUS_ATTRIBUTE_HEAD ||
		reader->at[1] > left) {
		reader->bad = true;
		return false;
	}
	attribute->type = reader->at[0];
	attribute->value.bytes = reader->at + RADIUS_ATTRIBUTE_HEAD;
	attribute->value.len = reader->at[1] - (size_t)RADIUS_ATTRIBUTE_HEAD;
	reader->at += reader->at[1];
	return true;
}

bool radius_number(const struct radius_octets *value, uint32_t *number)
{
	if (value->len != 4)
		return false;
	*number = (uint32_t)value->bytes[0] << 24 | (uint32_t)value->bytes[1] << 16 |
		  (uint32_t)value->bytes[2] << 8 | value->bytes[3];
	return true;
}

bool radius_enter_vendor(
	const struct radius_octets *value, uint32_t *vendor, struct radius_reader *reader)
{
	const struct radius_octets id = {value->bytes, 4};

	if (value->len < id.len || !radius_number(&id, vendor))
		return false;
	const struct radius_octets rest = {value->bytes + id.len, value->len - id.len};
	radius_reader_init(reader, &rest);
	return true;
}
