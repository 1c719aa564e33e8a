/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/control/kernel/lost_flows.h"

#include "daemon/control/control.h"
#include "daemon/control/peers/flow_peers.h"
#include "lib/base/container.h"

#include <stdlib.h>
#include <string.h>

#define STEP_MS 10000
#define SAMPLES 8 /* the newest of them was not steered long enough ago to be judged */
#define LEAST   5 /* one client that is turned away sends so many in half a minute */
#define SHARE   10

struct sample {
	uint64_t steered, accepted;
};

struct lost_flows {
	struct control *control;
	struct loop_timer timer;
	struct question ask;
	bool asking;
	struct sample v[SAMPLES]; /* newest first */
	size_t n;
};

static void add_sample(struct lost_flows *lost_flows, const struct sample *sample)
{
	/* relays or keeper began anew */
	if (lost_flows->n && (sample->steered < lost_flows->v[0].steered ||
				     sample->accepted < lost_flows->v[0].accepted))
		lost_flows->n = 0;
	memmove(&lost_flows->v[1], &lost_flows->v[0], (SAMPLES - 1) * sizeof(lost_flows->v[0]));
	lost_flows->v[0] = *sample;
	if (lost_flows->n < SAMPLES)
		lost_flows->n++;
}

static void on_answer(struct question *ask, const struct ipc_header *ipc)
{
	struct lost_flows *lost_flows = container_of(ask, struct lost_flows, ask);
	uint64_t sum[COUNTERS] = {0};

	lost_flows->asking = false;
	if (!ipc || ipc->type != IPC_KERNEL_COUNTERS)
		return;
	flow_peers_sum_counters(lost_flows->control->flow_peers, sum);
	add_sample(lost_flows,
		&(struct sample){.steered = ((const struct ipc_kernel_counters *)ipc)->steered,
			.accepted = sum[COUNTER_FLOWS_ACCEPTED]});
}

static void on_time(struct loop_timer *timer, uint64_t now_ms)
{
	struct lost_flows *lost_flows = container_of(timer, struct lost_flows, timer);
	struct control *control = lost_flows->control;
	struct ipc_plain question;

	if (!lost_flows->asking) {
		lost_flows->asking = true;
		ipc_init(&question, IPC_KERNEL_COUNTERS_GET, sizeof(question));
		question_send(&control->keeper_asks, &lost_flows->ask, &question, -1);
	}
	loop_timer_set(control->loop, &lost_flows->timer, now_ms + STEP_MS);
}

struct lost_flows *lost_flows_new(struct control *control)
{
	struct lost_flows *lost_flows = calloc(1, sizeof(*lost_flows));
	if (!lost_flows)
		return NULL;
	lost_flows->control = control;
	lost_flows->timer.on_time = on_time;
	lost_flows->ask.on_answer = on_answer;
	return lost_flows;
}

void lost_flows_free(struct lost_flows *lost_flows)
{
	if (!lost_flows)
		return;
	loop_timer_clear(lost_flows->control->loop, &lost_flows->timer);
	question_cancel(&lost_flows->ask);
	free(lost_flows);
}

void lost_flows_begin(struct lost_flows *lost_flows)
{
	loop_timer_set(lost_flows->control->loop, &lost_flows->timer,
		loop_now_ms(lost_flows->control->loop) + STEP_MS);
}

void lost_flows_forget(struct lost_flows *lost_flows)
{
	lost_flows->n = 0;
}

/* All that was steered lately arrived: whatever took them does so no longer. */
static bool is_over(const struct lost_flows *lost_flows)
{
	uint64_t steered = lost_flows->v[0].steered - lost_flows->v[1].steered;
	return steered > 0 && lost_flows->v[0].accepted - lost_flows->v[1].accepted >= steered;
}

/* A relay tells of a connection a second after it, and a client may answer late: what was accepted
 * counts up to now, what was steered only up to the sample before. */
bool lost_flows_last_minute(
	const struct lost_flows *lost_flows, uint64_t *missing, uint64_t *steered)
{
	if (lost_flows->n < 3 || is_over(lost_flows))
		return false;
	const struct sample *oldest = &lost_flows->v[lost_flows->n - 1];
	uint64_t accepted = lost_flows->v[0].accepted - oldest->accepted;
	*steered = lost_flows->v[1].steered - oldest->steered;
	*missing = *steered > accepted ? *steered - accepted : 0;
	return *missing >= LEAST && *missing > *steered / SHARE;
}
