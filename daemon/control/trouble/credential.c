/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/control/trouble/trouble.h"

#include "daemon/control/control.h"
#include "daemon/control/credential/credentials.h"

#include <inttypes.h>
#include <stdio.h>

static void look_at_end(
	const struct control *control, const struct credential_now *now, json_t *troubles)
{
	int64_t days = certificate_days_left(&now->facts, credentials_now_s(control->credentials));
	char next[POLICY_NAME_SIZE + 32], date[CERTIFICATE_DATE_SIZE];

	if (days > CREDENTIAL_TROUBLE_DAYS)
		return;
	snprintf(next, sizeof(next), "posternctl certificate show %s", now->what.name);
	certificate_date(now->facts.ends, date);
	if (days < 0)
		trouble_add(
			troubles, next, "certificate %s has expired on %s", now->what.name, date);
	else
		trouble_add(troubles, next, "certificate %s ends on %s, in %" PRId64 " days",
			now->what.name, date, days);
}

void trouble_of_credentials(const struct control *control, json_t *troubles)
{
	size_t n;
	const struct credential_now *now = credentials_now(control->credentials, &n);

	for (size_t i = 0; i < n; i++) {
		if (now[i].trouble[0])
			trouble_add(troubles, "posternctl certificate reload", "%s; %s",
				now[i].trouble,
				now[i].loaded ? "what was loaded before goes on"
					      : credential_lack(now[i].what.kind));
		if (now[i].what.kind == CREDENTIAL_CERTIFICATE && now[i].loaded)
			look_at_end(control, &now[i], troubles);
	}
}
