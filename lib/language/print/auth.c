/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/language/print/write.h"

static void put_text(struct language_writer *w, const char *word, const struct policy_string *text)
{
	if (text->len == 0)
		return;
	language_put(w, word);
	language_put_string(w, text);
}

static void put_ldap(struct language_writer *w, const struct policy_ldap *ldap)
{
	language_put_strings(w, " ldap ", &ldap->urls);
	language_put(w, " {");
	put_text(w, " base ", &ldap->base);
	put_text(w, " filter ", &ldap->filter);
	put_text(w, " bind ", &ldap->bind);
	put_text(w, " secret file ", &ldap->secret_file);
	put_text(w, " group ", &ldap->group);
	put_text(w, " prefix ", &ldap->prefix);
	put_text(w, " mail ", &ldap->mail);
	put_text(w, " ca ", &ldap->ca);
	language_put(w, ldap->insecure ? " insecure }" : " }");
}

void language_put_auth(struct language_writer *w, const struct policy_auth *auth)
{
	language_writef(w, "auth %s {", auth->name.text);
	switch (auth->kind) {
	case POLICY_AUTH_LDAP:
		put_ldap(w, &auth->ldap);
		break;
	case POLICY_AUTH_FORWARD:
		language_writef(w, " forward %s", auth->server_name.text);
		break;
	case POLICY_AUTH_DOVECOT:
		put_text(w, " dovecot ", &auth->path);
		break;
	case POLICY_AUTH_FILE:
		put_text(w, " file ", &auth->path);
		break;
	}
	language_put_names(w, " mechanism ", &auth->mechanisms, false);
	put_text(w, " domain ", &auth->domain);
	put_text(w, " comment ", &auth->comment);
	language_put(w, " }\n");
}
