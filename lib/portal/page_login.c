/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/portal/page_parts.h"

#include <string.h>

/* The end of the paragraph that begins at `at`: an empty line, or the end. */
static size_t paragraph_end(const char *terms, size_t len, size_t at)
{
	bool empty = false;

	for (; at < len; at++) {
		if (terms[at] == '\n' && empty)
			return at;
		empty = terms[at] == '\n' ||
			(empty && (terms[at] == ' ' || terms[at] == '\t' || terms[at] == '\r'));
	}
	return len;
}

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Line by line, since an end of line is nothing that may be shown. */
static void put_lines(struct markup *out, const char *text, size_t len)
{
	while (len > 0) {
		const char *end = memchr(text, '\n', len);
		size_t n = end ? (size_t)(end - text) : len;
		for (size_t i = 0, from = 0; i <= n; i++)
			if (i == n || text[i] == '\t' || text[i] == '\r') {
				markup_put_text(out, text + from, i - from);
				markup_put(out, i < n && text[i] == '\t' ? " " : "");
				from = i + 1;
			}
		if (end)
			markup_put(out, "\n");
		n += end ? 1 : 0;
		text += n;
		len -= n;
	}
}

static void put_paragraphs(struct markup *out, const char *terms, size_t len)
{
	for (size_t at = 0; at < len;) {
		if (is_space(terms[at])) {
			at++;
			continue;
		}
		size_t end = paragraph_end(terms, len, at), behind = end;
		while (is_space(terms[behind - 1]))
			behind--;
		markup_put(out, "<p>");
		put_lines(out, terms + at, behind - at);
		markup_put(out, "</p>\n");
		at = end;
	}
}

static void put_terms(struct markup *out, const struct portal_view *view)
{
	const bool changed = view->notice == PORTAL_NOTICE_TERMS_CHANGED;

	markup_put(out, "<input type=\"hidden\" name=\"terms\" value=\"");
	markup_put_string(out, view->terms_version);
	markup_put(out, view->passwords && !changed ? "\">\n<details>\n<summary>"
						    : "\">\n<details open>\n<summary>");
	page_put_text(out, view, PORTAL_TEXT_TERMS);
	markup_put(out, "</summary>\n<div class=\"terms\">\n");
	put_paragraphs(out, view->terms, view->terms_len);
	markup_put(out, "</div>\n</details>\n"
			"<p class=\"box\"><input id=\"accept\" name=\"accept\" type=\"checkbox\" "
			"value=\"yes\" required");
	if (changed || view->notice == PORTAL_NOTICE_NOT_ACCEPTED)
		markup_put(out, " aria-invalid=\"true\" aria-describedby=\"notice\"");
	markup_put(out, "> <label for=\"accept\">");
	page_put_text(out, view, PORTAL_TEXT_ACCEPT);
	markup_put(out, "</label></p>\n");
}

static void put_password(struct markup *out, const struct portal_view *view)
{
	const char *wrong = view->notice == PORTAL_NOTICE_WRONG
				    ? " aria-invalid=\"true\" aria-describedby=\"notice\">"
				    : ">";

	markup_put(out, "<p><label for=\"user\">");
	page_put_text(out, view, PORTAL_TEXT_USER);
	markup_put(out, "</label>\n<input id=\"user\" name=\"user\" type=\"text\" required "
			"maxlength=\"255\" autocomplete=\"username\" autocapitalize=\"none\" "
			"autocorrect=\"off\" spellcheck=\"false\" dir=\"auto\" value=\"");
	if (view->user)
		markup_put_string(out, view->user);
	markup_put(out, "\"");
	markup_put(out, wrong);
	markup_put(out, "</p>\n<p><label for=\"password\">");
	page_put_text(out, view, PORTAL_TEXT_PASSWORD);
	markup_put(out, "</label>\n<input id=\"password\" name=\"password\" type=\"password\" "
			"required maxlength=\"255\" autocomplete=\"current-password\"");
	markup_put(out, wrong);
	markup_put(out, "</p>\n");
}

void page_put_login(struct markup *out, const struct portal_view *view)
{
	markup_put(out, "<p>");
	page_put_text(
		out, view, view->passwords ? PORTAL_TEXT_LOGIN_LEAD : PORTAL_TEXT_ACCEPT_LEAD);
	markup_put(out, "</p>\n");
	if (!view->login_token)
		return;
	markup_put(out, "<form method=\"post\" action=\"/login\" accept-charset=\"utf-8\">\n"
			"<input type=\"hidden\" name=\"token\" value=\"");
	markup_put_string(out, view->login_token);
	markup_put(out, "\">\n");
	if (view->passwords)
		put_password(out, view);
	if (view->terms)
		put_terms(out, view);
	markup_put(out, "<p><button type=\"submit\">");
	page_put_text(out, view, view->passwords ? PORTAL_TEXT_LOGIN : PORTAL_TEXT_CONTINUE);
	markup_put(out, "</button></p>\n</form>\n");
}
