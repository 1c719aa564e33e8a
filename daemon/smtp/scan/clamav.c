/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A scan by clamd itself: one connection a message, from the 354 to its answer. */
#include "daemon/smtp/scan/part.h"
#include "daemon/smtp/smtp.h"

#include <stdio.h>
#include <string.h>

#define PIECE_MAX (64u << 10)

static void on_verdict(struct scan_part *part, enum clamav_verdict verdict)
{
	char words[SCAN_FAULT_SIZE + CLAMAV_NAME_SIZE];

	if (verdict == CLAMAV_MORE)
		return;
	scan_link_close(&part->link);
	switch (verdict) {
	case CLAMAV_OK:
		scan_part_pass(part);
		break;
	case CLAMAV_FOUND:
		snprintf(words, sizeof(words), "virus found: %s", part->answer.name);
		scan_part_refuse(part, 550, "5.7.1", words, true);
		break;
	case CLAMAV_TOO_LARGE:
		part->too_large = true;
		snprintf(words, sizeof(words), "too large for it: %s", part->answer.name);
		scan_part_fail(part, words, false);
		break;
	case CLAMAV_ERROR:
		snprintf(words, sizeof(words), "it says: %s", part->answer.name);
		scan_part_fail(part, words, true);
		break;
	case CLAMAV_NONSENSE:
		snprintf(words, sizeof(words), "this is no clamd, or it broke off%s%s",
			*part->answer.name ? ": " : "", part->answer.name);
		scan_part_fail(part, words, true);
		break;
	case CLAMAV_MORE:
		break;
	}
}

static void say_text(struct scan_part *part)
{
	size_t len;
	const char *text = scan_part_text(part, &len);
	uint8_t *bytes = part->link.smtp->scan_bytes;

	while (len > 0 && !scan_link_is_full(&part->link) && !part->final) {
		size_t n = len < PIECE_MAX ? len : PIECE_MAX;
		clamav_head(bytes, n);
		memcpy(bytes + CLAMAV_HEAD_BYTES, text, n);
		scan_link_put(&part->link, bytes, CLAMAV_HEAD_BYTES + n);
		scan_part_text_taken(part, n);
		text += n;
		len -= n;
	}
}

static void go_on(struct scan_part *part)
{
	uint8_t end[CLAMAV_HEAD_BYTES];
	size_t len;

	if (part->verdict != SCAN_PENDING)
		return;
	if (part->goal == SCAN_GOAL_RECIPIENTS) {
		part->verdict = SCAN_GO;
		return;
	}
	if (part->link.state == SCAN_LINK_CLOSED && !part->begun) {
		part->begun = true;
		scan_link_open(&part->link); /* and once more from there */
		return;
	}
	if (part->link.state != SCAN_LINK_OPEN || part->final)
		return;
	if (part->goal == SCAN_GOAL_DATA) {
		scan_link_put(&part->link, CLAMAV_INSTREAM, sizeof(CLAMAV_INSTREAM));
		part->verdict = SCAN_GO;
		return;
	}
	say_text(part);
	scan_part_text(part, &len);
	if (len > 0 || part->ended || part->final)
		return;
	if (part->goal == SCAN_GOAL_TEXT) {
		part->verdict = SCAN_GO;
	} else if (part->goal == SCAN_GOAL_END) {
		clamav_end(end);
		part->ended = true;
		scan_link_put(&part->link, end, sizeof(end));
	}
}

static void on_bytes(struct scan_part *part, const uint8_t *bytes, size_t len)
{
	on_verdict(part, clamav_read(&part->answer, bytes, len, part->ended));
}

static void on_broken(struct scan_part *part, const char *words)
{
	if (!part->begun || part->final)
		return;
	enum clamav_verdict verdict = part->answer.n > 0 || part->answer.verdict != CLAMAV_MORE
					      ? clamav_closed(&part->answer)
					      : CLAMAV_MORE;
	if (verdict == CLAMAV_MORE)
		scan_part_fail(part, words, true);
	else
		on_verdict(part, verdict);
}

static void over(struct scan_part *part)
{
	scan_link_close(&part->link);
	part->begun = part->ended = false;
	part->answer = (struct clamav_answer){0};
}

static void fini(struct scan_part *part)
{
	(void)part;
}

static uint64_t deadline(const struct scan_part *part)
{
	(void)part;
	return UINT64_MAX;
}

static void on_time(struct scan_part *part, uint64_t now_ms)
{
	(void)part;
	(void)now_ms;
}

const struct scan_kind scan_clamav_kind = {.go_on = go_on,
	.over = over,
	.fini = fini,
	.deadline = deadline,
	.on_time = on_time,
	.on_bytes = on_bytes,
	.on_broken = on_broken};
