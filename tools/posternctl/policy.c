/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/posternctl/daemon.h"
#include "tools/posternctl/file.h"
#include "tools/posternctl/noun.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

/* What was read of standard input is to be read there again. */
static bool stand_in(const char *text, size_t len)
{
	int fd = memfd_create("policy", 0);
	bool good = fd >= 0 && write(fd, text, len) == (ssize_t)len &&
		    lseek(fd, 0, SEEK_SET) == 0 && dup2(fd, STDIN_FILENO) >= 0;
	if (fd >= 0)
		close(fd);
	return good;
}

/* Needs no daemon: posternd's own checker looks at the file. */
int policy_check(struct call *call, const struct verb *verb, const struct verb_words *given,
	const char *const *words, size_t nwords)
{
	const char *path = verb_value(given, "FILE|-");
	const char *command[] = {"", "-t", "-f", strcmp(path, "-") ? path : "/dev/stdin", NULL};
	char wrong[FILE_WRONG_SIZE];
	size_t len;
	char *text = file_read(path, &len, wrong);
	if (!text)
		return call_fail(call, OUTCOME_REFUSED, NULL, "%s", wrong);
	bool stands = strcmp(path, "-") != 0 || stand_in(text, len);
	free(text);
	if (!stands)
		return call_fail(call, OUTCOME_REFUSED, NULL, "%s", strerror(errno));
	if (len == 0)
		return call_fail(call, OUTCOME_EMPTY, NULL, "%s is empty",
			strcmp(path, "-") ? path : "<standard input>");
	(void)verb;
	(void)words;
	(void)nwords;
	int status = daemon_run(command, -1);
	if (status && call->json)
		return call_fail(call, OUTCOME_SYNTAX, NULL, "%s is not good", path);
	return status ? CONNECTION_REFUSED : call_done(call, OUTCOME_DONE, false, "");
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

/* The running policy's source into an open file, and its number. */
static int fetch_source(struct call *call, FILE *file, unsigned long long *number)
{
	static const char *const words[] = {"policy", "show", "--source"};
	static struct connection_answer answer;
	int status = call_open(call, NULL);
	if (status)
		return status;
	answer = (struct connection_answer){.on_text = write_text, .context = file};
	status = connection_ask(call->connection, words, 3, NULL, 0, &answer);
	call_show_error(&answer);
	call_outcome(&answer, status, number);
	free(answer.outcome);
	return fflush(file) == 0 ? status : CONNECTION_REFUSED;
}

static bool ask_again(const char *path)
{
	fprintf(stderr, "posternctl: not applied. Edit again? [Y/n] ");
	int c = isatty(STDIN_FILENO) ? getchar() : 'n';
	bool again = c == '\n' || c == 'y' || c == 'Y';
	while (c != '\n' && c != EOF && isatty(STDIN_FILENO))
		c = getchar();
	if (!again)
		fprintf(stderr, "posternctl: the edited text is kept in %s\n", path);
	return again;
}

/* The edited text to control, again and again while it is refused and somebody wants to go on.
 * base: the number that it was made from. */
static int apply_edited(struct call *call, const struct verb *verb, const struct verb_words *given,
	const char *path, unsigned long long base, const char *before, size_t before_len)
{
	const char *confirm = verb_value(given, "--confirm");
	char wrong[FILE_WRONG_SIZE], number[32];
	snprintf(number, sizeof(number), "%llu", base);
	for (;;) {
		size_t len;
		if (edit_file(path) != 0)
			return call_fail(call, OUTCOME_REFUSED, NULL,
				"the editor failed; the text is in %s", path);
		char *after = file_read(path, &len, wrong);
		if (!after)
			return call_fail(call, OUTCOME_REFUSED, NULL, "%s", wrong);
		if (len == before_len && memcmp(before, after, len) == 0) {
			free(after);
			unlink(path);
			return call_done(call, OUTCOME_UNCHANGED, false, "unchanged");
		}
		const char *apply[9] = {"policy", "apply", path, "--base", number};
		size_t n = 5;
		if (verb_value(given, "--allow-open"))
			apply[n++] = "--allow-open";
		if (verb_value(given, "--allow-empty"))
			apply[n++] = "--allow-empty";
		if (confirm) {
			apply[n++] = "--confirm";
			apply[n++] = confirm;
		}
		int status = call_ask(call, verb, apply, n, after, len);
		free(after);
		if (status == CONNECTION_DONE)
			unlink(path);
		if (status == CONNECTION_DONE || !ask_again(path))
			return status;
	}
}

/* As visudo: a copy is edited, checked and applied; a refused copy is edited again or kept. */
int policy_edit(struct call *call, const struct verb *verb, const struct verb_words *given,
	const char *const *words, size_t nwords)
{
	char path[] = "/tmp/postern.conf.XXXXXX", wrong[FILE_WRONG_SIZE];
	size_t len;
	(void)words;
	(void)nwords;
	int fd = mkstemp(path);
	FILE *file = fd >= 0 ? fdopen(fd, "w") : NULL;
	if (!file)
		return call_fail(call, OUTCOME_REFUSED, NULL, "%s: %s", path, strerror(errno));
	unsigned long long base = 0;
	int status = fetch_source(call, file, &base);
	fclose(file);
	char *before = status == CONNECTION_DONE ? file_read(path, &len, wrong) : NULL;
	if (before)
		status = apply_edited(call, verb, given, path, base, before, len);
	else
		unlink(path);
	free(before);
	return status;
}
