/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/portal/page_parts.h"
#include "lib/portal/why.h"

static void put_term(struct markup *out, const struct portal_view *view, enum portal_text text)
{
	markup_put(out, "<dt>");
	page_put_text(out, view, text);
	markup_put(out, "</dt><dd>");
}

static void put_number(
	struct markup *out, const struct portal_view *view, enum portal_text text, uint64_t number)
{
	put_term(out, view, text);
	markup_put_number(out, number);
	markup_put(out, view->more ? "+</dd>\n" : "</dd>\n");
}

static void put_numbers(struct markup *out, const struct portal_view *view)
{
	if (view->unrecorded)
		return;
	put_number(
		out, view, view->messages ? PORTAL_TEXT_SENT : PORTAL_TEXT_CONNECTED, view->sent);
	put_number(out, view, view->messages ? PORTAL_TEXT_REFUSED : PORTAL_TEXT_NOT_CONNECTED,
		view->refused);
}

/* Half a minute more: of eight hours a moment later eight are left, and not seven and 59 minutes.
 */
static uint64_t seconds_to(const struct portal_view *view, uint64_t end_ms)
{
	return end_ms > view->now_ms ? (end_ms - view->now_ms) / 1000 + 30 : 0;
}

static void put_facts(struct markup *out, const struct portal_view *view)
{
	markup_put(out, "<dl>\n");
	if (view->passwords && view->user) {
		put_term(out, view, PORTAL_TEXT_LOGGED_IN_AS);
		markup_put(out, "<bdi>");
		markup_put_string(out, view->user);
		markup_put(out, "</bdi></dd>\n");
	}
	put_term(out, view, PORTAL_TEXT_LEFT);
	if (view->ends_ms)
		page_put_span(out, view, seconds_to(view, view->ends_ms));
	else
		page_put_text(out, view, PORTAL_TEXT_LEFT_FOREVER);
	markup_put(out, "</dd>\n");
	if (view->hard_end_ms && view->passwords) {
		put_term(out, view, PORTAL_TEXT_LEFT_PASSWORD);
		page_put_span(out, view, seconds_to(view, view->hard_end_ms));
		markup_put(out, "</dd>\n");
	}
	put_numbers(out, view);
	markup_put(out, "</dl>\n");
}

static void put_form(struct markup *out, const struct portal_view *view, const char *action,
	const char *token, const char *class, enum portal_text text)
{
	if (!token)
		return;
	markup_put(out, "<form method=\"post\" action=\"");
	markup_put(out, action);
	markup_put(out, "\"><input type=\"hidden\" name=\"token\" value=\"");
	markup_put_string(out, token);
	markup_put(out, "\"><button type=\"submit\"");
	markup_put(out, class);
	markup_put(out, ">");
	page_put_text(out, view, text);
	markup_put(out, "</button></form>\n");
}

static enum portal_text why_of(const struct portal_mail *mail)
{
	if (mail->message)
		return mail->ended < MESSAGE_ENDINGS ? portal_why_of_message(mail->ended)
						     : PORTAL_TEXT_WHY_BROKEN;
	return mail->ended < ENDINGS ? portal_why_of_flow(mail->ended) : PORTAL_TEXT_WHY_BROKEN;
}

static void put_more(struct markup *out, const struct portal_view *view,
	const struct portal_mail *mail, enum portal_mood mood)
{
	markup_put(out, "<p class=\"more\">");
	page_put_time(out, view, PORTAL_TEXT_AGO,
		mail->time_ms < view->now_ms ? (view->now_ms - mail->time_ms) / 1000 : 0);
	if (mail->bytes > 0) {
		markup_put(out, ", ");
		page_put_bytes(out, view, mail->bytes);
	}
	if (mail->message && mail->recipients > 0) {
		markup_put(out, ", ");
		page_put_count(out, view,
			mail->recipients == 1 ? PORTAL_TEXT_RECIPIENT : PORTAL_TEXT_RECIPIENTS,
			mail->recipients);
	}
	if (mail->refused > 0 && mail->recipients > mail->refused) {
		markup_put(out, ", ");
		page_put_count(out, view, PORTAL_TEXT_RECIPIENTS_REFUSED, mail->refused);
	}
	markup_put(out, "</p>\n");
	if (mood == PORTAL_MOOD_GOOD && mail->refused == 0)
		return;
	if (mail->reply[0]) {
		markup_put(out, "<p class=\"more\">");
		page_put_text(out, view, PORTAL_TEXT_MAIL_REPLY);
		markup_put(out, " <q><bdi>");
		markup_put_string(out, mail->reply);
		markup_put(out, "</bdi></q></p>\n");
	}
	if (!mail->id[0])
		return;
	/* by which the staff finds its record */
	markup_put(out, "<p class=\"more\">");
	page_put_word(out, view, PORTAL_TEXT_MAIL_NUMBER, mail->id);
	markup_put(out, "</p>\n");
}

static void put_mail(
	struct markup *out, const struct portal_view *view, const struct portal_mail *mail)
{
	static const char *const classes[] = {
		[PORTAL_MOOD_GOOD] = "good",
		[PORTAL_MOOD_DOUBT] = "doubt",
		[PORTAL_MOOD_BAD] = "bad",
	};
	enum portal_text why = why_of(mail);
	enum portal_mood mood = portal_why_mood(why);

	if (mood == PORTAL_MOOD_GOOD && mail->refused > 0)
		mood = PORTAL_MOOD_DOUBT; /* somebody of those it was for does not get it */
	markup_put(out, "<li class=\"");
	markup_put(out, classes[mood]);
	markup_put(out, "\"><p class=\"what\">");
	page_put_text(out, view, why);
	markup_put(out, "</p>\n");
	put_more(out, view, mail, mood);
	markup_put(out, "</li>\n");
}

/* Is there more than the list has? */
static bool has_older(const struct portal_view *view)
{
	return view->more || view->sent + view->refused > view->nmails;
}

static void put_sentence(struct markup *out, const struct portal_view *view, enum portal_text text)
{
	markup_put(out, "<p>");
	page_put_text(out, view, text);
	markup_put(out, "</p>\n");
}

static void put_mails(struct markup *out, const struct portal_view *view)
{
	markup_put(out, "</section>\n<section class=\"card\">\n<h2>");
	page_put_text(out, view, PORTAL_TEXT_MAILS_HEADING);
	markup_put(out, "</h2>\n");
	if (view->nmails > 0) {
		markup_put(out, "<ul class=\"mails\">\n");
		for (size_t i = 0; i < view->nmails && i < PORTAL_MAILS_MAX; i++)
			put_mail(out, view, &view->mails[i]);
		markup_put(out, "</ul>\n");
	}
	if (has_older(view))
		put_sentence(out, view, PORTAL_TEXT_MAILS_OLDER);
	else if (view->nmails == 0)
		put_sentence(out, view, PORTAL_TEXT_MAILS_NONE);
	markup_put(out, "<p><a href=\"/\">");
	page_put_text(out, view, PORTAL_TEXT_REFRESH);
	markup_put(out, "</a></p>\n");
}

void page_put_status(struct markup *out, const struct portal_view *view)
{
	put_facts(out, view);
	markup_put(out, "<div class=\"acts\">\n");
	put_form(out, view, "/renew", view->renew_token, "", PORTAL_TEXT_RENEW);
	put_form(out, view, "/logout", view->logout_token, " class=\"second\"", PORTAL_TEXT_LOGOUT);
	markup_put(out, "</div>\n");
	if (!view->unrecorded)
		put_mails(out, view);
}
