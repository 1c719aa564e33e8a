/* SPDX-License-Identifier: GPL-2.0-or-later */
/* An operator's texts, and pages with whatever they and others say: a strict second reading finds
 * HTML that holds together, with the tags it has without them. */
#include "lib/portal/files.h"
#include "lib/portal/page.h"
#include "test/lib/portal_markup.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define PAGE_SIZE (1 << 18)

static size_t tags_of(const struct portal_view *view, char *page)
{
	size_t len = portal_page_write(view, page, PAGE_SIZE);

	if (len > PAGE_SIZE)
		return 0;
	const char *wrong = portal_markup_wrong(page, len);
	if (wrong)
		abort();
	return portal_markup_tags(page, len);
}

static void write_pages(const struct portal_texts *texts, const char *foreign, char *page)
{
	struct portal_mail mail = {.time_ms = 1, .message = true, .ended = 3, .recipients = 2};
	struct portal_texts english;

	portal_texts_init(&english);
	strncpy(mail.reply, foreign, sizeof(mail.reply) - 1);
	strncpy(mail.id, foreign, sizeof(mail.id) - 1);
	for (unsigned i = 0; i < 4; i++) {
		struct portal_view view = {.page = i,
			.texts = texts,
			.notice = PORTAL_NOTICE_WAIT,
			.passwords = true,
			.user = foreign,
			.mails = &mail,
			.nmails = 1,
			.now_ms = 99999,
			.login_token = foreign,
			.logout_token = foreign};
		size_t tags = tags_of(&view, page);
		struct portal_mail plain = mail;
		view.texts = &english;
		view.user = view.login_token = view.logout_token = "plain";
		view.mails = &plain;
		strcpy(plain.reply, mail.reply[0] ? "plain" : "");
		strcpy(plain.id, mail.id[0] ? "plain" : "");
		size_t expected = tags_of(&view, page);
		assert(tags == 0 || tags == expected);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char page[PAGE_SIZE];
	char error[PORTAL_ERROR_SIZE], *text = malloc(size + 1);
	struct portal_texts texts;
	size_t line;

	if (!text)
		return 0;
	memcpy(text, data, size);
	text[size] = '\0';
	if (portal_texts_parse(text, size, &texts, error, &line) < 0) {
		assert(error[0] && strlen(error) < sizeof(error) - 1);
		portal_texts_init(&texts);
	}
	write_pages(&texts, text, page);
	if (!portal_terms_check(text, size, &line)) {
		struct portal_view view = {.texts = &texts,
			.terms = text,
			.terms_len = size,
			.terms_version = "0123456789abcdef",
			.login_token = "plain"};
		(void)tags_of(&view, page);
	}
	free(text);
	return 0;
}
