/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/control/credential/renew.h"

#include "daemon/base/log.h"
#include "daemon/control/control.h"
#include "daemon/control/credential/own.h"
#include "daemon/control/peers/flow_peers.h"
#include "daemon/control/policy/turns.h"
#include "lib/base/container.h"
#include "lib/ipc/credential.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LOOK_MS 60000
/* A file that is bad may only be half written: it counts as bad when it still is so much later. */
#define AGAIN_MS 5000

struct renewal;

struct renew {
	struct control *control;
	struct credentials_part *part;
	struct loop_timer timer;
	struct renewal *first; /* under way, or waiting for an apply to end */
};

/* One look at all, or at one certificate. */
struct renewal {
	struct gather gather; /* first: of the processes' answers */
	struct renew *renew;  /* NULL: it is gone */
	struct renewal *next;
	char name[POLICY_NAME_SIZE]; /* empty: all */
	bool asked;                  /* by somebody: looked at whether it seems changed or not */
	bool bad, began;
	uint64_t policy;              /* of which `fresh` is */
	struct credential_now *fresh; /* as many as there are; loaded: it was handed over */
	size_t nfresh;
	char text[4096];
	renew_done *done;
	void *context;
};

static void on_time(struct loop_timer *timer, uint64_t now_ms);

struct renew *renew_new(struct control *control, struct credentials_part *part)
{
	struct renew *renew = calloc(1, sizeof(*renew));

	if (!renew)
		return NULL;
	renew->control = control;
	renew->part = part;
	renew->timer.on_time = on_time;
	return renew;
}

void renew_free(struct renew *renew)
{
	if (!renew)
		return;
	loop_timer_clear(renew->control->loop, &renew->timer);
	for (struct renewal *one = renew->first; one; one = one->next)
		one->renew = NULL;
	free(renew);
}

static void look_in(struct renew *renew, uint64_t ms)
{
	loop_timer_set(renew->control->loop, &renew->timer, loop_now_ms(renew->control->loop) + ms);
}

void renew_begin(struct renew *renew)
{
	size_t n;

	credentials_now(renew->part, &n);
	if (n)
		look_in(renew, LOOK_MS);
	else
		loop_timer_clear(renew->control->loop, &renew->timer);
}

void renew_soon(struct renew *renew)
{
	size_t n;

	credentials_now(renew->part, &n);
	if (n)
		look_in(renew, 0);
}

/* ---- what is said ---- */

static void add_line(struct renewal *one, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static void add_line(struct renewal *one, const char *format, ...)
{
	size_t used = strlen(one->text);
	va_list args;

	va_start(args, format);
	vsnprintf(one->text + used, sizeof(one->text) - used, format, args);
	va_end(args);
	used = strlen(one->text);
	if (used + 1 < sizeof(one->text))
		memcpy(one->text + used, "\n", 2);
}

/* Which it is of those without a name, their files say. */
static void tell_loaded(struct renewal *one, const struct credential_now *now)
{
	char title[CREDENTIAL_TITLE_SIZE], date[CERTIFICATE_DATE_SIZE], text[1024] = "";

	credential_title(&now->what, title);
	switch (now->what.kind) {
	case CREDENTIAL_CERTIFICATE:
	case CREDENTIAL_OWN:
		snprintf(text, sizeof(text), "%s: loaded: %s, %s, ends %s", title,
			now->facts.subject, now->facts.key,
			certificate_date(now->facts.ends, date));
		break;
	case CREDENTIAL_TRUST:
		snprintf(text, sizeof(text), "%s %s: loaded: %u certificate%s", title,
			now->what.file, now->trusted, now->trusted == 1 ? "" : "s");
		break;
	case CREDENTIAL_USERS:
	case CREDENTIAL_SECRET:
	case CREDENTIAL_TERMS:
	case CREDENTIAL_LOGO:
	case CREDENTIAL_TEXTS:
		snprintf(text, sizeof(text), "%s %s: loaded", title, now->what.file);
		break;
	}
	log_info("%s", text);
	add_line(one, "%s", text);
}

/* A trouble once, and its end. */
static void log_trouble(struct credential_now *now)
{
	char title[CREDENTIAL_TITLE_SIZE];

	if (strcmp(now->said, now->trouble) == 0)
		return;
	if (now->trouble[0])
		log_error("%s%s", now->trouble,
			now->loaded ? "; what was loaded before goes on" : "");
	else
		log_info("%s: %s is good again", credential_title(&now->what, title),
			now->what.file);
	memcpy(now->said, now->trouble, sizeof(now->said));
}

static void log_end(const struct credentials_part *part, struct credential_now *now)
{
	char date[CERTIFICATE_DATE_SIZE];

	if (now->what.kind != CREDENTIAL_CERTIFICATE || !now->loaded)
		return;
	int64_t days = certificate_days_left(&now->facts, credentials_now_s(part));
	unsigned mark = days < 0                          ? 1
			: days <= CREDENTIAL_TROUBLE_DAYS ? CREDENTIAL_TROUBLE_DAYS
			: days <= CREDENTIAL_WARNING_DAYS ? CREDENTIAL_WARNING_DAYS
							  : 0;
	if (mark && mark != now->days_said && days < 0)
		log_error("certificate %s has expired on %s", now->what.name,
			certificate_date(now->facts.ends, date));
	else if (mark && mark != now->days_said)
		log_warning("certificate %s ends on %s, in %" PRId64 " days", now->what.name,
			certificate_date(now->facts.ends, date), days);
	now->days_said = mark;
}

/* ---- a look ---- */

static void end(struct renewal *one)
{
	struct renew *renew = one->renew;

	if (renew) {
		struct renewal **at = &renew->first;
		while (*at != one)
			at = &(*at)->next;
		*at = one->next;
	}
	if (one->done)
		one->done(one->context, one->bad, one->text);
	free(one->fresh);
	free(one);
}

/* What was handed over is in force, or nothing of it is. */
static void on_renewed(struct gather *gather)
{
	struct renewal *one = (struct renewal *)gather;
	struct renew *renew = one->renew;
	bool same = renew && renew->control->policy_number == one->policy;

	for (size_t i = 0; same && i < one->nfresh; i++) {
		struct credential_now *now = credentials_now_at(renew->part, i);
		struct credential_now *fresh = &one->fresh[i];
		char title[CREDENTIAL_TITLE_SIZE];
		if (!now || !fresh->loaded)
			continue;
		if (gather->status) {
			snprintf(now->trouble, sizeof(now->trouble), "%s: %.200s: %.300s",
				credential_title(&now->what, title), now->what.file, gather->text);
			add_line(one, "%s", now->trouble);
			one->bad = true;
		} else {
			fresh->what = now->what;
			memcpy(fresh->said, now->said, sizeof(fresh->said));
			*now = *fresh;
			tell_loaded(one, now);
		}
		log_trouble(now);
		log_end(renew->part, now);
	}
	end(one);
}

static bool is_meant(const struct renewal *one, const struct credential_now *now)
{
	return !one->name[0] ||
	       (now->what.kind == CREDENTIAL_CERTIFICATE && strcmp(now->what.name, one->name) == 0);
}

static bool has_changed(const struct credential_now *now, int64_t now_s)
{
	struct credential_now seen = {.what = now->what};

	if (now->what.kind == CREDENTIAL_OWN)
		return certificate_days_left(&now->facts, now_s) <= CREDENTIAL_OWN_RENEW_DAYS;

	credentials_stamp(&seen);
	return !file_stamp_same(&seen.file_stamp, &now->file_stamp) ||
	       !file_stamp_same(&seen.key_stamp, &now->key_stamp);
}

/* Bad: what is loaded stays. The first time that a look of ours finds it so, the file may be half
 * written. */
static void keep_old(struct renewal *one, struct credential_now *now, const char *text)
{
	if (!one->asked && now->bad_looks++ == 0) {
		log_debug("%s; looking again soon", text);
		look_in(one->renew, AGAIN_MS);
		return;
	}
	snprintf(now->trouble, sizeof(now->trouble), "%s", text);
	add_line(one, "%s%s", text, now->loaded ? "; what was loaded before goes on" : "");
	one->bad = true;
	log_trouble(now);
}

static void look_at(struct renewal *one, struct credential_now *now, struct credential_now *fresh)
{
	struct renew *renew = one->renew;
	const bool bad_before = now->bad_looks > 0 || now->trouble[0];
	struct credential_read read;

	if (!one->asked && !bad_before && !has_changed(now, credentials_now_s(renew->part))) {
		log_end(renew->part, now);
		return;
	}
	credentials_stamp(now);
	credentials_read_one(renew->part, &now->what, &read);
	snprintf(now->warning, sizeof(now->warning), "%s", read.verdict.warning);
	if (read.verdict.bad && (now->loaded || !read.usable)) {
		keep_old(one, now, read.verdict.text);
	} else {
		*fresh = *now;
		fresh->bad_looks = 0;
		snprintf(fresh->trouble, sizeof(fresh->trouble), "%s",
			read.verdict.bad ? read.verdict.text : "");
		credentials_note(fresh, &read, loop_wall_ms(renew->control->loop));
		credentials_spread(renew->part, &now->what, &read);
	}
	credential_read_wipe(&read);
}

static void send_renew(struct renewal *one)
{
	struct flow_peers *peers = one->renew->control->flow_peers;
	struct ipc_plain ipc;
	struct peer *peer;

	ipc_init(&ipc, IPC_CREDENTIALS_RENEW, sizeof(ipc));
	for (unsigned at = 0; (peer = flow_peers_next(peers, &at)) != NULL;)
		if (credentials_are_for(peer->role))
			gather_try(&one->gather, &peer->asks, &ipc, -1);
}

/* No apply is under way. */
static void run(void *context)
{
	struct renewal *one = context;
	struct renew *renew = one->renew;
	size_t n;
	bool any = false;

	gather_init(&one->gather, on_renewed);
	if (renew) {
		renew_begin(renew);
		credentials_now(renew->part, &n);
		one->policy = renew->control->policy_number;
		one->fresh = calloc(n + 1, sizeof(*one->fresh));
		one->nfresh = one->fresh ? n : 0;
	}
	for (size_t i = 0; i < one->nfresh; i++) {
		struct credential_now *now = credentials_now_at(renew->part, i);
		if (!is_meant(one, now))
			continue;
		look_at(one, now, &one->fresh[i]);
		any |= one->fresh[i].loaded;
	}
	if (any)
		send_renew(one);
	gather_end(&one->gather, 0, NULL);
}

static struct renewal *new_renewal(struct renew *renew)
{
	struct renewal *one = calloc(1, sizeof(*one));

	if (!one)
		return NULL;
	one->renew = renew;
	one->next = renew->first;
	renew->first = one;
	return one;
}

static void on_time(struct loop_timer *timer, uint64_t now_ms)
{
	struct renew *renew = container_of(timer, struct renew, timer);
	struct renewal *one;

	(void)now_ms;
	look_in(renew, LOOK_MS);
	/* one is enough: what waits looks when it runs */
	if (renew->first || !(one = new_renewal(renew)))
		return;
	turns_when_free(renew->control->turns, run, one);
}

static bool has_certificate(const struct renew *renew, const char *name)
{
	size_t n;
	const struct credential_now *now = credentials_now(renew->part, &n);

	for (size_t i = 0; i < n; i++)
		if (now[i].what.kind == CREDENTIAL_CERTIFICATE &&
			strcmp(now[i].what.name, name) == 0)
			return true;
	return false;
}

int renew_ask(struct renew *renew, const char *name, renew_done *done, void *context)
{
	struct renewal *one;

	if (name && !has_certificate(renew, name))
		return -ENOENT;
	one = new_renewal(renew);
	if (!one)
		return -ENOMEM;
	snprintf(one->name, sizeof(one->name), "%s", name ? name : "");
	one->asked = true;
	one->done = done;
	one->context = context;
	turns_when_free(renew->control->turns, run, one);
	return 0;
}

int renew_settle(struct renew *renew, renew_done *done, void *context)
{
	struct renewal *one = new_renewal(renew);

	if (!one)
		return -ENOMEM;
	one->done = done;
	one->context = context;
	turns_when_free(renew->control->turns, run, one);
	return 0;
}
