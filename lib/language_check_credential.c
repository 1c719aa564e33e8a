#include "lib/credential.h"
#include "lib/language_parse.h"

#include <string.h>

static void check_one(struct language *l, const struct credential *credential)
{
	size_t len = strlen(credential->name);
	struct language_span span = {
		.place = credential->place, .width = (uint16_t)(len > 0 ? len : 1)};
	struct credential_verdict verdict = {0};

	l->world->credential(l->world->context, credential, &verdict);
	if (verdict.bad)
		language_fault(l, &span, "%s", verdict.text);
	if (verdict.warning[0])
		language_warn(l, &span, "%s", verdict.warning);
}

void language_check_credentials(struct language *l)
{
	struct credentials all;

	if (!l->world->credential)
		return;
	if (credentials_of(l->policy, &all) < 0)
		language_out_of_memory(l);
	for (size_t i = 0; i < all.n && !l->stopped; i++)
		check_one(l, &all.v[i]);
	credentials_fini(&all);
}
