/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns the command line of posternd. */
#ifndef POSTERN_DAEMON_START_OPTIONS_H
#define POSTERN_DAEMON_START_OPTIONS_H

#include "daemon/process/process.h"

enum options_command {
	OPTIONS_RUN,
	OPTIONS_CHECK,   /* -t */
	OPTIONS_BYPASS,  /* --bypass on|off: in the kernel, without a daemon */
	OPTIONS_CLEAR,   /* --clear: nothing of ours in the kernel */
	OPTIONS_CHILD,   /* started by the keeper */
	OPTIONS_DOCTOR,  /* --doctor: what can be known without a daemon */
	OPTIONS_UPGRADE, /* --upgrade: asks the keeper that runs */
	OPTIONS_HELP,
	OPTIONS_VERSION,
};

struct options {
	enum options_command command;
	struct process_options process;
	bool bypass_on;
	const char *bypass_zone;    /* NULL: all */
	uint32_t bypass_seconds;    /* 0: no end */
	struct process_start start; /* of a child; its descriptors stand at PROCESS_FD_* */
};

/* 0, or -EINVAL: the reason and a hint were written to stderr. Borrows argv. */
int options_parse(int argc, char **argv, struct options *options);
void options_print_help(void);

/* The arguments that make options_parse() give a child the same numbers and names; argv has room
 * for OPTIONS_CHILD_ARGS, texts live in storage. */
#define OPTIONS_CHILD_ARGS 28
struct options_child_storage {
	char title[32], child[48];
	char mark_mask[16], server_mask[16], route_table[16], rule_priority[16], relay_port[8],
		queue[8], relays[8];
};
void options_child_argv(const struct process_start *start, struct options_child_storage *storage,
	char *argv[static OPTIONS_CHILD_ARGS]);
/* The same for a keeper that takes the place of this one by the descriptor resume; trial: it only
 * checks the file, and whether it could. */
void options_upgrade_argv(const struct process_options *process, int resume, bool trial,
	struct options_child_storage *storage, char *argv[static OPTIONS_CHILD_ARGS]);

#endif
