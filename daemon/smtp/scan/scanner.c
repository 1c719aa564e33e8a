/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/smtp/scan/scanner.h"

#include "daemon/base/log.h"
#include "daemon/smtp/smtp.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint64_t now_of(const struct scanner *scanner)
{
	return loop_now_ms(scanner->smtp->loop);
}

/* ---- what control is told ---- */

static void tell(struct scanner *scanner)
{
	struct ipc_scan_state *state = &scanner->state;

	state->open = scanner->faults >= SCANNER_FAULTS;
	scanner->changed = false;
	scanner->told = smtp_send(scanner->smtp, state) == 0;
}

void scanners_tell_again(struct scanners *scanners)
{
	for (size_t i = 0; i < scanners->n; i++)
		scanners->v[i]->told = false;
}

/* ---- those that there are ---- */

static struct scanner *find(const struct scanners *scanners, const char *name)
{
	for (size_t i = 0; i < scanners->n; i++)
		if (strcmp(scanners->v[i]->state.scan, name) == 0)
			return scanners->v[i];
	return NULL;
}

/* What the policy in force has under the name; NULL: nothing. */
static const struct policy_scan *in_force(const struct smtp *smtp, const char *name)
{
	const struct policy *policy = smtp_picture(smtp)->policy;
	ptrdiff_t index = policy ? policy_find_scan(policy, name) : -1;

	return index < 0 ? NULL : &policy->scans[index];
}

/* Nobody has asked it yet. */
static void begin_anew(struct scanner *scanner, uint64_t filter)
{
	struct ipc_scan_state *state = &scanner->state;

	scanner->faults = 0;
	scanner->open_ms = 0;
	scanner->reported_drop = false;
	state->filter = filter;
	state->up = 0;
	state->since_ms = state->fault_ms = 0;
	memset(state->text, 0, sizeof(state->text));
	tell(scanner);
}

void scanners_follow(struct smtp *smtp)
{
	const struct scanners *scanners = &smtp->scanners;

	for (size_t i = 0; i < scanners->n; i++) {
		struct scanner *scanner = scanners->v[i];
		const struct policy_scan *scan = in_force(smtp, scanner->state.scan);
		const uint64_t filter = scan ? policy_scan_filter(scan) : 0;
		if (scanner->state.filter != filter)
			begin_anew(scanner, filter);
	}
}

static uint32_t places_of(const struct smtp *smtp)
{
	unsigned processes = smtp->start->options.relays ? smtp->start->options.relays : 1;

	return (SCANNER_PLACES + processes - 1) / processes;
}

struct scanner *scanner_of(struct smtp *smtp, const struct policy_scan *scan)
{
	struct scanners *scanners = &smtp->scanners;
	struct scanner *scanner = find(scanners, scan->name.text);

	if (scanner)
		return scanner;
	struct scanner **v = realloc(scanners->v, (scanners->n + 1) * sizeof(struct scanner *));
	if (v)
		scanners->v = v;
	scanner = v ? calloc(1, sizeof(*scanner)) : NULL;
	if (!scanner)
		return NULL;
	scanner->smtp = smtp;
	scanner->last = &scanner->first;
	ipc_init(&scanner->state, IPC_SCAN_STATE, sizeof(scanner->state));
	snprintf(scanner->state.scan, sizeof(scanner->state.scan), "%s", scan->name.text);
	scanner->state.places = places_of(smtp);
	/* a flow may have begun under a policy before */
	const struct policy_scan *now = in_force(smtp, scan->name.text);
	scanner->state.filter = policy_scan_filter(now ? now : scan);
	return scanners->v[scanners->n++] = scanner;
}

void scanners_fini(struct scanners *scanners)
{
	for (size_t i = 0; i < scanners->n; i++)
		free(scanners->v[i]);
	free(scanners->v);
	*scanners = (struct scanners){0};
}

/* ---- the circuit ---- */

bool scanner_may_try(struct scanner *scanner, uint64_t filter)
{
	if (scanner->faults < SCANNER_FAULTS || scanner->state.filter != filter)
		return true;
	if (now_of(scanner) < scanner->open_ms)
		return false;
	scanner->open_ms = now_of(scanner) + SCANNER_OPEN_MS;
	return true;
}

static void set_up(struct scanner *scanner, bool up)
{
	struct ipc_scan_state *state = &scanner->state;

	scanner->changed = true;
	if (state->since_ms && state->up == up)
		return;
	state->up = up;
	state->since_ms = loop_wall_ms(scanner->smtp->loop);
	tell(scanner);
}

static void note_good(struct scanner *scanner)
{
	if (scanner->faults >= SCANNER_FAULTS)
		log_info("scan %s is tried again: it has judged a message", scanner->state.scan);
	scanner->faults = 0;
	set_up(scanner, true);
}

static void note_fault(struct scanner *scanner)
{
	scanner->faults++;
	if (scanner->faults >= SCANNER_FAULTS)
		scanner->open_ms = now_of(scanner) + SCANNER_OPEN_MS;
	set_up(scanner, false);
	if (scanner->faults == SCANNER_FAULTS) {
		log_warning("scan %s failed %u times in a row: it is not tried for %u s (%s)",
			scanner->state.scan, scanner->faults, SCANNER_OPEN_MS / 1000,
			scanner->state.text);
		tell(scanner);
	}
}

/* ---- places ---- */

static void hold(struct scanner *scanner, struct scanner_place *place)
{
	place->held = true;
	place->ended = false;
	place->since_ms = now_of(scanner);
	place->next = scanner->holders;
	scanner->holders = place;
	scanner->state.under_way++;
}

static void let_go(struct scanner *scanner, struct scanner_place *place)
{
	struct scanner_place **at = &scanner->holders;

	while (*at != place)
		at = &(*at)->next;
	*at = place->next;
	place->held = false;
	scanner->state.under_way--;
}

bool scanner_take(struct scanner *scanner, struct scanner_place *place)
{
	if (place->held || place->waits)
		return place->held;
	scanner->changed = true;
	if (scanner->state.under_way < scanner->state.places && !scanner->first) {
		hold(scanner, place);
		return true;
	}
	place->waits = true;
	place->next = NULL;
	*scanner->last = place;
	scanner->last = &place->next;
	scanner->state.waiting++;
	return false;
}

static void leave_line(struct scanner *scanner, struct scanner_place *place)
{
	struct scanner_place **at = &scanner->first;

	while (*at != place)
		at = &(*at)->next;
	*at = place->next;
	if (scanner->last == &place->next)
		scanner->last = at;
	place->waits = false;
	scanner->state.waiting--;
}

void scanner_give(struct scanner *scanner, struct scanner_place *place)
{
	if (place->waits)
		leave_line(scanner, place);
	if (!place->held)
		return;
	let_go(scanner, place);
	scanner->changed = true;
	struct scanner_place *next = scanner->first;
	if (!next)
		return;
	leave_line(scanner, next);
	hold(scanner, next);
	next->on_place(next);
}

/* By a client whose text still comes. NULL: by none. */
static struct scanner_place *kept_longest(const struct scanner *scanner)
{
	struct scanner_place *longest = NULL;

	for (struct scanner_place *place = scanner->holders; place; place = place->next)
		if (!place->ended && (!longest || place->since_ms < longest->since_ms))
			longest = place;
	return longest;
}

static void free_slow(struct scanner *scanner)
{
	struct scanner_place *place;

	while (scanner->first && (place = kept_longest(scanner)) &&
		now_of(scanner) >= place->since_ms + SCANNER_KEPT_MS)
		scanner_give(scanner, place);
}

void scanners_tick(struct scanners *scanners)
{
	for (size_t i = 0; i < scanners->n; i++) {
		free_slow(scanners->v[i]);
		if (scanners->v[i]->changed || !scanners->v[i]->told)
			tell(scanners->v[i]);
	}
}

/* ---- what becomes of messages ---- */

void scanner_asked(struct scanner *scanner)
{
	scanner->state.asked++;
	scanner->changed = true;
	smtp_count(scanner->smtp, COUNTER_SCANS);
}

void scanner_refused(struct scanner *scanner)
{
	scanner->state.refused++;
	scanner->changed = true;
	smtp_count(scanner->smtp, COUNTER_SCANS_REFUSED);
}

void scanner_judged(struct scanner *scanner, uint64_t filter, bool refused)
{
	if (refused)
		scanner_refused(scanner);
	else
		scanner->state.passed++;
	scanner->changed = true;
	if (scanner->state.filter == filter)
		note_good(scanner);
}

void scanner_took(struct scanner *scanner, uint64_t ms)
{
	histogram_add(&scanner->state.took, HISTOGRAM_SCAN, ms * 1000);
	histogram_add(&scanner->smtp->child.histograms[HISTOGRAM_SCAN], HISTOGRAM_SCAN, ms * 1000);
	scanner->state.slow += ms > SCAN_SLOW_MS;
}

static void note_words(struct scanner *scanner, const char *words)
{
	snprintf(scanner->state.text, sizeof(scanner->state.text), "%s", words);
	scanner->state.fault_ms = loop_wall_ms(scanner->smtp->loop);
	scanner->changed = true;
}

void scanner_failed(struct scanner *scanner, uint64_t filter, const char *words, bool counts)
{
	scanner->state.failed++;
	scanner->changed = true;
	smtp_count(scanner->smtp, COUNTER_SCANS_FAILED);
	if (scanner->state.filter != filter)
		return;
	note_words(scanner, words);
	if (counts) {
		log_debug("scan %s failed: %s", scanner->state.scan, words);
		note_fault(scanner);
	}
}

void scanner_shed(struct scanner *scanner)
{
	scanner->state.failed++;
	scanner->state.shed++;
	scanner->changed = true;
	smtp_count(scanner->smtp, COUNTER_SCANS_FAILED);
}

void scanner_crowded(struct scanner *scanner)
{
	scanner->state.failed++;
	scanner->state.crowded++;
	scanner->changed = true;
	smtp_count(scanner->smtp, COUNTER_SCANS_FAILED);
	note_words(scanner, "too many messages at once: no place was free in time");
}

void scanner_unscanned(struct scanner *scanner, const char *flow, const char *words)
{
	scanner->state.unscanned++;
	scanner->state.unscanned_ms = loop_wall_ms(scanner->smtp->loop);
	scanner->changed = true;
	smtp_count(scanner->smtp, COUNTER_MESSAGES_UNSCANNED);
	log_warning("message %s goes on unscanned, as scan %s says on-failure accept: %s", flow,
		scanner->state.scan, words);
}

void scanner_changes(struct scanner *scanner, uint64_t made, uint64_t dropped)
{
	scanner->state.changes += made;
	scanner->state.dropped += dropped;
	scanner->changed |= made || dropped;
	if (dropped && !scanner->reported_drop)
		log_warning("scan %s changes headers, which are dropped: its mode is stream",
			scanner->state.scan);
	scanner->reported_drop |= dropped > 0;
}
