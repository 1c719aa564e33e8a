/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/control/audit/loss.h"

#include "daemon/base/log.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#define MINUTE_MS 60000

void loss_lost(struct loss *loss, uint64_t now_ms, int why)
{
	loss->counters[COUNTER_AUDIT_LOST]++;
	loss->lost++;
	if (loss->said_ms && now_ms - loss->said_ms < MINUTE_MS)
		return;
	loss->said_ms = now_ms ? now_ms : 1;
	log_event(POLICY_LOG_ERROR, LOG_ID_AUDIT_LOST, NULL, 0, "audit: %" PRIu64 " %s lost: %s",
		loss->lost, loss->what, why == -ENOBUFS ? "the disk is too slow" : strerror(-why));
	loss->lost = 0;
}

void loss_written(struct loss *loss)
{
	loss->counters[COUNTER_AUDIT_WRITTEN]++;
	if (!loss->said_ms)
		return;
	if (loss->lost)
		log_error("audit: %" PRIu64 " more %s lost", loss->lost, loss->what);
	log_warning("audit: %s are stored again", loss->what);
	loss->lost = 0;
	loss->said_ms = 0;
}
