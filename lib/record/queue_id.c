/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/record/queue_id.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

struct words {
	const char *at;
	size_t len;
};

/* What an id may consist of: it is shown, searched and pasted into a shell. */
static bool is_of_id(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
	       (c && strchr("-_.+/=@", c));
}

static size_t id_at(struct words rest)
{
	size_t n = 0;

	while (n < rest.len && is_of_id(rest.at[n]))
		n++;
	while (n > 0 && rest.at[n - 1] == '.') /* the end of a sentence */
		n--;
	return n <= QUEUE_ID_MAX ? n : 0;
}

/* What stands behind the last `mark`, whatever its case; len 0: it is not there. */
static struct words behind_last(struct words reply, const char *mark)
{
	size_t n = strlen(mark);

	for (size_t at = reply.len < n ? 0 : reply.len - n + 1; at-- > 0;)
		if (strncasecmp(reply.at + at, mark, n) == 0)
			return (struct words){reply.at + at + n, reply.len - at - n};
	return (struct words){0};
}

/* The word in front of a mark: "2.0.0 45a1b2 Message accepted". */
static struct words before_last(struct words reply, const char *mark)
{
	struct words rest = behind_last(reply, mark);
	size_t end, begin;

	if (!rest.at)
		return rest;
	for (end = (size_t)(rest.at - reply.at) - strlen(mark); end && reply.at[end - 1] == ' ';)
		end--;
	for (begin = end; begin && is_of_id(reply.at[begin - 1]);)
		begin--;
	return (struct words){reply.at + begin, end - begin};
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* A reply's code or an enhanced status code is no id: 250, 2.0.0. */
static bool is_code(struct words word)
{
	for (size_t i = 0; i < word.len; i++)
		if (!is_digit(word.at[i]) && word.at[i] != '.')
			return false;
	return word.len <= 3 || memchr(word.at, '.', word.len);
}

/* One form of words. In front of the id, or with `after` behind it. An id that is not followed by
 * `then` is none. */
static const struct form {
	const char *mark;
	const char *then; /* NULL: anything */
	bool after;
} forms[] = {
	{"queued as ", NULL, false},       /* Postfix, Sophos, Zimbra */
	{"queued with id ", NULL, false},  /* Stalwart */
	{"OK id=", NULL, false},           /* Exim */
	{"InternalId=", NULL, false},      /* Exchange */
	{" qp ", NULL, false},             /* qmail: the number of the process that queued it */
	{"Message Queued (", ")", false},  /* Haraka */
	{" Message accepted", NULL, true}, /* OpenSMTPD, Sendmail */
	{" Saved", NULL, true},            /* Dovecot's LMTP */
	{" - gsmtp", NULL, true},          /* Gmail */
	{"250 Ok. ", NULL, false},         /* Courier */
};

static size_t find_form(struct words reply, const struct form *form, const char **id)
{
	struct words rest =
		form->after ? before_last(reply, form->mark) : behind_last(reply, form->mark);
	size_t len = rest.at ? id_at(rest) : 0, then = form->then ? strlen(form->then) : 0;

	if (!len || is_code((struct words){rest.at, len}))
		return 0;
	/* the word in front of a mark is whole, or it is no id */
	if (form->after && len != rest.len)
		return 0;
	if (then && (rest.len - len < then || memcmp(rest.at + len, form->then, then) != 0))
		return 0;
	*id = rest.at;
	return len;
}

size_t queue_id_find(const char *reply, size_t len, const char **id)
{
	struct words all = {reply, len};

	for (size_t i = 0; len && i < sizeof(forms) / sizeof(*forms); i++) {
		size_t found = find_form(all, &forms[i], id);
		if (found)
			return found;
	}
	return 0;
}
