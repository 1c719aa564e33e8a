/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/control/trouble/trouble.h"

#include "daemon/control/control.h"
#include "daemon/control/peers/web_peer.h"

void trouble_of_portals(const struct control *control, json_t *troubles)
{
	for (size_t i = 0; i < control->policy->nportals; i++) {
		const char *name = control->policy->portals[i].name.text;
		const struct web_peer_portal *known = web_peer_portal(control->web, name);
		if (known && known->told && !known->state.serves)
			trouble_add(troubles, "posternctl doctor",
				"portal %s does not serve HTTPS: %s", name, known->state.text);
	}
}
