/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/control/trouble/trouble.h"

#include "daemon/control/control.h"
#include "daemon/control/peers/auth_peer.h"
#include "lib/policy/policy.h"

#include <stdio.h>

void trouble_of_auths(const struct control *control, json_t *troubles)
{
	char next[POLICY_NAME_SIZE + 32];

	for (size_t i = 0; i < control->policy->nauths; i++) {
		const char *name = control->policy->auths[i].name.text;
		const struct ipc_auth_state *state = auth_peer_state(control->auth, name);
		if (!state || state->up)
			continue;
		snprintf(next, sizeof(next), "posternctl auth show %s", name);
		trouble_add(troubles, next, "auth %s: %s; who logs in there hears 454", name,
			state->text);
	}
}
