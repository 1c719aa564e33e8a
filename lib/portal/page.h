/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns the pages of the login page, as bytes: HTML that needs no script, no cookie, no mouse and no
 * sight. What is not ours in them is said through lib/portal/markup.h alone. */
#ifndef POSTERN_LIB_PORTAL_PAGE_H
#define POSTERN_LIB_PORTAL_PAGE_H

#include "lib/portal/client.h"
#include "lib/portal/request.h"
#include "lib/portal/texts.h"

enum portal_page {
	PORTAL_PAGE_LOGIN,
	PORTAL_PAGE_STATUS,
	PORTAL_PAGE_LOGGED_OUT,
	PORTAL_PAGE_REFUSAL, /* the sentence of its notice */
};

enum portal_notice {
	PORTAL_NOTICE_NONE,
	PORTAL_NOTICE_WRONG,         /* one for every login that was refused, whatever was wrong */
	PORTAL_NOTICE_NOT_ACCEPTED,  /* the terms */
	PORTAL_NOTICE_TERMS_CHANGED, /* since they were shown */
	PORTAL_NOTICE_WAIT,          /* wait_s */
	PORTAL_NOTICE_BUSY,
	PORTAL_NOTICE_STALE, /* the token */
	PORTAL_NOTICE_LIMIT, /* of sessions of this user */
	PORTAL_NOTICE_TAKEN,
	PORTAL_NOTICE_NO_DEVICE, /* no saved SYN */
	PORTAL_NOTICE_NO_ZONE,
	PORTAL_NOTICE_AGAIN, /* the password is asked for anew */
	PORTAL_NOTICE_FAILED,
	PORTAL_NOTICE_TOO_LONG, /* the body */
	PORTAL_NOTICE_BAD_FORM,
	PORTAL_NOTICE_NOT_FOUND, /* those of a route */
	PORTAL_NOTICE_BAD_METHOD,
	PORTAL_NOTICE_BAD_HOST,
	PORTAL_NOTICE_FOREIGN,
	PORTAL_NOTICE_LOGGED_IN, /* these three are good news */
	PORTAL_NOTICE_RENEWED,
	PORTAL_NOTICE_LOGGED_OUT,
};
#define PORTAL_NOTICES (PORTAL_NOTICE_LOGGED_OUT + 1)

/* What became of mail. */
#define PORTAL_MAIL_ID_SIZE    24
#define PORTAL_MAIL_REPLY_SIZE 256
struct portal_mail {
	uint64_t time_ms;
	bool message;   /* else a flow that is not read: many messages, or none */
	unsigned ended; /* enum message_ending, else enum ending; any other number: it broke off */
	uint64_t bytes;
	uint32_t recipients, refused;       /* of a message; refused: of these */
	char id[PORTAL_MAIL_ID_SIZE];       /* "f-7k3q9.2" */
	char reply[PORTAL_MAIL_REPLY_SIZE]; /* what the client heard; "": not known */
};
#define PORTAL_MAILS_MAX 20

struct portal_view {
	enum portal_page page;
	enum portal_notice notice;
	uint32_t wait_s;
	const struct portal_texts *texts;
	bool logo;
	const char *terms; /* NULL: none */
	size_t terms_len;
	const char *terms_version;   /* which these are: the form says it */
	bool passwords;              /* false: terms alone */
	struct portal_client client; /* zone "": nobody knows */
	const char *user;            /* as it was typed before, or the session's; NULL: none */
	uint64_t now_ms;             /* of the clock that the times below are of */
	uint64_t ends_ms;            /* of the session; 0: never */
	uint64_t hard_end_ms;        /* when the password is asked for anew; 0: never */
	bool messages;               /* what is counted, else flows */
	bool unrecorded;             /* what was sent is not known, and nothing is said of it */
	bool more;                   /* there were more than are counted */
	uint64_t sent, refused;
	const struct portal_mail *mails; /* the latest first */
	size_t nmails;
	const char *login_token, *renew_token, *logout_token; /* NULL: without that form */
};

/* Writes at most size bytes, without a NUL. Returns how many the page has. */
size_t portal_page_write(const struct portal_view *view, char *buf, size_t size);

/* With which status of HTTP it is said. */
unsigned portal_notice_status(enum portal_notice notice);
/* That of a refused request. */
enum portal_notice portal_notice_of_route(enum portal_route route);
/* Where a post that was done leads to (303), so that a page loaded anew sends nothing again; and
 * what that page then says, if it is true. query: what follows '?', may be NULL. */
const char *portal_done(enum portal_route route);
enum portal_notice portal_notice_of_query(const char *query, bool logged_in);

#endif
