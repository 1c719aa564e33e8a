/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The operator's files for the login page: what is wrong in them is said with its place. */
#include "lib/portal/files.h"
#include "lib/portal/texts.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

static bool is(const struct portal_texts *texts, enum portal_text text, const char *expected)
{
	return texts->v[text].len == strlen(expected) &&
	       memcmp(texts->v[text].text, expected, texts->v[text].len) == 0;
}

static void a_file_puts_its_texts_in_place(void **state)
{
	static const char file[] = "\xef\xbb\xbf# of the Post hotel\r\n"
				   "language de-AT\r\n"
				   "\n"
				   "  login\t Anmelden  \n"
				   "hours {} Stunden\n"
				   "user Name \"wie\" <auf> & Karte # 5";
	struct portal_texts texts;
	char error[PORTAL_ERROR_SIZE];
	size_t line;
	(void)state;
	assert_int_equal(portal_texts_parse(file, sizeof(file) - 1, &texts, error, &line), 0);
	assert_true(is(&texts, PORTAL_TEXT_LANGUAGE, "de-AT"));
	assert_true(is(&texts, PORTAL_TEXT_LOGIN, "Anmelden"));
	assert_true(is(&texts, PORTAL_TEXT_HOURS, "{} Stunden"));
	assert_true(is(&texts, PORTAL_TEXT_USER, "Name \"wie\" <auf> & Karte # 5"));
	assert_true(is(&texts, PORTAL_TEXT_PASSWORD, "Password"));
	assert_false(portal_texts_turned(&texts));
}

static void what_is_wrong_is_said_with_its_line(void **state)
{
	static const struct {
		const char *file;
		size_t line;
		const char *says;
	} cases[] = {
		{"language de\nlogni Anmelden\n", 2, "no such key \"logni\", perhaps \"login\""},
		{"\n\nzzzzzzzzzzzz x\n", 3, "no such key \"zzzzzzzzzzzz\", expected one of"},
		{"log\x01in x", 1, "no such key \"log?in\""},
		{"login a\nuser b\nlogin c\n", 3, "key \"login\" twice"},
		{"login", 1, "key \"login\" without a text"},
		{"login  \t\n", 1, "key \"login\" without a text"},
		{"login \xff\n", 1, "not UTF-8 or control characters"},
		{"login a\x1b[31m\n", 1, "not UTF-8 or control characters"},
		{"login a\xe2\x80\xae"
		 "b\n",
			1, "not UTF-8"}, /* turns what follows */
		{"login Go {}\n", 1, "{} has no meaning there"},
		{"hours Stunden\n", 1, "{} has to stand once"},
		{"hours {} {}\n", 1, "{} has to stand once"},
		{"language \"de\"\n", 1, "a tag such as de"},
		{"language de_DE\n", 1, "a tag such as de"},
		{"language -\n", 1, "a tag such as de"},
	};
	struct portal_texts texts;
	char error[PORTAL_ERROR_SIZE];
	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		size_t line = 99;
		assert_int_equal(portal_texts_parse(cases[i].file, strlen(cases[i].file), &texts,
					 error, &line),
			-EINVAL);
		assert_int_equal(line, cases[i].line);
		if (!strstr(error, cases[i].says))
			fail_msg("%s", error);
	}
}

static void a_text_and_a_file_have_an_end(void **state)
{
	static char file[PORTAL_TEXTS_FILE_MAX + 2];
	struct portal_texts texts;
	char error[PORTAL_ERROR_SIZE];
	size_t line;
	(void)state;
	memset(file, 'a', sizeof(file));
	memcpy(file, "login ", 6);
	assert_int_equal(portal_texts_parse(file, 6 + PORTAL_TEXT_MAX, &texts, error, &line), 0);
	assert_int_equal(
		portal_texts_parse(file, 7 + PORTAL_TEXT_MAX, &texts, error, &line), -EINVAL);
	file[0] = '#';
	assert_int_equal(portal_texts_parse(file, PORTAL_TEXTS_FILE_MAX, &texts, error, &line), 0);
	assert_int_equal(
		portal_texts_parse(file, PORTAL_TEXTS_FILE_MAX + 1, &texts, error, &line), -EINVAL);
	assert_int_equal(portal_texts_parse("", 0, &texts, error, &line), 0);
}

/* The file that says all as it is is taken, and is English. */
static void every_key_can_be_said(void **state)
{
	static const struct {
		const char *key, *text;
	} all[] = {
#define PORTAL_TEXT_BOTH(id, key, text) {key, text},
		PORTAL_TEXT_TABLE(PORTAL_TEXT_BOTH)
#undef PORTAL_TEXT_BOTH
	};
	static char file[PORTAL_TEXTS_FILE_MAX];
	struct portal_texts texts, english;
	char error[PORTAL_ERROR_SIZE];
	size_t line, len = 0;
	(void)state;
	for (size_t i = 0; i < COUNT(all); i++)
		len += (size_t)snprintf(
			file + len, sizeof(file) - len, "%s %s\n", all[i].key, all[i].text);
	assert_int_equal(portal_texts_parse(file, len, &texts, error, &line), 0);
	portal_texts_init(&english);
	for (size_t i = 0; i < PORTAL_TEXTS; i++) {
		assert_int_equal(texts.v[i].len, english.v[i].len);
		assert_memory_equal(texts.v[i].text, english.v[i].text, texts.v[i].len);
		assert_true(english.v[i].len > 0);
	}
}

static size_t read_file(const char *path, char *bytes, size_t size)
{
	FILE *file = fopen(path, "rb");
	if (!file)
		fail_msg("%s", path);
	size_t len = fread(bytes, 1, size - 1, file);
	fclose(file);
	bytes[len] = '\0';
	return len;
}

static void the_manual_has_every_key_and_its_text(void **state)
{
	static const char *const items[] = {
#define PORTAL_TEXT_ITEM(id, key, text) ".It Li " key "\n" text "\n",
		PORTAL_TEXT_TABLE(PORTAL_TEXT_ITEM)
#undef PORTAL_TEXT_ITEM
	};
	static char page[PORTAL_TEXTS_FILE_MAX];
	(void)state;
	read_file("doc/man/postern-portal.7", page, sizeof(page));
	for (size_t i = 0; i < COUNT(items); i++)
		if (!strstr(page, items[i]))
			fail_msg("%s", items[i]);
}

static void the_example_in_german_says_all(void **state)
{
	static char file[PORTAL_TEXTS_FILE_MAX];
	struct portal_texts texts, english;
	char error[PORTAL_ERROR_SIZE];
	size_t line, len = read_file("debian/examples/login.de.texts", file, sizeof(file));
	(void)state;
	if (portal_texts_parse(file, len, &texts, error, &line) < 0)
		fail_msg("line %zu: %s", line, error);
	portal_texts_init(&english);
	for (size_t i = 0; i < PORTAL_TEXTS; i++)
		assert_true(texts.v[i].text != english.v[i].text);
}

static void some_languages_run_from_right_to_left(void **state)
{
	static const struct {
		const char *file;
		bool turned;
	} cases[] = {{"language ar", true}, {"language he-IL", true}, {"language FA", true},
		{"language en", false}, {"language arn", false}, {"", false}};
	struct portal_texts texts;
	char error[PORTAL_ERROR_SIZE];
	size_t line;
	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		assert_int_equal(portal_texts_parse(cases[i].file, strlen(cases[i].file), &texts,
					 error, &line),
			0);
		assert_int_equal(portal_texts_turned(&texts), cases[i].turned);
	}
}

static void terms_are_plain_text(void **state)
{
	static const struct {
		const char *text;
		bool good;
		size_t line;
	} cases[] = {
		{"One.\n\nTwo, \xc3\xbc.\r\n\tThree <b>.\n", true, 0},
		{"One.\nTwo\x1b[0m\n", false, 2},
		{"One.\n\n\xfc\n", false, 3},
		{"", false, 0},
		{" \n\t\r\n", false, 0},
	};
	size_t line;
	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		const char *wrong = portal_terms_check(cases[i].text, strlen(cases[i].text), &line);
		assert_int_equal(wrong == NULL, cases[i].good);
		assert_int_equal(line, cases[i].line);
	}
	static char large[PORTAL_TERMS_MAX + 1];
	memset(large, 'a', sizeof(large));
	assert_null(portal_terms_check(large, PORTAL_TERMS_MAX, &line));
	assert_non_null(portal_terms_check(large, PORTAL_TERMS_MAX + 1, &line));
}

/* As sha256sum begins. */
static void terms_have_a_version(void **state)
{
	char version[PORTAL_VERSION_SIZE];
	(void)state;
	portal_terms_version("abc", 3, version);
	assert_string_equal(version, "ba7816bf8f01cfea");
	portal_terms_version("", 0, version);
	assert_string_equal(version, "e3b0c44298fc1c14");
}

static void a_logo_is_a_picture_without_script(void **state)
{
	static const struct {
		const char *bytes;
		size_t len;
		const char *type;
	} cases[] = {
		{"\x89PNG\r\n\x1a\n\0\0", 10, "image/png"},
		{"\xff\xd8\xff\xe0", 4, "image/jpeg"},
		{"GIF89a", 6, "image/gif"},
		{"RIFF\0\0\0\0WEBPVP8 ", 16, "image/webp"},
		{"RIFF\0\0\0\0WAVE", 12, NULL},
		{"<svg xmlns=\"http://www.w3.org/2000/svg\"/>", 41, NULL},
		{"<html>", 6, NULL},
		{"\x89PNG", 4, NULL},
		{"", 0, NULL},
	};
	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		const char *type = portal_logo_type(cases[i].bytes, cases[i].len);
		assert_int_equal(type == NULL, cases[i].type == NULL);
		if (type)
			assert_string_equal(type, cases[i].type);
		assert_int_equal(
			portal_logo_check(cases[i].bytes, cases[i].len) == NULL, type != NULL);
	}
	static char large[PORTAL_LOGO_MAX + 1] = "GIF89a";
	assert_null(portal_logo_check(large, PORTAL_LOGO_MAX));
	assert_non_null(portal_logo_check(large, PORTAL_LOGO_MAX + 1));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_file_puts_its_texts_in_place),
		cmocka_unit_test(what_is_wrong_is_said_with_its_line),
		cmocka_unit_test(a_text_and_a_file_have_an_end),
		cmocka_unit_test(every_key_can_be_said),
		cmocka_unit_test(the_manual_has_every_key_and_its_text),
		cmocka_unit_test(the_example_in_german_says_all),
		cmocka_unit_test(some_languages_run_from_right_to_left),
		cmocka_unit_test(terms_are_plain_text),
		cmocka_unit_test(terms_have_a_version),
		cmocka_unit_test(a_logo_is_a_picture_without_script),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
