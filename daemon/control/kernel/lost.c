#include "daemon/control/kernel/lost.h"

#include "daemon/control/control.h"
#include "daemon/control/peers/peers.h"

#include <stdlib.h>
#include <string.h>

#define STEP_MS 10000
#define SAMPLES 8 /* the newest of them was not steered long enough ago to be judged */
#define LEAST   5 /* one client that is turned away sends so many in half a minute */
#define SHARE   10

struct sample {
	uint64_t steered, accepted;
};

struct lost {
	struct control *control;
	struct loop_timer timer;
	struct ask ask;
	bool asking;
	struct sample v[SAMPLES]; /* newest first */
	size_t n;
};

static void add_sample(struct lost *lost, const struct sample *sample)
{
	/* relays or keeper began anew */
	if (lost->n &&
		(sample->steered < lost->v[0].steered || sample->accepted < lost->v[0].accepted))
		lost->n = 0;
	memmove(&lost->v[1], &lost->v[0], (SAMPLES - 1) * sizeof(lost->v[0]));
	lost->v[0] = *sample;
	if (lost->n < SAMPLES)
		lost->n++;
}

static void on_answer(struct ask *ask, const struct ipc_header *ipc)
{
	struct lost *lost = (struct lost *)((char *)ask - offsetof(struct lost, ask));
	uint64_t sum[COUNTERS] = {0};

	lost->asking = false;
	if (!ipc || ipc->type != IPC_KERNEL_COUNTERS)
		return;
	peers_sum_counters(lost->control->peers, sum);
	add_sample(lost,
		&(struct sample){.steered = ((const struct ipc_kernel_counters *)ipc)->steered,
			.accepted = sum[COUNTER_FLOWS_ACCEPTED]});
}

static void on_time(struct loop_timer *timer, uint64_t now_ms)
{
	struct lost *lost = (struct lost *)((char *)timer - offsetof(struct lost, timer));
	struct control *control = lost->control;
	struct ipc_plain question;

	if (!lost->asking) {
		lost->asking = true;
		ipc_init(&question, IPC_KERNEL_COUNTERS_GET, sizeof(question));
		ask_send(&control->keeper_asks, &lost->ask, &question, -1);
	}
	loop_timer_set(control->loop, &lost->timer, now_ms + STEP_MS);
}

struct lost *lost_new(struct control *control)
{
	struct lost *lost = calloc(1, sizeof(*lost));
	if (!lost)
		return NULL;
	lost->control = control;
	lost->timer.on_time = on_time;
	lost->ask.on_answer = on_answer;
	return lost;
}

void lost_free(struct lost *lost)
{
	if (!lost)
		return;
	loop_timer_clear(lost->control->loop, &lost->timer);
	ask_cancel(&lost->ask);
	free(lost);
}

void lost_begin(struct lost *lost)
{
	loop_timer_set(
		lost->control->loop, &lost->timer, loop_now_ms(lost->control->loop) + STEP_MS);
}

void lost_forget(struct lost *lost)
{
	lost->n = 0;
}

/* All that was steered lately arrived: whatever took them does so no longer. */
static bool is_over(const struct lost *lost)
{
	uint64_t steered = lost->v[0].steered - lost->v[1].steered;
	return steered > 0 && lost->v[0].accepted - lost->v[1].accepted >= steered;
}

/* A relay tells of a connection a second after it, and a client may answer late: what was accepted
 * counts up to now, what was steered only up to the sample before. */
bool lost_last_minute(const struct lost *lost, uint64_t *missing, uint64_t *steered)
{
	if (lost->n < 3 || is_over(lost))
		return false;
	const struct sample *oldest = &lost->v[lost->n - 1];
	uint64_t accepted = lost->v[0].accepted - oldest->accepted;
	*steered = lost->v[1].steered - oldest->steered;
	*missing = *steered > accepted ? *steered - accepted : 0;
	return *missing >= LEAST && *missing > *steered / SHARE;
}
