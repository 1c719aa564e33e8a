/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "test/lib/milter_talk.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define LINE_MAX 8192

/* What came out of an input. */
static void act(struct milter_talk *talk)
{
	const struct milter_out *out = &talk->out;

	assert_true(out->len <= out->room);
	assert_true(talk->told_len + out->len <= sizeof(talk->told));
	memcpy(talk->told + talk->told_len, out->bytes, out->len);
	talk->told_len += out->len;
	talk->writes += out->len > 0;
	assert_int_equal(out->close, talk->milter.state == MILTER_END);
	talk->answer = out->answer;
	talk->why = out->why;
	talk->close_client = out->close_client;
	if (out->answer == MILTER_ANSWER_REFUSED)
		snprintf(talk->refusal, sizeof(talk->refusal), "%u %s %s", out->refusal.code,
			out->refusal.enhanced, out->refusal.text);
	bool awaits = talk->milter.state == MILTER_ASKED || talk->milter.state == MILTER_NEGOTIATE;
	assert_int_equal(awaits, talk->milter.deadline_ms != UINT64_MAX);
}

static bool may_go_on(const struct milter_talk *talk)
{
	return talk->milter.state == MILTER_READY || talk->milter.state == MILTER_END;
}

static void give_text(struct milter_talk *talk)
{
	while (talk->text_at < talk->text_len && may_go_on(talk)) {
		size_t len = talk->text_len - talk->text_at;
		if (talk->cut && len > talk->cut)
			len = talk->cut;
		char *copy = malloc(len); /* exact: a read behind its end is seen */
		assert_non_null(copy);
		memcpy(copy, talk->text + talk->text_at, len);
		size_t used = milter_text(&talk->milter, copy, len, talk->now_ms, &talk->out);
		free(copy);
		assert_true(used <= len);
		/* it gets on, or waits, or said something */
		assert_true(used > 0 || talk->out.len > 0 || !may_go_on(talk));
		talk->text_at += used;
		act(talk);
	}
}

void milter_talk_text(struct milter_talk *talk, const char *text, size_t len)
{
	free(talk->text);
	talk->text = malloc(len + 1);
	assert_non_null(talk->text);
	memcpy(talk->text, text, len);
	talk->text_len = len;
	talk->text_at = 0;
	give_text(talk);
}

void milter_talk_bytes(struct milter_talk *talk, const void *bytes, size_t len)
{
	const uint8_t *at = bytes;

	while (len > 0) {
		size_t n = talk->filter_cut && len > talk->filter_cut ? talk->filter_cut : len;
		uint8_t *copy = malloc(n);
		assert_non_null(copy);
		memcpy(copy, at, n);
		milter_filter(&talk->milter, copy, n, talk->now_ms, &talk->out);
		free(copy);
		act(talk);
		if (talk->milter.state == MILTER_END)
			break;
		at += n;
		len -= n;
	}
	give_text(talk);
}

void milter_talk_say(struct milter_talk *talk, char letter, const void *data, size_t len)
{
	uint8_t *packet = malloc(len + MILTER_HEAD_BYTES);
	struct milter_writer writer = {.bytes = packet, .room = len + MILTER_HEAD_BYTES};

	assert_non_null(packet);
	milter_packet_begin(&writer, letter);
	milter_packet_bytes(&writer, data, len);
	milter_packet_end(&writer);
	assert_false(writer.full);
	milter_talk_bytes(talk, packet, writer.len);
	free(packet);
}

struct milter_talk *milter_talk_new(uint32_t protocol)
{
	struct milter_talk *talk = calloc(1, sizeof(*talk));
	uint8_t options[12];
	struct milter_writer writer = {.bytes = options, .room = sizeof(options)};

	assert_non_null(talk);
	talk->now_ms = 1000;
	talk->setup = (struct milter_setup){.command_ms = 30000, .scan_ms = 45000, .changes = true};
	talk->out.bytes = talk->bytes;
	talk->out.room = sizeof(talk->bytes);
	talk->out.macros = &talk->macros;
	milter_begin(&talk->milter, &talk->setup, talk->now_ms, &talk->out);
	act(talk);
	talk->told_seen = talk->told_len;
	milter_packet_u32(&writer, MILTER_VERSION);
	milter_packet_u32(&writer, MILTER_ACTION_ADD);
	milter_packet_u32(&writer, protocol);
	milter_talk_say(talk, 'O', options, sizeof(options));
	assert_int_equal(talk->answer, MILTER_ANSWER_GO);
	return talk;
}

void milter_talk_free(struct milter_talk *talk)
{
	free(talk->text);
	free(talk);
}

/* ---- the script ---- */

static size_t unescape(const char *text, size_t len, char *out)
{
	size_t n = 0;

	for (size_t i = 0; i < len; i++) {
		char c = text[i];
		if (c == '\\' && i + 1 < len) {
			c = text[++i];
			if (c == 'x' && i + 2 < len) {
				char hex[] = {text[i + 1], text[i + 2], '\0'};
				c = (char)strtol(hex, NULL, 16);
				i += 2;
			} else {
				c = c == 'r'   ? '\r'
				    : c == 'n' ? '\n'
				    : c == 't' ? '\t'
				    : c == '0' ? '\0'
					       : c;
			}
		}
		out[n++] = c;
	}
	out[n] = '\0';
	return n;
}

static void show(const uint8_t *bytes, size_t len, char *out, size_t size)
{
	size_t n = strlen(out);

	for (size_t i = 0; i < len && n + 8 < size; i++) {
		uint8_t c = bytes[i];
		const char *format = c == '\0'            ? "|"
				     : c == '\r'          ? "\\r"
				     : c == '\n'          ? "\\n"
				     : c == '\t'          ? "\\t"
				     : c < ' ' || c > '~' ? "\\x%02x"
							  : "%c";
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
#pragma GCC diagnostic ignored "-Wformat-extra-args"
#pragma GCC diagnostic ignored "-Wformat-security"
		n += (size_t)snprintf(out + n, size - n, format, c);
#pragma GCC diagnostic pop
	}
}

static void expect_told(struct milter_talk *talk, const char *packets)
{
	char shown[LINE_MAX] = "";

	while (talk->told_seen < talk->told_len) {
		struct milter_reader reader = {
			talk->told + talk->told_seen, talk->told + talk->told_len};
		uint32_t length;
		assert_true(milter_read_u32(&reader, &length));
		assert_true(length > 0 && length <= MILTER_DATA_MAX + 1u);
		assert_true((size_t)(reader.end - reader.at) >= length);
		if (shown[0])
			strcat(shown, " ");
		show(reader.at, length, shown, sizeof(shown) - 2);
		talk->told_seen += 4 + length;
	}
	assert_string_equal(shown, packets);
}

static void expect_answer(struct milter_talk *talk, const char *line)
{
	static const char *const names[] = {"none", "go", "refused", "failed"};
	char seen[1200];

	snprintf(seen, sizeof(seen), "%s%s%s", names[talk->answer],
		talk->answer >= MILTER_ANSWER_REFUSED ? " " : "",
		talk->answer == MILTER_ANSWER_REFUSED  ? talk->refusal
		: talk->answer == MILTER_ANSWER_FAILED ? milter_why_names[talk->why]
						       : "");
	assert_string_equal(seen, line);
}

static void owner(struct milter_talk *talk, char letter, const char *text, size_t len)
{
	static const struct endpoint client = {
		.addr = {.bytes = {192, 0, 2, 1}, .family = ADDR_IP4}, .port = 0x4142};
	struct milter *milter = &talk->milter;

	switch (letter) {
	case 'c':
		milter_connect(milter, "client.example", &client, talk->now_ms, &talk->out);
		break;
	case 'h':
		milter_helo(milter, text, talk->now_ms, &talk->out);
		break;
	case 'm':
		milter_mail(milter, text, NULL, talk->now_ms, &talk->out);
		break;
	case 'r':
		milter_rcpt(milter, text, NULL, talk->now_ms, &talk->out);
		break;
	case 'd':
		milter_data(milter, talk->now_ms, &talk->out);
		break;
	case 't':
		milter_talk_text(talk, text, len);
		return;
	case 'e':
		assert_int_equal(talk->text_at, talk->text_len);
		milter_end(milter, talk->now_ms, &talk->out);
		break;
	case 'a':
		talk->text_len = talk->text_at = 0;
		milter_abort(milter, &talk->out);
		break;
	case 'q':
		milter_quit(milter, &talk->out);
		break;
	case 'X':
		milter_closed(milter, text[0] ? text : NULL, &talk->out);
		break;
	case 'T':
		talk->now_ms += (uint64_t)strtoul(text, NULL, 10);
		milter_time(milter, talk->now_ms, &talk->out);
		break;
	default:
		fail_msg("no such line: %c", letter);
	}
	act(talk);
}

static void run_line(struct milter_talk *talk, const char *line, size_t line_len)
{
	static char text[LINE_MAX];
	char whole[LINE_MAX];

	assert_true(line_len < sizeof(whole));
	memcpy(whole, line, line_len);
	whole[line_len] = '\0';
	const char *rest = line_len > 2 ? whole + 2 : "";
	if (strcmp(whole, "go") == 0 || strcmp(whole, "none") == 0 ||
		strncmp(whole, "refused ", 8) == 0 || strncmp(whole, "failed ", 7) == 0) {
		expect_answer(talk, whole);
	} else if (whole[0] == '>') {
		expect_told(talk, rest);
	} else if (whole[0] == 's') {
		assert_string_equal(milter_state_names[talk->milter.state], rest);
	} else if (whole[0] == 'f') {
		if (!strstr(talk->milter.fault, rest))
			fail_msg("\"%s\" is not in \"%s\"", rest, talk->milter.fault);
	} else {
		const char *from = whole[0] == 'F' ? whole + 1 : rest;
		size_t len = unescape(from, strlen(from), text);
		if (whole[0] == 'F')
			milter_talk_say(talk, text[0], text + 1, len - 1);
		else if (whole[0] == 'B')
			milter_talk_bytes(talk, text, len);
		else
			owner(talk, whole[0], text, len);
	}
}

void milter_talk_run(struct milter_talk *talk, const char *script)
{
	while (*script) {
		size_t len = strcspn(script, "\n");
		run_line(talk, script, len);
		script += len + (script[len] == '\n');
	}
}

void milter_talk_each(uint32_t protocol, const char *script)
{
	for (size_t cut = 0; cut <= 8; cut++) {
		struct milter_talk *talk = milter_talk_new(protocol);
		talk->filter_cut = cut;
		milter_talk_run(talk, script);
		milter_talk_free(talk);
	}
}
