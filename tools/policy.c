#include "tools/connection.h"
#include "tools/noun.h"
#include "tools/save.h"

#include "lib/language.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* Needs no daemon: posternd's own checker looks at the file. */
static int run_check(struct call *call, const struct verb *verb, const char **words, size_t nwords)
{
	(void)call;
	(void)verb;
	if (nwords != 3)
		return CONNECTION_USAGE;
	const char *path = strcmp(words[2], "-") == 0 ? "/dev/stdin" : words[2];
	const char *command[] = {"", "-t", "-f", path, NULL};
	return noun_run_daemon(command) == 0 ? CONNECTION_DONE : CONNECTION_REFUSED;
}

/* Runs $VISUAL, $EDITOR or vi on a file; the shell splits an editor with options. */
static int edit_file(const char *path)
{
	const char *editor = getenv("VISUAL");
	if (!editor || !*editor)
		editor = getenv("EDITOR");
	if (!editor || !*editor)
		editor = "vi";
	char command[4096];
	snprintf(command, sizeof(command), "%s \"$1\"", editor);
	pid_t pid = fork();
	if (pid == 0) {
		execl("/bin/sh", "sh", "-c", command, "sh", path, (char *)NULL);
		_exit(127);
	}
	int status = 0;
	while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return pid > 0 && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void write_text(void *context, const char *text, size_t len)
{
	fwrite(text, 1, len, context);
}

/* The running policy's source into an open file. */
static int fetch_source(struct call *call, FILE *file)
{
	static const char *const words[] = {"policy", "show", "--source"};
	struct connection_answer answer = {.on_text = write_text, .context = file};
	if (call->connection->fd < 0 && connection_open(call->connection, call->run_dir) != 0) {
		fprintf(stderr, "posternctl: no daemon answers at %s/control.sock\n",
			call->run_dir);
		return CONNECTION_NO_DAEMON;
	}
	int status = connection_ask(call->connection, words, 3, NULL, 0, &answer);
	if (*answer.error)
		fprintf(stderr, "%s\n", answer.error);
	return fflush(file) == 0 ? status : CONNECTION_REFUSED;
}

static bool ask_again(const char *path)
{
	fprintf(stderr, "not applied. Edit again? [Y/n] ");
	int c = isatty(STDIN_FILENO) ? getchar() : 'n';
	bool again = c == '\n' || c == 'y' || c == 'Y';
	while (c != '\n' && c != EOF && isatty(STDIN_FILENO))
		c = getchar();
	if (!again)
		fprintf(stderr, "the edited text is kept in %s\n", path);
	return again;
}

/* As visudo: a copy is edited, checked and applied; a refused copy is edited again or kept. */
static int run_edit(struct call *call, const struct verb *verb, const char **words, size_t nwords)
{
	uint64_t confirm_ms;
	/* before anybody types for an hour */
	if (nwords != 2 && !(nwords == 4 && strcmp(words[2], "--confirm") == 0 &&
				   language_parse_duration(words[3], &confirm_ms) == 0))
		return CONNECTION_USAGE;
	char path[] = "/tmp/postern.conf.XXXXXX";
	int fd = mkstemp(path);
	FILE *file = fd >= 0 ? fdopen(fd, "w") : NULL;
	if (!file) {
		fprintf(stderr, "posternctl: %s: %s\n", path, strerror(errno));
		return CONNECTION_REFUSED;
	}
	int status = fetch_source(call, file);
	fclose(file);
	size_t before_len = 0, after_len = 0;
	char *before = status == CONNECTION_DONE ? noun_read_file(path, &before_len) : NULL;
	while (before) {
		if (edit_file(path) != 0) {
			fprintf(stderr, "posternctl: the editor failed; the text is in %s\n", path);
			free(before);
			return CONNECTION_REFUSED;
		}
		char *after = noun_read_file(path, &after_len);
		if (!after)
			break;
		if (after_len == before_len && memcmp(before, after, after_len) == 0) {
			fputs("unchanged\n", stderr);
			free(after);
			status = CONNECTION_DONE;
			break;
		}
		const char *apply[] = {
			"policy", "apply", path, "--confirm", nwords == 4 ? words[3] : ""};
		status = noun_ask(call, verb, apply, nwords == 4 ? 5 : 3, after, after_len);
		free(after);
		if (status != CONNECTION_DONE && ask_again(path))
			continue;
		if (status != CONNECTION_DONE) {
			free(before);
			return status;
		}
		break;
	}
	free(before);
	unlink(path);
	return status;
}

static const struct verb verbs[] = {
	{"show", "[N] [--full|--source]", "the running policy, or number N, in its own language",
		TABLE_COLUMNS, VERB_NO_FILE, NULL},
	{"check", "FILE|-", "checks a file; needs no daemon", TABLE_COLUMNS, VERB_NO_FILE,
		run_check},
	{"apply", "[FILE|-] [--confirm 60s]",
		"all or nothing; with --confirm the old one returns unless confirmed in time",
		TABLE_COLUMNS, VERB_FILE, NULL},
	{"confirm", "", "keeps what was applied with --confirm", TABLE_COLUMNS, VERB_NO_FILE, NULL},
	{"edit", "[--confirm 60s]", "the running policy in $EDITOR, checked and applied",
		TABLE_COLUMNS, VERB_NO_FILE, run_edit},
	{"history", "", "the last policies as they were applied", TABLE_COLUMNS, VERB_NO_FILE,
		NULL},
	{"diff", "[N|file]", "the running policy against number N, or the file", TABLE_COLUMNS,
		VERB_NO_FILE, NULL},
	{"rollback", "[N]", "the policy before, or number N, again", TABLE_COLUMNS, VERB_NO_FILE,
		NULL},
	{"save", "[FILE]", "writes the running policy to the file; the former one becomes FILE~",
		TABLE_COLUMNS, VERB_NO_FILE, save_run},
	{0},
};

const struct noun noun_policy = {"policy", "the configuration: check, apply, history", verbs};
