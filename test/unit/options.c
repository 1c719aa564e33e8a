/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/start/options.h"

#include <errno.h>
#include <getopt.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct options options;

static int parse(char **argv)
{
	int argc = 0;
	while (argv[argc])
		argc++;
	optind = 0; /* glibc: begin anew */
	opterr = 0;
	return options_parse(argc, argv, &options);
}
#define PARSE(...) parse((char *[]){(char *)"posternd", __VA_ARGS__, NULL})

static void defaults_are_those_of_the_manual(void **state)
{
	(void)state;
	assert_int_equal(parse((char *[]){(char *)"posternd", NULL}), 0);
	assert_int_equal(options.command, OPTIONS_RUN);
	assert_string_equal(options.process.config, "/etc/postern/postern.conf");
	assert_string_equal(options.process.state_dir, "/var/lib/postern");
	assert_string_equal(options.process.run_dir, "/run/postern");
	assert_string_equal(options.process.user, "postern");
	assert_int_equal(options.process.mark_mask, 0xf0000000);
	assert_int_equal(options.process.server_mask, 0x0fff0000);
	assert_int_equal(options.process.relay_port, 4025);
	assert_int_equal(options.process.route_table, 4025);
	assert_int_equal(options.process.rule_priority, 0);
	assert_int_equal(options.process.queue, 4025);
	assert_in_range(options.process.relays, 1, PROCESS_RELAYS_MAX);
	assert_false(options.process.foreground);
}

static void each_command_is_told(void **state)
{
	static const struct {
		const char *option;
		enum options_command command;
	} cases[] = {
		{"-t", OPTIONS_CHECK},
		{"--clear", OPTIONS_CLEAR},
		{"--doctor", OPTIONS_DOCTOR},
		{"--upgrade", OPTIONS_UPGRADE},
		{"--version", OPTIONS_VERSION},
		{"--help", OPTIONS_HELP},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(PARSE((char *)cases[i].option), 0);
		assert_int_equal(options.command, cases[i].command);
	}
}

static void bad_values_are_refused(void **state)
{
	static char *const bad[][3] = {
		{(char *)"--rule-priority", (char *)"0"},
		{(char *)"--rule-priority", (char *)"32764"},
		{(char *)"--relays", (char *)"0"},
		{(char *)"--relays", (char *)"17"},
		{(char *)"--relays", (char *)"2x"},
		{(char *)"--relays", (char *)"-1"},
		{(char *)"--relays", (char *)""},
		{(char *)"--mark-mask", (char *)"0"},
		{(char *)"--mark-mask", (char *)"0x1f"},
		{(char *)"--mark-mask", (char *)"0xf00000000"},
		{(char *)"--server-mask", (char *)"0"},
		{(char *)"--server-mask", (char *)"0x5"},
		{(char *)"--server-mask", (char *)"0xff0ff"},
		{(char *)"--server-mask", (char *)"0x100000000"},
		{(char *)"--server-mask", (char *)"0xff000000"},
		{(char *)"--server-mask", (char *)"-1"},
		{(char *)"--port", (char *)"1023"},
		{(char *)"--port", (char *)"65536"},
		{(char *)"--table", (char *)"0"},
		{(char *)"--table", (char *)"255"},
		{(char *)"--queue", (char *)"65536"},
		{(char *)"--state", (char *)""},
		{(char *)"--bypass", (char *)"perhaps"},
		{(char *)"--child", (char *)"relay:128:1"},
		{(char *)"--resume", (char *)"2"},
		{(char *)"--child", (char *)"control:1"},
		{(char *)"--zone", (char *)"guest"},
		{(char *)"-q"},
		{(char *)"word"},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		char *argv[] = {(char *)"posternd", bad[i][0], bad[i][1], NULL};
		if (parse(argv) != -EINVAL)
			fail_msg("%s %s was taken", bad[i][0], bad[i][1] ? bad[i][1] : "");
	}
}

static void servers_have_bits_of_their_own(void **state)
{
	static const struct {
		const char *mark, *server; /* NULL: not given */
		uint32_t want;             /* 0: refused */
	} cases[] = {
		{NULL, "0x0000ffff", 0x0000ffff},
		{NULL, "0x80", 0x80},
		{"0x0f000000", "0xf0000000", 0xf0000000},
		{"0x0000000f", "0xfffffff0", 0xfffffff0},
		{"0x0000000f", NULL, 0x0fff0000},
		{"0x0f000000", NULL, 0x0000fff0},
		{"0x000f0000", NULL, 0x0000fff0},
		{"0x00078000", NULL, 0xfff00000},
		{"0x00000f00", "0x00000ff0", 0},
		{NULL, "0x10000000", 0},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char *argv[6] = {(char *)"posternd"};
		int n = 1;
		if (cases[i].mark) {
			argv[n++] = (char *)"--mark-mask";
			argv[n++] = (char *)(uintptr_t)cases[i].mark;
		}
		if (cases[i].server) {
			argv[n++] = (char *)"--server-mask";
			argv[n++] = (char *)(uintptr_t)cases[i].server;
		}
		int error = parse(argv);
		if (error != (cases[i].want ? 0 : -EINVAL) ||
			(!error && options.process.server_mask != cases[i].want))
			fail_msg("case %zu: %d, 0x%x", i, error, options.process.server_mask);
	}
}

static void bypass_takes_seconds_and_durations(void **state)
{
	(void)state;
	assert_int_equal(PARSE((char *)"--bypass", (char *)"on", (char *)"--for", (char *)"90"), 0);
	assert_int_equal(options.command, OPTIONS_BYPASS);
	assert_true(options.bypass_on);
	assert_int_equal(options.bypass_seconds, 90);
	assert_int_equal(PARSE((char *)"--bypass", (char *)"on", (char *)"--for", (char *)"1h",
				 (char *)"--zone", (char *)"guest"),
		0);
	assert_int_equal(options.bypass_seconds, 3600);
	assert_string_equal(options.bypass_zone, "guest");
	assert_int_equal(
		PARSE((char *)"--bypass", (char *)"off", (char *)"--for", (char *)"1h"), -EINVAL);
}

static void a_relative_path_is_taken_from_the_current_folder(void **state)
{
	(void)state;
	assert_int_equal(PARSE((char *)"-t", (char *)"-f", (char *)"postern.conf"), 0);
	assert_int_equal(options.command, OPTIONS_CHECK);
	assert_int_equal(options.process.config[0], '/');
	assert_non_null(strstr(options.process.config, "/postern.conf"));
	free((char *)(uintptr_t)options.process.config);
}

static void a_child_gets_the_numbers_of_its_keeper(void **state)
{
	struct options_child_storage storage;
	char *argv[OPTIONS_CHILD_ARGS];
	struct process_start start = {.options = {.config = "/a/b.conf",
					      .state_dir = "/state",
					      .run_dir = "/run/x",
					      .user = "someone",
					      .foreground = true,
					      .relays = 16,
					      .mark_mask = 0x00000f00,
					      .server_mask = 0xffff0000,
					      .route_table = 4294967295,
					      .rule_priority = 32763,
					      .relay_port = 65535,
					      .queue = 65535},
		.number = 15,
		.generation = 4294967295};

	(void)state;
	static const char *const titles[] = {[PROCESS_CONTROL] = "posternd: control",
		[PROCESS_RELAY] = "posternd: relay 15",
		[PROCESS_SMTP] = "posternd: smtp 15",
		[PROCESS_HEALTH] = "posternd: health",
		[PROCESS_AUTH] = "posternd: auth",
		[PROCESS_RADIUS] = "posternd: radius",
		[PROCESS_WEB] = "posternd: web"};
	_Static_assert(sizeof(titles) / sizeof(titles[0]) == PROCESS_ROLES, "every one");
	for (enum process_role role = 0; role < PROCESS_ROLES; role++) {
		start.role = role;
		options_child_argv(&start, &storage, argv);
		assert_string_equal(argv[0], titles[role]);
		assert_int_equal(parse(argv), 0);
		assert_int_equal(options.command, OPTIONS_CHILD);
		assert_int_equal(options.start.role, role);
		assert_int_equal(options.start.number, 15);
		assert_true(options.start.generation == start.generation);
		const struct process_options *got = &options.process, *want = &start.options;
		assert_string_equal(got->config, want->config);
		assert_string_equal(got->state_dir, want->state_dir);
		assert_string_equal(got->run_dir, want->run_dir);
		assert_string_equal(got->user, want->user);
		assert_int_equal(got->foreground, want->foreground);
		assert_int_equal(got->relays, want->relays);
		assert_int_equal(got->mark_mask, want->mark_mask);
		assert_int_equal(got->server_mask, want->server_mask);
		assert_true(got->route_table == want->route_table);
		assert_int_equal(got->rule_priority, want->rule_priority);
		assert_int_equal(got->relay_port, want->relay_port);
		assert_int_equal(got->queue, want->queue);
	}
}

static void who_takes_the_place_gets_every_option(void **state)
{
	struct options_child_storage storage;
	char *argv[OPTIONS_CHILD_ARGS];
	const struct process_options want = {.config = "/a/b.conf",
		.state_dir = "/state",
		.run_dir = "/run/x",
		.user = "someone",
		.foreground = true,
		.relays = 16,
		.mark_mask = 0x0000f000,
		.server_mask = 0x00000ff0,
		.route_table = 77,
		.rule_priority = 5,
		.relay_port = 2525,
		.queue = 9};

	(void)state;
	for (int trial = 0; trial <= 1; trial++) {
		options_upgrade_argv(&want, 1048575, trial, &storage, argv);
		assert_int_equal(parse(argv), 0);
		assert_int_equal(options.command, trial ? OPTIONS_CHECK : OPTIONS_RUN);
		const struct process_options *got = &options.process;
		assert_int_equal(got->resume, 1048575);
		assert_string_equal(got->config, want.config);
		assert_string_equal(got->state_dir, want.state_dir);
		assert_string_equal(got->run_dir, want.run_dir);
		assert_string_equal(got->user, want.user);
		assert_true(got->foreground);
		assert_int_equal(got->relays, want.relays);
		assert_int_equal(got->mark_mask, want.mark_mask);
		assert_int_equal(got->server_mask, want.server_mask);
		assert_int_equal(got->route_table, want.route_table);
		assert_int_equal(got->rule_priority, want.rule_priority);
		assert_int_equal(got->relay_port, want.relay_port);
		assert_int_equal(got->queue, want.queue);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(defaults_are_those_of_the_manual),
		cmocka_unit_test(each_command_is_told),
		cmocka_unit_test(bad_values_are_refused),
		cmocka_unit_test(servers_have_bits_of_their_own),
		cmocka_unit_test(bypass_takes_seconds_and_durations),
		cmocka_unit_test(a_relative_path_is_taken_from_the_current_folder),
		cmocka_unit_test(a_child_gets_the_numbers_of_its_keeper),
		cmocka_unit_test(who_takes_the_place_gets_every_option),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
