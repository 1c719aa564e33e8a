/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns the sentences of the login page: English ones, and an operator's file that puts others in
 * their place, in whatever language his guests read.
 *
 * The file has a line for each, "KEY TEXT"; "#" begins a comment. Where a number or a time belongs
 * into a text stands "{}". */
#ifndef POSTERN_LIB_PORTAL_TEXTS_H
#define POSTERN_LIB_PORTAL_TEXTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PORTAL_TEXTS_FILE_MAX 65536
#define PORTAL_TEXT_MAX       1000 /* bytes of one */
#define PORTAL_ERROR_SIZE     256

/* X(identifier, key, text) */
#define PORTAL_TEXT_TABLE(X)                                                                       \
	X(LANGUAGE, "language", "en")                                                              \
	X(TITLE, "title", "Mail login")                                                            \
	X(LOGIN_HEADING, "login-heading", "Log in to send mail")                                   \
	X(LOGIN_LEAD, "login-lead",                                                                \
		"Mail programs on this device can send once you have logged in here.")             \
	X(ACCEPT_HEADING, "accept-heading", "Accept the terms to send mail")                       \
	X(ACCEPT_LEAD, "accept-lead",                                                              \
		"Mail programs on this device can send once you have accepted the terms of use.")  \
	X(USER, "user", "User name")                                                               \
	X(PASSWORD, "password", "Password")                                                        \
	X(TERMS, "terms", "Terms of use")                                                          \
	X(ACCEPT, "accept", "I accept the terms of use")                                           \
	X(LOGIN, "login", "Log in")                                                                \
	X(CONTINUE, "continue", "Continue")                                                        \
	X(HELP, "help",                                                                            \
		"If something does not work, tell the staff what stands here about your device.")  \
	X(DEVICE, "device", "Your device")                                                         \
	X(ADDRESS, "address", "Its address")                                                       \
	X(STATUS_HEADING, "status-heading", "You can send mail")                                   \
	X(LOGGED_IN_AS, "logged-in-as", "Logged in as")                                            \
	X(LEFT, "left", "Time left")                                                               \
	X(LEFT_FOREVER, "left-forever", "no end")                                                  \
	X(LEFT_PASSWORD, "left-password", "Password asked for again in")                           \
	X(SENT, "sent", "Messages sent")                                                           \
	X(REFUSED, "refused", "Messages refused")                                                  \
	X(CONNECTED, "connected", "Connections for mail")                                          \
	X(NOT_CONNECTED, "not-connected", "Connections refused")                                   \
	X(RENEW, "renew", "Renew")                                                                 \
	X(LOGOUT, "logout", "Log out")                                                             \
	X(REFRESH, "refresh", "Show the latest")                                                   \
	X(MAILS_HEADING, "mails-heading", "Your latest mail")                                      \
	X(MAILS_NONE, "mails-none", "Nothing was sent since you logged in.")                       \
	X(MAILS_OLDER, "mails-older", "Older mail is not shown here.")                             \
	X(MAIL_NUMBER, "mail-number", "Number for the staff: {}")                                  \
	X(MAIL_REPLY, "mail-reply", "The answer was:")                                             \
	X(RECIPIENT, "recipient", "{} recipient")                                                  \
	X(RECIPIENTS, "recipients", "{} recipients")                                               \
	X(RECIPIENTS_REFUSED, "recipients-refused", "{} of them refused")                          \
	X(BYTES, "bytes", "{} bytes")                                                              \
	X(KILOBYTES, "kilobytes", "{} KB")                                                         \
	X(MEGABYTES, "megabytes", "{} MB")                                                         \
	X(AGO, "ago", "{} ago")                                                                    \
	X(MOMENT, "moment", "less than a minute")                                                  \
	X(SECOND, "second", "{} second")                                                           \
	X(SECONDS, "seconds", "{} seconds")                                                        \
	X(MINUTE, "minute", "{} minute")                                                           \
	X(MINUTES, "minutes", "{} minutes")                                                        \
	X(HOUR, "hour", "{} hour")                                                                 \
	X(HOURS, "hours", "{} hours")                                                              \
	X(DAY, "day", "{} day")                                                                    \
	X(DAYS, "days", "{} days")                                                                 \
	X(LOGGED_OUT_HEADING, "logged-out-heading", "You are logged out")                          \
	X(LOGGED_OUT_LEAD, "logged-out-lead",                                                      \
		"Mail from this device is refused until you log in again.")                        \
	X(LOGIN_AGAIN, "login-again", "Log in again")                                              \
	X(REFUSAL_HEADING, "refusal-heading", "This did not work")                                 \
	X(BACK, "back", "Back to the first page")                                                  \
	/* what became of mail */                                                                  \
	X(WHY_SENT, "why-sent", "Sent: the mail server took it.")                                  \
	X(WHY_CONNECTED, "why-connected", "Your mail program was connected to the mail server.")   \
	X(WHY_DOUBT, "why-doubt",                                                                  \
		"Perhaps sent: the mail server did not confirm it. Ask whether it arrived before " \
		"you send it again.")                                                              \
	X(WHY_NOT_LOGGED_IN, "why-not-logged-in", "Refused: nobody was logged in on this device.") \
	X(WHY_NOT_ALLOWED, "why-not-allowed", "Refused: this is not allowed here.")                \
	X(WHY_BLOCKED, "why-blocked", "Refused: you or this device may not send mail for now.")    \
	X(WHY_TOO_MUCH, "why-too-much",                                                            \
		"Refused: too much at once. Wait some minutes, then send it again.")               \
	X(WHY_TOO_LARGE, "why-too-large",                                                          \
		"Refused: the message is too large. Send it with smaller files, or fewer.")        \
	X(WHY_FOUND, "why-found", "Refused: a filter against viruses and spam objects to it.")     \
	X(WHY_SERVER, "why-server", "Refused by the mail server.")                                 \
	X(WHY_FORM, "why-form",                                                                    \
		"Refused: the mail program did not send it the way mail has to be sent.")          \
	X(WHY_SECURITY, "why-security",                                                            \
		"Not sent: your mail program and the mail server did not agree on encryption. "    \
		"Look at its setting for the security of the connection.")                         \
	X(WHY_AWAY, "why-away",                                                                    \
		"Not sent: the mail server cannot be reached for now. Send it again later.")       \
	X(WHY_BROKEN, "why-broken", "Not sent: the connection broke off. Send it again.")          \
	X(WHY_ENDED, "why-ended",                                                                  \
		"Not sent: the connection was ended, as it is when a login ends. Send it again.")  \
	X(WHY_SHORT, "why-short",                                                                  \
		"Not sent: there is too much to do here for now. Send it again later.")            \
	/* what the page has to say */                                                             \
	X(WRONG, "wrong", "The user name or the password is not right. Please try again.")         \
	X(NOT_ACCEPTED, "not-accepted", "Please accept the terms of use first.")                   \
	X(TERMS_CHANGED, "terms-changed",                                                          \
		"The terms of use have changed since this page was opened. "                       \
		"Please read and accept them.")                                                    \
	X(WAIT, "wait", "There were too many tries. Please wait {}, then try again.")              \
	X(BUSY, "busy", "Logins cannot be checked for now. Please try again in a minute.")         \
	X(STALE, "stale", "This page was open for too long. Please try again.")                    \
	X(LIMIT, "limit", "You are logged in on too many devices. Log out on another one first.")  \
	X(TAKEN, "taken", "Someone else is logged in with this device.")                           \
	X(NO_DEVICE, "no-device",                                                                  \
		"It could not be seen which device this is. Please load the page again.")          \
	X(NO_ZONE, "no-zone", "There is no login for the network that this device is in.")         \
	X(LOGGED_IN, "logged-in", "You are logged in now.")                                        \
	X(RENEWED, "renewed", "Your login was renewed.")                                           \
	X(LOGGED_OUT, "logged-out", "You are logged out now.")                                     \
	X(AGAIN, "again", "Please enter your password again to go on.")                            \
	X(FAILED, "failed", "Something went wrong here. Please try again later.")                  \
	X(TOO_LONG, "too-long", "More was sent than this page takes.")                             \
	X(BAD_FORM, "bad-form", "What was sent is not what this page asks for. Please try again.") \
	X(NOT_FOUND, "not-found", "There is no such page here.")                                   \
	X(BAD_METHOD, "bad-method", "This page cannot be used in this way.")                       \
	X(BAD_HOST, "bad-host", "This page has another name.")                                     \
	X(FOREIGN, "foreign", "This was sent from another page, so nothing was done.")

enum portal_text {
#define PORTAL_TEXT_ENUM(id, key, text) PORTAL_TEXT_##id,
	PORTAL_TEXT_TABLE(PORTAL_TEXT_ENUM)
#undef PORTAL_TEXT_ENUM
};
#define PORTAL_TEXTS (PORTAL_TEXT_FOREIGN + 1) /* the last of the table */

struct portal_texts {
	struct portal_piece {
		const char *text; /* no NUL behind it */
		uint32_t len;
	} v[PORTAL_TEXTS];
};

/* All English. */
void portal_texts_init(struct portal_texts *texts);
/* The same with those of a file, which are borrowed from bytes. 0, or -EINVAL: texts is not to be
 * used, error says what was wrong and what was expected, in which line (0: in none). */
int portal_texts_parse(const char *bytes, size_t len, struct portal_texts *texts,
	char error[static PORTAL_ERROR_SIZE], size_t *line);
/* Is its language written from right to left? */
bool portal_texts_turned(const struct portal_texts *texts);

#endif
