/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/language/print/write.h"

static void put_text(struct language_writer *w, const char *word, const struct policy_string *text)
{
	if (text->len == 0)
		return;
	language_put(w, word);
	language_put_string(w, text);
}

static void put_names(
	struct language_writer *w, const char *word, const struct policy_strings *names)
{
	if (names->n == 0)
		language_writef(w, "%snone", word);
	else
		language_put_names(w, word, names, false);
}

static void put_http(struct language_writer *w, const struct policy_portal *portal)
{
	if (portal->http_port == 0)
		language_put(w, "\n    http off");
	else
		language_writef(w, "\n    http %u", portal->http_port);
}

void language_put_portal(struct language_writer *w, const struct policy_portal *portal, bool full)
{
	char text[ADDR_TEXT_SIZE];

	language_writef(w, "portal %s {", portal->name.text);
	language_put_names(w, "\n    zone ", &portal->zone_names, false);
	language_put_strings(w, "\n    name ", &portal->names);
	for (size_t i = 0; i < portal->naddresses; i++)
		language_writef(w, "%s%s", i ? ", " : "\n    address ",
			addr_format(&portal->addresses[i], text));
	if (full || portal->given & POLICY_PORTAL_GIVEN_PORT)
		language_writef(w, "\n    port %u", portal->port);
	if (full || portal->given & POLICY_PORTAL_GIVEN_HTTP)
		put_http(w, portal);
	put_names(w, "\n    certificate ", &portal->certificate_names);
	put_names(w, "\n    auth ", &portal->auth_names);
	put_text(w, "\n    terms file ", &portal->terms_file);
	put_text(w, "\n    logo file ", &portal->logo_file);
	put_text(w, "\n    texts ", &portal->texts_file);
	put_text(w, "\n    comment ", &portal->comment);
	language_put(w, "\n}\n");
}
