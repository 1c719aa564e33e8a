/* Values as the CLI and list files write them. */
#include "lib/language.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void durations_parse_and_print(void **state)
{
	static const struct {
		const char *text, *printed;
		uint64_t ms;
	} cases[] = {
		{"5ms", "5ms", 5},
		{"1000ms", "1s", 1000},
		{"90s", "90s", 90000},
		{"60m", "1h", 3600000},
		{"2w", "2w", 1209600000},
		{"7d", "1w", 604800000},
		{"0s", "0s", 0},
		{"0w", "0s", 0},
	};
	static const char *const wrong[] = {"", "5", "s", "5 s", "-5s", "5min", "5S",
		"99999999999999999999s", "18446744073709551615s", "1h30m"};
	char buf[32];
	uint64_t ms;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		assert_int_equal(language_parse_duration(cases[i].text, &ms), 0);
		assert_int_equal(ms, cases[i].ms);
		assert_string_equal(language_format_duration(ms, buf), cases[i].printed);
	}
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++)
		assert_int_equal(language_parse_duration(wrong[i], &ms), -EINVAL);
}

static void elements_parse_and_print(void **state)
{
	static const char *const good[][2] = {{"192.0.2.1", "192.0.2.1"},
		{"192.0.2.1/24", "192.0.2.0/24"}, {"2001:DB8::/32", "2001:db8::/32"},
		{"02-00-5E-00-53-01", "02:00:5e:00:53:01"}};
	static const char *const wrong[] = {"", "x", "192.0.2", "192.0.2.1/33", "::1/129"};
	struct policy_elem elem;
	char buf[PREFIX_TEXT_SIZE];

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
		assert_int_equal(language_parse_elem(good[i][0], &elem), 0);
		assert_string_equal(language_format_elem(&elem, buf), good[i][1]);
	}
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++)
		assert_int_equal(language_parse_elem(wrong[i], &elem), -EINVAL);
}

static void list_files_take_every_delimiter_and_name_the_bad_word(void **state)
{
	static const char good[] = "192.0.2.1,192.0.2.2;192.0.2.3\t192.0.2.4 # x, y\r\n2001:db8::1";
	static const char bad[] = "192.0.2.1\n\t192.0.2.2, 192.0.2.x#no";
	struct policy_elem *elems;
	unsigned line, column;
	char *word;
	size_t n;

	(void)state;
	assert_int_equal(
		language_parse_list(good, strlen(good), &elems, &n, &line, &column, &word), 0);
	assert_int_equal(n, 5);
	free(elems);
	assert_int_equal(
		language_parse_list(bad, strlen(bad), &elems, &n, &line, &column, &word), -EINVAL);
	assert_int_equal(line, 2);
	assert_int_equal(column, 13);
	assert_string_equal(word, "192.0.2.x");
	free(word);
}

static void near_names_are_near(void **state)
{
	static const char *const names[] = {"guest", "staff", "dmz"};

	(void)state;
	assert_string_equal(language_near("gest", names, 3), "guest");
	assert_string_equal(language_near("satff", names, 3), "staff");
	assert_string_equal(language_near("dmx", names, 3), "dmz");
	assert_null(language_near("office", names, 3));
	assert_null(language_near("", names, 3));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(durations_parse_and_print),
		cmocka_unit_test(elements_parse_and_print),
		cmocka_unit_test(list_files_take_every_delimiter_and_name_the_bad_word),
		cmocka_unit_test(near_names_are_near),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
