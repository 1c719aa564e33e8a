/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A text as a filter is told of it: header fields one by one, then the body, whatever the spans are
 * that it comes in. */
#include "test/lib/milter_talk.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define ALL_UNANSWERED 0xff080u
#define BEGUN          "c\nh me\nm a@b\nr c@d\nd\n> Cclient.example|4AB192.0.2.1| Hme| M<a@b>| R<c@d>| T\n"

/* Behind the envelope; the last answer is the filter's to the end. */
static struct milter_talk *begin(uint32_t protocol)
{
	struct milter_talk *talk = milter_talk_new(protocol | ALL_UNANSWERED);
	milter_talk_run(talk, BEGUN);
	return talk;
}

/* All that was told of the text: "L..." and "N" with a blank between, then "B" and all of the
 * body. */
static void gather(struct milter_talk *talk, char *out, size_t *len, bool nul_is_bar)
{
	bool body = false, ended = false;

	*len = 0;
	while (talk->told_seen < talk->told_len) {
		struct milter_reader reader = {
			talk->told + talk->told_seen, talk->told + talk->told_len};
		uint32_t length;
		assert_true(milter_read_u32(&reader, &length));
		assert_in_range(length, 1, MILTER_DATA_MAX + 1);
		talk->told_seen += 4 + length;
		char letter = (char)*reader.at;
		assert_false(ended);
		/* Stalwart 2346: headers again inside of the body */
		assert_false(body && (letter == 'L' || letter == 'N'));
		ended = letter == 'E';
		size_t skip = letter == 'B' && body;
		if (*len > 0 && !skip)
			out[(*len)++] = ' ';
		memcpy(out + *len, reader.at + skip, length - skip);
		for (size_t i = 0; nul_is_bar && i < length - skip; i++)
			if (out[*len + i] == '\0')
				out[*len + i] = '|';
		*len += length - skip;
		body |= letter == 'B';
	}
	out[*len] = '\0';
}

static void texts_are_told_whole(void **state)
{
	static const struct {
		uint32_t protocol;
		const char *text, *told;
	} cases[] = {
		{0, "", "N E"},
		{0, "\r\n", "N E"},
		{0, "\r\nbody\r\n", "N Bbody\r\n E"},
		{0, "A: b\r\n", "LA|b| N E"},
		{0, "A: b\r\n\r\n", "LA|b| N E"},
		{0, "A: b\r\n\r\nbody\r\n", "LA|b| N Bbody\r\n E"},
		{0, "A:\r\nB: \r\nC:  d \r\n\r\n", "LA|| LB|| LC| d | N E"},
		{0, "A:\tb\r\n\r\n", "LA|\tb| N E"},
		{MILTER_PROTOCOL_LEADSPC, "A: b\r\nB:c\r\nC:  d\r\n\r\n",
			"LA| b| LB|c| LC|  d| N E"},
		/* folds are joined by LF */
		{0, "A: b\r\n c\r\n\td\r\nE: f\r\n\r\n", "LA|b\n c\n\td| LE|f| N E"},
		{0, "A:\r\n b\r\n\r\n", "LA|\n b| N E"},
		{0, "A: b\r\n \r\nC: d\r\n\r\n", "LA|b\n | LC|d| N E"},
		/* the blanks behind a name are none of it: RFC 5322 4.5 */
		{0, "A  : b\r\n\r\n", "LA|b| N E"},
		{0, "A: b:c\r\n\r\n", "LA|b:c| N E"},
		/* a line that is no field is the body's first */
		{0, "no colon\r\nA: b\r\n", "N Bno colon\r\nA: b\r\n E"},
		{0, "A: b\r\nno colon\r\n\r\nC: d\r\n", "LA|b| N Bno colon\r\n\r\nC: d\r\n E"},
		{0, "From a@b Mon Nov 30 11:52:48\r\nA: b\r\n",
			"N BFrom a@b Mon Nov 30 11:52:48\r\nA: b\r\n E"},
		{0, " folded: nothing\r\nA: b\r\n", "N B folded: nothing\r\nA: b\r\n E"},
		{0, ": empty\r\nA: b\r\n", "N B: empty\r\nA: b\r\n E"},
		{0, "A: b\r\nn\xc3\xbc: c\r\n", "LA|b| N Bn\xc3\xbc: c\r\n E"},
		{0, "nothing", "N Bnothing E"},
		{0, "A: b\r\nnothing", "LA|b| N Bnothing E"},
		{0, "A: b", "LA|b| N E"},
		{0, "A", "N BA E"},
		{0, "A ", "N BA  E"},
		{0, "A: b\r\n\r", "LA|b| N B\r E"},
		{0, "A: b\r\n\rC: d\r\n", "LA|b| N B\rC: d\r\n E"},
		{0, "A: b\nC: d\n\nx\n", "LA|b| LC|d| N Bx\n E"},
		{0, "A: b\r\n\r\n\r\n.\r\n..\r\n", "LA|b| N B\r\n.\r\n..\r\n E"},
		{0, "A: caf\xe9\r\n\r\n\xff\r\n", "LA|caf\xe9| N B\xff\r\n E"},
		/* of what a filter does not want there is nothing */
		{1u << 5, "A: b\r\n\r\nbody\r\n", "N Bbody\r\n E"},
		{1u << 6, "A: b\r\n\r\nbody\r\n", "LA|b| Bbody\r\n E"},
		{1u << 4, "A: b\r\n\r\nbody\r\n", "LA|b| N E"},
		{1u << 4, "A: b\r\nbody\r\n", "LA|b| N E"},
		{7u << 4, "A: b\r\n\r\nbody\r\n", "E"},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		for (size_t cut = 0; cut < 9; cut++) {
			struct milter_talk *talk = begin(cases[i].protocol);
			char told[1024];
			size_t len;
			talk->cut = cut;
			milter_talk_text(talk, cases[i].text, strlen(cases[i].text));
			milter_talk_run(talk, "e\nFa\ngo\n");
			gather(talk, told, &len, true);
			assert_string_equal(told, cases[i].told);
			milter_talk_free(talk);
		}
	}
}

static void every_piece_waits_where_it_is_answered(void **state)
{
	(void)state;
	for (size_t cut = 0; cut < 5; cut++) {
		struct milter_talk *talk = milter_talk_new(0xf);
		talk->cut = cut;
		milter_talk_run(talk, "c\nh x\nm a\nr b\nd\nFc\n> T\n"
				      "t A: b\\r\\nno colon\\r\\n\n> LA|b|\nnone\nFc\n> N\nFc\n");
		while (talk->milter.state == MILTER_ASKED)
			milter_talk_run(talk, "Fc\n");
		milter_talk_run(talk, "go\n");
		milter_talk_free(talk);
	}
	/* the end itself tells what is left, piece by piece */
	milter_talk_each(0xf, "c\nh x\nm a\nr b\nd\nFc\n> T\nt A: b\\r\\nno\n> LA|b|\n"
			      "Fc\ngo\n"
			      "e\n> N\nnone\nFc\n> Bno\nnone\nFc\n> E\nnone\nFc\ngo\n");
	milter_talk_each(0xf, "c\nh x\nm a\nr b\nd\nFc\n> T\nt A: b\\r\\n\ngo\n> \n"
			      "e\n> LA|b|\nnone\nFc\n> N\nFc\n> E\nnone\nFc\ngo\n");
}

static void a_refusal_ends_the_telling(void **state)
{
	(void)state;
	milter_talk_each(0xf | 0x200,
		"c\nh x\nm a\nr b\nd\nt A: b\\r\\nC: d\\r\\n\\r\\nx\n> LA|b|\n"
		"Fr\nrefused 550 5.7.1 refused by a filter\n> \n"
		"t more\nrefused 550 5.7.1 refused by a filter\n"
		"e\nrefused 550 5.7.1 refused by a filter\n> \na\n> A\n");
	milter_talk_each(0xf | 0x200,
		"c\nh x\nm a\nr b\nd\nt A: b\\r\\nC: d\\r\\n\\r\\nx\n> LA|b|\n"
		"Fa\ngo\ne\ngo\n> \na\n> A\n");
	milter_talk_each(0xf | 0x200, "c\nh x\nm a\nr b\nd\nt A: b\\r\\n\\r\\nx\n> LA|b|\nFc\n> N\n"
				      "Fy551 5.7.1 not this\\0\nrefused 551 5.7.1 not this\n> \n");
	milter_talk_each(0xf | 0x200,
		"c\nh x\nm a\nr b\nd\nt A: b\\r\\n\\r\\nx\n> LA|b|\nFc\nFc\n> N "
		"Bx\nFt\nrefused 451 4.7.1 refused by a filter for now\n");
}

static void skip_ends_one_kind(void **state)
{
	(void)state;
	/* of header fields */
	milter_talk_each(0xf | 0x200,
		"c\nh x\nm a\nr b\nd\nt A: b\\r\\nC: d\\r\\nE: f\\r\\n\\r\\nx\n"
		"> LA|b|\nFs\n> N\nFc\n> Bx\nFc\ngo\ne\n> E\nFc\ngo\n");
	/* of the body, in this message alone */
	milter_talk_each(0xf | 0x260, "c\nh x\nm a\nr b\nd\nt \\r\\none\n> Bone\nFs\ngo\n"
				      "t two\ngo\n> \ne\n> E\nFc\ngo\n"
				      "m a\nr b\nd\nt \\r\\nthree\n> Bthree\nFc\ngo\n");
	/* of recipients */
	milter_talk_each(0x7 | 0x200, "c\nh x\nm a\nr b\n> R<b>|\nFs\ngo\nr c\ngo\n> \n");
	/* the end cannot be skipped */
	milter_talk_each(0xf | 0x270, "c\nh x\nm a\nr b\nd\ne\nFs\nfailed protocol\n");
}

static char *repeat(const char *what, size_t n, size_t *len)
{
	size_t one = strlen(what);
	char *text = malloc(one * n + 1);
	assert_non_null(text);
	for (size_t i = 0; i < n; i++)
		memcpy(text + i * one, what, one);
	text[one * n] = '\0';
	*len = one * n;
	return text;
}

static void a_body_is_told_in_pieces_that_are_read(void **state)
{
	size_t len, told_len;
	char *text = repeat("\r\n0123456789abcdefghijklmnopqrstuvwxyz", 30000, &len);
	char *told = malloc(MILTER_TALK_MAX);
	(void)state;
	for (size_t cut = 0; cut < 200000; cut = cut ? cut * 13 : 7919) {
		struct milter_talk *talk = begin(0);
		talk->cut = cut;
		milter_talk_text(talk, text, len);
		milter_talk_run(talk, "e\nFa\ngo\n");
		gather(talk, told, &told_len, false);
		assert_int_equal(
			told_len, 3 + len - 2 + 2); /* "N B", all but the first line end, " E" */
		assert_memory_equal(told, "N B", 3);
		assert_memory_equal(told + 3, text + 2, len - 2);
		milter_talk_free(talk);
	}
	free(text);
	free(told);
}

static void a_hundred_thousand_fields_are_told(void **state)
{
	size_t len, told_len;
	char *text = repeat("A: b\r\n", 100000, &len);
	char *told = malloc(MILTER_TALK_MAX);
	(void)state;
	for (size_t cut = 0; cut < 2; cut++) {
		struct milter_talk *talk = begin(0);
		talk->cut = cut * 4099;
		milter_talk_text(talk, text, len);
		milter_talk_run(talk, "e\nFa\ngo\n");
		gather(talk, told, &told_len, true);
		assert_int_equal(told_len, 100000 * 6 + 3);
		for (size_t i = 0; i < 100000; i++)
			assert_memory_equal(told + i * 6, "LA|b| ", 6);
		milter_talk_free(talk);
	}
	free(text);
	free(told);
}

static void a_long_field_is_told_whole_or_refused(void **state)
{
	static const char refused[] =
		"refused 552 5.3.4 a header field is too long to be scanned\n";
	char *text = malloc(200000), *told = malloc(MILTER_TALK_MAX);
	size_t told_len;
	(void)state;
	for (size_t value = 65530; value <= 65536; value++) {
		for (size_t cut = 0; cut < 2; cut++) {
			struct milter_talk *talk = begin(0);
			talk->cut = cut * 1000;
			memset(text, 'v', 200000);
			memcpy(text, "X: ", 3);
			memcpy(text + 3 + value, "\r\n\r\nbody", 8);
			milter_talk_text(talk, text, 3 + value + 8);
			if (talk->answer == MILTER_ANSWER_GO) {
				/* X, two NULs, the space and the line end, which are dropped later
				 */
				assert_true(2 + 1 + value + 2 + 1 <= MILTER_DATA_MAX);
				milter_talk_run(talk, "e\nFa\ngo\n");
				gather(talk, told, &told_len, true);
				assert_int_equal(told_len, 3 + value + 1 + 10);
			} else {
				assert_true(2 + 1 + value + 2 + 1 > MILTER_DATA_MAX);
				milter_talk_run(talk, refused);
				milter_talk_run(talk, "e\n");
				milter_talk_run(talk, refused);
				milter_talk_run(talk, "a\n> A\nm next@b\ngo\n");
			}
			milter_talk_free(talk);
		}
	}
	/* whoever does not want header fields is told of the body */
	struct milter_talk *talk = begin(1u << 5);
	memset(text, 'v', 200000);
	memcpy(text, "X: ", 3);
	memcpy(text + 199990, "\r\n\r\nbody", 8);
	milter_talk_text(talk, text, 199998);
	milter_talk_run(talk, "e\n> N Bbody E\nFa\ngo\n");
	milter_talk_free(talk);
	free(text);
	free(told);
}

static void a_line_without_an_end_is_of_the_body(void **state)
{
	size_t len, told_len;
	char *text = repeat("a", 300000, &len);
	char *told = malloc(MILTER_TALK_MAX);
	(void)state;
	for (size_t cut = 0; cut < 3; cut++) {
		struct milter_talk *talk = begin(0);
		talk->cut = cut * 997;
		milter_talk_text(talk, text, len);
		milter_talk_run(talk, "e\nFa\ngo\n");
		gather(talk, told, &told_len, false);
		assert_int_equal(told_len, len + 5);
		milter_talk_free(talk);
	}
	free(text);
	free(told);
}

static void a_nul_is_refused(void **state)
{
	struct milter_talk *talk = begin(0);
	(void)state;
	milter_talk_run(talk, "t A: b\\0c\\r\\n\\r\\n\n"
			      "refused 552 5.3.4 a header field with a NUL cannot be scanned\n");
	milter_talk_free(talk);
}

static void what_is_wanted_is_known(void **state)
{
	struct milter_talk *talk = begin(1u << 4);
	(void)state;
	assert_true(milter_wants_text(&talk->milter));
	milter_talk_run(talk, "t A: b\\r\\n\n");
	assert_true(milter_wants_text(&talk->milter));
	milter_talk_run(talk, "t \\r\\nbody\n");
	assert_false(milter_wants_text(&talk->milter));
	milter_talk_free(talk);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(texts_are_told_whole),
		cmocka_unit_test(every_piece_waits_where_it_is_answered),
		cmocka_unit_test(a_refusal_ends_the_telling),
		cmocka_unit_test(skip_ends_one_kind),
		cmocka_unit_test(a_body_is_told_in_pieces_that_are_read),
		cmocka_unit_test(a_hundred_thousand_fields_are_told),
		cmocka_unit_test(a_long_field_is_told_whole_or_refused),
		cmocka_unit_test(a_line_without_an_end_is_of_the_body),
		cmocka_unit_test(a_nul_is_refused),
		cmocka_unit_test(what_is_wanted_is_known),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
