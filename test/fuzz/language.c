/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Feeds any text to the language: the parser, and what is printed and edited of a policy that it
 * takes. Behind a byte 0xff stands what `include` and `list file` read. */
#include "lib/language/language.h"
#include "lib/policy/proof/relay_proof.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct input {
	const char *text;
	size_t len;
	unsigned reads;
};

static int read_rest(void *context, const char *path, char **text, size_t *len)
{
	struct input *input = context;

	(void)path;
	if (++input->reads > 20)
		return -EMFILE;
	*len = input->len;
	*text = malloc(input->len + 1);
	if (!*text)
		return -ENOMEM;
	memcpy(*text, input->text, input->len);
	return 0;
}

static int find_interface(void *context, const char *pattern)
{
	(void)context;
	return (int)strlen(pattern) % 3 - 1;
}

static bool is_own(void *context, const struct addr *addr)
{
	(void)context;
	return addr->bytes[0] & 1;
}

static void check_messages(struct language_diagnosis *diagnosis, bool refused)
{
	if (refused && diagnosis->errors == 0)
		abort();
	for (size_t i = 0; i < diagnosis->n; i++) {
		for (const char *c = diagnosis->v[i].text; *c; c++) {
			if ((unsigned char)*c < 0x20 && *c != '\n' && *c != '\t')
				abort();
		}
	}
	language_diagnosis_fini(diagnosis);
}

static void print_and_parse(const struct policy *policy, enum language_print flags)
{
	struct language_diagnosis diagnosis;
	size_t len;
	char *first = language_print(policy, flags, &len);
	struct policy *again = language_parse("printed", first, len, NULL, &diagnosis);

	if (!again)
		abort();
	check_messages(&diagnosis, false);
	char *second = language_print(again, flags, NULL);
	if (strcmp(first, second) != 0)
		abort();
	free(first);
	free(second);
	policy_unref(again);
}

static void edit(const struct policy *policy, const char *statement)
{
	struct language_diagnosis diagnosis;
	struct policy *edited = language_edit_add(
		policy, "rule", statement, LANGUAGE_FIRST, NULL, NULL, &diagnosis);

	check_messages(&diagnosis, !edited);
	policy_unref(edited);
}

/* What an edit makes of the text itself says what the edit made of the policy, or is not made. */
static void follow(const char *text, size_t len, const struct language_world *world,
	const struct policy *policy, struct policy *edited, const char *name)
{
	struct language_diagnosis diagnosis;
	size_t out_len;
	char *out =
		edited ? language_source_follow(text, len, policy, edited, "rule", name, &out_len)
		       : NULL;

	if (out && !memmem(text, len, "include", 7)) {
		struct policy *said = language_parse("fuzz/p", out, out_len, world, &diagnosis);
		check_messages(&diagnosis, !said);
		if (!said)
			abort();
		char *a = language_print(said, LANGUAGE_PRINT_CANONICAL, NULL);
		char *b = language_print(edited, LANGUAGE_PRINT_CANONICAL, NULL);
		if (strcmp(a, b) != 0)
			abort();
		free(a);
		free(b);
		policy_unref(said);
	}
	free(out);
	policy_unref(edited);
}

static void follow_edits(const char *text, size_t len, struct input *input,
	const struct language_world *world, const struct policy *policy)
{
	struct language_diagnosis diagnosis;
	const char *name = policy->nrules ? policy->rules[policy->nrules / 2].name.text : NULL;

	if (!name)
		return;
	for (int i = 0; i < 4; i++) {
		struct policy *edited;
		input->reads = 0;
		if (i == 0)
			edited = language_edit_delete(policy, "rule", name, world, &diagnosis);
		else if (i == 1)
			edited = language_edit_enable(policy, name,
				policy->rules[policy->nrules / 2].disabled, world, &diagnosis);
		else
			edited = language_edit_move(policy, name,
				i == 2 ? LANGUAGE_FIRST : LANGUAGE_LAST, NULL, world, &diagnosis);
		language_diagnosis_fini(&diagnosis);
		input->reads = 0;
		follow(text, len, world, policy, edited, name);
	}
}

static struct tm *local(const time_t *time, struct tm *tm)
{
	return gmtime_r(time, tm);
}

/* What is taken relays for no stranger. */
static void prove(const struct policy *policy)
{
	char text[RELAY_TEXT_SIZE];

	if (policy->nlisteners < 4 && policy->nrules < 50 &&
		relay_proof_fails(policy, NULL, local, UINT64_C(1774659600000), 0, text))
		abort();
}

static void parse_values(const char *text, size_t len)
{
	struct language_listing listing;

	language_parse_list(POLICY_HOLDS_ADDRESSES, text, len, &listing);
	language_listing_fini(&listing);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *mark = size ? memchr(data, 0xff, size) : NULL;
	size_t len = mark ? (size_t)(mark - data) : size;
	const char *text = size ? (const char *)data : "";
	struct input input = {
		.text = text + (mark ? len + 1 : len), .len = mark ? size - len - 1 : 0};
	const struct language_world world = {.read = read_rest,
		.context = &input,
		.interface = find_interface,
		.relay_port = 2525,
		.own_address = is_own};
	struct language_diagnosis diagnosis;

	struct policy *policy = language_parse("fuzz/p", text, len, &world, &diagnosis);
	check_messages(&diagnosis, !policy);
	parse_values(input.text, input.len);
	if (!policy)
		return 0;
	prove(policy);
	print_and_parse(policy, LANGUAGE_PRINT_CANONICAL);
	print_and_parse(policy, LANGUAGE_PRINT_FULL | LANGUAGE_PRINT_RESOLVED);
	char *statement = strndup(input.text, input.len);
	edit(policy, statement);
	free(statement);
	follow_edits(text, len, &input, &world, policy);
	policy_unref(policy);
	return 0;
}
