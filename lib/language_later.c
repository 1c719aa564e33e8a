#include "lib/language_parse.h"

#include <errno.h>
#include <stdio.h>

/* What the language knows and this release does not do yet: used, it is refused by name, never
 * ignored. A release that brings one of these deletes its line here. */
static const struct {
	const char *name;
	uint32_t given; /* enum policy_given */
} later[] = {
	{"metrics", POLICY_GIVEN_METRICS},
};

static void refuse(
	const struct policy *policy, struct language_diagnosis *diagnosis, const char *name)
{
	static const struct policy_place nowhere;
	char text[800];

	snprintf(text, sizeof(text),
		"%.500s: error: %s comes with a later release, expected a policy without it",
		policy->nfiles > 0 ? policy->files[0] : "policy", name);
	if (language_diagnosis_add(diagnosis, LANGUAGE_ERROR, &nowhere, text) < 0)
		diagnosis->errors += diagnosis->errors == 0;
}

size_t language_refuse_later(const struct policy *policy, struct language_diagnosis *diagnosis)
{
	size_t refused = 0;

	for (size_t i = 0; i < sizeof(later) / sizeof(*later); i++) {
		if (policy->given & later[i].given) {
			refuse(policy, diagnosis, later[i].name);
			refused++;
		}
	}
	return refused;
}
