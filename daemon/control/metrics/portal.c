/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/control/metrics/portal.h"

#include "daemon/control/control.h"
#include "daemon/control/peers/web_peer.h"

typedef void put_figures(
	struct exposition *page, const char *portal, const struct portal_counts *counts);

static void each(struct exposition *page, const struct control *control, const char *name,
	const char *help, put_figures *put)
{
	const struct policy *policy = control->policy;

	exposition_begin(page, name, COUNTER_KIND_TOTAL, help);
	for (size_t i = 0; i < policy->nportals; i++) {
		const char *portal = policy->portals[i].name.text;
		struct portal_counts counts;
		web_peer_portal_counts(web_peer_portal(control->web, portal), &counts);
		put(page, portal, &counts);
	}
}

static void put_logins(
	struct exposition *page, const char *portal, const struct portal_counts *counts)
{
	const struct {
		const char *outcome;
		uint64_t n;
	} outcomes[] = {{"passed", counts->logins}, {"wrong", counts->failures},
		{"put-off", counts->put_off}, {"later", counts->later}};

	for (size_t i = 0; i < sizeof(outcomes) / sizeof(*outcomes); i++)
		exposition_add(page, outcomes[i].n, "portal", portal, "outcome",
			outcomes[i].outcome, NULL);
}

static void put_acts(
	struct exposition *page, const char *portal, const struct portal_counts *counts)
{
	exposition_add(page, counts->renewals, "portal", portal, "act", "renew", NULL);
	exposition_add(page, counts->logouts, "portal", portal, "act", "logout", NULL);
}

static void put_requests(
	struct exposition *page, const char *portal, const struct portal_counts *counts)
{
	exposition_add(page, counts->requests, "portal", portal, NULL);
}

static void put_requests_refused(
	struct exposition *page, const char *portal, const struct portal_counts *counts)
{
	exposition_add(page, counts->refused_requests, "portal", portal, NULL);
}

static void put_locked(struct exposition *page, const struct control *control)
{
	exposition_begin(page, "portal-locked-out", COUNTER_KIND_GAUGE,
		"devices and networks that are shut out of the login pages at the moment");
	for (size_t i = 0; i < control->policy->nportals; i++) {
		const struct web_peer_portal *known =
			web_peer_portal(control->web, control->policy->portals[i].name.text);
		if (!known || !known->told)
			continue;
		/* one table of all portals */
		exposition_add(page, known->state.locked, NULL);
		return;
	}
}

void metrics_put_portals(struct exposition *page, const struct control *control)
{
	each(page, control, "portal-logins", "logins at the login page, by what they came to",
		put_logins);
	each(page, control, "portal-acts", "sessions renewed and logged out there", put_acts);
	each(page, control, "portal-requests", "requests to the login page", put_requests);
	each(page, control, "portal-requests-refused",
		"of these, refused: by name, origin, token or form", put_requests_refused);
	put_locked(page, control);
}
