/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/web/portal/steps.h"

#include "daemon/base/log.h"
#include "daemon/web/portal/ask.h"
#include "daemon/web/portal/say.h"
#include "daemon/web/web.h"
#include "lib/base/container.h"
#include "lib/ipc/auth.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define PUT_OFF_MS 60000 /* auth does not say how long */

static struct web *web_of(const struct visit *visit)
{
	return visit->service->portal->web;
}

static struct portal_counts *counts_of(const struct visit *visit)
{
	visit->service->portal->changed = true;
	return &visit->service->portal->state.counts;
}

static uint64_t now_ms(const struct visit *visit)
{
	return loop_now_ms(web_of(visit)->loop);
}

/* "02:00:5e:00:53:01 (192.0.2.7)", "192.0.2.7" */
#define DEVICE_SIZE (MAC_TEXT_SIZE + ADDR_TEXT_SIZE + 4)
static const char *device_of(const struct visit *visit, char text[static DEVICE_SIZE])
{
	char mac[MAC_TEXT_SIZE], address[ADDR_TEXT_SIZE];

	addr_format(&visit->client.address, address);
	if (mac_is_set(&visit->client.mac))
		snprintf(
			text, DEVICE_SIZE, "%s (%s)", mac_format(&visit->client.mac, mac), address);
	else
		snprintf(text, DEVICE_SIZE, "%s", address);
	return text;
}

static void busy(struct visit *visit)
{
	counts_of(visit)->later++;
	say_login(visit, PORTAL_NOTICE_BUSY, 0);
}

/* ---- a login ---- */

/* A no is said at the next full second, however fast or slow it was known. */
static void hold(struct visit *visit)
{
	visit->state = VISIT_HOLDS;
	loop_timer_set(web_of(visit)->loop, &visit->timer,
		now_ms(visit) + portal_tries_hold(visit->asked_ms, now_ms(visit)));
}

static void refuse(struct visit *visit)
{
	char device[DEVICE_SIZE];

	counts_of(visit)->failures++;
	child_count(&web_of(visit)->child, COUNTER_PORTAL_FAILURES);
	log_info("portal %s: a login of %s from %s in zone %s was refused",
		visit->service->portal->name, log_person(visit->user),
		log_person(device_of(visit, device)), visit->client.zone);
	tell_wrong(visit);
	hold(visit);
}

static void put_off(struct visit *visit, uint64_t wait_ms)
{
	counts_of(visit)->put_off++;
	child_count(&web_of(visit)->child, COUNTER_PORTAL_PUT_OFF);
	say_login(visit, PORTAL_NOTICE_WAIT, wait_ms);
}

static void forget_try(struct visit *visit)
{
	portal_tries_forget(
		web_of(visit)->portals.tries, &visit->device, visit->user, now_ms(visit));
}

static void try_password(struct visit *visit, const struct portal_form *form)
{
	struct portal_tries *tries = web_of(visit)->portals.tries;
	char device[DEVICE_SIZE];
	uint64_t wait_ms;

	if (!form->user[0] || !form->password[0]) {
		hold(visit); /* nobody is that, and nothing was guessed */
		return;
	}
	enum portal_try allowed =
		portal_tries_ask(tries, &visit->device, visit->user, now_ms(visit), &wait_ms);
	if (allowed != PORTAL_TRY_OK) {
		if (allowed == PORTAL_TRY_DEVICE || allowed == PORTAL_TRY_NETWORK)
			log_debug("portal %s: %s in zone %s has to wait",
				visit->service->portal->name, log_person(device_of(visit, device)),
				visit->client.zone);
		put_off(visit, wait_ms);
		return;
	}
	portal_tries_begin(tries, &visit->device, visit->user, now_ms(visit));
	if (ask_password(visit, form->user, form->password) < 0) {
		forget_try(visit);
		busy(visit);
	}
}

static void begin_login(struct visit *visit, const struct portal_form *form)
{
	const struct portal *portal = visit->service->portal;

	snprintf(visit->user, sizeof(visit->user), "%s", form->user);
	memcpy(visit->terms, portal->terms_version, sizeof(visit->terms));
	if (portal->lacks_terms)
		busy(visit);
	else if (portal->terms && !form->accept)
		say_login(visit, PORTAL_NOTICE_NOT_ACCEPTED, 0);
	else if (portal->terms && strcmp(form->terms, portal->terms_version) != 0)
		say_login(visit, PORTAL_NOTICE_TERMS_CHANGED, 0);
	else if (portal->policy->auth_names.n > 0)
		try_password(visit, form);
	else if (ask_login(visit, NULL) < 0)
		busy(visit);
}

void steps_verdict(struct visit *visit, const struct ipc_auth_verdict *verdict)
{
	struct portal_tries *tries = web_of(visit)->portals.tries;

	loop_timer_clear(web_of(visit)->loop, &visit->timer);
	switch (verdict ? verdict->verdict : AUTH_LATER) {
	case AUTH_OK:
		portal_tries_passed(tries, &visit->device, visit->user, now_ms(visit));
		if (ask_login(visit, verdict) < 0)
			busy(visit);
		break;
	case AUTH_REFUSED:
		refuse(visit);
		break;
	case AUTH_LIMITED:
		forget_try(visit);
		put_off(visit, PUT_OFF_MS);
		break;
	default:
		forget_try(visit);
		if (verdict && verdict->text[0])
			log_warning("portal %s: a login could not be checked: %s",
				visit->service->portal->name, verdict->text);
		busy(visit);
		break;
	}
}

/* ---- what control says ---- */

/* Of a login. */
static void refused_by_control(struct visit *visit, int status)
{
	if (status == -EDQUOT)
		say_login(visit, PORTAL_NOTICE_LIMIT, 0);
	else
		busy(visit);
}

static void count_done(struct visit *visit)
{
	struct portal_counts *counts = counts_of(visit);

	if (visit->route == PORTAL_LOGIN)
		counts->logins++;
	else if (visit->route == PORTAL_RENEW)
		counts->renewals++;
	else
		counts->logouts++;
}

void steps_done(struct visit *visit, int status)
{
	const bool nobody = status == -ENOENT;

	loop_timer_clear(web_of(visit)->loop, &visit->timer);
	if (visit->state == VISIT_SHOWS && nobody) {
		steps_shown(visit, NULL);
	} else if (visit->state == VISIT_SHOWS) {
		busy(visit);
	} else if (status == 0 || (nobody && visit->route == PORTAL_LOGOUT)) {
		count_done(visit);
		say_done(visit);
	} else if (nobody) { /* it is over: the password is asked for anew */
		say_login(visit, PORTAL_NOTICE_AGAIN, 0);
	} else {
		refused_by_control(visit, status);
	}
}

void steps_shown(struct visit *visit, const struct ipc_portal_shown *shown)
{
	const char *done = MHD_lookup_connection_value(visit->mhd, MHD_GET_ARGUMENT_KIND, "done");
	char query[32];

	loop_timer_clear(web_of(visit)->loop, &visit->timer);
	snprintf(query, sizeof(query), "done=%.20s", done ? done : "");
	enum portal_notice notice = portal_notice_of_query(query, shown != NULL);
	if (shown)
		say_status(visit, notice, shown);
	else if (notice == PORTAL_NOTICE_LOGGED_OUT)
		say_logged_out(visit);
	else
		say_login(visit, notice, 0);
}

/* ---- a request that is whole ---- */

static void post(struct visit *visit)
{
	static const enum portal_form_kind kinds[] = {[PORTAL_LOGIN] = PORTAL_FORM_LOGIN,
		[PORTAL_RENEW] = PORTAL_FORM_RENEW,
		[PORTAL_LOGOUT] = PORTAL_FORM_LOGOUT};
	struct portal_form form;

	if (visit->too_long || portal_form_parse(visit->body, visit->body_len, &form) < 0) {
		counts_of(visit)->refused_requests++;
		say_refusal(
			visit, visit->too_long ? PORTAL_NOTICE_TOO_LONG : PORTAL_NOTICE_BAD_FORM);
	} else if (!portal_token_check(web_of(visit)->portals.key, &visit->device,
			   kinds[visit->route], now_ms(visit), form.token)) {
		counts_of(visit)->refused_requests++;
		say_login(visit, PORTAL_NOTICE_STALE, 0);
	} else if (visit->route == PORTAL_LOGIN) {
		begin_login(visit, &form);
	} else if ((visit->route == PORTAL_RENEW ? ask_renew(visit) : ask_logout(visit)) < 0) {
		busy(visit);
	}
	explicit_bzero(visit->body, sizeof(visit->body));
	visit->body_len = 0;
}

static void begin(struct visit *visit)
{
	switch (visit->route) {
	case PORTAL_HOME:
		if (ask_show(visit) < 0)
			busy(visit);
		break;
	case PORTAL_STYLE:
		say_style(visit);
		break;
	case PORTAL_LOGO:
		say_logo(visit);
		break;
	case PORTAL_LOGIN:
	case PORTAL_RENEW:
	case PORTAL_LOGOUT:
		post(visit);
		break;
	case PORTAL_BAD_FIELDS:
	case PORTAL_NOT_FOUND:
	case PORTAL_BAD_METHOD:
	case PORTAL_BAD_HOST:
	case PORTAL_FOREIGN:
	case PORTAL_BAD_TYPE:
		say_refusal(visit, portal_notice_of_route(visit->route));
		break;
	}
}

void steps_wait(struct visit *visit)
{
	uint64_t wait_ms = guest_turn(visit->guest, GUEST_ASKS, visit->asked_ms);

	if (wait_ms == 0) {
		begin(visit);
		return;
	}
	visit->state = VISIT_WAITS;
	loop_timer_set(web_of(visit)->loop, &visit->timer, visit->asked_ms + wait_ms);
}

void steps_on_time(struct loop_timer *timer, uint64_t now)
{
	struct visit *visit = container_of(timer, struct visit, timer);

	(void)now;
	switch (visit->state) {
	case VISIT_COMES:
	case VISIT_READS:
	case VISIT_SAYS:
	case VISIT_SENDS:
		break;
	case VISIT_WAITS:
		begin(visit);
		break;
	case VISIT_HOLDS:
		say_login(visit, PORTAL_NOTICE_WRONG, 0);
		break;
	case VISIT_CHECKS:
		forget_try(visit);
		busy(visit);
		break;
	case VISIT_SHOWS:
	case VISIT_ACTS:
		busy(visit);
		break;
	}
}
