/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A filter's bytes, a client's text, time and the owner's inputs in any order and any cuts: what is
 * told is whole packets that a filter reads, the text among them as it was given; nothing is let
 * through that no filter let through; and what is said of it may be shown. */
#include "lib/milter/milter.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct milter milter;
static struct milter_out out;
static struct milter_macros macros;
static uint8_t bytes[MILTER_ROOM];
static uint64_t now_ms;

/* What came of it. */
static char text[1 << 20], body[1 << 20];
static size_t text_len, body_len;
static bool yes; /* a filter said `c` or `a` */

static void read_told(void)
{
	for (size_t at = 0; at < out.len;) {
		struct milter_reader reader = {out.bytes + at, out.bytes + out.len};
		uint32_t length;
		assert(milter_read_u32(&reader, &length));
		assert(length > 0 && length <= MILTER_DATA_MAX + 1u);
		assert(length <= (size_t)(reader.end - reader.at));
		char letter = (char)*reader.at;
		assert(strchr("OCHMRTLNBEDAQ", letter));
		if (letter == 'M')
			text_len = body_len = 0;
		if (letter == 'L') /* a name, and a value that ends */
			assert(reader.at[1] != '\0' && reader.at[length - 1] == '\0');
		if (letter == 'B' && body_len + length - 1 <= sizeof(body)) {
			memcpy(body + body_len, reader.at + 1, length - 1);
			body_len += length - 1;
		}
		at += 4 + length;
	}
}

static void is_shown(const char *words, size_t size)
{
	size_t len = strnlen(words, size);

	assert(len < size);
	for (size_t i = 0; i < len; i++)
		assert((unsigned char)words[i] >= ' ' && words[i] != 0x7f);
}

static void check(void)
{
	bool waits = milter.state == MILTER_ASKED || milter.state == MILTER_NEGOTIATE;

	assert(out.len <= out.room);
	read_told();
	assert(out.close == (milter.state == MILTER_END) || out.len == 0);
	assert(waits == (milter.deadline_ms != UINT64_MAX));
	assert(!waits || milter.deadline_ms <= now_ms + milter.setup.scan_ms);
	is_shown(milter.fault, sizeof(milter.fault));
	assert(milter.changed <= MILTER_CHANGES_MAX && milter.kept <= MILTER_CHANGES_BYTES);
	if (out.answer == MILTER_ANSWER_REFUSED) {
		assert(out.refusal.code >= 400 && out.refusal.code < 600);
		assert(out.refusal.enhanced[0] == '0' + out.refusal.code / 100);
		assert(out.refusal.text[0]);
		is_shown(out.refusal.text, MILTER_WORDS_SIZE);
	}
	assert(out.close_client ==
		(out.answer == MILTER_ANSWER_REFUSED && out.refusal.code == 421));
}

static void check_verdict(void)
{
	struct milter_change change;
	size_t at = 0, n = 0;

	if (out.answer != MILTER_ANSWER_GO)
		return;
	assert(yes);
	while (milter_change(&milter, &at, &change)) {
		assert(change.name[0] && strlen(change.value) < MILTER_CHANGES_BYTES);
		n++;
	}
	assert(n == milter.changed);
	assert(body_len <= text_len && (body_len == 0 || memmem(text, text_len, body, body_len)));
}

static void give_text(const uint8_t *data, size_t len)
{
	char *copy = malloc(len ? len : 1); /* exact */
	if (!copy)
		return;
	memcpy(copy, data, len);
	size_t used = milter_text(&milter, copy, len, now_ms, &out);
	assert(used <= len);
	free(copy);
	if (text_len + used <= sizeof(text)) {
		memcpy(text + text_len, data, used);
		text_len += used;
	}
	check();
}

static void give_filter(const uint8_t *data, size_t len)
{
	uint8_t *copy = malloc(len ? len : 1);
	if (!copy)
		return;
	memcpy(copy, data, len);
	bool in_end = milter.event == MILTER_EVENT_END && milter.state == MILTER_ASKED;
	yes |= memchr(data, 'a', len) || memchr(data, 'c', len);
	milter_filter(&milter, copy, len, now_ms, &out);
	free(copy);
	check();
	if (in_end)
		check_verdict();
}

static void give_packet(char letter, const uint8_t *data, size_t len)
{
	uint8_t packet[MILTER_HEAD_BYTES + 256];
	struct milter_writer writer = {.bytes = packet, .room = sizeof(packet)};

	milter_packet_begin(&writer, letter);
	milter_packet_bytes(&writer, data, len);
	milter_packet_end(&writer);
	give_filter(packet, writer.len);
}

/* The next input in order. */
static void step(unsigned *at, const uint8_t *data, size_t len)
{
	static const struct endpoint client = {.addr = {.family = ADDR_IP4}};

	switch (*at) {
	case 0:
		milter_connect(&milter, "c.example", &client, now_ms, &out);
		break;
	case 1:
		milter_helo(&milter, "helo", now_ms, &out);
		break;
	case 2:
		text_len = body_len = 0;
		milter_mail(&milter, "a@b", NULL, now_ms, &out);
		break;
	case 3:
		milter_rcpt(&milter, "c@d", NULL, now_ms, &out);
		break;
	case 4:
		milter_data(&milter, now_ms, &out);
		break;
	case 5:
		give_text(data, len);
		if (len > 0)
			return;
		milter_end(&milter, now_ms, &out);
		break;
	default:
		milter_abort(&milter, &out);
		*at = 1;
	}
	++*at;
	check();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct milter_setup setup = {
		.command_ms = 30, .scan_ms = 45, .changes = size % 4 != 0};
	unsigned at = 0;

	out = (struct milter_out){.bytes = bytes, .room = sizeof(bytes), .macros = &macros};
	macros.values[MILTER_MACRO_ID] = "id";
	now_ms = 0;
	yes = false;
	text_len = body_len = 0;
	milter_begin(&milter, &setup, now_ms, &out);
	check();
	while (size >= 2) {
		bool waits = milter.state == MILTER_ASKED || milter.state == MILTER_NEGOTIATE;
		uint8_t act = data[0];
		size_t len = data[1] < size - 2 ? data[1] : size - 2;
		data += 2;
		size -= 2;
		if (act == 0xff) {
			now_ms += len;
			milter_time(&milter, now_ms, &out);
			check();
			continue;
		} else if (act == 0xfe) {
			milter_closed(&milter, NULL, &out);
			check();
			continue;
		} else if (act == 0xfd && milter.state != MILTER_NEGOTIATE) {
			milter_abort(&milter, &out);
			at = 2;
			check();
			continue;
		} else if (act == 0) {
			give_filter(data, len);
		} else if (act != 1) {
			give_packet((char)act, data, len);
		} else if (!waits) {
			step(&at, data, len);
		} else {
			continue;
		}
		data += len;
		size -= len;
	}
	return 0;
}
