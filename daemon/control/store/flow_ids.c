/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/control/store/flow_ids.h"

#include "daemon/base/log.h"
#include "daemon/control/store/disk.h"
#include "lib/base/fields.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK   4096
#define RESERVE (1u << 20)
#define NAME    "flow-ids"

/* What stands in the file is a number that nobody has got yet: after a crash counting goes on
 * there, and at most RESERVE numbers are left out. */
struct flow_ids {
	struct worker_job job;
	struct worker *disk;
	char dir[4096];
	uint64_t next, reserved; /* next <= reserved, which stands in the file */
	uint64_t wanted;         /* being written */
	bool writing;
};

static int write_number(const char *dir, uint64_t number)
{
	char text[32];
	int len = snprintf(text, sizeof(text), "%" PRIu64 "\n", number);
	return disk_replace(dir, NAME, text, (size_t)len);
}

static int run(struct worker_job *job)
{
	struct flow_ids *ids = (struct flow_ids *)job;
	return write_number(ids->dir, ids->wanted);
}

static void done(struct worker_job *job)
{
	struct flow_ids *ids = (struct flow_ids *)job;
	ids->writing = false;
	if (job->status == 0)
		ids->reserved = ids->wanted;
	else
		log_error("flow numbers cannot be reserved: %s/%s: %s", ids->dir, NAME,
			strerror(-job->status));
}

/* Begins long before the range is used up. */
static void reserve(struct flow_ids *ids)
{
	if (ids->writing || ids->reserved - ids->next > RESERVE / 2 || !ids->disk)
		return;
	ids->writing = true;
	ids->wanted = ids->reserved + RESERVE;
	ids->job.run = run;
	ids->job.done = done;
	worker_submit(ids->disk, &ids->job);
}

/* Where to go on when the file cannot be read or written: a number that grows faster with time
 * than flows begin, and is above what counting from 1 has reached. */
static uint64_t number_of_time(uint64_t now_ms)
{
	return (now_ms / 1000) << 12;
}

static bool parse_number(const char *text, uint64_t *number)
{
	struct fields left = {text, text + strlen(text)}, line;
	return fields_line(&left, &line) && fields_number(&line, UINT64_MAX / 4, number) &&
	       fields_over(&line) && *number;
}

struct flow_ids *flow_ids_open(const char *state_dir, struct worker *disk, uint64_t now_ms)
{
	struct flow_ids *ids = calloc(1, sizeof(*ids));
	char path[sizeof(ids->dir) + 16], *text = NULL;
	size_t len;
	if (!ids)
		return NULL;
	ids->disk = disk;
	snprintf(ids->dir, sizeof(ids->dir), "%s", state_dir);
	snprintf(path, sizeof(path), "%s/" NAME, ids->dir);
	ids->next = 1;
	int error = disk_read(path, 64, &text, &len);
	if (error != -ENOENT && (error || !parse_number(text, &ids->next))) {
		log_error("%s cannot be read; flow numbers go on from the time", path);
		ids->next = number_of_time(now_ms);
	}
	free(text);
	ids->reserved = ids->next + RESERVE;
	error = write_number(state_dir, ids->reserved);
	if (error) {
		log_error("%s cannot be written: %s; flow numbers go on from the time", path,
			strerror(-error));
		if (ids->next < number_of_time(now_ms))
			ids->next = number_of_time(now_ms);
		ids->reserved = ids->next + RESERVE;
	}
	return ids;
}

void flow_ids_free(struct flow_ids *ids)
{
	free(ids);
}

bool flow_ids_take(struct flow_ids *ids, uint64_t *first, uint64_t *last)
{
	reserve(ids);
	if (ids->reserved - ids->next < BLOCK)
		return false;
	*first = ids->next;
	*last = ids->next + BLOCK - 1;
	ids->next += BLOCK;
	return true;
}
