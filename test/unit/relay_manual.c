/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The sites of postern-relay(7) are policies, and prove that they relay for no stranger. */
#include "lib/language/language.h"
#include "lib/policy/proof/relay_proof.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

static struct tm *local(const time_t *time, struct tm *tm)
{
	return gmtime_r(time, tm);
}

/* The hosting site's customers. */
static int read_file(void *context, const char *path, char **text, size_t *len)
{
	FILE *out;

	(void)context;
	if (strcmp(path, "/etc/postern/customers.list") != 0)
		return -ENOENT;
	out = open_memstream(text, len);
	for (unsigned i = 0; i < 2000; i++)
		fprintf(out, "customer%u.example\n.customer%u.example\n", i, i);
	fclose(out);
	return 0;
}

static char *read_page(void)
{
	char *text = calloc(1, 1 << 17);
	FILE *file = fopen("doc/man/postern-relay.7", "rb");

	assert_non_null(file);
	assert_true(fread(text, 1, (1 << 17) - 1, file) > 0);
	fclose(file);
	return text;
}

static void check_site(const char *name, const char *text, size_t len)
{
	const struct language_world world = {.read = read_file};
	struct language_diagnosis diagnosis;
	char said[RELAY_TEXT_SIZE];
	struct policy *policy = language_parse(name, text, len, &world, &diagnosis);

	for (size_t i = 0; i < diagnosis.n; i++)
		print_message("%s\n", diagnosis.v[i].text);
	assert_non_null(policy);
	assert_int_equal(diagnosis.warnings, 0);
	language_diagnosis_fini(&diagnosis);
	if (relay_proof_fails(policy, NULL, local, UINT64_C(1774659600000), 0, said))
		fail_msg("%s: %s", name, said);
	policy_unref(policy);
}

static void each_site_is_a_policy(void **state)
{
	static const char *const sites[] = {"company", "hosting", "hotel"};
	char *page = read_page();
	(void)state;
	for (size_t i = 0; i < sizeof(sites) / sizeof(*sites); i++) {
		char mark[64];
		snprintf(mark, sizeof(mark), "\n.\\\" SITE %s\n.Bd -literal -offset indent\n",
			sites[i]);
		const char *from = strstr(page, mark);
		assert_non_null(from);
		from += strlen(mark);
		check_site(sites[i], from, (size_t)(strstr(from, "\n.Ed\n") - from));
	}
	free(page);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_site_is_a_policy),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
