/* SPDX-License-Identifier: GPL-2.0-or-later */
/* posternctl: the operator's hand on posternd. Reads what stands in front of the noun. */
#include "tools/posternctl/batch.h"
#include "tools/posternctl/file.h"
#include "tools/posternctl/noun.h"
#include "tools/posternctl/show/complete.h"
#include "tools/posternctl/show/help.h"

#include "lib/base/terminal.h"
#include "lib/base/text.h"
#include "lib/language/language.h"
#include "lib/version.h"

#include <errno.h>
#include <locale.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct options {
	const char *batch;
	bool complete;
	int status; /* -1: go on */
};

static int take_wait(struct call *call, const char *word)
{
	uint64_t ms;
	char cut[TEXT_CUT_SIZE];
	if (language_parse_duration(word, &ms) < 0 || ms < 1000 || ms > 86400000)
		return call_fail(call, OUTCOME_USAGE, NULL,
			"--wait takes a time of 1s to 1d, not %s", text_cut(word, cut));
	call->wait_s = (unsigned)(ms / 1000);
	return -1;
}

/* What stands in front of the noun. Returns the index of the first word behind. */
static int take_options(struct call *call, struct options *options, int argc, char **argv)
{
	char cut[TEXT_CUT_SIZE];
	int i = 1;
	options->status = -1;
	for (; i < argc && argv[i][0] == '-' && argv[i][1] && options->status < 0; i++) {
		const char *option = argv[i];
		bool run = strcmp(option, "--run") == 0, file = strcmp(option, "-b") == 0;
		bool wait = strcmp(option, "--wait") == 0, queue = strcmp(option, "--queue") == 0;
		if (strcmp(option, "-j") == 0) {
			call->json = true;
		} else if (strcmp(option, "--complete") == 0) {
			options->complete = true;
			return i + 1;
		} else if (strcmp(option, "--help") == 0 || strcmp(option, "-h") == 0) {
			help_show(stdout);
			options->status = CONNECTION_DONE;
		} else if (strcmp(option, "--version") == 0) {
			puts("posternctl " POSTERN_VERSION);
			options->status = CONNECTION_DONE;
		} else if (wait && i + 1 < argc) {
			options->status = take_wait(call, argv[++i]);
		} else if ((run || file || queue) && i + 1 < argc) {
			*(run           ? &call->run_dir
				: queue ? &call->queue_dir
					: &options->batch) = argv[++i];
		} else if (run || file || wait || queue) {
			options->status = call_fail(
				call, OUTCOME_USAGE, NULL, "a value is expected behind %s", option);
		} else {
			options->status = call_fail(call, OUTCOME_USAGE, NULL,
				"no such option \"%s\"", text_cut(option, cut));
			help_show(stderr);
		}
	}
	return i;
}

static int run(struct call *call, int argc, char **argv)
{
	static const char *const status_words[] = {"status"};
	struct options options = {0};
	char cut[TEXT_CUT_SIZE];
	int i = take_options(call, &options, argc, argv);
	const char *const *words = (const char *const *)&argv[i];
	size_t nwords = (size_t)(argc - i);
	if (options.status >= 0)
		return options.status;
	call->by_hand =
		!call->json && !options.batch && isatty(STDIN_FILENO) && isatty(STDOUT_FILENO);
	if (options.complete) {
		complete_run(call, words, nwords);
		return CONNECTION_DONE;
	}
	if (options.batch && nwords)
		return call_fail(call, OUTCOME_USAGE, NULL,
			"-b takes its commands from the file, not %s", text_cut(words[0], cut));
	if (options.batch)
		return batch_run(call, options.batch);
	return nwords ? noun_run(call, words, nwords) : noun_run(call, status_words, 1);
}

int main(int argc, char **argv)
{
	struct connection connection = {.fd = -1};
	struct call call = {.run_dir = "/run/postern",
		.queue_dir = "/etc/postern/queue",
		.connection = &connection};
	struct terminal terminal;
	setlocale(LC_ALL, "");
	terminal_guard(&terminal, isatty(STDOUT_FILENO));
	signal(SIGPIPE, SIG_IGN);
	int status = run(&call, argc, argv);
	connection_close(&connection);
	return terminal_end(&terminal, "posternctl", status);
}
