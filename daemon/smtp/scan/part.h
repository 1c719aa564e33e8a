/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns one scan of one flow: its connection to the filter, how far of the message in hand that is
 * to be told, and what it said to that.
 *
 * A goal is set, and while the verdict on it is PENDING the part goes on by itself as its
 * connection lets it. A verdict that is final is the message's: goals behind it have it already. */
#ifndef POSTERN_DAEMON_SMTP_SCAN_PART_H
#define POSTERN_DAEMON_SMTP_SCAN_PART_H

#include "daemon/smtp/scan/link.h"
#include "daemon/smtp/scan/scanner.h"
#include "lib/milter/milter.h"
#include "lib/scan/clamav.h"
#include "lib/smtp/engine/engine.h"

struct scan_message;

enum scan_goal {
	SCAN_GOAL_NONE,
	SCAN_GOAL_RECIPIENTS, /* all recipients so far, the one in hand among them */
	SCAN_GOAL_DATA,       /* it waits for a text */
	SCAN_GOAL_TEXT,       /* what there is of the text */
	SCAN_GOAL_END,        /* all of it: its verdict */
};

enum scan_verdict {
	SCAN_PENDING,
	SCAN_GO,
	SCAN_REFUSED, /* refusal */
	SCAN_FAILED,  /* fault: what is done then is the policy's to say */
};

struct scan_part {
	struct scan_link link; /* first */
	struct scanner_place place;
	struct scanner *scanner;      /* NULL: nothing of it counts */
	uint64_t filter;              /* that is asked */
	struct scan_message *message; /* the one that it hears of */
	uint8_t goal, verdict;
	bool final;
	bool asked;      /* it is counted that it has this message */
	bool settled;    /* and what became of that */
	bool again;      /* it hears this message's envelope once more: a no is to all of it */
	bool too_large;  /* FAILED as no filter of this kind can look at it: no later try helps */
	bool late;       /* FAILED as the time was over */
	bool reached;    /* a connection was there */
	bool starved;    /* what it said last, or that it closed, came of a client's long silence */
	size_t text_at;  /* of the text in hand it has so much */
	uint64_t due_ms; /* of the goal; UINT64_MAX: whatever it takes */
	uint64_t heard_ms; /* its client said last what it is to be told */
	uint64_t ended_ms; /* since when it has all of the text to look at */
	struct smtp_refusal refusal;
	char enhanced[SMTP_ENHANCED_SIZE], words[MILTER_WORDS_SIZE];
	char fault[SCAN_FAULT_SIZE];
	/* of a milter */
	struct milter *milter; /* NULL: it was never reached */
	uint32_t told_recipients;
	bool told_client, told_sender, told_data, told_end;
	bool fresh; /* its connection was made for this message */
	char helo[ENGINE_HELO_SIZE];
	/* of clamd */
	struct clamav_answer answer;
	bool begun, ended;
};

/* NULL: no memory. scan: of a policy that is held as long; scanner: of how it fares messages tell,
 * or NULL: it is asked whatever became of others, and nobody hears what became of this. */
struct scan_part *scan_part_new(
	struct scan_message *message, const struct policy_scan *scan, struct scanner *scanner);
void scan_part_free(struct scan_part *part);
static inline const struct policy_scan *scan_part_policy(const struct scan_part *part)
{
	return part->link.scan;
}
/* The way to the goal is gone as far as it goes now. */
void scan_part_seek(struct scan_part *part, enum scan_goal goal, uint64_t due_ms);
/* The message is over, in whatever way. */
void scan_part_over(struct scan_part *part);
uint64_t scan_part_deadline(const struct scan_part *part);
void scan_part_on_time(struct scan_part *part, uint64_t now_ms);
/* The reply where it has FAILED; false: the message goes on without it. */
bool scan_part_failure(const struct scan_part *part, struct smtp_refusal *refusal);
/* For the files of its kinds: what of the text this one has not had; so much of it was told. */
const char *scan_part_text(const struct scan_part *part, size_t *len);
void scan_part_text_taken(struct scan_part *part, size_t len);
/* counts: against the filter. */
void scan_part_fail(struct scan_part *part, const char *words, bool counts);
/* words: kept. */
void scan_part_refuse(
	struct scan_part *part, unsigned code, const char *enhanced, const char *words, bool final);
void scan_part_pass(struct scan_part *part);

/* milter.c, clamav.c */
struct scan_kind {
	void (*go_on)(struct scan_part *part);
	void (*over)(struct scan_part *part);
	void (*fini)(struct scan_part *part);
	uint64_t (*deadline)(const struct scan_part *part);
	void (*on_time)(struct scan_part *part, uint64_t now_ms);
	void (*on_bytes)(struct scan_part *part, const uint8_t *bytes, size_t len);
	void (*on_broken)(struct scan_part *part, const char *words);
};
extern const struct scan_kind scan_milter_kind, scan_clamav_kind;

#endif
