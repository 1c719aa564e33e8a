/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `policy save`: the running policy to its file, with the rights of who calls posternctl. */
#include "tools/posternctl/file.h"
#include "tools/posternctl/noun.h"

#include "lib/language/language.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <libgen.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define DEFAULT_FILE "/etc/postern/postern.conf"

/* What the daemon answers: the text, and which file it reads. */
struct want {
	struct call *call;
	char *text;
	size_t len;
	char file[PATH_MAX];
	bool failed;
};

static void take_row(void *context, const char *json, size_t len)
{
	struct want *wanted = context;
	json_t *row = json_loadb(json, len, 0, NULL);
	const char *file = json_string_value(json_object_get(row, "file"));
	if (file)
		snprintf(wanted->file, sizeof(wanted->file), "%s", file);
	json_decref(row);
}

static void take_text(void *context, const char *text, size_t len)
{
	struct want *wanted = context;
	char *more = realloc(wanted->text, wanted->len + len + 1);
	if (!more) {
		wanted->failed = true;
		return;
	}
	memcpy(more + wanted->len, text, len);
	wanted->text = more;
	wanted->len += len;
	wanted->text[wanted->len] = '\0';
}

static int fetch(struct call *call, struct want *wanted)
{
	static const char *const words[] = {"policy", "save"};
	static struct connection_answer answer;
	int status = call_open(call, NULL);
	if (status)
		return status;
	answer = (struct connection_answer){
		.on_row = take_row, .on_text = take_text, .context = wanted};
	status = connection_ask(call->connection, words, 2, NULL, 0, &answer);
	enum outcome outcome = call_outcome(&answer, status, NULL);
	free(answer.outcome);
	if (*answer.error)
		call_fail(call, outcome, NULL, "%s", answer.error);
	if (status == CONNECTION_DONE && (wanted->failed || !wanted->text))
		status = call_fail(call, OUTCOME_REFUSED, NULL, "out of memory");
	return status;
}

/* May only root and who calls change what stands there, and where the path leads? */
static bool is_ours(const char *path)
{
	char part[PATH_MAX];
	struct stat about;
	snprintf(part, sizeof(part), "%s", path);
	for (;;) {
		if (lstat(part, &about) < 0 || (about.st_uid != 0 && about.st_uid != geteuid()))
			return false;
		if ((about.st_mode & 022) && !(S_ISDIR(about.st_mode) && (about.st_mode & S_ISVTX)))
			return false;
		if (!part[1])
			return true;
		dirname(part);
	}
}

/* Blanks and comments only? */
static bool is_empty(const char *text, size_t len)
{
	bool comment = false;
	for (size_t i = 0; i < len; i++) {
		comment = text[i] == '#' || (comment && text[i] != '\n');
		if (!comment && !strchr(" \t\r\n", text[i]))
			return false;
	}
	return true;
}

/* A file that holds a policy, and not nothing. */
static bool is_policy(const char *path)
{
	struct language_diagnosis diagnosis;
	size_t len;
	char wrong[FILE_WRONG_SIZE];
	char *text = file_read(path, &len, wrong);
	if (!text)
		return false;
	struct policy *policy = language_parse(path, text, len, NULL, &diagnosis);
	bool good = policy && !is_empty(text, len);
	language_diagnosis_fini(&diagnosis);
	policy_unref(policy);
	free(text);
	return good;
}

/* The daemon has no privileges, and who calls may be root: a path that it tells is not written to
 * unless it is the usual one, or was typed, or is a policy already where only root could put it. */
static bool choose_path(const struct want *wanted, const char *typed, char path[static PATH_MAX])
{
	char told[PATH_MAX];
	if (!realpath(wanted->file, told))
		snprintf(told, sizeof(told), "%s", wanted->file);
	if (!realpath(typed ? typed : DEFAULT_FILE, path))
		snprintf(path, PATH_MAX, "%s", typed ? typed : DEFAULT_FILE);
	if (strcmp(path, told) == 0)
		return true;
	if (typed) {
		call_fail(wanted->call, OUTCOME_REFUSED, NULL,
			"posternd reads %s, not %.400s\n"
			"for a copy: posternctl policy show --source",
			told, path);
		return false;
	}
	snprintf(path, PATH_MAX, "%s", told);
	if (*path == '/' && is_ours(path) && is_policy(path))
		return true;
	call_fail(wanted->call, OUTCOME_REFUSED, NULL,
		"posternd reads %s, which is not the usual file\n"
		"run: posternctl policy save %s",
		told, told);
	return false;
}

static int complain(const struct want *wanted, const char *path)
{
	return call_fail(wanted->call, OUTCOME_REFUSED, NULL, "%s: %s", path, strerror(errno));
}

/* Lines of a text with a comment that another text does not have. */
static size_t lost_comments(const char *old, const char *new)
{
	size_t lost = 0;
	for (const char *line = old; *line;) {
		size_t len = strcspn(line, "\n");
		const char *comment = memchr(line, '#', len);
		if (comment) {
			char *text = strndup(comment, len - (size_t)(comment - line));
			lost += text && !strstr(new, text);
			free(text);
		}
		line += len + (line[len] == '\n');
	}
	return lost;
}

static int write_all(int fd, const char *text, size_t len)
{
	while (len > 0) {
		ssize_t n = write(fd, text, len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		text += n;
		len -= (size_t)n;
	}
	return fsync(fd);
}

static void sync_folder(const char *path)
{
	char copy[PATH_MAX];
	snprintf(copy, sizeof(copy), "%s", path);
	int fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd >= 0) {
		fsync(fd);
		close(fd);
	}
}

/* The former file stays as FILE~, from before the moment in which the new one takes its name. */
static int keep_former(const struct want *wanted, const char *path)
{
	char kept[PATH_MAX + 1];
	snprintf(kept, sizeof(kept), "%s~", path);
	if ((unlink(kept) < 0 && errno != ENOENT) || link(path, kept) < 0)
		return complain(wanted, kept);
	return CONNECTION_DONE;
}

/* former: of the file that goes; NULL: there is none. */
static int replace(const char *path, const struct want *wanted, const struct stat *former)
{
	char fresh[PATH_MAX + 8];
	snprintf(fresh, sizeof(fresh), "%s.XXXXXX", path);
	int fd = mkstemp(fresh);
	if (fd < 0)
		return complain(wanted, path);
	bool good = (!former || fchown(fd, former->st_uid, former->st_gid) == 0) &&
		    fchmod(fd, former ? former->st_mode & 07777 : 0644) == 0 &&
		    write_all(fd, wanted->text, wanted->len) == 0;
	int status = good ? CONNECTION_DONE : complain(wanted, fresh);
	close(fd);
	if (status == CONNECTION_DONE && former)
		status = keep_former(wanted, path);
	if (status == CONNECTION_DONE && rename(fresh, path) < 0)
		status = complain(wanted, path);
	if (status == CONNECTION_DONE)
		sync_folder(path);
	else
		unlink(fresh);
	return status;
}

static int write_file(const char *path, const struct want *wanted)
{
	struct stat former;
	size_t len;
	if (lstat(path, &former) < 0)
		return errno == ENOENT ? replace(path, wanted, NULL) : complain(wanted, path);
	if (!S_ISREG(former.st_mode))
		return call_fail(wanted->call, OUTCOME_REFUSED, NULL, "%s is not a file", path);
	char wrong[FILE_WRONG_SIZE];
	char *old = file_read(path, &len, wrong);
	if (!old)
		return call_fail(wanted->call, OUTCOME_REFUSED, NULL, "%s", wrong);
	bool same = len == wanted->len && memcmp(old, wanted->text, len) == 0;
	size_t lost = 0;
	char *ended = realloc(old, len + 1);
	if (ended) {
		ended[len] = '\0';
		lost = lost_comments(ended, wanted->text);
	}
	free(ended ? ended : old);
	if (lost)
		fprintf(stderr,
			"posternctl: %zu comments of %s are not in the running policy; they stay "
			"in %s~\n",
			lost, path, path);
	return same ? CONNECTION_DONE : replace(path, wanted, &former);
}

int policy_save(struct call *call, const struct verb *verb, const struct verb_words *given,
	const char *const *words, size_t nwords)
{
	static const char *const saved[] = {"policy", "saved"};
	struct want wanted = {.call = call};
	char path[PATH_MAX];
	(void)words;
	(void)nwords;
	int status = fetch(call, &wanted);
	if (status == CONNECTION_DONE && !choose_path(&wanted, verb_value(given, "FILE"), path))
		status = CONNECTION_REFUSED;
	if (status == CONNECTION_DONE)
		status = write_file(path, &wanted);
	if (status == CONNECTION_DONE)
		status = call_ask(call, verb, saved, 2, NULL, 0);
	free(wanted.text);
	return status;
}
