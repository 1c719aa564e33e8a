/* posternctl: the operator's hand on posternd. Parses what all nouns share. */
#include "tools/connection.h"
#include "tools/noun.h"

#include <errno.h>
#include <locale.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

static int refuse(const char *what, const char *word)
{
	fprintf(stderr, "posternctl: %s%s%s\n", what, word ? " " : "", word ? word : "");
	noun_help(NULL, stderr);
	return CONNECTION_USAGE;
}

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
	FILE *file = strcmp(path, "-") == 0 ? stdin : fopen(path, "r");
	if (!file) {
		fprintf(stderr, "posternctl: %s: %s\n", path, strerror(errno));
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

int main(int argc, char **argv)
{
	struct connection connection = {.fd = -1};
	struct call call = {.run_dir = "/run/postern", .connection = &connection};
	const char *batch = NULL;
	static const char *const status_words[] = {"status"};
	int i = 1;

	setlocale(LC_ALL, "");
	signal(SIGPIPE, SIG_IGN);
	for (; i < argc && argv[i][0] == '-' && argv[i][1]; i++) {
		const char *option = argv[i];
		bool run = strcmp(option, "--run") == 0, file = strcmp(option, "-b") == 0;
		if (strcmp(option, "-j") == 0) {
			call.json = true;
		} else if (strcmp(option, "--help") == 0 || strcmp(option, "-h") == 0) {
			noun_help(NULL, stdout);
			return CONNECTION_DONE;
		} else if (strcmp(option, "--version") == 0) {
			puts("posternctl " POSTERN_VERSION);
			return CONNECTION_DONE;
		} else if (run || file) {
			if (++i == argc)
				return refuse("a value is expected behind", option);
			*(run ? &call.run_dir : &batch) = argv[i];
		} else {
			return refuse("no such option", option);
		}
	}
	if (batch && i < argc)
		return refuse("-b takes its commands from the file, not", argv[i]);

	int status;
	if (batch)
		status = run_batch(&call, batch);
	else if (i == argc)
		status = noun_run(&call, (const char **)status_words, 1);
	else
		status = noun_run(&call, (const char **)&argv[i], (size_t)(argc - i));
	connection_close(&connection);
	return status;
}
