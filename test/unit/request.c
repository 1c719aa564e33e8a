/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The control protocol: frames in any pieces, bounds, words. */
#include "lib/command/request.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static void feed(struct request_reader *reader, const void *bytes, size_t len)
{
	const uint8_t *from = bytes;
	while (len) {
		size_t room;
		uint8_t *to = request_reader_room(reader, &room);
		assert_non_null(to);
		assert_true(room > 0);
		size_t n = len < room ? len : room;
		memcpy(to, from, n);
		request_reader_fed(reader, n);
		from += n;
		len -= n;
	}
}

static void a_frame_comes_out_whole_however_it_is_cut(void **state)
{
	(void)state;
	uint8_t stream[2 * REQUEST_HEADER_SIZE + 12];
	request_encode_header(stream, REQUEST_WORDS, 12);
	memcpy(stream + 8, "policy\0show", 12);
	request_encode_header(stream + 20, REQUEST_GO, 0);
	for (size_t cut = 0; cut <= sizeof(stream); cut++) {
		struct request_reader reader;
		enum request_kind kind;
		const uint8_t *payload;
		size_t len;
		request_reader_init(&reader);
		feed(&reader, stream, cut);
		int early = request_reader_frame(&reader, &kind, &payload, &len);
		assert_int_equal(early, cut >= 20);
		feed(&reader, stream + cut, sizeof(stream) - cut);
		assert_int_equal(request_reader_frame(&reader, &kind, &payload, &len), 1);
		assert_int_equal(kind, REQUEST_WORDS);
		assert_int_equal(len, 12);
		assert_memory_equal(payload, "policy\0show", 12);
		request_reader_next(&reader);
		assert_int_equal(request_reader_frame(&reader, &kind, &payload, &len), 1);
		assert_int_equal(kind, REQUEST_GO);
		assert_int_equal(len, 0);
		request_reader_next(&reader);
		assert_int_equal(request_reader_frame(&reader, &kind, &payload, &len), 0);
		request_reader_fini(&reader);
	}
}

static void what_is_no_frame_is_said_at_the_first_wrong_byte(void **state)
{
	(void)state;
	static const struct {
		const char *bytes;
		size_t len;
		int result;
	} cases[] = {
		{"", 0, 0},
		{"P", 1, 0},
		{"X", 1, -EBADMSG},
		{"GET / HTTP/1.0\r\n", 16, -EBADMSG},
		{"PS\x02", 3, -EPROTONOSUPPORT},
		{"PS\x00", 3, -EPROTONOSUPPORT},
		{"PS\x01\x01\x01\x00\x10\x00", 8, -EMSGSIZE},
		{"PS\x01\x01\xff\xff\xff\xff", 8, -EMSGSIZE},
		{"PS\x01\x01\x00\x00\x10\x00", 8, 0},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct request_reader reader;
		enum request_kind kind;
		const uint8_t *payload;
		size_t len;
		request_reader_init(&reader);
		feed(&reader, cases[i].bytes, cases[i].len);
		assert_int_equal(
			request_reader_frame(&reader, &kind, &payload, &len), cases[i].result);
		request_reader_fini(&reader);
	}
}

static void the_largest_frame_passes_and_memory_is_given_back(void **state)
{
	(void)state;
	struct request_reader reader;
	uint8_t header[REQUEST_HEADER_SIZE];
	uint8_t *body = calloc(1, REQUEST_FRAME_MAX);
	enum request_kind kind;
	const uint8_t *payload;
	size_t len;
	request_reader_init(&reader);
	request_encode_header(header, REQUEST_BODY, REQUEST_FRAME_MAX);
	feed(&reader, header, sizeof(header));
	feed(&reader, body, REQUEST_FRAME_MAX);
	assert_int_equal(request_reader_frame(&reader, &kind, &payload, &len), 1);
	assert_int_equal(len, REQUEST_FRAME_MAX);
	request_reader_next(&reader);
	assert_true(reader.room <= 65536);
	request_reader_fini(&reader);
	free(body);
}

static void of_a_frame_that_was_taken_nothing_stays(void **state)
{
	(void)state;
	static const char password[] = "a password", next[] = "w";
	struct request_reader reader;
	uint8_t header[REQUEST_HEADER_SIZE];
	enum request_kind kind;
	const uint8_t *payload;
	size_t len;
	request_reader_init(&reader);
	for (unsigned i = 0; i < 2; i++) {
		const char *text = i ? next : password;
		request_encode_header(header, REQUEST_BODY, (uint32_t)strlen(text));
		feed(&reader, header, sizeof(header));
		feed(&reader, (const uint8_t *)text, strlen(text));
	}
	assert_int_equal(request_reader_frame(&reader, &kind, &payload, &len), 1);
	request_reader_next(&reader);
	assert_null(memmem(reader.bytes, reader.room, "passw", 5));
	assert_int_equal(request_reader_frame(&reader, &kind, &payload, &len), 1);
	assert_memory_equal(payload, next, len);
	request_reader_fini(&reader);
}

static void words_are_utf8_without_control_characters(void **state)
{
	(void)state;
	static const struct {
		const char *bytes;
		size_t len;
		int result;
	} cases[] = {
		{"", 0, 0}, {"\0", 1, 1}, {"a\0b\0", 4, 2}, {"a\0\0c\0", 5, 3}, {"a", 1, -EBADMSG},
		{"a\nb\0", 4, -EBADMSG}, {"a\x7f\0", 3, -EBADMSG}, {"caf\xc3\xa9\0", 6, 1},
		{"\xe2\x82\xac\xf0\x9f\x93\xa7\0", 8, 1}, {"\xc3\0", 2, -EBADMSG},
		{"\xc0\xaf\0", 3, -EBADMSG}, {"\xc2\x85\0", 3, -EBADMSG},         /* C1 control */
		{"\xe0\x80\xaf\0", 4, -EBADMSG}, {"\xed\xa0\x80\0", 4, -EBADMSG}, /* a surrogate */
		{"\xf4\x90\x80\x80\0", 5, -EBADMSG},
		{"a\0a\0a\0a\0a\0", 10, -EBADMSG}, /* more than there is room for */
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		const char *words[4];
		int n = request_words((const uint8_t *)cases[i].bytes, cases[i].len, words, 4);
		assert_int_equal(n, cases[i].result);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_frame_comes_out_whole_however_it_is_cut),
		cmocka_unit_test(what_is_no_frame_is_said_at_the_first_wrong_byte),
		cmocka_unit_test(the_largest_frame_passes_and_memory_is_given_back),
		cmocka_unit_test(of_a_frame_that_was_taken_nothing_stays),
		cmocka_unit_test(words_are_utf8_without_control_characters),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
