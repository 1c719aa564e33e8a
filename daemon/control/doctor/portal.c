/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What doctor finds of login pages: that they can be served, and that nobody is shut out who should
 * not be. Their ports and certificates are looked at as those of listeners. */
#include "daemon/control/doctor/examination.h"

#include "daemon/control/control.h"
#include "daemon/control/peers/web_peer.h"

static void check_portal(const struct examination *exam, const struct policy_portal *portal)
{
	const char *name = portal->name.text;
	const struct web_peer_portal *known = web_peer_portal(exam->control->web, name);
	char url[POLICY_PORTAL_URL_SIZE];

	if (!known || !known->told) {
		examination_find(exam, "portal", DOCTOR_WARNING,
			"see in the log why process web does not run",
			"portal %s is not served: the web process has not told of it", name);
		return;
	}
	if (!known->state.serves)
		examination_find(exam, "portal", DOCTOR_ERROR,
			"mend its certificate, then: posternctl certificate reload",
			"portal %s does not serve HTTPS: %s", name, known->state.text);
	else
		examination_find(exam, "portal", DOCTOR_OK, "", "portal %s: guests log in at %s",
			name, policy_portal_url(portal, url));
	if (known->state.locked > 0)
		examination_find(exam, "portal", DOCTOR_WARNING,
			"nothing, where somebody guesses; a guest who mistyped waits, or the desk "
			"logs him in: posternctl portal show, posternctl session login",
			"portal %s: %u devices or networks are shut out for a while, as too many "
			"passwords were wrong",
			name, known->state.locked);
}

void examination_of_portals(const struct examination *exam)
{
	const struct policy *policy = exam->control->policy;

	for (size_t i = 0; i < policy->nportals; i++)
		check_portal(exam, &policy->portals[i]);
}
