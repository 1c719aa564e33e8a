/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What doctor finds of accounting: that packets come, can be believed, and say when a session is
 * over. */
#include "daemon/control/doctor/examination.h"

#include "daemon/control/control.h"
#include "daemon/control/peers/radius_peer.h"

#include <inttypes.h>
#include <string.h>

#define LATELY_MS 3600000
#define SKEW_MS   60000 /* of a clock, and worth telling */

static bool is_lately(const struct examination *exam, uint64_t wall_ms)
{
	return wall_ms && loop_wall_ms(exam->control->loop) < wall_ms + LATELY_MS;
}

static void check_sender(const struct examination *exam, const struct ipc_radius_sender *sender)
{
	char address[ADDR_TEXT_SIZE];
	int64_t skew_ms = sender->skew_ms < 0 ? -sender->skew_ms : sender->skew_ms;

	addr_format(&sender->source, address);
	/* without MD5 it is this machine that cannot, which is told of the radius */
	if (is_lately(exam, sender->refused_ms) && sender->refused_ms >= sender->heard_ms &&
		sender->verdict != RADIUS_VERDICT_NO_MD5)
		examination_find(exam, "radius", DOCTOR_WARNING,
			"see that the secret is the same there and in the file that `from` names",
			"radius %s: packets of %s are not believed: %s", sender->radius, address,
			radius_verdict_meanings[sender->verdict]);
	if (is_lately(exam, sender->heard_ms) && skew_ms > SKEW_MS)
		examination_find(exam, "radius", DOCTOR_WARNING, "set both clocks by NTP",
			"radius %s: the clock of %s is %" PRId64 " seconds %s", sender->radius,
			address, skew_ms / 1000, sender->skew_ms > 0 ? "behind" : "ahead");
	if (sender->limited > 0 && is_lately(exam, sender->heard_ms))
		examination_find(exam, "radius", DOCTOR_WARNING,
			"see what it sends so much for; what is over is sent again later",
			"radius %s: %" PRIu64 " packets of %s came faster than 2,000 a second",
			sender->radius, sender->limited, address);
}

/* Who says when a session began, and never again, leaves its end to the clock. */
static void check_interims(const struct examination *exam, const struct policy_radius *radius,
	const struct ipc_radius_state *state)
{
	const uint64_t *n = state->counts.statuses;
	bool early = loop_wall_ms(exam->control->loop) < state->begun_ms + LATELY_MS;

	if (early || n[RADIUS_STATUS_START] == 0 || n[RADIUS_STATUS_INTERIM] > 0)
		return;
	examination_find(exam, "radius", DOCTOR_WARNING,
		"have it send Interim-Update, every 600 seconds for example; or `timeout` says "
		"another time",
		"radius %s: no Interim-Update was ever heard: sessions end %u minutes behind their "
		"Start, though their clients are there",
		radius->name.text, radius->timeout_s / 60);
}

static void check_radius(const struct examination *exam, const struct policy_radius *radius)
{
	const char *name = radius->name.text;
	const struct ipc_radius_state *state = radius_peer_state(exam->control->radius, name);
	char address[ADDR_TEXT_SIZE];

	if (!state)
		return;
	if (!state->md5)
		examination_find(exam, "radius", DOCTOR_ERROR,
			"allow MD5 again (OpenSSL's FIPS provider refuses it), or let another "
			"machine's radsecproxy or FreeRADIUS log in through session.sock",
			"radius %s: OpenSSL has no MD5 here: no packet can be believed", name);
	else
		examination_find(
			exam, "radius", DOCTOR_OK, "", "radius %s takes accounting packets", name);
	if (is_lately(exam, state->unlisted_ms))
		examination_find(exam, "radius", DOCTOR_WARNING,
			"a `from` with its secret, if it is to be heard; else see why it sends "
			"here",
			"radius %s: %s sends, and is not listed", name,
			addr_format(&state->unlisted_from, address));
	check_interims(exam, radius, state);
}

void examination_of_radiuses(const struct examination *exam)
{
	const struct policy *policy = exam->control->policy;
	size_t n;
	const struct ipc_radius_sender *senders = radius_peer_senders(exam->control->radius, &n);

	for (size_t i = 0; i < policy->nradiuses; i++)
		check_radius(exam, &policy->radiuses[i]);
	for (size_t i = 0; i < n; i++)
		check_sender(exam, &senders[i]);
}
