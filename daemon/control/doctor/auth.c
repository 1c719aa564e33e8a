/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What doctor finds of where passwords are checked: that each place answers. */
#include "daemon/control/doctor/examination.h"

#include "daemon/control/control.h"
#include "daemon/control/peers/auth_peer.h"
#include "lib/policy/policy.h"

#include <inttypes.h>

#define GUESSED_MS 3600000 /* so long after the last one it is told */

static const char *advice_of(const struct policy_auth *auth)
{
	switch (auth->kind) {
	case POLICY_AUTH_LDAP:
		return "see that the directory runs and can be reached from here, that its "
		       "certificate holds, and who searches may search; then: posternctl auth test";
	case POLICY_AUTH_FORWARD:
		return "posternctl server test # of the server that is asked; then: posternctl "
		       "auth "
		       "test";
	case POLICY_AUTH_DOVECOT:
		return "see that Dovecot runs, and that its unix_listener is of user postern; "
		       "then: "
		       "posternctl auth test";
	case POLICY_AUTH_FILE:
		return "mend the file, then: posternctl certificate reload";
	}
	return "";
}

static void check_slow(const struct examination *exam, const struct ipc_auth_state *state)
{
	const struct auth_counts *n = &state->counts;

	if (n->slow > 0 && n->slow >= n->asked / 10)
		examination_find(exam, "auth", DOCTOR_WARNING,
			"see what keeps it; mail programs give up soon",
			"auth %s: %" PRIu64 " of %" PRIu64 " answers took 2 seconds or more",
			state->auth, n->slow, n->asked);
}

/* Somebody was put off lately, as too many were refused before. */
static void check_guessed(const struct examination *exam, const struct ipc_auth_state *state)
{
	uint64_t now_ms = loop_wall_ms(exam->control->loop);

	if (state->limited_ms && now_ms < state->limited_ms + GUESSED_MS)
		examination_find(exam, "auth", DOCTOR_WARNING,
			"posternctl audit show end left-after-auth # and end logins-refused: from "
			"where; nobody who "
			"logged in from his place before is kept out",
			"auth %s: passwords are guessed at: %" PRIu64
			" logins were put off without asking",
			state->auth, state->counts.limited);
}

void examination_of_auths(const struct examination *exam)
{
	const struct policy *policy = exam->control->policy;

	for (size_t i = 0; i < policy->nauths; i++) {
		const struct policy_auth *auth = &policy->auths[i];
		const struct ipc_auth_state *state =
			auth_peer_state(exam->control->auth, auth->name.text);
		if (!state)
			continue;
		examination_find(exam, "auth", state->up ? DOCTOR_OK : DOCTOR_ERROR,
			advice_of(auth), "auth %s%s%s", auth->name.text,
			state->up ? " answers" : ": ", state->up ? "" : state->text);
		check_slow(exam, state);
		check_guessed(exam, state);
	}
}
