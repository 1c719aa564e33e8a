/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/posternctl/noun.h"
#include "tools/posternctl/password.h"

#include "lib/auth/user_file.h"
#include "lib/policy/element.h"

#include <crypt.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* The hash by the best method that the machine's library has. false: errno. */
static bool make_hash(const char *password, char hash[static USER_FILE_HASH_SIZE])
{
	char setting[CRYPT_GENSALT_OUTPUT_SIZE];
	struct crypt_data *data = calloc(1, sizeof(*data));
	const char *made = data && crypt_gensalt_rn(NULL, 0, NULL, 0, setting, sizeof(setting))
				   ? crypt_r(password, setting, data)
				   : NULL;
	bool good = made && *made != '*' && strlen(made) < USER_FILE_HASH_SIZE;

	if (good)
		snprintf(hash, USER_FILE_HASH_SIZE, "%s", made);
	if (data)
		explicit_bzero(data, sizeof(*data));
	free(data);
	return good;
}

/* NULL, or the first that is no one address of somebody. */
static const char *find_bad_mail(const char *list, char bad[static 256])
{
	size_t len = strlen(list), n;
	const char *word;
	struct policy_elem elem;

	while (user_file_next(&list, &len, &word, &n)) {
		snprintf(bad, 256, "%.*s", (int)n, word);
		if (*word == '@' || element_parse(POLICY_HOLDS_MAIL, word, n, &elem))
			return bad;
	}
	return NULL;
}

/* A colon would end the field, and what is behind it be in the next: a group's rest an address. */
static const char *find_colon(const struct verb_words *given)
{
	static const struct {
		const char *word, *expected;
	} fields[] = {{"USER", "a user's name without a colon"},
		{"group", "a group's name without a colon"},
		{"mail", "an address without a colon"}};

	for (size_t i = 0; i < sizeof(fields) / sizeof(*fields); i++) {
		const char *value = verb_value(given, fields[i].word);
		if (value && strchr(value, ':'))
			return fields[i].expected;
	}
	return NULL;
}

/* A line as it will be read; NULL, or what is wrong with it. */
static const char *make_line(
	char line[static USER_FILE_LINE_MAX + 2], const struct verb_words *given, const char *hash)
{
	const char *groups = verb_value(given, "group"), *mails = verb_value(given, "mail");
	bool more = groups || mails;
	int n = snprintf(line, USER_FILE_LINE_MAX + 2, "%s:%s%s%s%s%s", verb_value(given, "USER"),
		hash, more ? ":" : "", groups ? groups : "", mails ? ":" : "", mails ? mails : "");
	size_t number;

	if (n < 0 || n > USER_FILE_LINE_MAX)
		return "a line of at most 2048 bytes";
	return user_file_check(line, (size_t)n, &number);
}

int auth_password(struct call *call, const struct verb *verb, const struct verb_words *given,
	const char *const *words, size_t nwords)
{
	static const char stand_in[] =
		"$y$j9T$x$x"; /* to look at all else before it is asked for */
	char line[USER_FILE_LINE_MAX + 2], hash[USER_FILE_HASH_SIZE], password[PASSWORD_SIZE];
	char bad[256];
	const char *user = verb_value(given, "USER"), *mails = verb_value(given, "mail");
	const char *wrong =
		*user == '#' ? "a user's name that does not begin with #" : find_colon(given);

	(void)verb, (void)words, (void)nwords;
	if (!wrong)
		wrong = make_line(line, given, stand_in);
	if (wrong)
		return call_fail(call, OUTCOME_USAGE, NULL, "expected is %s", wrong);
	if (mails && find_bad_mail(mails, bad))
		return call_fail(call, OUTCOME_USAGE, NULL, "\"%s\" is no mail address", bad);
	wrong = password_read(password, user, true);
	bool made = !wrong && make_hash(password, hash);
	explicit_bzero(password, sizeof(password));
	if (!wrong && !made)
		wrong = strerror(errno);
	if (!wrong)
		wrong = make_line(line, given, hash);
	if (wrong)
		return call_fail(call, OUTCOME_REFUSED, NULL, "%s", wrong);
	return call_done(call, OUTCOME_DONE, false, line);
}

/* It goes as the body of the request, and is no word of it. */
int auth_test(struct call *call, const struct verb *verb, const struct verb_words *given,
	const char *const *words, size_t nwords)
{
	char password[PASSWORD_SIZE];
	const char *wrong = password_read(password, verb_value(given, "user"), false);
	int status = wrong ? call_fail(call, OUTCOME_REFUSED, NULL, "%s", wrong)
			   : call_ask(call, verb, words, nwords, password, strlen(password));

	explicit_bzero(password, sizeof(password));
	return status;
}
