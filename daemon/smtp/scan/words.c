/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a message's record has of its scans. */
#include "daemon/smtp/scan/scans.h"

#include "lib/base/text.h"

#include <stdio.h>
#include <string.h>

static const char *said(const struct scan_part *part, char text[static SCAN_WORDS_SIZE])
{
	switch ((enum scan_verdict)part->verdict) {
	case SCAN_PENDING:
		break;
	case SCAN_GO:
		return part->final ? "passed" : "asked";
	case SCAN_REFUSED:
		snprintf(text, SCAN_WORDS_SIZE, "refused: %u %s %s", part->refusal.code,
			part->refusal.enhanced, part->refusal.text);
		return text;
	case SCAN_FAILED:
		snprintf(text, SCAN_WORDS_SIZE, "%s: %s",
			scan_part_policy(part)->on_failure == POLICY_SCAN_ACCEPT ? "not scanned"
										 : "failed",
			part->fault);
		return text;
	}
	return "asked";
}

static void write_words(const struct scans *scans, char text[static SCAN_WORDS_SIZE])
{
	const unsigned set = scans->set | scans->joining;
	char words[SCAN_WORDS_SIZE];
	const struct scan_part *part;
	unsigned at = 0;
	size_t len = 0;

	text[0] = '\0';
	while (len < SCAN_WORDS_SIZE && (part = scans_next(scans, set, &at)))
		len += (size_t)snprintf(text + len, SCAN_WORDS_SIZE - len, "%s%s %s",
			len ? "; " : "", scan_part_policy(part)->name.text, said(part, words));
	text_blank(text);
}

const char *scan_words(const struct smtp_flow *flow, char text[static SCAN_WORDS_SIZE])
{
	const struct scans *scans = scans_of(flow);

	text[0] = '\0';
	if (scans && scans->ending != MESSAGE_DELIVERED)
		memcpy(text, scans->said, SCAN_WORDS_SIZE);
	else if (scans)
		write_words(scans, text);
	return text;
}

void scans_set_ending(struct scans *scans, enum message_ending ending)
{
	scans->ending = (uint8_t)ending;
	write_words(scans, scans->said);
}

bool scan_ending(const struct smtp_flow *flow, enum message_ending *ending)
{
	const struct scans *scans = scans_of(flow);

	if (!scans || scans->ending == MESSAGE_DELIVERED)
		return false;
	*ending = (enum message_ending)scans->ending;
	return true;
}
