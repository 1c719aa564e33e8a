/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/portal/page.h"

#include "lib/portal/page_parts.h"

#include <stdlib.h>

static enum portal_text heading_of(const struct portal_view *view)
{
	switch (view->page) {
	case PORTAL_PAGE_LOGIN:
		return view->passwords ? PORTAL_TEXT_LOGIN_HEADING : PORTAL_TEXT_ACCEPT_HEADING;
	case PORTAL_PAGE_STATUS:
		return PORTAL_TEXT_STATUS_HEADING;
	case PORTAL_PAGE_LOGGED_OUT:
		return PORTAL_TEXT_LOGGED_OUT_HEADING;
	case PORTAL_PAGE_REFUSAL:
		return PORTAL_TEXT_REFUSAL_HEADING;
	}
	abort();
}

static void put_head(struct markup *out, const struct portal_view *view)
{
	markup_put(out, "<!DOCTYPE html>\n<html lang=\"");
	page_put_text(out, view, PORTAL_TEXT_LANGUAGE);
	markup_put(
		out, portal_texts_turned(view->texts) ? "\" dir=\"rtl\">\n" : "\" dir=\"ltr\">\n");
	markup_put(out, "<head>\n<meta charset=\"utf-8\">\n"
			"<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
			"<meta name=\"robots\" content=\"noindex\">\n<title>");
	page_put_text(out, view, heading_of(view));
	markup_put(out, " – ");
	page_put_text(out, view, PORTAL_TEXT_TITLE);
	markup_put(out, "</title>\n<link rel=\"stylesheet\" href=\"/style.css\">\n");
	if (view->logo)
		markup_put(out, "<link rel=\"icon\" href=\"/logo\">\n");
	markup_put(out, "</head>\n<body>\n<header>\n");
	if (view->logo) /* the name beside it says what it shows */
		markup_put(out, "<img src=\"/logo\" alt=\"\">\n");
	markup_put(out, "<p>");
	page_put_text(out, view, PORTAL_TEXT_TITLE);
	markup_put(out, "</p>\n</header>\n<main>\n");
}

/* A refusal is spoken at once, wherever the reader is; good news when he has finished. */
static void put_notice(struct markup *out, const struct portal_view *view)
{
	if (view->notice == PORTAL_NOTICE_NONE)
		return;
	markup_put(out, notice_is_good(view->notice)
				? "<p id=\"notice\" class=\"notice good\" role=\"status\">"
				: "<p id=\"notice\" class=\"notice bad\" role=\"alert\">");
	if (view->notice == PORTAL_NOTICE_WAIT)
		page_put_wait(out, view);
	else
		page_put_text(out, view, notice_text(view->notice));
	markup_put(out, "</p>\n");
}

static void put_link(struct markup *out, const struct portal_view *view, enum portal_text lead,
	enum portal_text to)
{
	if (lead != to) {
		markup_put(out, "<p>");
		page_put_text(out, view, lead);
		markup_put(out, "</p>\n");
	}
	markup_put(out, "<p><a href=\"/\">");
	page_put_text(out, view, to);
	markup_put(out, "</a></p>\n");
}

static void put_body(struct markup *out, const struct portal_view *view)
{
	switch (view->page) {
	case PORTAL_PAGE_LOGIN:
		page_put_login(out, view);
		return;
	case PORTAL_PAGE_STATUS:
		page_put_status(out, view);
		return;
	case PORTAL_PAGE_LOGGED_OUT:
		put_link(out, view, PORTAL_TEXT_LOGGED_OUT_LEAD, PORTAL_TEXT_LOGIN_AGAIN);
		return;
	case PORTAL_PAGE_REFUSAL:
		put_link(out, view, PORTAL_TEXT_BACK, PORTAL_TEXT_BACK);
		return;
	}
	abort();
}

/* What the staff asks for on the telephone. */
static void put_foot(struct markup *out, const struct portal_view *view)
{
	char text[ADDR_TEXT_SIZE];

	markup_put(out, "</section>\n</main>\n");
	if (view->client.address.family != ADDR_NONE) {
		markup_put(out, "<footer>\n<p>");
		page_put_text(out, view, PORTAL_TEXT_HELP);
		markup_put(out, "</p>\n<dl>\n");
		if (mac_is_set(&view->client.mac)) {
			markup_put(out, "<dt>");
			page_put_text(out, view, PORTAL_TEXT_DEVICE);
			markup_put(out, "</dt><dd>");
			markup_put_string(out, mac_format(&view->client.mac, text));
			markup_put(out, "</dd>\n");
		}
		markup_put(out, "<dt>");
		page_put_text(out, view, PORTAL_TEXT_ADDRESS);
		markup_put(out, "</dt><dd>");
		markup_put_string(out, addr_format(&view->client.address, text));
		markup_put(out, "</dd>\n</dl>\n</footer>\n");
	}
	markup_put(out, "</body>\n</html>\n");
}

size_t portal_page_write(const struct portal_view *view, char *buf, size_t size)
{
	struct markup out = {buf, size, 0};

	put_head(&out, view);
	put_notice(&out, view);
	markup_put(&out, "<section class=\"card\">\n<h1>");
	page_put_text(&out, view, heading_of(view));
	markup_put(&out, "</h1>\n");
	put_body(&out, view);
	put_foot(&out, view);
	return out.len;
}
