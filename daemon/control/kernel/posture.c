/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/control/kernel/posture.h"

#include "daemon/base/log.h"
#include "daemon/base/worker.h"
#include "daemon/control/control.h"
#include "daemon/control/kernel/plan.h"
#include "daemon/control/policy/history/texts.h"
#include "daemon/control/store/disk.h"
#include "kernel-rules/plan.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct keeping {
	struct worker_job job; /* first */
	struct control *control;
	struct gather *gather;
	char dir[4096];
	uint8_t *bytes;
	size_t len;
	uint64_t hash;
};

void posture_send(struct control *control, struct gather *gather)
{
	gather_add(gather);
	gather_end(
		gather, kernel_plan_send(control, control->policy, PLAN_BARE, true, gather), NULL);
}

static int run(struct worker_job *job)
{
	const struct keeping *keeping = (const struct keeping *)job;
	return disk_replace(keeping->dir, POSTURE_NAME, keeping->bytes, keeping->len);
}

static void done(struct worker_job *job)
{
	struct keeping *keeping = (struct keeping *)job;
	struct gather *gather = keeping->gather;
	const int status = job->status;
	if (status)
		log_error(
			"the posture for the next start cannot be written: %s", strerror(-status));
	else
		keeping->control->posture_hash = keeping->hash;
	free(keeping->bytes);
	free(keeping);
	gather_end(gather, status, status ? "the posture for the next start is not stored" : NULL);
}

void posture_keep(struct control *control, struct gather *gather)
{
	struct keeping *keeping = calloc(1, sizeof(*keeping));
	gather_add(gather);
	int error = keeping ? kernel_plan_encode(control, control->policy, PLAN_BARE,
				      &keeping->bytes, &keeping->len)
			    : -ENOMEM;
	if (!error)
		keeping->hash = policy_texts_hash(POLICY_TEXTS_HASH, keeping->bytes, keeping->len);
	if (error || keeping->hash == control->posture_hash) {
		if (keeping)
			free(keeping->bytes);
		free(keeping);
		gather_end(gather, error, error ? "no memory for the posture" : NULL);
		return;
	}
	keeping->job.run = run;
	keeping->job.done = done;
	keeping->control = control;
	keeping->gather = gather;
	snprintf(keeping->dir, sizeof(keeping->dir), "%s/" POSTURE_FOLDER,
		control->start.options.state_dir);
	worker_submit(control->disk, &keeping->job);
}

int posture_read(const char *state_dir, struct plan *plan)
{
	char path[PATH_MAX], *bytes;
	size_t len;

	snprintf(path, sizeof(path), "%s/" POSTURE_FILE, state_dir);
	int error = disk_read(path, PLAN_BYTES_MAX, &bytes, &len);
	if (error)
		return error;
	error = plan_decode((const uint8_t *)bytes, len, plan);
	free(bytes);
	return error;
}
