/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/portal/page_parts.h"

#include <string.h>

#define PLACE "{}"

static const struct portal_piece *piece_of(const struct portal_view *view, enum portal_text text)
{
	return &view->texts->v[text];
}

/* What stands before the place, and after it; without a place all stands before. */
static void put_side(
	struct markup *out, const struct portal_view *view, enum portal_text text, bool after)
{
	const struct portal_piece *piece = piece_of(view, text);
	const char *place = memmem(piece->text, piece->len, PLACE, 2);
	size_t before = place ? (size_t)(place - piece->text) : piece->len;

	if (!after)
		markup_put_text(out, piece->text, before);
	else if (place)
		markup_put_text(out, place + 2, piece->len - before - 2);
}

void page_put_text(struct markup *out, const struct portal_view *view, enum portal_text text)
{
	const struct portal_piece *piece = piece_of(view, text);
	markup_put_text(out, piece->text, piece->len);
}

void page_put_count(
	struct markup *out, const struct portal_view *view, enum portal_text text, uint64_t number)
{
	put_side(out, view, text, false);
	markup_put_number(out, number);
	put_side(out, view, text, true);
}

void page_put_word(
	struct markup *out, const struct portal_view *view, enum portal_text text, const char *word)
{
	put_side(out, view, text, false);
	markup_put(out, "<span class=\"word\">");
	markup_put_string(out, word);
	markup_put(out, "</span>");
	put_side(out, view, text, true);
}

void page_put_time(
	struct markup *out, const struct portal_view *view, enum portal_text text, uint64_t seconds)
{
	put_side(out, view, text, false);
	page_put_span(out, view, seconds);
	put_side(out, view, text, true);
}

static void put_part(struct markup *out, const struct portal_view *view, uint64_t n,
	enum portal_text one, enum portal_text many)
{
	page_put_count(out, view, n == 1 ? one : many, n);
}

void page_put_span(struct markup *out, const struct portal_view *view, uint64_t seconds)
{
	uint64_t minutes = seconds / 60, hours = minutes / 60, days = hours / 24;

	if (minutes == 0) {
		page_put_text(out, view, PORTAL_TEXT_MOMENT);
		return;
	}
	if (days > 0)
		put_part(out, view, days, PORTAL_TEXT_DAY, PORTAL_TEXT_DAYS);
	if (days > 0 && hours % 24 > 0)
		markup_put(out, " ");
	if (hours % 24 > 0)
		put_part(out, view, hours % 24, PORTAL_TEXT_HOUR, PORTAL_TEXT_HOURS);
	if (days > 0 || minutes % 60 == 0)
		return;
	if (hours > 0)
		markup_put(out, " ");
	put_part(out, view, minutes % 60, PORTAL_TEXT_MINUTE, PORTAL_TEXT_MINUTES);
}

void page_put_wait(struct markup *out, const struct portal_view *view)
{
	put_side(out, view, PORTAL_TEXT_WAIT, false);
	if (view->wait_s < 60)
		put_part(out, view, view->wait_s, PORTAL_TEXT_SECOND, PORTAL_TEXT_SECONDS);
	else /* never less than has to be waited */
		page_put_span(out, view, (uint64_t)view->wait_s + 59);
	put_side(out, view, PORTAL_TEXT_WAIT, true);
}

void page_put_bytes(struct markup *out, const struct portal_view *view, uint64_t bytes)
{
	if (bytes < 1000)
		page_put_count(out, view, PORTAL_TEXT_BYTES, bytes);
	else if (bytes < 1000000)
		page_put_count(out, view, PORTAL_TEXT_KILOBYTES, bytes / 1000);
	else
		page_put_count(out, view, PORTAL_TEXT_MEGABYTES, bytes / 1000000);
}
