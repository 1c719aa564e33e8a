/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns the gateway's own dialogue with a mail host, as probes hold it: who the client is, as flows
 * say it; greeting, EHLO, TLS as flows want it, what must not be offered, QUIT. Never a message. */
#ifndef POSTERN_LIB_SMTP_PROBE_DIALOGUE_H
#define POSTERN_LIB_SMTP_PROBE_DIALOGUE_H

#include "lib/policy/policy.h"
#include "lib/policy/target.h"
#include "lib/smtp/engine/engine.h"
#include "lib/smtp/proxy.h"
#include "lib/smtp/smtp.h"
#include "lib/smtp/xclient.h"

/* A first 421 after so long a silence: the host may have waited for a PROXY header. */
#define DIALOGUE_SILENCE_MS 2000

struct dialogue_setup {
	const char *hostname; /* the gateway's, for EHLO */
	enum policy_announce announce;
	struct endpoint client, original; /* asserted; of one family */
	const char *login;                /* asserted with announce; NULL: none */
	enum engine_tls tls;
	bool read;      /* also for flows that are read: it goes on where plain ones must not */
	bool hand_over; /* a flow's: the reply to the last XCLIENT is the client's greeting */
	bool goes_on;   /* the owner has something to say behind the last EHLO */
};

enum dialogue_step { /* what is waited for */
	DIALOGUE_GREETING,
	DIALOGUE_EHLO,
	DIALOGUE_STARTTLS,
	DIALOGUE_TLS,        /* the owner: a handshake, when out is sent */
	DIALOGUE_XCLIENT,    /* 220 to one of the commands */
	DIALOGUE_EHLO_AGAIN, /* as the client that was named */
	DIALOGUE_QUIT,
	DIALOGUE_HANDED, /* with hand_over, goes_on: all is said, another reads on */
	DIALOGUE_OVER,
};

struct dialogue {
	const struct dialogue_setup *setup; /* borrowed */
	uint8_t step;                       /* enum dialogue_step */
	uint8_t outcome;                    /* enum target_outcome, when over */
	bool greeted;                       /* the 220 was read to its end */
	bool secured;                       /* all that is said is said in TLS */
	bool about_tls;                     /* MISSED: for its TLS, which text speaks of */
	bool without;                       /* and it only offers that, and may do without */
	uint8_t offers;                     /* enum smtp_offer, of the last EHLO */
	uint8_t forges;    /* enum smtp_offer: by which plain flows' clients could be anyone */
	uint8_t logins;    /* enum smtp_login_mechanism, likewise */
	bool about_client; /* REFUSED: for this client; another may be taken */
	char text[TARGET_TEXT_SIZE]; /* why not WORKED */
	size_t out_len;              /* bytes of out to be sent now */
	uint8_t out[PROXY_V2_SIZE];
	/* private */
	struct smtp_reply reply;
	struct xclient_commands commands;
	size_t said, said_bytes; /* of the commands */
	size_t lines_len;
	char lines[SMTP_REPLY_BYTES_MAX];
};

/* "offers XCLIENT to the gateway": what it forges, in words; to whom, by who is announced. */
const char *dialogue_forgery(
	enum policy_announce announce, uint8_t forges, char text[static TARGET_TEXT_SIZE]);

/* Connected. out may hold a header to be sent at once. */
void dialogue_begin(struct dialogue *dialogue, const struct dialogue_setup *setup);
/* Bytes of the host, so long after the connection was made. Afterwards out holds what to say next,
 * or the step is OVER. */
void dialogue_feed(
	struct dialogue *dialogue, const void *bytes, size_t len, uint64_t since_connect_ms);
/* TLS: the handshake is done, or failed and why. */
void dialogue_secured(struct dialogue *dialogue);
void dialogue_unfit(struct dialogue *dialogue, const char *words);
/* The host closed (words: how, may be empty) or said nothing for too long: the step is OVER. */
void dialogue_closed(struct dialogue *dialogue, const char *words, uint64_t since_connect_ms);
void dialogue_late(struct dialogue *dialogue);

#endif
