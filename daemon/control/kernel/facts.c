/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/control/kernel/facts.h"

#include "daemon/control/control.h"
#include "daemon/control/peers/question.h"
#include "lib/base/container.h"

#include <stdlib.h>
#include <string.h>

struct asking {
	struct question text, counters, foreign;
	unsigned missing;
	struct facts facts;
	void (*done)(void *context, const struct facts *facts);
	void *context;
};

static void finish(struct asking *asking)
{
	if (--asking->missing)
		return;
	asking->done(asking->context, &asking->facts);
	for (size_t i = 0; i < asking->facts.n; i++)
		free(asking->facts.lines[i]);
	free(asking->facts.lines);
	free(asking->facts.foreign);
	free(asking);
}

static void add_line(struct facts *facts, const char *text)
{
	if (facts->n == FACTS_MAX)
		return;
	char **lines = realloc(facts->lines, (facts->n + 1) * sizeof(*lines));
	if (!lines)
		return;
	facts->lines = lines;
	lines[facts->n] = strdup(text);
	facts->n += lines[facts->n] != NULL;
}

static void on_text(struct question *ask, const struct ipc_header *ipc)
{
	struct asking *asking = container_of(ask, struct asking, text);
	if (ipc && ipc->type == IPC_TEXT) {
		add_line(&asking->facts, ((const struct ipc_text *)ipc)->text);
		return;
	}
	asking->facts.complete = ipc != NULL;
	finish(asking);
}

static void on_counters(struct question *ask, const struct ipc_header *ipc)
{
	struct asking *asking = container_of(ask, struct asking, counters);
	if (ipc && ipc->type == IPC_KERNEL_COUNTERS) {
		memcpy(&asking->facts.counters, ipc, sizeof(asking->facts.counters));
		asking->facts.counters_known = true;
	}
	finish(asking);
}

/* Each begins at a multiple of four. */
static void add_foreign(struct facts *facts, const struct ipc_foreign *ipc)
{
	size_t len = (ipc->n + 3u) & ~3u;
	uint8_t *bytes = realloc(facts->foreign, facts->foreign_len + len);
	if (!bytes)
		return;
	memset(bytes + facts->foreign_len, 0, len);
	memcpy(bytes + facts->foreign_len, ipc->bytes, ipc->n);
	facts->foreign = bytes;
	facts->foreign_len += len;
}

static void on_foreign(struct question *ask, const struct ipc_header *ipc)
{
	struct asking *asking = container_of(ask, struct asking, foreign);
	if (ipc && ipc->type == IPC_FOREIGN)
		add_foreign(&asking->facts, (const struct ipc_foreign *)ipc);
	else
		finish(asking);
}

static void begin(struct control *control, bool foreign,
	void (*done)(void *context, const struct facts *facts), void *context)
{
	struct asking *asking = calloc(1, sizeof(*asking));
	struct ipc_plain question;
	if (!asking) {
		done(context, &(struct facts){0});
		return;
	}
	asking->done = done;
	asking->context = context;
	asking->missing = foreign ? 4 : 3;
	asking->text.on_answer = on_text;
	asking->counters.on_answer = on_counters;
	ipc_init(&question, IPC_KERNEL_COUNTERS_GET, sizeof(question));
	question_send(&control->keeper_asks, &asking->counters, &question, -1);
	ipc_init(&question, IPC_DOCTOR_GET, sizeof(question));
	question_send(&control->keeper_asks, &asking->text, &question, -1);
	asking->foreign.on_answer = on_foreign;
	ipc_init(&question, IPC_FOREIGN_GET, sizeof(question));
	if (foreign)
		question_send(&control->keeper_asks, &asking->foreign, &question, -1);
	finish(asking);
}

void facts_ask(struct control *control, void (*done)(void *context, const struct facts *facts),
	void *context)
{
	begin(control, false, done, context);
}

void facts_ask_all(struct control *control, void (*done)(void *context, const struct facts *facts),
	void *context)
{
	begin(control, true, done, context);
}

const char *facts_find(const struct facts *facts, const char *words, size_t *at)
{
	size_t len = strlen(words);
	for (size_t i = at ? *at : 0; i < facts->n; i++) {
		const char *line = facts->lines[i];
		if (strncmp(line, words, len) != 0 || (line[len] != ' ' && line[len]))
			continue;
		if (at)
			*at = i + 1;
		return line[len] ? line + len + 1 : "";
	}
	return NULL;
}
