/* SPDX-License-Identifier: GPL-2.0-or-later */
/* clamd's own configuration, as clamconf of ClamAV 1.4 shows that it reads each of these. */
#include "lib/scan/clamd_conf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define MIB (1024u * 1024u)

/* From an exact copy. */
static struct clamd_conf read_text(const char *text)
{
	size_t len = strlen(text);
	char *copy = malloc(len ? len : 1);
	struct clamd_conf conf;

	memcpy(copy, text, len);
	clamd_conf_read(&conf, copy, len);
	free(copy);
	return conf;
}

static void what_is_not_written_is_by_default(void **context)
{
	static const char *const texts[] = {"", "\n", "# AlertExceedsMax yes\n  # MaxFileSize 1M",
		"LogVerbose no\n", "alertexceedsmax yes\nMAXFILESIZE 1M\n", "MaxFileSize\n",
		"AlertExceedsMax maybe\nMaxFileSize 1X\nTCPSocket 70000\n",
		"MaxFileSize -1\nMaxScanSize 1M # x\nStreamMaxLength 99999999999999999999\n",
		"AlertExceedsMax yes\r\n", "LocalSocket\nLocalSocket \"\"\n"};

	(void)context;
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		struct clamd_conf conf = read_text(texts[i]);
		assert_false(conf.alerts);
		assert_string_equal(conf.socket, "");
		assert_int_equal(conf.port, 0);
		assert_int_equal(conf.stream_bytes, 100 * MIB);
		assert_int_equal(conf.scan_bytes, 400 * MIB);
		assert_int_equal(conf.file_bytes, 100 * MIB);
	}
}

static void an_alert_is_on_in_every_spelling(void **context)
{
	static const struct {
		const char *text;
		bool on;
	} cases[] = {{"AlertExceedsMax yes", true}, {"AlertExceedsMax YES\n", true},
		{" \tAlertExceedsMax\t true \t\n", true}, {"AlertExceedsMax 1\n", true},
		{"AlertExceedsMax no\n", false}, {"AlertExceedsMax FALSE\n", false},
		{"AlertExceedsMax 0\n", false}, {"AlertExceedsMax 1\nAlertExceedsMax no\n", true},
		{"AlertExceedsMax no\nAlertExceedsMax yes\n", false}, {"BlockMax yes\n", true},
		{"BlockMax no\n", false}, {"ArchiveBlockMax yes\n", false},
		{"AlertExceedsMaxx yes\n", false}};

	(void)context;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		assert_int_equal(read_text(cases[i].text).alerts, cases[i].on);
}

static void sizes_have_units_and_none_is_no_limit(void **context)
{
	static const struct {
		const char *text;
		uint64_t bytes;
	} cases[] = {{"MaxFileSize 25M", 25 * MIB}, {"MaxFileSize 25m\n", 25 * MIB},
		{"MaxFileSize 5k\n", 5120}, {"MaxFileSize 123456\n", 123456},
		{"MaxFileSize 0\n", UINT64_MAX}, {"MaxFileSize 0M\n", UINT64_MAX},
		{"MaxFileSize 10G\n", 10ull * 1024 * MIB},
		{"MaxFileSize 10M\nMaxFileSize 20M\n", 10 * MIB}};

	(void)context;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		assert_int_equal(read_text(cases[i].text).file_bytes, cases[i].bytes);
	struct clamd_conf conf = read_text("StreamMaxLength 1M\nMaxScanSize 2M\nMaxFileSize 3M\n");
	assert_int_equal(conf.stream_bytes, MIB);
	assert_int_equal(conf.scan_bytes, 2 * MIB);
	assert_int_equal(conf.file_bytes, 3 * MIB);
}

static void where_it_listens(void **context)
{
	char text[256] = "LocalSocket /";
	struct clamd_conf conf =
		read_text("LocalSocket \"/run/x y/clamd.ctl\"\nTCPSocket 3310\nTCPAddr ::1\n");

	(void)context;
	assert_string_equal(conf.socket, "/run/x y/clamd.ctl");
	assert_int_equal(conf.port, 3310);
	assert_string_equal(read_text("LocalSocket /run/x y/c\n").socket, "/run/x y/c");
	memset(text + strlen(text), 'a', CLAMD_CONF_SOCKET_SIZE - 2);
	assert_int_equal(strlen(read_text(text).socket), CLAMD_CONF_SOCKET_SIZE - 1);
	strcat(text, "a");
	assert_string_equal(read_text(text).socket, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_not_written_is_by_default),
		cmocka_unit_test(an_alert_is_on_in_every_spelling),
		cmocka_unit_test(sizes_have_units_and_none_is_no_limit),
		cmocka_unit_test(where_it_listens),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
