/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/control/trouble/trouble.h"

#include "daemon/control/control.h"
#include "daemon/control/peers/radius_peer.h"

void trouble_of_radiuses(const struct control *control, json_t *troubles)
{
	for (size_t i = 0; i < control->policy->nradiuses; i++) {
		const char *name = control->policy->radiuses[i].name.text;
		const struct ipc_radius_state *state = radius_peer_state(control->radius, name);
		if (state && !state->md5)
			trouble_add(troubles, "posternctl doctor",
				"radius %s: OpenSSL has no MD5 here: no packet can be believed",
				name);
	}
}
