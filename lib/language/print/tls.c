/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/language/print/write.h"

void language_put_certificate(struct language_writer *w, const struct policy_certificate *c)
{
	language_writef(w, "certificate %s { file ", c->name.text);
	language_put_string(w, &c->file);
	language_put(w, " key ");
	language_put_string(w, &c->key);
	language_put(w, " }\n");
}

/* Options stand in braces, which are opened before the first. */
struct options {
	struct language_writer *w;
	bool open;
};

static void put_option(struct options *options, const char *word)
{
	language_put(options->w, options->open ? " " : " { ");
	language_put(options->w, word);
	options->open = true;
}

static void put_path(struct options *options, const char *word, const struct policy_string *path)
{
	if (path->len == 0)
		return;
	put_option(options, word);
	language_put_string(options->w, path);
}

static void put_end(struct options *options)
{
	if (options->open)
		language_put(options->w, " }");
}

void language_put_client_tls(
	struct language_writer *w, const struct policy_client_tls *tls, bool full)
{
	struct options options = {.w = w};

	language_put(w, "tls ");
	language_put(w, policy_tls_names[tls->mode]);
	if (tls->certificate_names.n > 0) {
		put_option(&options, "certificate ");
		language_put_names(w, "", &tls->certificate_names, false);
	}
	if (tls->client_given || (full && tls->mode != POLICY_TLS_NONE)) {
		put_option(&options, "client ");
		language_put(w, policy_tls_client_names[tls->client]);
	}
	put_path(&options, "ca ", &tls->ca);
	if (tls->legacy)
		put_option(&options, "legacy");
	if (tls->insecure)
		put_option(&options, "insecure");
	put_end(&options);
}

void language_put_server_tls(struct language_writer *w, const struct policy_server_tls *tls)
{
	struct options options = {.w = w};

	language_put(w, "tls ");
	language_put(w, policy_server_tls_names[tls->mode]);
	language_put_strings(w, " ", &tls->names);
	language_put_strings(w, " ", &tls->pin_texts);
	if (tls->immediate)
		put_option(&options, "immediate");
	put_path(&options, "ca ", &tls->ca);
	if (tls->certificate_name.len > 0) {
		put_option(&options, "certificate ");
		language_put(w, tls->certificate_name.text);
	}
	if (tls->legacy)
		put_option(&options, "legacy");
	put_end(&options);
}

void language_put_account(
	struct language_writer *w, const struct policy_account *account, bool full)
{
	language_put(w, "account ");
	language_put_string(w, &account->user);
	language_put(w, " { secret file ");
	language_put_string(w, &account->secret_file);
	if (account->sender_given || full)
		language_put(w, " sender ");
	if (account->sender.len > 0)
		language_put_string(w, &account->sender);
	else if (account->sender_given || full)
		language_put(w, "keep");
	if (account->insecure)
		language_put(w, " insecure");
	language_put(w, " }");
}

void language_put_tls_condition(
	struct language_writer *w, const struct policy_tls_condition *condition)
{
	if (!condition->given)
		return;
	language_put(w, condition->negated ? " tls not " : " tls ");
	language_put(w, condition->verified ? "verified" : "any");
	language_put_strings(w, " ", &condition->names);
}
