/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns what the files of one page share: its texts and times. */
#ifndef POSTERN_LIB_PORTAL_PAGE_PARTS_H
#define POSTERN_LIB_PORTAL_PAGE_PARTS_H

#include "lib/portal/markup.h"
#include "lib/portal/page.h"

enum portal_text notice_text(enum portal_notice notice);
bool notice_is_good(enum portal_notice notice);

void page_put_text(struct markup *out, const struct portal_view *view, enum portal_text text);
/* With a number in its place. */
void page_put_count(
	struct markup *out, const struct portal_view *view, enum portal_text text, uint64_t number);
/* With somebody's word in its place. */
void page_put_word(struct markup *out, const struct portal_view *view, enum portal_text text,
	const char *word);
/* With a time in its place: "3 hours 20 minutes". */
void page_put_time(struct markup *out, const struct portal_view *view, enum portal_text text,
	uint64_t seconds);
/* The time alone. */
void page_put_span(struct markup *out, const struct portal_view *view, uint64_t seconds);
/* How long has to be waited before the next try. */
void page_put_wait(struct markup *out, const struct portal_view *view);
/* "12 KB" */
void page_put_bytes(struct markup *out, const struct portal_view *view, uint64_t bytes);

/* What its page has below the notice. */
void page_put_login(struct markup *out, const struct portal_view *view);
void page_put_status(struct markup *out, const struct portal_view *view);

#endif
