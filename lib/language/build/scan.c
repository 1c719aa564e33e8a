/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/language/build/language_build.h"

#include "lib/scan/address.h"
#include "lib/smtp/engine/engine.h"

#include <assert.h>
#include <string.h>

static_assert(POLICY_SCAN_DEADLINE_MAX_MS < ENGINE_SCAN_MS, "what the engine waits for a verdict");

static bool once(struct language *l, const struct language_span *word, const char *text)
{
	return language_once(l, &l->block, word, text);
}

void language_scan_begin(
	struct language *l, const struct language_span *span, const struct policy_string *name)
{
	const struct policy_string empty = language_empty();

	memset(&l->scan_note, 0, sizeof(l->scan_note));
	language_enter(l, &l->block, LANGUAGE_BLOCK_SCAN, name);
	l->scan = (struct policy_scan){.place = span->place,
		.name = *name,
		.address = empty,
		.path = empty,
		.host = empty,
		.on_failure = POLICY_SCAN_TEMPFAIL,
		.deadline_ms = POLICY_SCAN_DEADLINE_MS,
		.quarantine = POLICY_SCAN_TEMPFAIL,
		.comment = empty};
	l->scan_note.name = *span;
}

/* A filter of the one kind, or of the other. */
static void take_kind(
	struct language *l, const struct language_span *word, enum policy_scan_kind kind)
{
	const char *name = policy_scan_kind_names[kind];

	if (l->scan_note.backend.width > 0 && l->scan.kind != kind)
		language_error(l, word,
			"scan %s is `%s` already, expected one of milter and clamav; a rule takes "
			"several scans: `scan ONE, ANOTHER`",
			l->scan.name.text, policy_scan_kind_names[l->scan.kind]);
	else
		once(l, word, name);
	l->scan.kind = kind;
	l->scan_note.backend = *word;
}

void language_scan_address(struct language *l, const struct language_span *word,
	const struct language_span *span, const struct policy_string *address,
	enum policy_scan_kind kind)
{
	struct scan_address parsed;
	char quoted[LANGUAGE_QUOTE_SIZE];

	take_kind(l, word, kind);
	l->scan_note.value = *span;
	l->scan.address = *address;
	const char *expected = scan_address_parse(kind, address->text, &parsed);
	if (expected) {
		language_error(l, span, "\"%s\" is no address of a %s, expected %s",
			language_quote(address->text, address->len, quoted),
			kind == POLICY_SCAN_MILTER ? "milter" : "clamd", expected);
		return;
	}
	if (parsed.path) {
		l->scan.path = language_copy(l, parsed.path, strlen(parsed.path));
		return;
	}
	l->scan.host = language_copy(l, parsed.host, parsed.host_len);
	l->scan.addr = parsed.addr;
	l->scan.port = parsed.port;
}

void language_scan_mode(
	struct language *l, const struct language_span *word, enum policy_scan_mode mode)
{
	once(l, word, "mode");
	l->scan.mode = mode;
	l->scan.given |= POLICY_SCAN_GIVEN_MODE;
}

void language_scan_on_failure(
	struct language *l, const struct language_span *word, enum policy_scan_failure failure)
{
	once(l, word, "on-failure");
	l->scan.on_failure = failure;
	l->scan.given |= POLICY_SCAN_GIVEN_ON_FAILURE;
}

void language_scan_deadline(struct language *l, const struct language_span *word,
	const struct language_span *span, uint64_t ms)
{
	once(l, word, "deadline");
	if (ms < POLICY_SCAN_DEADLINE_MIN_MS || ms > POLICY_SCAN_DEADLINE_MAX_MS) {
		language_error(l, span,
			"a verdict cannot be waited for this long, expected 1s to %us: servers "
			"close at 300s",
			POLICY_SCAN_DEADLINE_MAX_MS / 1000);
		ms = POLICY_SCAN_DEADLINE_MS;
	}
	l->scan.deadline_ms = (uint32_t)ms;
	l->scan.given |= POLICY_SCAN_GIVEN_DEADLINE;
}

void language_scan_quarantine(
	struct language *l, const struct language_span *word, enum policy_scan_failure failure)
{
	once(l, word, "quarantine");
	l->scan.quarantine = failure;
	l->scan.given |= POLICY_SCAN_GIVEN_QUARANTINE;
	l->scan_note.quarantine = *word;
}

void language_scan_comment(struct language *l, const struct language_span *word,
	const struct language_span *span, const struct policy_string *text)
{
	once(l, word, "comment");
	l->scan.comment = language_comment(l, span, text);
}

void language_scan_end(struct language *l)
{
	bool asks = l->scan_note.backend.width > 0;

	if (!asks && language_whole(l))
		language_error(l, &l->scan_note.name,
			"scan %s asks nobody, expected milter or clamav", l->scan.name.text);
	if (asks && l->scan.kind != POLICY_SCAN_MILTER && l->scan_note.quarantine.width > 0)
		language_error(l, &l->scan_note.quarantine,
			"clamd puts nothing in quarantine, expected no `quarantine`, or a milter");
	if (!(l->scan.given & POLICY_SCAN_GIVEN_MODE))
		l->scan.mode =
			l->scan.kind == POLICY_SCAN_MILTER ? POLICY_SCAN_WHOLE : POLICY_SCAN_STREAM;
	struct policy_scan *scan = language_push(l, &l->scans, sizeof(*scan));
	struct language_scan_note *note = language_push(l, &l->scan_notes, sizeof(*note));
	if (scan && note) {
		*scan = l->scan;
		*note = l->scan_note;
	}
}

void language_rule_scans(struct language *l, const struct language_span *word, bool none)
{
	struct policy_rule *rule = &l->rule;

	once(l, word, "scan");
	rule->scan_none = none;
	if (none)
		return;
	language_rule_reads(l, word);
	l->rule_note.scan = *word;
	language_keep_strings(l, &l->items, &rule->scan_names, &l->rule_note.scans);
	rule->scans = language_alloc(l, rule->scan_names.n, sizeof(*rule->scans));
}
