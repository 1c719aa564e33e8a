/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns the dialogue of `server test`: TLS and who the client is, as flows say it, the login of the
 * server's account, then an envelope up to RCPT and never DATA; and what its end means to an
 * operator, with what to change. */
#ifndef POSTERN_LIB_SMTP_PROBE_TRIAL_H
#define POSTERN_LIB_SMTP_PROBE_TRIAL_H

#include "lib/smtp/login.h"
#include "lib/smtp/probe/dialogue.h"
#include "lib/tls/facts.h"

#define TRIAL_PATH_SIZE    255 /* RFC 5321 4.5.3.1.3: 254 characters, and NUL */
#define TRIAL_VERDICT_SIZE 768

/* Of a server that the gateway logs in at. */
struct trial_account {
	struct smtp_login login; /* secret NULL: it is not there */
	bool sure;               /* the TLS of the dialogue's setup knows the host */
	bool insecure;           /* or that does not matter */
	uint32_t held_s;         /* so long it is not to be tried: the host refused it; 0: it is */
};

struct trial_setup {
	struct dialogue_setup dialogue;
	const struct trial_account *account; /* NULL: none */
	const char *from, *to;               /* trial_is_path() */
	enum policy_bind bind;               /* of the flows */
	bool login;                          /* the policy lets the user be announced */
	bool foreign;                        /* it comes from the client's own address */
	bool plain; /* flows may come that are not read, beside those that are */
	/* For the verdict: */
	struct addr own; /* where the test comes from; ADDR_NONE: not known */
	struct endpoint host;
};

enum trial_step {       /* what is waited for */
	TRIAL_DIALOGUE, /* while trial_wants_tls(): the owner, for a handshake, when out is sent */
	TRIAL_LOGIN,
	TRIAL_MAIL,
	TRIAL_RCPT,
	TRIAL_RSET,
	TRIAL_QUIT,
	TRIAL_OVER,
};

struct trial {
	const struct trial_setup *setup; /* borrowed */
	uint8_t step;                    /* enum trial_step */
	uint8_t failed;                  /* the step in which it was refused; OVER: in none */
	uint8_t met;                     /* with failed DIALOGUE: its enum dialogue_step */
	bool login_refused;              /* for good: a 5xx to the login */
	uint16_t code;                   /* of the reply to RCPT, or to what was refused; 0: none */
	char words[TARGET_TEXT_SIZE];    /* that reply, or what was wrong */
	struct tls_seen tls;             /* of the handshake, when trial_secured() or _unfit() */
	size_t out_len;                  /* bytes of out to be sent now */
	const char *shown; /* what may be shown of out; NULL: all. Else out is to be wiped */
	uint8_t out[SMTP_LOGIN_LINE_MAX];
	/* private */
	unsigned login_lines;
	bool login_last;
	struct dialogue dialogue;
	struct smtp_reply reply;
};

/* May it stand in MAIL FROM or RCPT TO? Printable ASCII with one '@' at least, or empty. */
bool trial_is_path(const char *path);

/* As in dialogue.h. */
void trial_begin(struct trial *trial, const struct trial_setup *setup);
void trial_feed(struct trial *trial, const void *bytes, size_t len, uint64_t since_connect_ms);
void trial_closed(struct trial *trial, const char *words, uint64_t since_connect_ms);
void trial_late(struct trial *trial);
bool trial_wants_tls(const struct trial *trial);
/* The handshake is done, or failed and why (seen->why). */
void trial_secured(struct trial *trial, const struct tls_seen *seen);
void trial_unfit(struct trial *trial, const struct tls_seen *seen);
/* OVER: its TLS is only offered, and failed: flows then come once more in clear. */
bool trial_without(const struct trial *trial);
/* May a line of the server be shown? Some repeat what they do not take. */
bool trial_may_show(const struct trial *trial, const char *line);

enum trial_verdict {
	TRIAL_TAKEN,
	TRIAL_TAKEN_UNNAMED, /* for everybody behind the gateway: a warning */
	TRIAL_REFUSED,
	TRIAL_SKIPPED, /* no flow of this client goes there */
};
#define TRIAL_VERDICTS 4
extern const char *const trial_verdict_names[TRIAL_VERDICTS];

/* The verdict of a trial that is OVER, in plain words. */
enum trial_verdict trial_judge(const struct trial *trial, char text[static TRIAL_VERDICT_SIZE]);
/* And of one that got no connection; error: errno, ETIMEDOUT if none came in time. */
void trial_unreached(
	const struct trial_setup *setup, int error, char text[static TRIAL_VERDICT_SIZE]);

_Static_assert(PROXY_V2_SIZE <= SMTP_LOGIN_LINE_MAX, "a header has room in out");

#endif
