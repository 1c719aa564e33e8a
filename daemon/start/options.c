/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/start/options.h"

#include "daemon/control/kernel/bypass.h"
#include "kernel-rules/plan.h"
#include "lib/language/language.h"

#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	OPT_STATE = 256,
	OPT_RUN,
	OPT_USER,
	OPT_RELAYS,
	OPT_MARK_MASK,
	OPT_SERVER_MASK,
	OPT_TABLE,
	OPT_RULE_PRIORITY,
	OPT_PORT,
	OPT_QUEUE,
	OPT_BYPASS,
	OPT_ZONE,
	OPT_FOR,
	OPT_CHILD,
	OPT_RESUME,
	OPT_COMMAND, /* plus an options_command */
};

static const struct option long_options[] = {
	{"state", required_argument, NULL, OPT_STATE},
	{"run", required_argument, NULL, OPT_RUN},
	{"user", required_argument, NULL, OPT_USER},
	{"relays", required_argument, NULL, OPT_RELAYS},
	{"mark-mask", required_argument, NULL, OPT_MARK_MASK},
	{"server-mask", required_argument, NULL, OPT_SERVER_MASK},
	{"table", required_argument, NULL, OPT_TABLE},
	{"rule-priority", required_argument, NULL, OPT_RULE_PRIORITY},
	{"port", required_argument, NULL, OPT_PORT},
	{"queue", required_argument, NULL, OPT_QUEUE},
	{"bypass", required_argument, NULL, OPT_BYPASS},
	{"zone", required_argument, NULL, OPT_ZONE},
	{"for", required_argument, NULL, OPT_FOR},
	{"clear", no_argument, NULL, OPT_COMMAND + OPTIONS_CLEAR},
	{"doctor", no_argument, NULL, OPT_COMMAND + OPTIONS_DOCTOR},
	{"child", required_argument, NULL, OPT_CHILD},
	{"resume", required_argument, NULL, OPT_RESUME},
	{"upgrade", no_argument, NULL, OPT_COMMAND + OPTIONS_UPGRADE},
	{"version", no_argument, NULL, OPT_COMMAND + OPTIONS_VERSION},
	{"help", no_argument, NULL, OPT_COMMAND + OPTIONS_HELP},
	{0},
};

void options_print_help(void)
{
	puts("usage: posternd [-d] [-t] [-f FILE] [--state DIR] [--run DIR] [--user NAME]\n"
	     "                [--relays N] [--mark-mask M] [--server-mask M] [--table N]\n"
	     "                [--rule-priority N] [--port N] [--queue N]\n"
	     "       posternd --bypass on [--zone ZONE] [--for SECONDS]\n"
	     "       posternd --bypass off [--zone ZONE]\n"
	     "       posternd --clear [--table N] [--run DIR]\n"
	     "       posternd --upgrade [--run DIR]\n"
	     "       posternd --doctor [--state DIR] [--run DIR]\n"
	     "\n"
	     "  -d             stay in the foreground and log to stderr\n"
	     "  -t             check the file and exit: 0 good, 1 bad\n"
	     "  -f FILE        configuration, /etc/postern/postern.conf\n"
	     "  --state DIR    policy, sessions, lists and audit, /var/lib/postern\n"
	     "  --run DIR      control sockets, /run/postern\n"
	     "  --user NAME    whom the processes run as, postern\n"
	     "  --relays N     relay processes, one per core\n"
	     "  --mark-mask M  four neighbouring bits of packet and connection marks, 0xf0000000\n"
	     "  --server-mask M  neighbouring bits beside them, 0x0fff0000: which server the "
	     "kernel\n"
	     "                 itself takes a connection to (path kernel)\n"
	     "  --table N      routing table, 4025\n"
	     "  --rule-priority N  the first of three ip rules stands there; else they stay in\n"
	     "                 front of other programs' rules\n"
	     "  --port N       port of the relays, 4025\n"
	     "  --queue N      number of the packet queue, 4025\n"
	     "  --bypass       let everything pass for 1h (--for), or end that, in the kernel:\n"
	     "                 needs no daemon\n"
	     "  --clear        take away what a stopped daemon left in the kernel\n"
	     "  --upgrade      the posternd that runs executes the program file as it is now:\n"
	     "                 no connection is lost or refused\n"
	     "  --doctor       what can be known without a daemon, for posternctl doctor\n"
	     "  --version, --help");
}

static int refuse(const char *what, const char *value, const char *wanted)
{
	fprintf(stderr, "posternd: %s \"%s\": %s\n", what, value, wanted);
	return -EINVAL;
}

static int parse_number(const char *what, const char *text, unsigned long min, unsigned long max,
	unsigned long *number)
{
	char *end, wanted[80];

	errno = 0;
	*number = strtoul(text, &end, 0);
	if (text[0] >= '0' && text[0] <= '9' && !*end && !errno && *number >= min && *number <= max)
		return 0;
	snprintf(wanted, sizeof(wanted), "a number from %lu to %lu is expected", min, max);
	return refuse(what, text, wanted);
}

static int parse_mark_mask(const char *text, uint32_t *mask)
{
	char *end;

	errno = 0;
	unsigned long number = strtoul(text, &end, 0);
	for (unsigned shift = 0; text[0] >= '0' && text[0] <= '9' && !*end && !errno && shift <= 28;
		shift++) {
		if (number == 0xfUL << shift) {
			*mask = (uint32_t)number;
			return 0;
		}
	}
	return refuse("--mark-mask", text,
		"four neighbouring bits are expected, such as 0xf0000000 or 0x00000f00");
}

static int parse_server_mask(const char *text, uint32_t *mask)
{
	char *end;

	errno = 0;
	unsigned long number = strtoul(text, &end, 0), low = number & -number;
	/* no gap: with the lowest bit added they carry into one */
	if (text[0] >= '0' && text[0] <= '9' && !*end && !errno && number && number <= UINT32_MAX &&
		((number + low) & number) == 0) {
		*mask = (uint32_t)number;
		return 0;
	}
	return refuse("--server-mask", text,
		"neighbouring bits are expected, such as 0x0fff0000 or 0x000000ff");
}

static int parse_table(const char *text, uint32_t *table)
{
	unsigned long number;

	if (parse_number("--table", text, 1, UINT32_MAX, &number) < 0)
		return -EINVAL;
	if (number >= 253 && number <= 255)
		return refuse("--table", text, "this is one of the system's own tables");
	*table = (uint32_t)number;
	return 0;
}

/* "ROLE:NUMBER:GENERATION" */
static int parse_child(const char *text, struct options *options)
{
	struct process_start *start = &options->start;
	char name[16], end;

	options->command = OPTIONS_CHILD;
	if (sscanf(text, "%15[a-z]:%u:%u%c", name, &start->number, &start->generation, &end) != 3 ||
		start->number >= PROCESS_NUMBERS_MAX ||
		(start->role = roles_find(name)) == PROCESS_ROLES)
		return refuse("--child", text, "only posternd itself starts its processes");
	return 0;
}

static int parse_bypass(const char *text, struct options *options)
{
	options->command = OPTIONS_BYPASS;
	options->bypass_on = strcmp(text, "on") == 0;
	if (!options->bypass_on && strcmp(text, "off") != 0)
		return refuse("--bypass", text, "on or off is expected");
	return 0;
}

static int parse_zone(const char *text, const char **zone)
{
	*zone = text;
	if (!*text || strlen(text) >= POLICY_NAME_SIZE)
		return refuse("--zone", text, "the name of a zone is expected");
	return 0;
}

static int parse_seconds(const char *text, uint32_t *seconds)
{
	uint64_t ms;
	char *end;

	errno = 0;
	unsigned long number = strtoul(text, &end, 10);
	if (text[0] >= '0' && text[0] <= '9' && !*end && !errno)
		ms = number <= UINT32_MAX ? (uint64_t)number * 1000 : UINT64_MAX;
	else if (language_parse_duration(text, &ms) < 0)
		return refuse("--for", text, "seconds are expected, or a duration such as 1h");
	if (ms < 1000 || ms / 1000 > BYPASS_MAX_S)
		return refuse("--for", text, "from one second to 30 days are possible");
	*seconds = (uint32_t)(ms / 1000);
	return 0;
}

/* The daemon leaves the folder that it was started in. Storage is for the life of the program. */
static int parse_path(const char *what, const char *text, const char **path)
{
	char folder[PATH_MAX], *absolute;

	*path = text;
	if (!*text)
		return refuse(what, text, "a path is expected");
	if (*text == '/')
		return 0;
	if (!getcwd(folder, sizeof(folder)) || asprintf(&absolute, "%s/%s", folder, text) < 0)
		return refuse(what, text, "the current folder cannot be found");
	*path = absolute;
	return 0;
}

static int parse_option(int letter, const char *text, struct options *options)
{
	struct process_options *process = &options->process;
	unsigned long number = 0;
	int error = 0;

	if (letter >= OPT_COMMAND) {
		options->command = (enum options_command)(letter - OPT_COMMAND);
		return 0;
	}
	switch (letter) {
	case 'd':
		process->foreground = true;
		break;
	case 't':
		options->command = OPTIONS_CHECK;
		break;
	case 'f':
		error = parse_path("-f", text, &process->config);
		break;
	case OPT_STATE:
		error = parse_path("--state", text, &process->state_dir);
		break;
	case OPT_RUN:
		error = parse_path("--run", text, &process->run_dir);
		break;
	case OPT_USER:
		process->user = text;
		break;
	case OPT_RELAYS:
		error = parse_number("--relays", text, 1, PROCESS_RELAYS_MAX, &number);
		process->relays = (unsigned)number;
		break;
	case OPT_MARK_MASK:
		error = parse_mark_mask(text, &process->mark_mask);
		break;
	case OPT_SERVER_MASK:
		error = parse_server_mask(text, &process->server_mask);
		break;
	case OPT_TABLE:
		error = parse_table(text, &process->route_table);
		break;
	case OPT_RULE_PRIORITY:
		error = parse_number("--rule-priority", text, 1, PLAN_RULE_PRIORITY_MAX, &number);
		process->rule_priority = (uint32_t)number;
		break;
	case OPT_PORT:
		error = parse_number("--port", text, 1024, 65535, &number);
		process->relay_port = (uint16_t)number;
		break;
	case OPT_QUEUE:
		error = parse_number("--queue", text, 0, 65535, &number);
		process->queue = (uint16_t)number;
		break;
	case OPT_BYPASS:
		error = parse_bypass(text, options);
		break;
	case OPT_ZONE:
		error = parse_zone(text, &options->bypass_zone);
		break;
	case OPT_FOR:
		error = parse_seconds(text, &options->bypass_seconds);
		break;
	case OPT_CHILD:
		error = parse_child(text, options);
		break;
	case OPT_RESUME:
		error = parse_number("--resume", text, 3, 1048575, &number);
		process->resume = (int)number;
		break;
	default: /* getopt has said what is wrong */
		error = -EINVAL;
	}
	return error;
}

/* Where --server-mask is not given: who has chosen a place for the other one need not choose twice.
 */
static uint32_t server_mask_beside(uint32_t mark_mask)
{
	return !(mark_mask & 0x0fff0000)   ? 0x0fff0000
	       : !(mark_mask & 0x0000fff0) ? 0x0000fff0
					   : 0xfff00000;
}

static int check_together(const struct options *options)
{
	if (options->command != OPTIONS_BYPASS && (options->bypass_zone || options->bypass_seconds))
		fputs("posternd: --zone and --for belong to --bypass\n", stderr);
	else if (options->bypass_seconds && !options->bypass_on)
		fputs("posternd: --for belongs to --bypass on\n", stderr);
	else if (options->process.mark_mask & options->process.server_mask)
		fprintf(stderr,
			"posternd: --mark-mask 0x%x and --server-mask 0x%x have bits in common: "
			"each needs bits of its own\n",
			options->process.mark_mask, options->process.server_mask);
	else
		return 0;
	return -EINVAL;
}

static unsigned cores(void)
{
	long n = sysconf(_SC_NPROCESSORS_ONLN);
	return n < 1 ? 1 : n > PROCESS_RELAYS_MAX ? PROCESS_RELAYS_MAX : (unsigned)n;
}

int options_parse(int argc, char **argv, struct options *options)
{
	*options = (struct options){
		.command = OPTIONS_RUN,
		.process = {.config = "/etc/postern/postern.conf",
			.state_dir = "/var/lib/postern",
			.run_dir = "/run/postern",
			.user = "postern",
			.relays = cores(),
			.mark_mask = 0xf0000000,
			.route_table = 4025,
			.relay_port = 4025,
			.queue = 4025,
			.resume = -1},
	};
	int error = 0, letter;
	while (!error && (letter = getopt_long(argc, argv, "dtf:", long_options, NULL)) != -1)
		error = parse_option(letter, optarg, options);
	if (!error && optind < argc)
		error = refuse("argument", argv[optind], "nothing is expected here");
	if (!error && !options->process.server_mask)
		options->process.server_mask = server_mask_beside(options->process.mark_mask);
	if (!error)
		error = check_together(options);
	if (error)
		fputs("posternd: see posternd --help\n", stderr);
	return error;
}

#define NUMBER(name, format, value) \
	(snprintf(storage->name, sizeof(storage->name), format, value), storage->name)
#define WORD(text) ((char *)(uintptr_t)(text))

/* The words that stand for every option; NULL follows. */
static void put_options(const struct process_options *process,
	struct options_child_storage *storage, char **argv, int n)
{
	argv[n++] = WORD("-f");
	argv[n++] = WORD(process->config);
	argv[n++] = WORD("--state");
	argv[n++] = WORD(process->state_dir);
	argv[n++] = WORD("--run");
	argv[n++] = WORD(process->run_dir);
	argv[n++] = WORD("--user");
	argv[n++] = WORD(process->user);
	argv[n++] = WORD("--relays");
	argv[n++] = NUMBER(relays, "%u", process->relays);
	argv[n++] = WORD("--mark-mask");
	argv[n++] = NUMBER(mark_mask, "0x%x", process->mark_mask);
	/* the program that follows may be one that has no such word */
	if (process->server_mask != server_mask_beside(process->mark_mask)) {
		argv[n++] = WORD("--server-mask");
		argv[n++] = NUMBER(server_mask, "0x%x", process->server_mask);
	}
	argv[n++] = WORD("--table");
	argv[n++] = NUMBER(route_table, "%u", process->route_table);
	if (process->rule_priority) {
		argv[n++] = WORD("--rule-priority");
		argv[n++] = NUMBER(rule_priority, "%u", process->rule_priority);
	}
	argv[n++] = WORD("--port");
	argv[n++] = NUMBER(relay_port, "%u", process->relay_port);
	argv[n++] = WORD("--queue");
	argv[n++] = NUMBER(queue, "%u", process->queue);
	if (process->foreground)
		argv[n++] = WORD("-d");
	argv[n] = NULL;
}

void options_upgrade_argv(const struct process_options *process, int resume, bool trial,
	struct options_child_storage *storage, char *argv[static OPTIONS_CHILD_ARGS])
{
	int n = 0;

	argv[n++] = WORD("posternd");
	if (trial)
		argv[n++] = WORD("-t");
	argv[n++] = WORD("--resume");
	argv[n++] = NUMBER(child, "%d", resume);
	put_options(process, storage, argv, n);
}

void options_child_argv(const struct process_start *start, struct options_child_storage *storage,
	char *argv[static OPTIONS_CHILD_ARGS])
{
	char name[16];
	int n = 0;

	argv[n++] = NUMBER(title, "posternd: %s", roles_title(start->role, start->number, name));
	argv[n++] = WORD("--child");
	snprintf(storage->child, sizeof(storage->child), "%s:%u:%u", roles[start->role].name,
		start->number, start->generation);
	argv[n++] = storage->child;
	put_options(&start->options, storage, argv, n);
}
