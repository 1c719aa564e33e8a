/* SPDX-License-Identifier: GPL-2.0-or-later */
/* doctor where no daemon answers: what can be known all the same. */
#include "tools/posternctl/daemon.h"
#include "tools/posternctl/noun.h"
#include "tools/posternctl/show/rows.h"

#include "lib/base/text.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LOG_LINES 8

static void put_row(struct rows *table, const char *check, const char *state, const char *found,
	const char *advice)
{
	json_t *row = json_pack("{s:s, s:s, s:o, s:s}", "check", check, "state", state, "found",
		json_string_nocheck(found), "advice", advice);
	char *text = json_dumps(row, JSON_COMPACT);
	if (text)
		rows_row(table, text, strlen(text));
	free(text);
	json_decref(row);
}

/* Without its line's end; false: no more. */
static bool read_line(FILE *file, char *line, int size)
{
	if (!fgets(line, size, file))
		return false;
	line[strcspn(line, "\n")] = '\0';
	text_blank(line);
	return true;
}

static void put_kernel(struct rows *table, const char *run_dir)
{
	const char *words[] = {"", "--doctor", "--run", run_dir, NULL};
	FILE *file = tmpfile();
	char line[2048];
	if (!file)
		return;
	daemon_run(words, fileno(file));
	rewind(file);
	while (fgets(line, sizeof(line), file))
		rows_row(table, line, strlen(line));
	fclose(file);
}

/* ActiveState, SubState, Result, UnitFileState, each on its line. */
static void put_unit(struct rows *table)
{
	char line[160], found[512] = "";
	FILE *file = popen("systemctl show --value -p ActiveState -p SubState -p Result "
			   "-p UnitFileState postern.service 2>/dev/null",
		"r");
	size_t used = 0;
	bool any = false;
	while (file && read_line(file, line, sizeof(line))) {
		any |= *line != '\0';
		int n = snprintf(found + used, sizeof(found) - used, "%s%s", used ? ", " : "",
			*line ? line : "-");
		if (n > 0 && (size_t)n < sizeof(found) - used)
			used += (size_t)n;
	}
	if (file)
		pclose(file);
	if (any)
		put_row(table, "unit", "ok", found, "systemctl status postern");
	else
		put_row(table, "unit", "ok", "systemd knows no postern.service here", "");
}

static void put_log(struct rows *table)
{
	char command[160], line[600];
	bool any = false;
	snprintf(command, sizeof(command),
		"journalctl -q -u postern.service -n %d -o short-iso --no-pager 2>/dev/null",
		LOG_LINES);
	FILE *file = popen(command, "r");
	while (file && read_line(file, line, sizeof(line))) {
		any = true;
		put_row(table, "log", "ok", line, "");
	}
	if (file)
		pclose(file);
	if (!any)
		put_row(table, "log", "ok", "the journal has nothing of postern.service", "");
}

static int look_alone(struct call *call)
{
	struct rows table;
	if (!call->json)
		fprintf(stderr,
			"posternctl: no daemon answers at %.400s/control.sock; what can be known "
			"without:\n",
			call->run_dir);
	rows_begin(&table, call->json ? ROWS_JSON : ROWS_COLUMNS, call->columns, stdout);
	put_kernel(&table, call->run_dir);
	put_unit(&table);
	put_log(&table);
	int status = outcome_status(OUTCOME_NO_DAEMON);
	if (!rows_check(&table))
		status = call_fail(call, OUTCOME_USAGE, NULL, "%s", table.wrong);
	else
		rows_end(&table);
	rows_drop(&table);
	return status;
}

int doctor_run(struct call *call, const struct verb *verb, const struct verb_words *given,
	const char *const *words, size_t nwords)
{
	(void)given;
	call->forgives = true;
	int status = call_open(call, verb);
	call->forgives = false;
	if (status == outcome_status(OUTCOME_NO_DAEMON))
		return look_alone(call);
	if (status) /* once more, for its words */
		return call_open(call, verb);
	status = call_ask(call, verb, words, nwords, NULL, 0);
	return status == outcome_status(OUTCOME_NO_DAEMON) && !call->json ? look_alone(call)
									  : status;
}
