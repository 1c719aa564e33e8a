/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "test/lib/policy_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

struct policy *policy_of_text(const char *text, const struct language_world *world)
{
	struct language_diagnosis diagnosis;
	struct policy *policy = language_parse("conf", text, strlen(text), world, &diagnosis);

	if (!policy)
		fail_msg("%s\n%s", diagnosis.n ? diagnosis.v[0].text : "no policy", text);
	language_diagnosis_fini(&diagnosis);
	return policy;
}
