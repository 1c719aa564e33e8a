/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The pages hold together whatever is put into them, say what they have to, and can be read. */
#include "lib/base/copy.h"
#include "lib/portal/markup.h"
#include "lib/portal/page.h"
#include "lib/portal/style.h"
#include "lib/portal/why.h"
#include "test/lib/portal_markup.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof(*(array)))
#define HOUR_MS      UINT64_C(3600000)
#define NOW          (1000 * HOUR_MS)

/* What an attacker would have in a page. */
static const char evil[] = "\"'><script>alert(1)</script><img src=x onerror=alert(1)>"
			   "&lt;&#60;\x1b[31m\xff\xe2\x80\xae\r\n\t</textarea></title>{}%s%n";

static char page[1 << 20];

static size_t write_page(const struct portal_view *view)
{
	size_t len = portal_page_write(view, page, sizeof(page) - 1);
	assert_in_range(len, 1, sizeof(page) - 1);
	page[len] = '\0';
	return len;
}

static bool has(const char *text)
{
	return strstr(page, text) != NULL;
}

static struct portal_texts texts;

static struct portal_view base(enum portal_page which)
{
	struct portal_view view = {.page = which,
		.texts = &texts,
		.passwords = true,
		.client.zone = "guest",
		.now_ms = NOW};
	portal_texts_init(&texts);
	assert_int_equal(addr_parse("2001:db8::7", 11, &view.client.address), 0);
	assert_int_equal(mac_parse("02:00:5e:00:53:01", 17, &view.client.mac), 0);
	return view;
}

/* Page, notice, and whether each part of it is there, in a number. */
static struct portal_view nth(unsigned n, const char *foreign)
{
	static struct portal_mail mails[2];
	struct portal_view view = base(n % 4);

	for (size_t i = 0; i < COUNT(mails); i++) {
		mails[i] = (struct portal_mail){.time_ms = NOW - 90000,
			.message = i == 0,
			.ended = i == 0 ? (unsigned)MESSAGE_REFUSED_SERVER : (unsigned)ENDING_QUIT,
			.bytes = 12345,
			.recipients = 3,
			.refused = 1};
		copy_text(mails[i].id, sizeof(mails[i].id), foreign);
		copy_text(mails[i].reply, sizeof(mails[i].reply), foreign);
	}
	n /= 4;
	view.notice = n % PORTAL_NOTICES;
	n /= PORTAL_NOTICES;
	view.passwords = n & 1;
	view.logo = n & 2;
	view.terms = n & 4 ? foreign : NULL;
	view.terms_len = strlen(foreign);
	view.terms_version = foreign;
	view.user = n & 8 ? foreign : NULL;
	view.mails = mails;
	view.nmails = n & 8 ? COUNT(mails) : 0;
	view.ends_ms = n & 1 ? NOW + HOUR_MS : 0;
	view.hard_end_ms = n & 4 ? NOW + HOUR_MS : 0;
	view.login_token = n & 2 ? foreign : NULL;
	view.renew_token = n & 4 ? foreign : NULL;
	view.logout_token = n & 8 ? foreign : NULL;
	if (n & 2)
		view.client = (struct portal_client){0};
	return view;
}
#define VIEWS (4 * PORTAL_NOTICES * 16)

static void nothing_foreign_is_read_as_html(void **state)
{
	(void)state;
	for (unsigned i = 0; i < VIEWS; i++) {
		struct portal_view view = nth(i, "plain");
		size_t len = write_page(&view), tags = portal_markup_tags(page, len);
		const char *wrong = portal_markup_wrong(page, len);
		if (wrong)
			fail_msg("view %u: %s", i, wrong);
		view = nth(i, evil);
		len = write_page(&view);
		wrong = portal_markup_wrong(page, len);
		if (wrong)
			fail_msg("view %u: %s", i, wrong);
		assert_int_equal(portal_markup_tags(page, len), tags);
		assert_false(has("<script"));
		assert_false(has("onerror=alert(1)>"));
		assert_null(memchr(page, '\x1b', len));
		assert_null(memchr(page, '\xff', len));
	}
}

static void texts_of_a_file_are_not_read_as_html_either(void **state)
{
	(void)state;
	for (unsigned i = 0; i < VIEWS; i++) {
		struct portal_view view = nth(i, "plain");
		size_t tags = portal_markup_tags(page, write_page(&view));
		for (size_t j = 0; j < PORTAL_TEXTS; j++)
			if (j != PORTAL_TEXT_LANGUAGE)
				texts.v[j] = (struct portal_piece){evil, sizeof(evil) - 1};
		size_t len = write_page(&view);
		const char *wrong = portal_markup_wrong(page, len);
		if (wrong)
			fail_msg("view %u: %s", i, wrong);
		assert_int_equal(portal_markup_tags(page, len), tags);
	}
}

static void no_more_is_written_than_there_is_room(void **state)
{
	struct portal_view view = nth(3 + 4 * PORTAL_NOTICES * 13, evil);
	static char small[1 << 16];
	size_t whole = write_page(&view);
	(void)state;
	assert_int_equal(portal_page_write(&view, NULL, 0), whole);
	for (size_t size = 0; size < whole; size += 7) {
		memset(small, 'x', sizeof(small));
		assert_int_equal(portal_page_write(&view, small, size), whole);
		assert_memory_equal(small, page, size);
		assert_int_equal(small[size], 'x');
	}
}

static void the_form_is_known_to_password_stores_and_readers(void **state)
{
	struct portal_view view = base(PORTAL_PAGE_LOGIN);
	view.login_token = "0123";
	view.user = "J\xc3\xbcrgen";
	view.notice = PORTAL_NOTICE_WRONG;
	(void)state;
	write_page(&view);
	assert_true(has("<html lang=\"en\" dir=\"ltr\">"));
	assert_true(has("width=device-width, initial-scale=1"));
	assert_true(has("<label for=\"user\">"));
	assert_true(has("<label for=\"password\">"));
	assert_true(has("autocomplete=\"username\""));
	assert_true(has("autocomplete=\"current-password\""));
	assert_true(has("value=\"J\xc3\xbcrgen\""));
	assert_true(has("role=\"alert\""));
	assert_true(has("aria-describedby=\"notice\""));
	assert_true(has("name=\"token\" value=\"0123\""));
	assert_true(has("02:00:5e:00:53:01"));
	assert_true(has("2001:db8::7"));
	assert_false(has("name=\"accept\""));
	/* a password never goes back */
	assert_false(has("type=\"password\" value"));
}

static void terms_alone_ask_for_no_password(void **state)
{
	struct portal_view view = base(PORTAL_PAGE_LOGIN);
	view.login_token = "0123";
	view.passwords = false;
	view.terms_version = "0123456789abcdef";
	view.terms = "One\r\ntwo.\n\n \t\n\nThree <3.\n";
	view.terms_len = strlen(view.terms);
	(void)state;
	write_page(&view);
	assert_false(has("name=\"password\""));
	assert_false(has("name=\"user\""));
	assert_true(has("name=\"accept\""));
	assert_true(has("name=\"terms\" value=\"0123456789abcdef\""));
	assert_true(has("<details open>"));
	assert_true(has("<p>One\ntwo.</p>\n<p>Three &lt;3.</p>"));
}

static void terms_that_changed_are_open_beside_a_password_too(void **state)
{
	struct portal_view view = base(PORTAL_PAGE_LOGIN);
	view.login_token = "0123";
	view.passwords = true;
	view.terms = "Behave.";
	view.terms_len = strlen(view.terms);
	view.terms_version = "0123456789abcdef";
	(void)state;
	write_page(&view);
	assert_true(has("<details>"));
	view.notice = PORTAL_NOTICE_TERMS_CHANGED;
	write_page(&view);
	assert_true(has("<details open>"));
	assert_true(has("The terms of use have changed"));
	assert_true(has("required aria-invalid=\"true\" aria-describedby=\"notice\""));
}

static void a_page_can_be_in_another_language(void **state)
{
	static const char file[] = "language ar\nlogin Go\n";
	struct portal_view view = base(PORTAL_PAGE_LOGIN);
	char error[PORTAL_ERROR_SIZE];
	size_t line;
	(void)state;
	assert_int_equal(portal_texts_parse(file, sizeof(file) - 1, &texts, error, &line), 0);
	view.login_token = "0123";
	write_page(&view);
	assert_true(has("<html lang=\"ar\" dir=\"rtl\">"));
	assert_true(has("<button type=\"submit\">Go</button>"));
}

static void times_are_said_in_words(void **state)
{
	static const struct {
		uint64_t left_ms;
		const char *said;
	} cases[] = {
		{1, "<dd>less than a minute</dd>"},
		{29999, "<dd>less than a minute</dd>"},
		{30000, "<dd>1 minute</dd>"},
		{8 * HOUR_MS - 1000, "<dd>8 hours</dd>"},
		{60000, "<dd>1 minute</dd>"},
		{59 * 60000, "<dd>59 minutes</dd>"},
		{HOUR_MS, "<dd>1 hour</dd>"},
		{HOUR_MS + 60000, "<dd>1 hour 1 minute</dd>"},
		{3 * HOUR_MS + 20 * 60000, "<dd>3 hours 20 minutes</dd>"},
		{24 * HOUR_MS, "<dd>1 day</dd>"},
		{24 * HOUR_MS + 60000, "<dd>1 day</dd>"},
		{49 * HOUR_MS + 60000, "<dd>2 days 1 hour</dd>"},
	};
	struct portal_view view = base(PORTAL_PAGE_STATUS);
	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		view.ends_ms = NOW + cases[i].left_ms;
		write_page(&view);
		if (!has(cases[i].said))
			fail_msg("%s", cases[i].said);
	}
	view.ends_ms = 0;
	write_page(&view);
	assert_true(has("<dd>no end</dd>"));
	view.ends_ms = 1; /* over */
	write_page(&view);
	assert_true(has("<dd>less than a minute</dd>"));
}

static void a_wait_is_never_said_too_short(void **state)
{
	static const struct {
		uint32_t wait_s;
		const char *said;
	} cases[] = {{1, "wait 1 second,"}, {59, "wait 59 seconds,"}, {60, "wait 1 minute,"},
		{61, "wait 2 minutes,"}, {900, "wait 15 minutes,"}};
	struct portal_view view = base(PORTAL_PAGE_LOGIN);
	(void)state;
	view.notice = PORTAL_NOTICE_WAIT;
	for (size_t i = 0; i < COUNT(cases); i++) {
		view.wait_s = cases[i].wait_s;
		write_page(&view);
		assert_true(has(cases[i].said));
	}
}

static void a_guest_sees_what_became_of_his_mail(void **state)
{
	const struct portal_mail mails[] = {
		{NOW - 60000, true, MESSAGE_REFUSED_SERVER, 1234, 1, 1, "f-7k3q9.2",
			"550 5.1.1 no such user"},
		{NOW - 2 * HOUR_MS, true, MESSAGE_DELIVERED, 2500000, 2, 0, "f-7k3q9.1", "250 ok"},
		{NOW - 3 * HOUR_MS, true, MESSAGE_DELIVERED, 10, 2, 1, "f-7k3q8.1",
			"550 5.1.1 <b@example> unknown"},
		{NOW + 60000, true, 9999, 0, 0, 0, "", ""},
		{NOW, false, ENDING_BLOCKED, 0, 0, 0, "f-7k3q7", ""},
	};
	struct portal_view view = base(PORTAL_PAGE_STATUS);
	(void)state;
	view.user = "anna";
	view.messages = true;
	view.sent = 12;
	view.refused = 1;
	view.mails = mails;
	view.nmails = COUNT(mails);
	write_page(&view);
	assert_true(has("<dd><bdi>anna</bdi></dd>"));
	assert_true(has("<dt>Messages sent</dt><dd>12</dd>"));
	assert_true(has("<dt>Messages refused</dt><dd>1</dd>"));
	assert_true(has("Refused by the mail server."));
	assert_true(has("1 minute ago, 1 KB, 1 recipient</p>"));
	assert_true(has("<q><bdi>550 5.1.1 no such user</bdi></q>"));
	assert_true(has("Number for the staff: <span class=\"word\">f-7k3q9.2</span>"));
	assert_true(has("<li class=\"good\"><p class=\"what\">Sent: the mail server took it.</p>\n"
			"<p class=\"more\">2 hours ago, 2 MB, 2 recipients</p>\n</li>"));
	/* some get it, one does not */
	assert_true(
		has("<li class=\"doubt\"><p class=\"what\">Sent: the mail server took it.</p>\n"
		    "<p class=\"more\">3 hours ago, 10 bytes, 2 recipients, 1 of them refused"));
	assert_true(has("550 5.1.1 &lt;b@example&gt; unknown"));
	assert_true(has("the connection broke off"));
	assert_true(has("you or this device may not send mail for now"));
	assert_false(has("f-7k3q9.1"));
}

static void what_is_not_known_is_not_said_to_be_nothing(void **state)
{
	struct portal_view view = base(PORTAL_PAGE_STATUS);
	(void)state;
	view.messages = view.more = true;
	view.sent = 97;
	write_page(&view);
	assert_true(has("<dt>Messages sent</dt><dd>97+</dd>"));
	view.more = false;
	write_page(&view);
	assert_true(has("<dt>Messages sent</dt><dd>97</dd>"));
	/* and of a list what it does not have */
	static const struct {
		uint64_t sent, refused;
		size_t nmails;
		bool more, older, none;
	} lists[] = {
		{0, 0, 0, false, false, true},
		{0, 0, 0, true, true, false}, /* those that were looked at are another device's */
		{1, 1, 2, false, false, false},
		{1, 1, 2, true, true, false},
		{20, 1, 20, false, true, false},
		{0, 21, 20, false, true, false},
	};
	const struct portal_mail mails[PORTAL_MAILS_MAX] = {{.message = true}};
	view.mails = mails;
	for (size_t i = 0; i < COUNT(lists); i++) {
		view.sent = lists[i].sent;
		view.refused = lists[i].refused;
		view.nmails = lists[i].nmails;
		view.more = lists[i].more;
		write_page(&view);
		assert_int_equal(has("<p>Older mail is not shown here.</p>"), lists[i].older);
		assert_int_equal(has("Nothing was sent since"), lists[i].none);
	}
	view.unrecorded = true;
	write_page(&view);
	assert_false(has("Messages sent") || has("Messages refused") || has("Nothing was sent"));
	assert_false(has("Your latest mail"));
}

static void every_ending_has_plain_words(void **state)
{
	unsigned good = 0;
	(void)state;
	for (unsigned i = 0; i < ENDINGS; i++) {
		enum portal_text why = portal_why_of_flow(i);
		assert_in_range(why, PORTAL_TEXT_WHY_SENT, PORTAL_TEXT_WHY_SHORT);
		good += portal_why_mood(why) == PORTAL_MOOD_GOOD;
		assert_int_not_equal(why, PORTAL_TEXT_WHY_SENT); /* nobody knows */
	}
	assert_int_equal(good, 5);
	for (unsigned i = 0; i < MESSAGE_ENDINGS; i++) {
		enum portal_mood mood = portal_why_mood(portal_why_of_message(i));
		enum message_outcome outcome = message_outcome_of(i);
		assert_int_equal(mood, outcome == MESSAGE_STORED  ? PORTAL_MOOD_GOOD
				       : outcome == MESSAGE_DOUBT ? PORTAL_MOOD_DOUBT
								  : PORTAL_MOOD_BAD);
	}
}

static void a_notice_is_said_where_it_is_true(void **state)
{
	(void)state;
	assert_string_equal(portal_done(PORTAL_LOGIN), "/?done=in");
	assert_int_equal(portal_notice_of_query("done=in", true), PORTAL_NOTICE_LOGGED_IN);
	assert_int_equal(portal_notice_of_query("done=in", false), PORTAL_NOTICE_NONE);
	assert_int_equal(portal_notice_of_query("done=out", false), PORTAL_NOTICE_LOGGED_OUT);
	assert_int_equal(portal_notice_of_query("done=out", true), PORTAL_NOTICE_NONE);
	assert_int_equal(portal_notice_of_query("done=renewed", true), PORTAL_NOTICE_RENEWED);
	assert_int_equal(portal_notice_of_query("done=<script>", true), PORTAL_NOTICE_NONE);
	assert_int_equal(portal_notice_of_query("", true), PORTAL_NOTICE_NONE);
	assert_int_equal(portal_notice_of_query(NULL, true), PORTAL_NOTICE_NONE);
	for (unsigned i = 0; i < PORTAL_NOTICES; i++) {
		unsigned status = portal_notice_status(i);
		bool good = i == PORTAL_NOTICE_NONE || i >= PORTAL_NOTICE_LOGGED_IN;
		assert_true(good ? status == 200 : status >= 400 && status < 600);
	}
	for (unsigned i = 0; i <= PORTAL_BAD_TYPE; i++)
		assert_int_equal(portal_notice_of_route(i) == PORTAL_NOTICE_NONE,
			portal_route_status(i) == 0);
}

/* ---- how it looks ---- */

static double linear(unsigned value)
{
	double share = value / 255.0;
	return share <= 0.03928 ? share / 12.92 : pow((share + 0.055) / 1.055, 2.4);
}

/* WCAG 2.1, relative luminance of "--NAME:#rgb" or "#rrggbb" from here on. */
static double luminance(const char *style, const char *name)
{
	char text[32];
	unsigned rgb[3];

	snprintf(text, sizeof(text), "--%s:#", name);
	const char *at = strstr(style, text);
	if (!at)
		fail_msg("no colour %s", name);
	at += strlen(text);
	size_t digits = strspn(at, "0123456789abcdef");
	for (size_t i = 0; i < 3; i++) {
		if (digits == 3)
			assert_int_equal(sscanf(at + i, "%1x", &rgb[i]), 1);
		else
			assert_int_equal(sscanf(at + 2 * i, "%2x", &rgb[i]), 1);
		rgb[i] *= digits == 3 ? 17 : 1;
	}
	return 0.2126 * linear(rgb[0]) + 0.7152 * linear(rgb[1]) + 0.0722 * linear(rgb[2]);
}

static void all_can_be_read_in_light_and_in_dark(void **state)
{
	static const struct {
		const char *ink, *ground;
		double least;
	} pairs[] = {
		{"ink", "ground", 4.5}, {"ink", "card", 4.5}, {"soft", "ground", 4.5},
		{"soft", "card", 4.5}, {"act", "card", 4.5}, {"act", "ground", 4.5},
		{"on-act", "act", 4.5}, {"good", "good-bg", 4.5}, {"doubt", "doubt-bg", 4.5},
		{"bad", "bad-bg", 4.5}, {"ink", "good-bg", 4.5}, {"ink", "doubt-bg", 4.5},
		{"ink", "bad-bg", 4.5}, {"line", "card", 3.0}, /* 1.4.11, a field's border */
	};
	const char *schemes[] = {portal_style, strstr(portal_style, "prefers-color-scheme:dark")};
	(void)state;
	for (size_t i = 0; i < COUNT(schemes) * COUNT(pairs); i++) {
		const char *style = schemes[i / COUNT(pairs)];
		assert_non_null(style);
		double a = luminance(style, pairs[i % COUNT(pairs)].ink);
		double b = luminance(style, pairs[i % COUNT(pairs)].ground);
		double contrast = ((a > b ? a : b) + 0.05) / ((a > b ? b : a) + 0.05);
		if (contrast < pairs[i % COUNT(pairs)].least)
			fail_msg("%s on %s: %.2f", pairs[i % COUNT(pairs)].ink,
				pairs[i % COUNT(pairs)].ground, contrast);
	}
	assert_null(strstr(portal_style, "url("));
	assert_null(strstr(portal_style, "@import"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_foreign_is_read_as_html),
		cmocka_unit_test(texts_of_a_file_are_not_read_as_html_either),
		cmocka_unit_test(no_more_is_written_than_there_is_room),
		cmocka_unit_test(the_form_is_known_to_password_stores_and_readers),
		cmocka_unit_test(terms_alone_ask_for_no_password),
		cmocka_unit_test(terms_that_changed_are_open_beside_a_password_too),
		cmocka_unit_test(a_page_can_be_in_another_language),
		cmocka_unit_test(times_are_said_in_words),
		cmocka_unit_test(a_wait_is_never_said_too_short),
		cmocka_unit_test(a_guest_sees_what_became_of_his_mail),
		cmocka_unit_test(what_is_not_known_is_not_said_to_be_nothing),
		cmocka_unit_test(every_ending_has_plain_words),
		cmocka_unit_test(a_notice_is_said_where_it_is_true),
		cmocka_unit_test(all_can_be_read_in_light_and_in_dark),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
