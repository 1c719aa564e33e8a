/* posternctl: the operator's hand on posternd. Reads what stands in front of the noun. */
#include "tools/complete.h"
#include "tools/file.h"
#include "tools/help.h"
#include "tools/noun.h"

#include "lib/language.h"
#include "lib/terminal.h"

#include "lib/language.h"

#include <errno.h>
#include <locale.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Splits a batch line into words as a shell would: blanks, quotes, backslash, '#'. Changes the
 * line. Count, or -1 with an open quote or too many words. */
static int split_line(char *line, const char **words, int room)
{
	int n = 0;
	char *in = line, *out = line;
	for (;;) {
		while (*in == ' ' || *in == '\t' || *in == '\n' || *in == '\r')
			in++;
		if (!*in || *in == '#')
			return n;
		if (n == room)
			return -1;
		words[n++] = out;
		char quote = '\0';
		for (; *in && (quote || !strchr(" \t\r\n", *in)); in++) {
			if (quote ? *in == quote : (*in == '"' || *in == '\''))
				quote = quote ? '\0' : *in;
			else if (*in == '\\' && in[1] && quote != '\'')
				*out++ = *++in;
			else
				*out++ = *in;
		}
		if (quote)
			return -1;
		if (*in)
			in++;
		*out++ = '\0';
	}
}

/* One command a line over one connection. Ends at the first that is refused. */
static int run_batch(struct call *call, const char *path)
{
	FILE *file = file_open(path);
	if (!file) {
		fprintf(stderr, "posternctl: %s: %s\n", path, language_read_error(-errno));
		return CONNECTION_REFUSED;
	}
	static const char *words[REQUEST_WORDS_MAX];
	char *line = NULL;
	size_t room = 0;
	unsigned number = 0;
	int status = CONNECTION_DONE;
	while (status == CONNECTION_DONE && getline(&line, &room, file) >= 0) {
		number++;
		int n = split_line(line, words, REQUEST_WORDS_MAX);
		if (n < 0) {
			fprintf(stderr, "an open quote, or too many words\n");
			status = CONNECTION_USAGE;
		} else if (n > 0) {
			status = noun_run(call, words, (size_t)n);
		}
		if (status != CONNECTION_DONE)
			fprintf(stderr, "%s:%u: stopped here; the lines before it are done\n",
				strcmp(path, "-") == 0 ? "<standard input>" : path, number);
	}
	free(line);
	if (file != stdin)
		fclose(file);
	return status;
}

struct options {
	const char *batch;
	bool complete;
	int status; /* -1: go on */
};

static int take_wait(struct call *call, const char *word)
{
	uint64_t ms;
	if (language_parse_duration(word, &ms) < 0 || ms < 1000 || ms > 86400000)
		return call_fail(
			call, OUTCOME_USAGE, NULL, "--wait takes a time of 1s to 1d, not %s", word);
	call->wait_s = (unsigned)(ms / 1000);
	return -1;
}

/* What stands in front of the noun. Returns the index of the first word behind. */
static int take_options(struct call *call, struct options *options, int argc, char **argv)
{
	int i = 1;
	options->status = -1;
	for (; i < argc && argv[i][0] == '-' && argv[i][1] && options->status < 0; i++) {
		const char *option = argv[i];
		bool run = strcmp(option, "--run") == 0, file = strcmp(option, "-b") == 0;
		bool wait = strcmp(option, "--wait") == 0;
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
		} else if ((run || file) && i + 1 < argc) {
			*(run ? &call->run_dir : &options->batch) = argv[++i];
		} else if (run || file || wait) {
			options->status = call_fail(
				call, OUTCOME_USAGE, NULL, "a value is expected behind %s", option);
		} else {
			options->status = call_fail(
				call, OUTCOME_USAGE, NULL, "no such option \"%s\"", option);
			help_show(stderr);
		}
	}
	return i;
}

int main(int argc, char **argv)
{
	static const char *const status_words[] = {"status"};
	struct connection connection = {.fd = -1};
	struct call call = {.run_dir = "/run/postern", .connection = &connection};
	struct options options = {0};
	setlocale(LC_ALL, "");
	terminal_guard(isatty(STDOUT_FILENO));
	signal(SIGPIPE, SIG_IGN);
	int i = take_options(&call, &options, argc, argv);
	const char *const *words = (const char *const *)&argv[i];
	size_t nwords = (size_t)(argc - i);
	int status = options.status;
	if (status >= 0)
		return status;
	call.by_hand =
		!call.json && !options.batch && isatty(STDIN_FILENO) && isatty(STDOUT_FILENO);
	if (options.complete)
		complete_run(&call, words, nwords);
	else if (options.batch && nwords)
		status = call_fail(&call, OUTCOME_USAGE, NULL,
			"-b takes its commands from the file, not %s", words[0]);
	else if (options.batch)
		status = run_batch(&call, options.batch);
	else
		status = nwords ? noun_run(&call, words, nwords) : noun_run(&call, status_words, 1);
	connection_close(&connection);
	return status < 0 ? CONNECTION_DONE : status;
}
