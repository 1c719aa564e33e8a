/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The queue beside Postern, a Postfix instance (package postern-queue): Postfix's own programs show
 * and change it, and control knows whose each message is by the id that it was queued under. */
#include "tools/posternctl/noun.h"
#include "tools/posternctl/queue_entries.h"
#include "tools/posternctl/show/rows.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define POSTQUEUE "/usr/sbin/postqueue"
#define POSTSUPER "/usr/sbin/postsuper"
#define POSTCONF  "/usr/sbin/postconf"
#define POSTKICK  "/usr/sbin/postkick"
/* hosts taken for dead, too; whatever its time; of the deferred queue (qmgr(8)) */
#define QMGR_FLUSH "FAD"
#define SAID_MAX   4096 /* what is kept of a program's words */

/* A program whose output is read. No shell is asked. */
struct program {
	pid_t pid;
	FILE *out;
};

/* errors: what it says of them is read, too. false: errno. */
static bool program_begin(struct program *program, char *const *argv, bool errors)
{
	int ends[2];

	if (pipe(ends) != 0)
		return false;
	program->pid = fork();
	if (program->pid == 0) {
		dup2(ends[1], STDOUT_FILENO);
		if (errors)
			dup2(ends[1], STDERR_FILENO);
		close(ends[0]);
		close(ends[1]);
		execv(argv[0], argv);
		fprintf(stderr, "%s: %s\n", argv[0], strerror(errno));
		_exit(127);
	}
	close(ends[1]);
	program->out = program->pid > 0 ? fdopen(ends[0], "r") : NULL;
	if (program->out)
		return true;
	close(ends[0]);
	return false;
}

/* Its exit status; 127: it did not run, or was killed. */
static int program_end(struct program *program)
{
	int status = 0;

	fclose(program->out);
	while (waitpid(program->pid, &status, 0) < 0 && errno == EINTR)
		continue;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 127;
}

/* -1: there is a queue, and whoever asks may; else the exit status after a message. */
static int refuse(struct call *call)
{
	char path[4096];

	if (geteuid() != 0)
		return call_fail(
			call, OUTCOME_DENIED, NULL, "the queue is root's, as every Postfix's is");
	snprintf(path, sizeof(path), "%.4000s/main.cf", call->queue_dir);
	if (access(path, R_OK) != 0)
		return call_fail(call, OUTCOME_ABSENT, NULL,
			"there is no queue here: %.4000s: %s (package postern-queue)", path,
			strerror(errno));
	if (access(POSTQUEUE, X_OK) != 0 || access(POSTSUPER, X_OK) != 0)
		return call_fail(call, OUTCOME_ABSENT, NULL, "there is no Postfix here: %s: %s",
			POSTQUEUE, strerror(errno));
	return -1;
}

/* Runs a program to its end and keeps the beginning of what it says. Its exit status. */
static int run(char *const *argv, char said[static SAID_MAX])
{
	struct program program;
	size_t used = 0, n;
	char rest[1024];

	if (!program_begin(&program, argv, true)) {
		snprintf(said, SAID_MAX, "%s: %s", argv[0], strerror(errno));
		return 127;
	}
	/* the last words are those that count: older ones give way */
	while ((n = fread(rest, 1, sizeof(rest), program.out)) > 0) {
		if (used + n >= SAID_MAX) {
			memmove(said, said + sizeof(rest), used - sizeof(rest));
			used -= sizeof(rest);
		}
		memcpy(said + used, rest, n);
		used += n;
	}
	said[used] = '\0';
	return program_end(&program);
}

/* The last line, as it stands behind a colon. */
static const char *last_line(char said[static SAID_MAX])
{
	size_t len = strlen(said);

	while (len && said[len - 1] == '\n')
		said[--len] = '\0';
	char *line = strrchr(said, '\n');
	return line ? line + 1 : said;
}

/* Postfix makes its folders when it is started first, and its programs fail without them. */
static bool never_began(struct call *call)
{
	char *argv[] = {POSTCONF, "-c", (char *)call->queue_dir, "-h", "queue_directory", NULL};
	char said[SAID_MAX], path[SAID_MAX + 16];

	if (run(argv, said) != 0)
		return false;
	snprintf(path, sizeof(path), "%s/active", last_line(said));
	return access(path, F_OK) != 0 && errno == ENOENT;
}

/* ---- show ---- */

struct known {
	json_t *row; /* what control says of a message; NULL: nothing */
};

static void take_known(void *context, const char *json, size_t len)
{
	struct known *known = context;

	if (!known->row)
		known->row = json_loadb(json, len, 0, NULL);
}

/* Whose message it is: of several that servers gave this id the newest. */
static json_t *ask_control(struct call *call, const char *queue_id)
{
	static struct connection_answer answer;
	const char *const words[] = {"message", "show", "queue", queue_id, "--whole"};
	struct known known = {NULL};

	answer = (struct connection_answer){.on_row = take_known, .context = &known};
	if (call->connection->fd < 0)
		return NULL;
	if (connection_ask(call->connection, words, sizeof(words) / sizeof(*words), NULL, 0,
		    &answer) == CONNECTION_NO_DAEMON)
		connection_close(call->connection);
	free(answer.outcome);
	return known.row;
}

static json_t *member(const json_t *object, const char *name)
{
	json_t *value = json_object_get(object, name);

	return value ? json_incref(value) : json_null();
}

static json_t *first_of(const json_t *recipients, const char *name)
{
	return member(json_array_get(recipients, 0), name);
}

/* An entry of postqueue's, in our words, with what control knows. */
static json_t *make_row(struct call *call, const json_t *entry)
{
	const char *id = json_string_value(json_object_get(entry, "queue_id"));
	const char *sender = json_string_value(json_object_get(entry, "sender"));
	const json_t *recipients = json_object_get(entry, "recipients");
	json_t *known = ask_control(call, id ? id : ""), *row = json_object();

	json_object_set_new(row, "queue_id", member(entry, "queue_id"));
	json_object_set_new(row, "queue", member(entry, "queue_name"));
	json_object_set_new(row, "arrived_at", member(entry, "arrival_time"));
	json_object_set_new(row, "message", member(known, "message"));
	json_object_set_new(row, "user", member(known, "user"));
	json_object_set_new(row, "client", member(known, "client"));
	json_object_set_new(row, "sender",
		sender && *sender && strcmp(sender, "MAILER-DAEMON") != 0
			? json_string_nocheck(sender)
			: json_string("<>"));
	json_object_set_new(row, "recipient", first_of(recipients, "address"));
	json_object_set_new(
		row, "recipients", json_integer((json_int_t)json_array_size(recipients)));
	json_object_set_new(row, "size_bytes", member(entry, "message_size"));
	json_object_set_new(row, "reason", first_of(recipients, "delay_reason"));
	if (call->json) {
		json_object_set_new(row, "flow", member(known, "flow"));
		json_object_set_new(row, "login", member(known, "login"));
		json_object_set_new(row, "server", member(known, "server"));
		json_object_set_new(row, "waiting", member(entry, "recipients"));
	}
	json_decref(known);
	return row;
}

static void put_row(struct rows *table, json_t *row)
{
	char *text = json_dumps(row, JSON_COMPACT);

	if (text)
		rows_row(table, text, strlen(text));
	free(text);
	json_decref(row);
}

/* What cannot be read may be what is looked for. */
static void tell_unread(const struct call *call, size_t unread)
{
	if (unread)
		fprintf(stderr,
			"posternctl: %zu line%s of \"postqueue -c %.400s -j\" cannot be read: what "
			"waits is not all here\n",
			unread, unread == 1 ? "" : "s", call->queue_dir);
}

/* Shows what postqueue says, or of it the one with this id. How many they were; *unread: lines
 * that may tell of others. */
static size_t show_entries(
	struct call *call, struct rows *table, FILE *in, const char *only, size_t *unread)
{
	struct queue_entries entries;
	size_t n = 0;

	queue_entries_init(&entries, in);
	for (json_t *entry; !table->wrong && (entry = queue_entries_next(&entries));) {
		if (!only ||
			strcmp(json_string_value(json_object_get(entry, "queue_id")), only) == 0) {
			put_row(table, make_row(call, entry));
			n++;
		}
		json_decref(entry);
	}
	*unread = entries.unread;
	queue_entries_fini(&entries);
	return n;
}

/* Without control there is still what waits. */
static void open_control(struct call *call)
{
	int error = call->connection->fd < 0
			    ? connection_open(call->connection, call->run_dir, VERB_WAIT_S)
			    : 0;
	if (error)
		fprintf(stderr,
			"posternctl: %.400s/control.sock: %s: who sent each message is not known\n",
			call->run_dir, strerror(-error));
}

int queue_show(struct call *call, const struct verb *verb, const struct verb_words *given,
	const char *const *words, size_t nwords)
{
	char *argv[] = {POSTQUEUE, "-c", (char *)call->queue_dir, "-j", NULL};
	const char *only = verb_value(given, "ID");
	struct program program;
	struct rows table;

	(void)verb, (void)words, (void)nwords;
	int status = refuse(call);
	if (status >= 0)
		return status;
	open_control(call);
	if (never_began(call))
		argv[0] = "/bin/true"; /* which says as much as there is */
	if (!program_begin(&program, argv, false))
		return call_fail(call, OUTCOME_REFUSED, NULL, "%s: %s", argv[0], strerror(errno));
	rows_begin(&table,
		call->json ? ROWS_JSON
		: only     ? ROWS_FIELDS
			   : ROWS_COLUMNS,
		call->columns, stdout);
	size_t unread, n = show_entries(call, &table, program.out, only, &unread);
	tell_unread(call, unread);
	int ended = program_end(&program);
	if (!rows_check(&table))
		status = call_fail(call, OUTCOME_USAGE, NULL, "%s", table.wrong);
	else if (ended)
		status = call_fail(
			call, OUTCOME_REFUSED, NULL, "%s ended with status %d", argv[0], ended);
	else if (only && !n)
		status = call_fail(call, OUTCOME_ABSENT, NULL, "%s is not in the queue", only);
	else
		rows_end(&table);
	if (status < 0 && !n && !unread && !call->json && call->none)
		puts(call->none);
	rows_drop(&table);
	return status < 0 ? outcome_status(OUTCOME_DONE) : status;
}

/* ---- hold, release, delete, flush ---- */

/* "postsuper: Placed on hold: 3 messages"; 0: it says nothing of the kind. */
static unsigned long count_of(const char *line)
{
	const char *colon = strrchr(line, ':');
	unsigned long n;
	char word[16];

	return colon && sscanf(colon, ": %lu %15s", &n, word) == 2 &&
			       strncmp(word, "message", 7) == 0
		       ? n
		       : 0;
}

static bool is_all(const char *word)
{
	return strcmp(word, "all") == 0;
}

/* The option in front of each id, and each id once; `all` is Postfix's ALL. How many; NULL: no
 * memory. */
static char **make_argv(
	struct call *call, const char *option, const char *const *ids, size_t n, size_t *wanted)
{
	char **argv = calloc(2 * n + 4, sizeof(*argv));
	size_t used = 3;

	if (!argv)
		return NULL;
	argv[0] = POSTSUPER;
	argv[1] = (char *)"-c";
	argv[2] = (char *)call->queue_dir;
	for (size_t i = 0; i < n; i++) {
		bool twin = false;
		for (size_t before = 0; before < i; before++)
			twin |= strcmp(ids[before], ids[i]) == 0;
		if (twin)
			continue;
		argv[used++] = (char *)option;
		argv[used++] = (char *)(is_all(ids[i]) ? "ALL" : ids[i]);
	}
	*wanted = (used - 3) / 2;
	return argv;
}

static int tell_changed(
	struct call *call, const char *what, bool all, unsigned long n, size_t wanted)
{
	char text[128];

	snprintf(text, sizeof(text), "%lu message%s %s", n, n == 1 ? "" : "s", what);
	if (all && !n)
		return call_done(call, OUTCOME_UNCHANGED, false, text);
	if (all || n >= wanted)
		return call_done(call, OUTCOME_DONE, true, text);
	return call_fail(call, OUTCOME_ABSENT, NULL,
		"%s; of the other %zu there is none in the queue, or it is so already", text,
		wanted - (size_t)n);
}

static int change(
	struct call *call, const struct verb_words *given, const char *option, const char *what)
{
	char said[SAID_MAX];
	size_t n, wanted;
	const char *const *ids = verb_values(given, "ID|all", &n);
	int status = refuse(call);

	if (status >= 0)
		return status;
	for (size_t i = 0; i < n; i++)
		if (is_all(ids[i]) && n > 1)
			return call_fail(call, OUTCOME_USAGE, NULL, "all stands by itself");
	char **argv = make_argv(call, option, ids, n, &wanted);
	if (!argv)
		return call_fail(call, OUTCOME_REFUSED, NULL, "%s", strerror(ENOMEM));
	status = run(argv, said);
	free(argv);
	const char *line = last_line(said);
	if (status)
		return call_fail(call, OUTCOME_REFUSED, NULL, "%s",
			*line ? line : "postsuper failed without a word");
	return tell_changed(call, what, is_all(ids[0]), count_of(line), wanted);
}

int queue_hold(struct call *call, const struct verb *verb, const struct verb_words *given,
	const char *const *words, size_t nwords)
{
	(void)verb, (void)words, (void)nwords;
	return change(call, given, "-h", "held");
}

int queue_release(struct call *call, const struct verb *verb, const struct verb_words *given,
	const char *const *words, size_t nwords)
{
	(void)verb, (void)words, (void)nwords;
	return change(call, given, "-H", "released");
}

int queue_delete(struct call *call, const struct verb *verb, const struct verb_words *given,
	const char *const *words, size_t nwords)
{
	(void)verb, (void)words, (void)nwords;
	return change(call, given, "-d", "deleted");
}

/* postqueue says nothing of an id that is not there. */
static bool is_waiting(struct call *call, const char *id)
{
	char *argv[] = {POSTQUEUE, "-c", (char *)call->queue_dir, "-j", NULL};
	struct queue_entries entries;
	struct program program;
	bool found = false;

	if (!program_begin(&program, argv, false))
		return false;
	queue_entries_init(&entries, program.out);
	for (json_t *entry; (entry = queue_entries_next(&entries));) {
		found |= strcmp(json_string_value(json_object_get(entry, "queue_id")), id) == 0;
		json_decref(entry);
	}
	if (!found)
		tell_unread(call, entries.unread);
	queue_entries_fini(&entries);
	program_end(&program);
	return found;
}

int queue_flush(struct call *call, const struct verb *verb, const struct verb_words *given,
	const char *const *words, size_t nwords)
{
	const char *id = verb_value(given, "ID|all");
	bool one = id && !is_all(id);
	char *of_one[] = {POSTQUEUE, "-c", (char *)call->queue_dir, "-i", (char *)id, NULL};
	/* what `postqueue -f` tells qmgr; that then looks for a pickup, which the queue has not */
	char *of_all[] = {
		POSTKICK, "-c", (char *)call->queue_dir, "public", "qmgr", QMGR_FLUSH, NULL};
	char said[SAID_MAX];
	int status = refuse(call);

	(void)verb, (void)words, (void)nwords;
	if (status >= 0)
		return status;
	if (one && !is_waiting(call, id))
		return call_fail(call, OUTCOME_ABSENT, NULL, "%s is not in the queue", id);
	status = run(one ? of_one : of_all, said);
	if (status)
		return call_fail(call, OUTCOME_REFUSED, NULL, "%s", last_line(said));
	return call_done(call, OUTCOME_DONE, true,
		one ? "it is tried again now" : "all that waits is tried again now");
}
