/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/control/audit/archive.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#define LINGER_MS       300
#define MINUTE_MS       60000
#define REMOVE_AGAIN_MS 50

/* ---- what comes ---- */

bool archive_is_within_minute(struct archive *archive, unsigned most)
{
	uint64_t minute = loop_now_ms(archive->loop) / MINUTE_MS + 1;

	if (archive->refused_minute != minute) {
		archive->refused_minute = minute;
		archive->refused = 0;
	}
	return archive->refused++ < most;
}

void archive_lost(struct archive *archive, int why)
{
	loss_lost(&archive->loss, loop_now_ms(archive->loop), why);
}

static void on_written(struct database_job *job, int status)
{
	struct archive_writing *writing = (struct archive_writing *)job;

	if (status < 0)
		archive_lost(writing->archive, status);
	else
		loss_written(&writing->archive->loss);
	free(writing);
}

void archive_write(struct archive *archive, struct archive_writing *writing, size_t bytes)
{
	writing->job.done = on_written;
	writing->job.write = true;
	writing->job.bytes = bytes;
	writing->archive = archive;
	int status = database_submit(archive->store, &writing->job);
	if (status == -ENOBUFS && archive->patient) {
		database_settle(archive->store);
		status = database_submit(archive->store, &writing->job);
	}
	if (status < 0) {
		free(writing);
		archive_lost(archive, status);
	}
}

/* ---- what goes ---- */

uint64_t audit_share_bytes(const struct audit_config *config)
{
	uint64_t half = config->size_bytes / 2;
	uint64_t beside = config->beside_bytes ? *config->beside_bytes : 0;

	return config->size_bytes - (beside < half ? beside : half);
}

static void set_timer(struct archive *archive, uint64_t in_ms)
{
	loop_timer_set(archive->loop, &archive->timer, loop_now_ms(archive->loop) + in_ms);
}

static int run_step(struct database *store, struct sqlite3 *db, struct database_job *job)
{
	struct archive_step *step = (struct archive_step *)job;

	step->removed = 0; /* of a first try */
	return step->archive->kind->remove(store, db, step);
}

static void on_removed(struct database_job *job, int status)
{
	struct archive_step *step = (struct archive_step *)job;
	struct archive *archive = step->archive;

	archive->removing = false;
	if (status == 0)
		archive->counters[COUNTER_AUDIT_EXPIRED] += step->removed;
	if (status == 0 && archive->config.used_bytes)
		*archive->config.used_bytes = step->used_bytes;
	if (!archive->patient)
		set_timer(archive, status == 0 && step->more ? REMOVE_AGAIN_MS : MINUTE_MS);
	free(step);
}

static void begin_step(struct archive *archive)
{
	struct archive_step *step = archive->removing ? NULL : calloc(1, sizeof(*step));
	const struct audit_config *config = &archive->config;
	uint64_t now_ms = config->believed_ms ? config->believed_ms(config->context)
					      : loop_wall_ms(archive->loop);

	if (!step)
		return;
	step->job = (struct database_job){.run = run_step, .done = on_removed, .write = true};
	step->archive = archive;
	step->size_bytes = audit_share_bytes(config);
	step->keep_ms = config->keep_s * 1000ull;
	if (step->keep_ms && now_ms > step->keep_ms)
		step->oldest_ms = now_ms - step->keep_ms;
	archive->removing = true;
	database_submit(archive->store, &step->job);
}

static void on_time(struct loop_timer *timer, uint64_t now_ms)
{
	struct archive *archive = (struct archive *)timer; /* its first member */

	(void)now_ms;
	if (!archive->config.keep_s && !archive->config.size_bytes)
		set_timer(archive, MINUTE_MS);
	else
		begin_step(archive);
}

/* ---- what is asked ---- */

static void on_found(struct database_job *job, int status)
{
	struct archive_question *question = (struct archive_question *)job;
	struct archive_question **at = &question->archive->questions;
	struct audit_result *result = &question->result;

	/* the reader of a row may cancel, so done is looked at each time */
	for (size_t i = 0; status == 0 && question->done && i < result->n; i++)
		question->row(question->context, result->v[i].json, result->v[i].key);
	if (question->done)
		question->done(question->context, status, result->more);
	while (*at != question)
		at = &(*at)->next;
	*at = question->next;
	audit_result_fini(result);
	free(question);
}

uint64_t archive_ask(struct archive *archive, struct archive_question *question, audit_row *row,
	audit_done *done, void *context)
{
	question->job.done = on_found;
	question->archive = archive;
	question->id = ++archive->last_question;
	question->row = row;
	question->done = done;
	question->context = context;
	question->next = archive->questions;
	archive->questions = question;
	database_submit(archive->store, &question->job);
	return question->id;
}

void archive_cancel(struct archive *archive, uint64_t id)
{
	for (struct archive_question *at = archive->questions; at; at = at->next)
		if (at->id == id)
			at->done = NULL;
}

/* ---- its life ---- */

int archive_open(struct archive *archive, const struct archive_kind *kind, struct loop *loop,
	const char *state_dir, const struct audit_config *config,
	uint64_t counters[static COUNTERS])
{
	const struct database_options options = {.migrate = kind->migrate,
		.context = archive,
		.queue_bytes = kind->queue_bytes,
		.linger_ms = LINGER_MS,
		.optional = true};
	char path[4096];

	archive->kind = kind;
	archive->loop = loop;
	archive->config = *config;
	archive->counters = counters;
	archive->loss = (struct loss){.what = kind->what, .counters = counters};
	archive->timer.on_time = on_time;
	snprintf(path, sizeof(path), "%s/%s", state_dir, kind->file);
	int status = database_open(loop, path, &options, &archive->store);
	if (status == 0)
		set_timer(archive, MINUTE_MS);
	return status;
}

void archive_close(struct archive *archive)
{
	archive_be_patient(archive);
	database_close(archive->store);
}

void archive_be_patient(struct archive *archive)
{
	archive->patient = true;
	loop_timer_clear(archive->loop, &archive->timer);
}

void archive_configure(struct archive *archive, const struct audit_config *config)
{
	archive->config = *config;
	if (!archive->removing)
		set_timer(archive, 0);
}
