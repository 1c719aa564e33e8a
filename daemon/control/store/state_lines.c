/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/control/store/state_lines.h"

#include "daemon/base/log.h"
#include "daemon/base/worker.h"
#include "daemon/control/control.h"
#include "daemon/control/store/disk.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FILE_BYTES_MAX (1u << 20)

struct state_lines {
	struct worker_job job; /* first */
	struct gather *gather;
	const char *dir, *name, *trouble;
	size_t len, room;
	char text[];
};

char *state_lines_read(const struct control *control, const char *name)
{
	char path[4096 + 64], *text;
	size_t len;
	snprintf(path, sizeof(path), "%s/%s", control->start.options.state_dir, name);
	int error = disk_read(path, FILE_BYTES_MAX, &text, &len);
	if (error && error != -ENOENT)
		log_error("%s: %s", path, strerror(-error));
	return error ? NULL : text;
}

struct state_lines *state_lines_new(size_t room)
{
	struct state_lines *lines = calloc(1, sizeof(*lines) + room + 1);
	if (lines)
		lines->room = room + 1;
	return lines;
}

void state_lines_put(struct state_lines *lines, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	int len = vsnprintf(lines->text + lines->len, lines->room - lines->len, format, args);
	va_end(args);
	assert(len >= 0 && (size_t)len < lines->room - lines->len);
	lines->len += (size_t)len;
}

static int run(struct worker_job *job)
{
	struct state_lines *lines = (struct state_lines *)job;
	return disk_replace(lines->dir, lines->name, lines->text, lines->len);
}

static void done(struct worker_job *job)
{
	struct state_lines *lines = (struct state_lines *)job;
	struct gather *gather = lines->gather;
	const char *trouble = job->status ? lines->trouble : NULL;
	int status = job->status;
	free(lines);
	gather_end(gather, status, trouble);
}

void state_lines_write(struct state_lines *lines, struct control *control, const char *name,
	struct gather *gather, const char *trouble)
{
	lines->job.run = run;
	lines->job.done = done;
	lines->gather = gather;
	lines->dir = control->start.options.state_dir;
	lines->name = name;
	lines->trouble = trouble;
	gather_add(gather);
	worker_submit(control->disk, &lines->job);
}
