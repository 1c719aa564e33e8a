/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The file of users: its text came from control, which reads and checks it.
 *
 * To compare a password takes the processor for tens of milliseconds, and that is meant. Who asks
 * waits for his turn, one a round of the loop, so that in between everything else is heard. Whoever
 * is known to log in has his before all others: a crowd of strangers does not keep him waiting. */
#include "daemon/auth/auth.h"

#include "daemon/tls/credentials.h"
#include "lib/auth/user_file.h"
#include "lib/base/container.h"
#include "lib/tls/credential.h"

#include <crypt.h>
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

static const struct tls_credential *users_of(const struct backend *backend)
{
	struct credential wanted;

	credential_of_users(backend->policy, &wanted);
	return tls_credentials_find(&backend->auth->replica.credentials, &wanted);
}

/* Numbers of attempts, in the order in which they came. */
struct line {
	uint64_t numbers[ATTEMPTS_MAX];
	size_t first, n;
};

struct turns {
	struct backend *backend;
	struct loop_timer timer;
	struct line known, strangers;
};

static void on_turn(struct loop_timer *timer, uint64_t now_ms);

static void renew_users(struct backend *backend)
{
	backend_note(backend, users_of(backend), "its file is not there, or no good");
}

static int open_users(struct backend *backend)
{
	struct turns *turns = calloc(1, sizeof(*turns));

	if (!turns)
		return -ENOMEM;
	turns->backend = backend;
	turns->timer.on_time = on_turn;
	backend->own = turns;
	renew_users(backend);
	return 0;
}

static void close_users(struct backend *backend)
{
	struct turns *turns = backend->own;

	if (turns)
		loop_timer_clear(backend->auth->loop, &turns->timer);
	free(turns);
	backend->own = NULL;
}

static bool is_password(const struct user_file_entry *entry, const char *password)
{
	struct crypt_data *data = calloc(1, sizeof(*data));
	char hash[USER_FILE_HASH_SIZE];
	bool same = false;

	if (!data)
		return false;
	memcpy(hash, entry->hash, entry->hash_len);
	hash[entry->hash_len] = '\0';
	const char *made = crypt_r(password, hash, data);
	if (made && strlen(made) == entry->hash_len) {
		unsigned differ = 0;
		for (size_t i = 0; i < entry->hash_len; i++)
			differ |= (unsigned)(made[i] ^ hash[i]);
		same = differ == 0;
	}
	explicit_bzero(data, sizeof(*data));
	explicit_bzero(hash, sizeof(hash));
	free(data);
	return same;
}

static void take_lists(struct who *who, const struct user_file_entry *entry)
{
	const char *list = entry->groups, *word;
	size_t len = entry->groups_len, word_len;

	while (user_file_next(&list, &len, &word, &word_len))
		who_add_group(who, word, word_len);
	list = entry->mails;
	len = entry->mails_len;
	while (user_file_next(&list, &len, &word, &word_len))
		who_add_mail(who, word, word_len);
}

static void compare(struct backend *backend, struct attempt *attempt)
{
	const struct tls_credential *users = users_of(backend);
	struct who *who = &backend->auth->who;
	struct user_file_entry entry;
	char name[ATTEMPT_USER_SIZE];

	if (!users)
		attempt_answer(attempt, ATTEMPT_LATER, "its file is not there, or no good");
	else if (!user_file_find((const char *)users->bytes, users->len,
			 attempt_user(attempt, backend, name), &entry))
		attempt_answer(attempt, ATTEMPT_UNKNOWN, NULL);
	else if (!is_password(&entry, attempt->sasl.password))
		attempt_answer(attempt, ATTEMPT_NO, NULL);
	else if (!who_begin(who, backend->policy_held, entry.user, entry.user_len))
		attempt_answer(attempt, ATTEMPT_LATER, "a user's name in it cannot be kept");
	else {
		take_lists(who, &entry);
		attempt_answer(attempt, ATTEMPT_YES, NULL);
	}
}

/* One that is over meanwhile has no turn. NULL: nobody waits. */
static struct attempt *take_first(struct auth *auth, struct line *line)
{
	struct attempt *attempt = NULL;

	while (!attempt && line->n > 0) {
		attempt = attempt_find(auth, line->numbers[line->first]);
		line->first = (line->first + 1) % ATTEMPTS_MAX;
		line->n--;
	}
	return attempt;
}

static void on_turn(struct loop_timer *timer, uint64_t now_ms)
{
	struct turns *turns = container_of(timer, struct turns, timer);
	struct auth *auth = turns->backend->auth;
	struct attempt *attempt = take_first(auth, &turns->known);

	if (!attempt)
		attempt = take_first(auth, &turns->strangers);
	/* what is due now is done in this round: the next turn is in another */
	if (turns->known.n + turns->strangers.n > 0)
		loop_timer_set(turns->backend->auth->loop, timer, now_ms + 1);
	if (attempt)
		compare(turns->backend, attempt);
}

static void ask_users(struct backend *backend, struct attempt *attempt)
{
	struct turns *turns = backend->own;

	struct line *line = !turns ? NULL : attempt->known ? &turns->known : &turns->strangers;

	if (!line || line->n == ATTEMPTS_MAX) {
		attempt_answer(attempt, ATTEMPT_LATER, "too many wait for their turn");
		return;
	}
	line->numbers[(line->first + line->n++) % ATTEMPTS_MAX] = attempt->number;
	if (turns->known.n + turns->strangers.n == 1)
		loop_timer_set(
			backend->auth->loop, &turns->timer, loop_now_ms(backend->auth->loop));
}

const struct backend_kind backend_users = {
	.open = open_users,
	.close = close_users,
	.renew = renew_users,
	.ask = ask_users,
};
