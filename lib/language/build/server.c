/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/language/build/language_build.h"

#include <stdio.h>
#include <string.h>

static bool once(struct language *l, const struct language_span *word, const char *text)
{
	return language_once(l, &l->block, word, text);
}

void language_server_begin(
	struct language *l, const struct language_span *span, const struct policy_string *name)
{
	memset(&l->server, 0, sizeof(l->server));
	memset(&l->server_note, 0, sizeof(l->server_note));
	language_enter(l, &l->block, LANGUAGE_BLOCK_SERVER, name);
	l->server.place = span->place;
	l->server.name = *name;
	l->server.comment = language_empty();
	l->server.tls = language_no_server_tls();
	l->server.account = language_no_account();
	l->server.announce_login = POLICY_LOGIN_ON;
	l->server.probe = true;
	l->server.probe_every_s = POLICY_PROBE_S;
	l->server.first_ms = POLICY_FIRST_MS;
	l->server.connect_ms = POLICY_CONNECT_MS;
	l->server.greeting_ms = POLICY_GREETING_MS;
	l->server.idle_ms = POLICY_IDLE_MS;
	l->server.command_ms = POLICY_COMMAND_MS;
	l->server_note.name = *span;
	l->hosts.n = 0;
	l->host_spans.n = 0;
	l->host_tls_notes.n = 0;
}

static void begin_host(
	struct language *l, const struct language_span *word, const struct language_span *span)
{
	struct language_span *slot = language_push(l, &l->host_spans, sizeof(*slot));

	if (slot)
		*slot = *span;
	memset(&l->host, 0, sizeof(l->host));
	memset(&l->host_tls_note, 0, sizeof(l->host_tls_note));
	l->host.tls = language_no_server_tls();
	language_enter(l, &l->inner, LANGUAGE_BLOCK_HOST, NULL);
	l->host.place = word->place;
	l->host.port = 25;
	l->host.preference = 10;
	l->host.weight = 1;
}

void language_host_begin(struct language *l, const struct language_span *word,
	const struct language_span *span, const struct language_token *addr)
{
	const struct addr *a = &addr->elem.prefix.addr;

	begin_host(l, word, span);
	l->host.addr = *a;
	l->host.name = language_string(l, addr);
	if (addr_is_unspecified(a) || addr_is_multicast(a))
		language_error(l, span, "no host can have this address, expected a host's own");
}

/* The label of a name that begins at text: its length, or what is wrong with it. Underscores are
 * not of RFC 1123, but DNS has them, and so have hosts files. */
static const char *read_label(const char *text, size_t room, size_t *len)
{
	for (*len = 0; *len < room && text[*len] != '.'; ++*len) {
		char c = text[*len];
		if (!(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z') && !(c >= '0' && c <= '9') &&
			c != '-' && c != '_')
			return "this is neither an address nor a host's name, expected one";
	}
	if (*len == 0)
		return "a label of this name is empty, expected one dot between two labels";
	if (*len > 63)
		return "a label of this name is too long, expected at most 63 characters";
	if (text[0] == '-' || text[*len - 1] == '-')
		return "a label of this name begins or ends with a hyphen, expected a letter or a "
		       "digit there";
	return NULL;
}

/* A last label of digits alone is a mistyped address. */
const char *language_refuse_host(const struct policy_string *name)
{
	size_t end = name->len, len = 0;

	if (end > 1 && name->text[end - 1] == '.')
		end--;
	for (size_t at = 0;; at += len + 1) {
		const char *wrong = read_label(name->text + at, end - at, &len);
		if (wrong)
			return wrong;
		if (at + len < end)
			continue;
		if (strspn(name->text + at, "0123456789") >= len)
			return "this is neither an address nor a host's name, expected one";
		return end > 253 ? "this name is too long, expected at most 253 characters" : NULL;
	}
}

static void begin_name(struct language *l, const struct language_span *word,
	const struct language_span *span, const struct policy_string *name)
{
	const char *wrong = language_refuse_host(name), *host;
	char hint[LANGUAGE_QUOTE_SIZE + 48], quoted[LANGUAGE_QUOTE_SIZE];
	size_t len;
	uint16_t port = wrong ? endpoint_split(name->text, name->len, &host, &len) : 0;

	begin_host(l, word, span);
	l->host.name = *name;
	if (port)
		snprintf(hint, sizeof(hint), "a port stands by itself: %s port %u",
			language_quote(host, len, quoted), port);
	if (wrong)
		language_say(l, LANGUAGE_ERROR, span, port ? hint : NULL, "%s", wrong);
}

/* An address in quotes is the address. */
void language_host_begin_name(struct language *l, const struct language_span *word,
	const struct language_span *span, const struct policy_string *name)
{
	struct language_token token = {.text = name->text, .len = name->len};

	if (addr_parse(name->text, name->len, &token.elem.prefix.addr) == 0)
		language_host_begin(l, word, span, &token);
	else
		begin_name(l, word, span, name);
}

void language_mx_begin(struct language *l, const struct language_span *word,
	const struct language_span *span, const struct policy_string *name)
{
	begin_name(l, word, span, name);
	l->host.is_mx = true;
}

void language_host_port(struct language *l, const struct language_span *word, uint16_t port)
{
	language_once(l, &l->inner, word, "port");
	l->host.port = port;
	l->host.given |= POLICY_HOST_PORT;
}

void language_host_preference(struct language *l, const struct language_span *word,
	const struct language_span *span, uint64_t number)
{
	language_once(l, &l->inner, word, "preference");
	l->host.preference = (uint16_t)language_number(l, span, number, 0, 65535);
	l->host.given |= POLICY_HOST_PREFERENCE;
}

void language_host_weight(struct language *l, const struct language_span *word,
	const struct language_span *span, uint64_t number)
{
	language_once(l, &l->inner, word, "weight");
	l->host.weight = (uint16_t)language_number(l, span, number, 0, 65535);
	l->host.given |= POLICY_HOST_WEIGHT;
}

void language_host_limit(struct language *l, const struct language_span *word,
	const struct language_span *span, uint64_t number)
{
	language_once(l, &l->inner, word, "limit flows");
	l->host.limit_flows = language_number(l, span, number, 1, 10000000);
	l->host.given |= POLICY_HOST_LIMIT;
}

void language_host_end(struct language *l)
{
	struct policy_host *host = language_push(l, &l->hosts, sizeof(*host));
	struct language_tls_note *note = language_push(l, &l->host_tls_notes, sizeof(*note));

	if (!host || !note)
		return;
	*host = l->host;
	*note = l->host_tls_note;
}

void language_bind(struct language *l, const struct language_span *word,
	const struct language_span *span, enum policy_bind bind, const struct language_token *addr)
{
	once(l, word, "bind");
	l->server.bind = bind;
	l->server_note.bind = *span;
	if (addr)
		l->server.bind_addr = addr->elem.prefix.addr;
	l->server.given |= POLICY_SERVER_BIND;
}

void language_announce(struct language *l, const struct language_span *word,
	const struct language_span *span, enum policy_announce announce)
{
	once(l, word, "announce");
	language_enter(l, &l->inner, LANGUAGE_BLOCK_ANNOUNCE, NULL);
	l->server.announce = announce;
	l->server_note.announce = *span;
	l->server.given |= POLICY_SERVER_ANNOUNCE;
}

void language_announce_login(
	struct language *l, const struct language_span *word, enum policy_login login)
{
	language_once(l, &l->inner, word, "login");
	l->server.announce_login = login;
	l->server_note.login = *word;
	l->server.given |= POLICY_SERVER_LOGIN;
}

void language_probe(struct language *l, const struct language_span *word,
	const struct language_span *span, bool smtp, const struct language_span *every, uint64_t ms)
{
	once(l, word, "probe");
	l->server.probe = smtp;
	l->server_note.probe = *span;
	l->server.given |= POLICY_SERVER_PROBE;
	if (!every)
		return;
	l->server.probe_every_s = language_seconds(l, every, ms, 1);
	l->server.given |= POLICY_SERVER_EVERY;
}

void language_deadline(struct language *l, const struct language_span *word)
{
	once(l, word, "deadline");
	l->server_note.deadline = *word;
	language_enter(l, &l->inner, LANGUAGE_BLOCK_SERVER, &l->server.name);
}

void language_deadline_set(struct language *l, const struct language_span *word,
	const struct language_span *span, unsigned which, uint64_t ms)
{
	static const struct {
		unsigned which;
		const char *phrase;
	} phrases[] = {
		{POLICY_SERVER_FIRST, "deadline first"},
		{POLICY_SERVER_CONNECT, "deadline connect"},
		{POLICY_SERVER_GREETING, "deadline greeting"},
		{POLICY_SERVER_IDLE, "deadline idle"},
		{POLICY_SERVER_COMMAND, "deadline command"},
	};
	uint32_t *const values[] = {&l->server.first_ms, &l->server.connect_ms,
		&l->server.greeting_ms, &l->server.idle_ms, &l->server.command_ms};

	if (ms == 0 || ms > UINT32_MAX) {
		language_error(l, span, "a deadline cannot be this long, expected 1ms to 7w");
		ms = 1000;
	}
	for (size_t i = 0; i < sizeof(phrases) / sizeof(*phrases); i++) {
		if (phrases[i].which != which)
			continue;
		language_once(l, &l->inner, word, phrases[i].phrase);
		*values[i] = (uint32_t)ms;
	}
	l->server.given |= which;
}

void language_server_limit(struct language *l, const struct language_span *word,
	const struct language_span *span, uint64_t number)
{
	once(l, word, "limit flows");
	l->server_note.limit = *word;
	l->server.limit_flows = language_number(l, span, number, 1, 10000000);
	l->server.given |= POLICY_SERVER_LIMIT;
}

void language_server_trace(struct language *l, const struct language_span *word, bool on)
{
	once(l, word, "trace");
	l->server.trace = on;
	l->server_note.trace = *word;
	l->server.given |= POLICY_SERVER_TRACE;
}

void language_server_path(
	struct language *l, const struct language_span *word, enum policy_path path)
{
	once(l, word, "path");
	l->server.path = path;
	l->server_note.path = *word;
	l->server.given |= POLICY_SERVER_PATH;
}

void language_server_comment(struct language *l, const struct language_span *word,
	const struct language_span *span, const struct policy_string *text)
{
	once(l, word, "comment");
	l->server.comment = language_comment(l, span, text);
	l->server.given |= POLICY_SERVER_COMMENT;
}

/* The kernel asks no host for its greeting, so only probes find out that one is down; and without
 * a word of it the server sees its clients as they are. */
static void imply_by_path(struct policy_server *server)
{
	if (server->path != POLICY_PATH_KERNEL)
		return;
	if (!(server->given & POLICY_SERVER_BIND))
		server->bind = POLICY_BIND_CLIENT;
	if (!(server->given & POLICY_SERVER_EVERY))
		server->probe_every_s = POLICY_PROBE_KERNEL_S;
}

void language_server_end(struct language *l)
{
	l->server.hosts = language_keep(l, &l->hosts, sizeof(struct policy_host));
	l->server.nhosts = l->server.hosts ? l->hosts.n : 0;
	l->server_note.hosts.v = language_keep(l, &l->host_spans, sizeof(struct language_span));
	l->server_note.hosts.n = l->host_spans.n;
	l->server_note.host_tls =
		language_keep(l, &l->host_tls_notes, sizeof(struct language_tls_note));
	imply_by_path(&l->server);
	if (!(l->server.given & POLICY_SERVER_TRACE))
		l->server.trace = l->server.announce != POLICY_ANNOUNCE_XCLIENT;
	if (l->hosts.n == 0 && language_whole(l))
		language_error(l, &l->server_note.name,
			"server %s has no host, expected at least one host or mx",
			l->server.name.text);
	struct policy_server *server = language_push(l, &l->servers, sizeof(*server));
	struct language_server_note *note = language_push(l, &l->server_notes, sizeof(*note));
	if (server && note) {
		*server = l->server;
		*note = l->server_note;
	}
}
