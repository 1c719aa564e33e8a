/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/control/policy/opening.h"

#include "daemon/control/clock.h"
#include "daemon/control/control.h"
#include "daemon/control/decision_world.h"
#include "lib/policy/proof/opening.h"

#include <stdio.h>
#include <stdlib.h>

struct telling {
	const struct control *control;
	FILE *out;
};

static void tell(void *context, const char *zone, const char *text)
{
	const struct telling *telling = context;
	size_t n = session_table_count_zone(telling->control->table, zone);
	fprintf(telling->out, "zone %s (%zu session%s): %s\n", zone, n, n == 1 ? "" : "s", text);
}

char *opening_find(struct control *control, const struct policy *coming)
{
	const struct decide_world world = decision_world(control);
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);
	struct telling telling = {.control = control, .out = out};
	if (!out)
		return NULL;
	opening_steering(control->policy, coming, tell, &telling);
	opening_rules(&world, coming, clock_now_ms(control), tell, &telling);
	fclose(out);
	return text;
}
