/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/language/build/language_build.h"

#include "lib/base/text.h"
#include "lib/policy/element.h"

#include <string.h>

static bool once(struct language *l, const struct language_span *word, const char *text)
{
	return language_once(l, &l->block, word, text);
}

static bool once_inside(struct language *l, const struct language_span *word, const char *text)
{
	return language_once(l, l->tls_block, word, text);
}

/* ---- certificate ---- */

void language_certificate_begin(
	struct language *l, const struct language_span *span, const struct policy_string *name)
{
	memset(&l->certificate, 0, sizeof(l->certificate));
	memset(&l->certificate_note, 0, sizeof(l->certificate_note));
	language_enter(l, &l->block, LANGUAGE_BLOCK_CERTIFICATE, name);
	l->certificate.place = span->place;
	l->certificate.name = *name;
	l->certificate.file = l->certificate.key = language_empty();
	l->certificate_note.name = *span;
}

static struct policy_span at(const struct language_span *span)
{
	return (struct policy_span){.place = span->place, .width = span->width};
}

struct policy_string language_path(struct language *l, const struct language_span *span,
	const struct policy_string *written, struct policy_span *stands)
{
	const char *path = language_resolve_path(l, written);

	*stands = at(span);
	if (written->len == 0)
		language_error(l, span, "this is empty, expected the path of a file");
	return path ? language_copy(l, path, strlen(path)) : language_empty();
}

void language_certificate_file(struct language *l, const struct language_span *word,
	const struct language_span *span, const struct policy_string *path, bool key)
{
	once(l, word, key ? "key" : "file");
	if (key)
		l->certificate.key = language_path(l, span, path, &l->certificate.key_at);
	else
		l->certificate.file = language_path(l, span, path, &l->certificate.file_at);
}

void language_certificate_end(struct language *l)
{
	const struct policy_certificate *c = &l->certificate;

	const bool no_file = c->file_at.place.line == 0, no_key = c->key_at.place.line == 0;

	if ((no_file || no_key) && language_whole(l))
		language_error(l, &l->certificate_note.name,
			"certificate %s has no %s, expected both file and key", c->name.text,
			no_file && no_key ? "file and no key"
			: no_file         ? "file"
					  : "key");
	struct policy_certificate *certificate =
		language_push(l, &l->certificates, sizeof(*certificate));
	struct language_certificate_note *note =
		language_push(l, &l->certificate_notes, sizeof(*note));
	if (certificate && note) {
		*certificate = l->certificate;
		*note = l->certificate_note;
	}
}

/* ---- both sides ---- */

/* With the options in a block of their own, which stands in the statement's. */
static void begin_tls(struct language *l, const struct language_span *word,
	struct language_block *block, enum language_block_kind kind)
{
	memset(&l->tls_note, 0, sizeof(l->tls_note));
	l->tls_note.word = *word;
	l->tls_block = block;
	language_enter(l, block, kind, NULL);
}

void language_tls_ca(struct language *l, const struct language_span *word,
	const struct language_span *span, const struct policy_string *path,
	struct policy_string *ca, struct policy_span *stands)
{
	once_inside(l, word, "ca");
	*ca = language_path(l, span, path, stands);
	l->tls_note.ca = *word;
}

/* ---- the clients' side ---- */

struct policy_client_tls language_no_client_tls(void)
{
	return (struct policy_client_tls){.ca = language_empty()};
}

void language_client_tls_begin(struct language *l, const struct language_span *word)
{
	begin_tls(l, word, &l->inner, LANGUAGE_BLOCK_CLIENT_TLS);
	l->client_tls = language_no_client_tls();
	l->client_tls.given = true;
	l->client_tls.ca_at = at(word);
}

void language_client_tls_mode(struct language *l, enum policy_tls mode)
{
	l->client_tls.mode = mode;
}

void language_client_tls_certificates(struct language *l, const struct language_span *word)
{
	struct policy_client_tls *tls = &l->client_tls;

	once_inside(l, word, "certificate");
	language_keep_strings(l, &l->items, &tls->certificate_names, &l->tls_note.certificates);
	tls->certificates = language_alloc(l, tls->certificate_names.n, sizeof(*tls->certificates));
}

void language_client_tls_client(
	struct language *l, const struct language_span *word, enum policy_tls_client client)
{
	once_inside(l, word, "client");
	l->client_tls.client = client;
	l->client_tls.client_given = true;
	l->tls_note.client = *word;
}

void language_client_tls_legacy(struct language *l, const struct language_span *word)
{
	once_inside(l, word, "legacy");
	l->client_tls.legacy = true;
	l->tls_note.legacy = *word;
}

void language_client_tls_insecure(struct language *l, const struct language_span *word)
{
	once_inside(l, word, "insecure");
	l->client_tls.insecure = true;
	l->tls_note.insecure = *word;
}

void language_zone_tls(struct language *l, const struct language_span *word)
{
	once(l, word, "tls");
	l->zone.tls = l->client_tls;
	l->zone_note.tls = l->tls_note;
}

/* ---- the servers' side ---- */

struct policy_server_tls language_no_server_tls(void)
{
	return (struct policy_server_tls){.mode = POLICY_SERVER_TLS_OFFER,
		.ca = language_empty(),
		.certificate_name = language_empty(),
		.certificate = -1};
}

void language_server_tls_begin(struct language *l, const struct language_span *word, bool host)
{
	begin_tls(l, word, host ? &l->innermost : &l->inner, LANGUAGE_BLOCK_SERVER_TLS);
	l->server_tls = language_no_server_tls();
	l->server_tls.given = true;
	l->server_tls.ca_at = at(word);
}

void language_server_tls_mode(struct language *l, enum policy_server_tls_mode mode)
{
	l->server_tls.mode = mode;
}

void language_server_tls_names(struct language *l)
{
	language_keep_strings(l, &l->items, &l->server_tls.names, &l->tls_note.names);
}

/* "sha256:" and the digits of a digest, two a byte. */
static bool parse_pin(const struct policy_string *text, uint8_t pin[static POLICY_PIN_SIZE])
{
	static const char form[] = "sha256:";
	const char *digits = text->text + sizeof(form) - 1;

	if (text->len != sizeof(form) - 1 + 2 * POLICY_PIN_SIZE ||
		strncmp(text->text, form, sizeof(form) - 1) != 0)
		return false;
	for (size_t i = 0; i < POLICY_PIN_SIZE; i++) {
		int high = text_hex_digit(digits[2 * i]), low = text_hex_digit(digits[2 * i + 1]);
		if (high < 0 || low < 0)
			return false;
		pin[i] = (uint8_t)(high << 4 | low);
	}
	return true;
}

/* Of what is empty it is told already. */
static void add_pin(struct language *l, struct policy_server_tls *tls,
	const struct policy_string *text, const struct language_span *span)
{
	uint8_t *pin = tls->pins[tls->npins];
	char quoted[LANGUAGE_QUOTE_SIZE];

	if (!parse_pin(text, pin)) {
		if (text->len > 0)
			language_error(l, span,
				"\"%s\" is no pin, expected \"sha256:\" and the 64 hex digits of "
				"the public key's SHA-256",
				language_quote(text->text, text->len, quoted));
		return;
	}
	for (size_t i = 0; i < tls->npins; i++)
		if (memcmp(tls->pins[i], pin, POLICY_PIN_SIZE) == 0)
			language_fault(l, span, "this key stands twice, expected once");
	tls->npins++;
}

void language_server_tls_pins(struct language *l)
{
	struct policy_server_tls *tls = &l->server_tls;

	language_keep_strings(l, &l->items, &tls->pin_texts, &l->tls_note.names);
	tls->pins = language_alloc(l, tls->pin_texts.n, sizeof(*tls->pins));
	tls->npins = 0;
	for (size_t i = 0; tls->pins && i < tls->pin_texts.n; i++)
		add_pin(l, tls, &tls->pin_texts.v[i], &l->tls_note.names.v[i]);
}

void language_server_tls_immediate(struct language *l, const struct language_span *word)
{
	once_inside(l, word, "immediate");
	l->server_tls.immediate = true;
	l->tls_note.immediate = *word;
}

void language_server_tls_certificate(struct language *l, const struct language_span *word,
	const struct language_span *span, const struct policy_string *name)
{
	once_inside(l, word, "certificate");
	l->server_tls.certificate_name = *name;
	l->tls_note.certificate = *span;
}

void language_server_tls_legacy(struct language *l, const struct language_span *word)
{
	once_inside(l, word, "legacy");
	l->server_tls.legacy = true;
	l->tls_note.legacy = *word;
}

void language_server_tls(struct language *l, const struct language_span *word)
{
	once(l, word, "tls");
	l->server.tls = l->server_tls;
	l->server_note.tls = l->tls_note;
}

void language_host_tls(struct language *l, const struct language_span *word)
{
	language_once(l, &l->inner, word, "tls");
	l->host.tls = l->server_tls;
	l->host_tls_note = l->tls_note;
}

/* ---- account ---- */

struct policy_account language_no_account(void)
{
	return (struct policy_account){.user = language_empty(),
		.secret_file = language_empty(),
		.sender = language_empty()};
}

void language_account(struct language *l, const struct language_span *word,
	const struct language_span *span, const struct policy_string *user)
{
	once(l, word, "account");
	language_items_clear(l);
	language_item_user(l, span, user);
	l->tls_block = &l->inner;
	language_enter(l, &l->inner, LANGUAGE_BLOCK_ACCOUNT, NULL);
	l->server.account = language_no_account();
	l->server.account.given = true;
	l->server.account.user = *user;
	l->server_note.account = (struct language_account_note){.word = *word};
}

void language_account_secret(struct language *l, const struct language_span *word,
	const struct language_span *span, const struct policy_string *path)
{
	once_inside(l, word, "secret");
	l->server.account.secret_file = language_path(l, span, path, &l->server.account.secret_at);
}

void language_account_sender(struct language *l, const struct language_span *word,
	const struct language_span *span, const struct language_token *sender)
{
	struct policy_string text = sender ? language_string(l, sender) : language_empty();
	struct policy_elem elem;
	char quoted[LANGUAGE_QUOTE_SIZE];

	once_inside(l, word, "sender");
	l->server.account.sender_given = true;
	l->server.account.sender = text;
	l->server_note.account.sender = *span;
	if (sender && (element_parse(POLICY_HOLDS_MAIL, text.text, text.len, &elem) ||
			      text.text[0] == '@'))
		language_error(l, span,
			"\"%s\" is no sender, expected keep or one mail address such as "
			"\"guests@hotel.example\"",
			language_quote(text.text, text.len, quoted));
}

void language_account_insecure(struct language *l, const struct language_span *word)
{
	once_inside(l, word, "insecure");
	l->server.account.insecure = true;
	l->server_note.account.insecure = *word;
}

void language_account_end(struct language *l)
{
	if (l->server.account.secret_at.place.line == 0 && language_whole(l))
		language_error(l, &l->server_note.account.word,
			"this account has no secret, expected `secret file \"PATH\"`");
}

/* ---- rule ---- */

void language_rule_tls(struct language *l, const struct language_span *word, bool negated,
	bool verified, const struct language_vector *names)
{
	language_once(l, &l->block, word, "tls");
	language_rule_reads(l, word);
	l->rule.tls = (struct policy_tls_condition){
		.given = true, .negated = negated, .verified = verified};
	l->rule_note.tls = *word;
	if (names)
		language_keep_strings(l, names, &l->rule.tls.names, NULL);
}
