/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is noted of a message outgrows its small piece: all that was noted before is still there,
 * wherever the texts at its end had to go. */
#include "daemon/smtp/note.h"

#include "daemon/smtp/smtp.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define RECIPIENTS 24u

static struct policy policy;
static struct engine engine; /* behind a MAIL */

/* A flow with a note, and what stands in it. */
struct noted {
	struct smtp smtp;
	struct smtp_flow flow;
	struct smtp_note *note;
	char id[SMTP_HEADER_ID_MAX], reply[MESSAGE_TEXT_MAX + 4];
	unsigned recipients;
	char addresses[RECIPIENTS][300];
};

static void hear(struct engine *hearer, const char *lines)
{
	static char client[ENGINE_CLIENT_ROOM], server[ENGINE_SERVER_ROOM];
	struct engine_out out = {.gateway = "gw.example",
		.client = client,
		.client_room = sizeof(client),
		.server = server,
		.server_room = sizeof(server)};

	if (!*lines)
		engine_greet(hearer, NULL, 1000, &out);
	else
		assert_int_equal(
			engine_client(hearer, lines, strlen(lines), 1000, &out), strlen(lines));
	if (hearer->state == ENGINE_ASK_MAIL)
		engine_verdict(hearer, &(struct engine_verdict){.ask = hearer->ask}, 1000, &out);
}

static void begin_engine(void)
{
	const struct engine_setup setup = {.flow = 1, .size_max = 1000, .recipients_max = 100};

	engine_init(&engine, &setup, 1000);
	hear(&engine, "");
	hear(&engine, "EHLO pc\r\n");
	hear(&engine, "MAIL FROM:<a@x.example>\r\n");
}

static struct noted *begin(void)
{
	struct noted *noted = calloc(1, sizeof(*noted));

	assert_non_null(noted);
	noted->smtp.loop = loop_new();
	assert_int_equal(smtp_flow_table_init(&noted->smtp.table, 4, NULL), 0);
	noted->flow.smtp = &noted->smtp;
	noted->flow.way.policy = &policy;
	begin_engine();
	noted->flow.engine = engine;
	smtp_note_begin(&noted->flow);
	noted->note = smtp_note_of(&noted->flow);
	assert_non_null(noted->note);
	return noted;
}

static void end(struct noted *noted)
{
	smtp_note_end(&noted->flow);
	assert_int_equal(pool_taken(&noted->smtp.table.pieces), 0);
	assert_int_equal(pool_taken(&noted->smtp.table.notes), 0);
	smtp_flow_table_fini(&noted->smtp.table);
	loop_free(noted->smtp.loop);
	free(noted);
}

static void check_text(
	const struct noted *noted, const struct smtp_note_text *text, const char *expected)
{
	struct message_text is = smtp_note_text(noted->note, &noted->flow, text);

	assert_int_equal(is.len, strlen(expected));
	if (is.len)
		assert_memory_equal(is.at, expected, is.len);
}

static void check(const struct noted *noted)
{
	static struct message_recipient recipients[SMTP_NOTE_RECIPIENTS_MAX];

	check_text(noted, &noted->note->helo, "pc");
	check_text(noted, &noted->note->message_id, noted->id);
	check_text(noted, &noted->note->reply, noted->reply);
	assert_int_equal(noted->note->recipients, noted->recipients);
	assert_int_equal(noted->note->left_out, 0);
	smtp_note_read(noted->note, &noted->flow, recipients);
	for (unsigned i = 0; i < noted->recipients; i++) {
		char reply[32];
		snprintf(reply, sizeof(reply), "250 2.1.5 taken %u", i / 2);
		assert_int_equal(recipients[i].address.len, strlen(noted->addresses[i]));
		assert_memory_equal(
			recipients[i].address.at, noted->addresses[i], recipients[i].address.len);
		assert_int_equal(recipients[i].reply.len, strlen(reply));
		assert_memory_equal(recipients[i].reply.at, reply, strlen(reply));
	}
}

/* With a local part of so many bytes. Each second one hears what the one before heard. */
static void add_recipient(struct noted *noted, unsigned len)
{
	char line[400], text[32];
	char *address = noted->addresses[noted->recipients];

	snprintf(address, sizeof(noted->addresses[0]), "%.*s%u@y.example", (int)len,
		"abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz", noted->recipients);
	snprintf(line, sizeof(line), "RCPT TO:<%s>\r\n", address);
	noted->flow.engine = engine;
	hear(&noted->flow.engine, line);
	assert_int_equal(noted->flow.engine.state, ENGINE_ASK_RCPT);
	snprintf(text, sizeof(text), "taken %u", noted->recipients / 2);
	smtp_note_recipient(noted->note, &noted->flow,
		&(struct engine_reply){
			.code = 250, .server = true, .enhanced = "2.1.5", .text = text});
	noted->recipients++;
}

static void set_reply(struct noted *noted, unsigned len)
{
	char text[MESSAGE_TEXT_MAX];

	for (unsigned i = 0; i < len; i++)
		text[i] = (char)('A' + (i + len) % 26);
	text[len] = '\0';
	smtp_note_reply(
		noted->note, &noted->flow, &(struct engine_reply){.code = 451, .text = text});
	snprintf(noted->reply, sizeof(noted->reply), "451%s%s", len ? " " : "", text);
}

static void set_id(struct noted *noted, unsigned len)
{
	memset(noted->id, 'i', len);
	noted->id[len] = '\0';
	smtp_note_id(noted->note, &noted->flow, noted->id);
}

/* DATA was refused, and the client names more recipients. */
static void a_reply_moves_when_recipients_need_its_place(void **state)
{
	(void)state;
	for (unsigned reply = 0; reply < 200; reply += 7) {
		struct noted *noted = begin();
		add_recipient(noted, 3);
		set_reply(noted, reply);
		check(noted);
		while (noted->recipients < RECIPIENTS) {
			add_recipient(noted, (reply + 5 * noted->recipients) % 50);
			check(noted);
		}
		assert_true(noted->note->piece != 0);
		set_reply(noted, 300);
		check(noted);
		set_reply(noted, 1);
		check(noted);
		end(noted);
	}
}

/* The text is over, and what is said to it is long. */
static void an_id_moves_when_the_reply_needs_its_place(void **state)
{
	unsigned grown = 0, stayed = 0;

	(void)state;
	for (unsigned recipients = 1; recipients < 8; recipients++) {
		for (unsigned reply = 0; reply < 400; reply += 11) {
			struct noted *noted = begin();
			while (noted->recipients < recipients)
				add_recipient(noted, 10);
			set_id(noted, 20 + reply % 40);
			check(noted);
			bool small = noted->note->piece == 0;
			set_reply(noted, reply);
			check(noted);
			grown += small && noted->note->piece;
			stayed += small && !noted->note->piece;
			end(noted);
		}
	}
	assert_true(grown > 0 && stayed > 0);
}

/* A reply that is said again and again, ever longer: a place that is too short is left. */
static void a_longer_reply_is_the_last_one(void **state)
{
	struct noted *noted = begin();

	(void)state;
	add_recipient(noted, 10);
	for (unsigned len = 0; len < 400; len += 13) {
		set_reply(noted, len);
		check(noted);
		set_reply(noted, len / 2);
		check(noted);
	}
	assert_true(noted->note->piece != 0);
	end(noted);
}

/* Of so many bytes in all, in the path's longest form: recipients with replies of their own. */
static bool add_large(struct noted *noted, unsigned number)
{
	static char line[ENGINE_CLIENT_ROOM];
	char text[MESSAGE_TEXT_MAX];
	uint32_t before = noted->note->recipients;

	snprintf(line, sizeof(line), "RCPT TO:<u%u@%.60s.%.60s.%.60s.example>\r\n", number,
		"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
		"bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb",
		"cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc");
	noted->flow.engine = engine;
	hear(&noted->flow.engine, line);
	assert_int_equal(noted->flow.engine.state, ENGINE_ASK_RCPT);
	memset(text, 'r', 400);
	snprintf(text + 400, sizeof(text) - 400, "%u", number);
	smtp_note_recipient(
		noted->note, &noted->flow, &(struct engine_reply){.code = 550, .text = text});
	return noted->note->recipients > before;
}

/* What finds no room is counted; the texts of the whole message have a place of their own. */
static void recipients_that_fill_the_big_piece_leave_the_texts_room(void **state)
{
	static struct message_recipient recipients[SMTP_NOTE_RECIPIENTS_MAX];
	struct noted *noted = begin();
	unsigned said = 0, kept = 0;

	(void)state;
	while (add_large(noted, said++))
		kept++;
	assert_in_range(kept, 150, SMTP_NOTE_RECIPIENTS_MAX - 1);
	for (unsigned i = 0; i < 10; i++)
		add_large(noted, said++);
	assert_int_equal(noted->note->recipients + noted->note->left_out, said);
	assert_true(noted->note->left_out > 0);
	set_id(noted, SMTP_HEADER_ID_MAX - 1);
	set_reply(noted, MESSAGE_TEXT_MAX - 8);
	check_text(noted, &noted->note->helo, "pc");
	check_text(noted, &noted->note->message_id, noted->id);
	check_text(noted, &noted->note->reply, noted->reply);
	smtp_note_read(noted->note, &noted->flow, recipients);
	for (unsigned i = 0; i < kept; i++) {
		char begins[16], ends[16];
		int n = snprintf(begins, sizeof(begins), "u%u@a", i);
		int m = snprintf(ends, sizeof(ends), "rr%u", i);
		assert_memory_equal(recipients[i].address.at, begins, (size_t)n);
		assert_memory_equal(
			recipients[i].reply.at + recipients[i].reply.len - m, ends, (size_t)m);
	}
	/* nothing lies behind it that a short one would not reach */
	add_large(noted, said++);
	check_text(noted, &noted->note->message_id, noted->id);
	check_text(noted, &noted->note->reply, noted->reply);
	end(noted);
}

/* More than may be named: the others are counted, and there is room left. */
static void recipients_beyond_the_most_are_counted(void **state)
{
	struct noted *noted = begin();
	char line[64];

	(void)state;
	for (unsigned i = 0; i < SMTP_NOTE_RECIPIENTS_MAX + 7; i++) {
		snprintf(line, sizeof(line), "RCPT TO:<u%u@x.example>\r\n", i);
		noted->flow.engine = engine;
		hear(&noted->flow.engine, line);
		smtp_note_recipient(noted->note, &noted->flow,
			&(struct engine_reply){.code = 250, .server = true, .text = "ok"});
	}
	assert_int_equal(noted->note->recipients, SMTP_NOTE_RECIPIENTS_MAX);
	assert_int_equal(noted->note->left_out, 7);
	assert_true(noted->note->end - noted->note->used > 1000);
	set_reply(noted, 300);
	check_text(noted, &noted->note->reply, noted->reply);
	end(noted);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_reply_moves_when_recipients_need_its_place),
		cmocka_unit_test(an_id_moves_when_the_reply_needs_its_place),
		cmocka_unit_test(a_longer_reply_is_the_last_one),
		cmocka_unit_test(recipients_that_fill_the_big_piece_leave_the_texts_room),
		cmocka_unit_test(recipients_beyond_the_most_are_counted),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
