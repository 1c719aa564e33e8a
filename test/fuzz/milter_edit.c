/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Changes and a text: written in any spans and rooms it is the same; and what is behind the header
 * is behind it still, as a second reader of headers finds it. */
#include "lib/milter/edit.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CHANGES 16

struct input {
	size_t n;
	struct milter_change changes[CHANGES];
	char texts[CHANGES][2][40];
	const char *text;
	size_t len;
};

static size_t write_all(const struct input *input, size_t cut, size_t room, char *out)
{
	struct milter_edit *edit = malloc(sizeof(*edit));
	size_t at, used, written, len = 0;
	bool more = true;

	if (!edit)
		abort();
	milter_edit_init(edit);
	for (size_t i = 0; i < input->n; i++)
		assert(milter_edit_add(edit, (unsigned)i / 4, &input->changes[i]));
	for (at = 0; at < input->len && more; at += used) {
		used = cut < input->len - at ? cut : input->len - at;
		more = milter_edit_count(edit, input->text + at, used);
	}
	milter_edit_place(edit);
	for (at = 0; at < input->len && !edit->over; at += used) {
		size_t span = cut < input->len - at ? cut : input->len - at;
		used = milter_edit_write(edit, input->text + at, span, out + len, room, &written);
		assert(used <= span && written <= room && (used || written || edit->over));
		len += written;
	}
	while (!edit->over) {
		milter_edit_finish(edit, out + len, room, &written);
		assert(written > 0 || edit->over);
		len += written;
	}
	memcpy(out + len, input->text + at, input->len - at);
	free(edit);
	return len + input->len - at;
}

/* Where the header ends, and its empty line. */
static size_t header_of(const char *text, size_t len, size_t *body)
{
	struct milter_fields fields = {0};
	size_t at = 0, used, start = 0;

	for (;;) {
		enum milter_fields_piece piece =
			milter_fields_read(&fields, text + at, len - at, &used);
		at += used;
		if (piece == MILTER_FIELDS_MORE)
			break;
		start = piece == MILTER_FIELDS_OVER ? at - fields.line_len : at;
		*body = fields.empty ? at : start;
		if (piece == MILTER_FIELDS_OVER)
			return start;
	}
	while (milter_fields_end(&fields) != MILTER_FIELDS_OVER)
		;
	*body = len - fields.line_len;
	return *body;
}

static void read_input(struct input *input, const uint8_t *data, size_t size)
{
	input->n = 0;
	while (size >= 4 && data[0] < 3 && input->n < CHANGES) {
		struct milter_change *change = &input->changes[input->n];
		char *name = input->texts[input->n][0], *value = input->texts[input->n][1];
		size_t len = data[3] < size - 4 ? data[3] : size - 4;
		if (len >= 40)
			len = 39;
		memcpy(value, data + 4, len);
		value[len] = '\0';
		name[0] = (char)('A' + data[2] % 4);
		name[1] = '\0';
		*change = (struct milter_change){.kind = data[0],
			.index = data[1],
			.leadspc = data[2] & 0x80,
			.name = name,
			.value = value};
		input->n++;
		data += 4 + len;
		size -= 4 + len;
	}
	input->text = (const char *)data;
	input->len = size;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input input;
	size_t body, changed_body;

	if (size > 16384)
		return 0;
	read_input(&input, data, size);
	if (input.n == 0)
		return 0;
	char *whole = malloc(size + 8192), *other = malloc(size + 8192);
	if (!whole || !other)
		abort();
	size_t len = write_all(&input, size + 1, size + 8192, whole);
	for (size_t cut = 1; cut < 8; cut += 3) {
		size_t other_len = write_all(&input, cut, cut + 1, other);
		assert(other_len == len && memcmp(other, whole, len) == 0);
	}
	header_of(input.text, input.len, &body);
	header_of(whole, len, &changed_body);
	assert(len - changed_body == input.len - body);
	assert(memcmp(whole + changed_body, input.text + body, input.len - body) == 0);
	free(whole);
	free(other);
	return 0;
}
