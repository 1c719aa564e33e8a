/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/control/kernel/bypass.h"

#include "daemon/base/log.h"
#include "daemon/control/clock.h"
#include "daemon/control/control.h"
#include "daemon/control/kernel/facts.h"
#include "daemon/control/store/state_lines.h"
#include "lib/base/container.h"
#include "lib/base/copy.h"
#include "lib/base/fields.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define NAME      "bypass"
#define LINE_ROOM (POLICY_NAME_SIZE + 48)

struct bypass {
	struct control *control;
	struct bypass_line lines[BYPASS_MAX];
	size_t n;
	struct loop_timer timer; /* the next to end */
	struct gather adopting;
	bool unsaved;         /* what was found in the kernel */
	uint64_t switched_ms; /* the last time by control */
};

static void log_line(const struct bypass_line *line, const char *what)
{
	log_event(POLICY_LOG_WARNING, LOG_ID_BYPASS, LOG_FIELDS({LOG_FIELD_ZONE, line->zone}),
		"bypass of %s %s", *line->zone ? line->zone : "all zones", what);
}

static void drop_over(struct bypass *bypass)
{
	uint64_t now_ms = clock_now_ms(bypass->control);
	size_t kept = 0;
	for (size_t i = 0; i < bypass->n; i++) {
		if (bypass->lines[i].until_ms <= now_ms)
			log_line(&bypass->lines[i], "is over");
		else
			bypass->lines[kept++] = bypass->lines[i];
	}
	bypass->n = kept;
}

static void arm(struct bypass *bypass)
{
	struct loop *loop = bypass->control->loop;
	uint64_t now_ms = clock_now_ms(bypass->control), at_ms = 0;
	for (size_t i = 0; i < bypass->n; i++)
		if (!at_ms || bypass->lines[i].until_ms < at_ms)
			at_ms = bypass->lines[i].until_ms;
	if (at_ms)
		loop_timer_set(loop, &bypass->timer,
			loop_now_ms(loop) + (at_ms > now_ms ? at_ms - now_ms : 0));
	else
		loop_timer_clear(loop, &bypass->timer);
}

static void on_time(struct loop_timer *timer, uint64_t now_ms)
{
	struct bypass *bypass = container_of(timer, struct bypass, timer);
	(void)now_ms;
	drop_over(bypass);
	arm(bypass);
}

bool bypass_parse(struct fields *line, struct bypass_line *to)
{
	if (!fields_number(line, STEADY_MS_MAX, &to->since_ms) ||
		!fields_number(line, STEADY_MS_MAX, &to->until_ms) || line->at[-1] != ' ' ||
		!fields_rest(line, to->zone, sizeof(to->zone)))
		return false;
	if (!to->until_ms) /* of a version that knew bypasses without an end */
		to->until_ms = to->since_ms + BYPASS_DEFAULT_S * 1000;
	return to->until_ms - to->since_ms <= BYPASS_MAX_S * 1000ull;
}

static void parse(struct bypass *bypass, const char *text)
{
	struct fields left = {text, text + strlen(text)}, line;
	while (bypass->n < BYPASS_MAX && fields_line(&left, &line))
		bypass->n += bypass_parse(&line, &bypass->lines[bypass->n]);
}

struct bypass *bypass_open(struct control *control)
{
	struct bypass *bypass = calloc(1, sizeof(*bypass));
	if (!bypass)
		return NULL;
	bypass->control = control;
	bypass->timer.on_time = on_time;
	char *text = state_lines_read(control, NAME);
	if (text)
		parse(bypass, text);
	free(text);
	drop_over(bypass);
	arm(bypass);
	return bypass;
}

void bypass_free(struct bypass *bypass)
{
	if (!bypass)
		return;
	loop_timer_clear(bypass->control->loop, &bypass->timer);
	free(bypass);
}

static void fill(struct ipc_bypass *ipc, const char *zone, bool on, uint64_t seconds)
{
	ipc_init(ipc, IPC_BYPASS, sizeof(*ipc));
	ipc->on = on;
	ipc->seconds = seconds > UINT32_MAX ? UINT32_MAX : (uint32_t)seconds;
	copy_text(ipc->zone, sizeof(ipc->zone), zone);
}

static void save(struct bypass *bypass, struct gather *gather)
{
	struct state_lines *lines = state_lines_new(BYPASS_MAX * LINE_ROOM);
	if (!lines) {
		gather_add(gather);
		gather_end(gather, -ENOMEM, NULL);
		return;
	}
	for (size_t i = 0; i < bypass->n; i++)
		state_lines_put(lines, "%" PRIu64 " %" PRIu64 " %s\n", bypass->lines[i].since_ms,
			bypass->lines[i].until_ms, bypass->lines[i].zone);
	state_lines_write(lines, bypass->control, NAME, gather,
		"the bypass is in force but not in the state folder");
}

static bool is_covered(const struct bypass *bypass, const char *zone)
{
	for (size_t i = 0; i < bypass->n; i++)
		if (!*bypass->lines[i].zone || strcmp(bypass->lines[i].zone, zone) == 0)
			return true;
	return false;
}

static void save_found(struct bypass *bypass);

/* What was found meanwhile is saved behind it: the next start goes by the file. */
static void on_adopted(struct gather *gather)
{
	struct bypass *bypass = container_of(gather, struct bypass, adopting);

	if (!gather->status) {
		save_found(bypass);
		return;
	}
	log_error("%s", gather->text);
	bypass->unsaved = true; /* tried again when somebody looks */
}

static void save_found(struct bypass *bypass)
{
	if (!bypass->unsaved || bypass->adopting.missing)
		return;
	bypass->unsaved = false;
	gather_init(&bypass->adopting, on_adopted);
	save(bypass, &bypass->adopting);
	gather_end(&bypass->adopting, 0, NULL);
}

#define YOUNG_MS 3000 /* facts may be older than what control switched itself */

static bool kernel_has(const struct facts *facts, const char *zone)
{
	char words[POLICY_NAME_SIZE + 16];
	snprintf(words, sizeof(words), "bypass %s", *zone ? zone : "*");
	return facts_find(facts, words, NULL) != NULL;
}

/* What root switched off past control. Returns whether there was any. */
static bool drop_switched_off(struct bypass *bypass, const struct facts *facts)
{
	size_t kept = 0, before = bypass->n;
	for (size_t i = 0; i < before; i++) {
		const struct bypass_line *line = &bypass->lines[i];
		if (kernel_has(facts, line->zone))
			bypass->lines[kept++] = *line;
		else
			log_line(line, "was switched off without the daemon");
	}
	bypass->n = kept;
	return kept < before;
}

/* What root switched on without a daemon: nobody else would tell of it, and `off` must end it. */
void bypass_follow(struct bypass *bypass, const struct facts *facts)
{
	uint64_t now_ms = clock_now_ms(bypass->control), left;
	const char *fact;

	if (!facts->complete || now_ms < bypass->switched_ms + YOUNG_MS)
		return;
	if (drop_switched_off(bypass, facts))
		bypass->unsaved = true;
	for (size_t at = 0; (fact = facts_find(facts, "bypass", &at)) && bypass->n < BYPASS_MAX;) {
		struct bypass_line line = {.since_ms = now_ms};
		if (sscanf(fact, "%63s %" SCNu64, line.zone, &left) != 2 ||
			is_covered(bypass, strcmp(line.zone, "*") ? line.zone : ""))
			continue;
		if (strcmp(line.zone, "*") == 0)
			*line.zone = '\0';
		line.until_ms = now_ms + left * 1000;
		log_line(&line, "was switched on without the daemon, and goes on");
		bypass->lines[bypass->n++] = line;
		bypass->unsaved = true;
	}
	arm(bypass);
	save_found(bypass);
}

static void adopt(void *context, const struct facts *facts)
{
	bypass_follow(context, facts);
}

void bypass_resume(struct bypass *bypass)
{
	uint64_t now_ms = clock_now_ms(bypass->control);
	drop_over(bypass);
	for (size_t i = 0; i < bypass->n; i++) {
		const struct bypass_line *line = &bypass->lines[i];
		struct ipc_bypass ipc;
		fill(&ipc, line->zone, true, (line->until_ms - now_ms + 999) / 1000);
		log_line(line, "is still on");
		channel_send(bypass->control->keeper, &ipc, -1);
	}
	facts_ask(bypass->control, adopt, bypass);
}

void bypass_switch(
	struct bypass *bypass, const char *zone, bool on, uint64_t seconds, struct gather *gather)
{
	struct control *control = bypass->control;
	struct ipc_bypass ipc;
	uint64_t now_ms = clock_now_ms(control);
	size_t kept = 0;
	bypass->switched_ms = now_ms;
	if (!seconds)
		seconds = BYPASS_DEFAULT_S;
	drop_over(bypass);
	/* `off` without a zone switches all off, `on` without one takes the single ones in */
	for (size_t i = 0; i < bypass->n; i++)
		if (*zone && strcmp(bypass->lines[i].zone, zone) != 0)
			bypass->lines[kept++] = bypass->lines[i];
	bypass->n = kept;
	if (on && bypass->n < BYPASS_MAX) {
		struct bypass_line *line = &bypass->lines[bypass->n++];
		*line = (struct bypass_line){
			.since_ms = now_ms, .until_ms = now_ms + seconds * 1000};
		snprintf(line->zone, sizeof(line->zone), "%s", zone);
	}
	fill(&ipc, zone, on, seconds);
	gather_send(gather, &control->keeper_asks, &ipc, -1);
	save(bypass, gather);
	arm(bypass);
}

/* Root does not write into a folder of others; it may remove. */
bool bypass_forget(const char *state_dir, const char *zone)
{
	char path[4096 + 16];
	snprintf(path, sizeof(path), "%s/" NAME, state_dir);
	return zone ? access(path, F_OK) == 0 : unlink(path) < 0 && errno != ENOENT;
}

const struct bypass_line *bypass_lines(struct bypass *bypass, size_t *n)
{
	drop_over(bypass);
	*n = bypass->n;
	return bypass->lines;
}

bool bypass_covers(struct bypass *bypass, const char *zone)
{
	size_t n;
	const struct bypass_line *lines = bypass_lines(bypass, &n);
	for (size_t i = 0; i < n; i++)
		if (!*zone || !*lines[i].zone || strcmp(lines[i].zone, zone) == 0)
			return true;
	return false;
}
