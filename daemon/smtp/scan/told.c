/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/smtp/scan/told.h"

#include "daemon/smtp/scan/part.h"
#include "lib/base/text.h"

#include <stdio.h>
#include <string.h>

void scan_told_change(const struct milter_change *change, union scan_told_change *told)
{
	const size_t name = strlen(change->name), whole = strlen(change->value);
	const size_t value = whole < SCAN_TEST_VALUE_MAX ? whole : SCAN_TEST_VALUE_MAX;

	ipc_init(told, IPC_SCAN_CHANGE, sizeof(told->ipc));
	told->ipc.kind = change->kind;
	told->ipc.index = change->kind == MILTER_CHANGE_ADD ? 0 : change->index;
	told->ipc.name_bytes = (uint32_t)name;
	told->ipc.value_bytes = (uint32_t)value;
	told->ipc.cut = (uint32_t)(whole - value);
	memcpy(told->ipc.bytes, change->name, name);
	memcpy(told->ipc.bytes + name, change->value, value);
	told->ipc.header.bytes += (uint32_t)(name + value);
}

static const char *why_of_clamd(const struct scan_part *part)
{
	switch ((enum clamav_verdict)part->answer.verdict) {
	case CLAMAV_FOUND:
		return "found";
	case CLAMAV_ERROR:
		return "error";
	case CLAMAV_NONSENSE:
		return "no-clamd";
	case CLAMAV_MORE:
	case CLAMAV_OK:
	case CLAMAV_TOO_LARGE:
		break;
	}
	return NULL;
}

static const char *why_of(const struct scan_part *part)
{
	const struct milter *milter = part->milter;
	const char *why = milter ? NULL : why_of_clamd(part);

	if (part->too_large)
		return "too-large";
	if (milter &&
		(milter->why == MILTER_WHY_TOO_MUCH ||
			milter->answer == (part->verdict == SCAN_REFUSED ? MILTER_ANSWER_REFUSED
									 : MILTER_ANSWER_FAILED)))
		why = milter_why_names[milter->why];
	if (why)
		return why;
	return part->late ? "late" : part->reached ? "closed" : "unreachable";
}

static const char *stage_of(const struct scan_part *part)
{
	if (!part->reached)
		return "";
	if (part->milter)
		return milter_event_names[part->milter->event];
	return part->ended ? milter_event_names[MILTER_EVENT_END]
			   : milter_event_names[MILTER_EVENT_BODY];
}

static void put(char *to, size_t size, const char *from)
{
	snprintf(to, size, "%s", from);
	text_blank(to);
}

static enum scan_test_verdict verdict_of(const struct scan_part *part)
{
	switch ((enum scan_verdict)part->verdict) {
	case SCAN_REFUSED:
		return part->refusal.code < 500 ? SCAN_TEST_TEMPFAILED : SCAN_TEST_REFUSED;
	case SCAN_GO:
		return SCAN_TEST_ACCEPTED;
	case SCAN_PENDING:
	case SCAN_FAILED:
		break;
	}
	return SCAN_TEST_FAILED;
}

/* What it says beside its reply: why a reply of ours stands in its place. */
static const char *words_of(const struct scan_part *part)
{
	const struct milter *milter = part->milter;

	if (part->verdict == SCAN_FAILED)
		return part->fault;
	if (part->verdict != SCAN_REFUSED || !milter || milter->why == MILTER_WHY_FILTER)
		return "";
	return *milter->fault ? milter->fault : "";
}

void scan_told_verdict(const struct scan_part *part, struct ipc_scan_tested *told)
{
	const struct milter *milter = part->milter;
	struct smtp_refusal reply = part->refusal;
	char where[SCAN_WHERE_SIZE];

	ipc_init(told, IPC_SCAN_TESTED, sizeof(*told));
	told->verdict = verdict_of(part);
	if (part->verdict == SCAN_REFUSED ||
		(part->verdict == SCAN_FAILED && scan_part_failure(part, &reply))) {
		told->code = reply.code;
		put(told->enhanced, sizeof(told->enhanced), reply.enhanced);
		put(told->words, sizeof(told->words), reply.text);
	}
	if (part->verdict != SCAN_GO)
		put(told->why, sizeof(told->why), why_of(part));
	put(told->stage, sizeof(told->stage), stage_of(part));
	put(told->place, sizeof(told->place), scan_link_where(&part->link, where));
	put(told->text, sizeof(told->text), words_of(part));
	told->dropped = milter && part->verdict == SCAN_GO ? milter->dropped : 0;
}
