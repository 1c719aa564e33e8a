/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Starts what the command line asks for, and nothing else. */
#include "daemon/keeper/keeper.h"
#include "daemon/start/alone.h"
#include "daemon/start/check.h"
#include "daemon/start/clear.h"
#include "daemon/start/options.h"
#include "daemon/start/upgrade.h"
#include "lib/base/terminal.h"
#include "lib/version.h"

#include <stdio.h>
#include <unistd.h>

/* The file, and in an upgrade in place whether this program could take over. */
static int check_all(const struct process_options *options)
{
	int can_resume = options->resume < 0 ? 0 : keeper_resume_try(options);

	if (can_resume != 0 && can_resume != KEEPER_UPGRADE_FOREIGN)
		return can_resume;
	int status = check_main(options);
	return status ? status : can_resume;
}

/* What is done and over, unlike the daemon. */
static int run_once(const struct options *options)
{
	switch (options->command) {
	case OPTIONS_CHECK:
		return check_all(&options->process);
	case OPTIONS_UPGRADE:
		return upgrade_main(&options->process);
	case OPTIONS_BYPASS:
		return keeper_bypass_main(options->process.state_dir, options->bypass_on,
			options->bypass_zone, options->bypass_seconds);
	case OPTIONS_CLEAR:
		return clear_main(&options->process);
	case OPTIONS_DOCTOR:
		return alone_main(&options->process);
	case OPTIONS_HELP:
		options_print_help();
		return 0;
	case OPTIONS_VERSION:
		puts("posternd " POSTERN_VERSION);
		return 0;
	case OPTIONS_RUN:
	case OPTIONS_CHILD:
		break;
	}
	return 2;
}

int main(int argc, char **argv)
{
	struct options options;
	struct terminal terminal;
	int status = 2;

	terminal_guard(&terminal, isatty(STDOUT_FILENO));
	if (options_parse(argc, argv, &options) == 0) {
		if (options.command == OPTIONS_RUN)
			return keeper_main(&options.process);
		if (options.command == OPTIONS_CHILD)
			return process_child_main(&options.process, &options.start);
		status = run_once(&options);
	}
	return terminal_end(&terminal, "posternd", status);
}
