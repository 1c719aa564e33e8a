/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns what may be typed: every noun and verb, what stands behind it, and the reading of it.
 *
 * posternctl and control read by the same table, so that what one refuses before it asks, the other
 * refuses from whoever speaks to the socket. From the table also follow usage, help, completion and
 * the test of all commands. A verb is declared in verbs.c, and its words are:
 *
 *	VERB_ARGUMENT	known by its place: NAME, FILE
 *	VERB_KEYWORD	`zone Z`; without a value a word that stands alone: `first`
 *	VERB_OPTION	`--confirm 60s` and `--confirm=60s`; without a value: `--dry-run`
 *	VERB_REST	what is left, in the words of the policy's language; the last of the parts
 *
 * Each word is looked at once, from the left. One that begins with '-' is an option, known or
 * refused, wherever it stands; "-" is a file, and behind "--" nothing is an option. Else an
 * argument that is needed takes it, whatever it is; else a keyword; else an argument that may be
 * left out; else the rest. The value of a keyword or option is the next word, whatever it is. No
 * value may be empty unless it says so, and each is looked at as its kind says. So a verb's
 * function finds nothing but what it declared, well-formed; what only control knows (is there
 * such a zone?) is for the function to see. */
#ifndef POSTERN_LIB_COMMAND_VERB_H
#define POSTERN_LIB_COMMAND_VERB_H

#include "lib/base/addr.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum verb_part_kind {
	VERB_ARGUMENT = 1,
	VERB_KEYWORD,
	VERB_OPTION,
	VERB_REST,
};

/* What a value must be. Names are not looked up here: their kinds are for completion. */
enum verb_value {
	VERB_TEXT,
	VERB_ZONE,
	VERB_SERVER,
	VERB_HOST,
	VERB_RULE,
	VERB_DEVICE,
	VERB_CERTIFICATE,
	VERB_AUTH,
	VERB_SCAN,
	VERB_RADIUS,
	VERB_PORTAL,
	VERB_LIST,
	VERB_LISTENER,
	VERB_DOMAIN,
	VERB_USER,
	VERB_TIME,     /* a moment, as daemon/control/request/moment.h reads it */
	VERB_ENDPOINT, /* an address, with a port or without */
	VERB_PATH,     /* of a file that is not read */
	VERB_FILE,     /* FILE or -: posternctl reads it and sends it as the request's body */
	VERB_NUMBER,   /* from 1 */
	VERB_ROWS,     /* a number from 1, or `all` */
	VERB_POLICY,   /* a policy's number, from 1 */
	VERB_SESSION,  /* a session's id: 12, d3 */
	VERB_FLOW,     /* a flow's id, not 0 */
	VERB_MESSAGE,  /* a message's, f-7k3q9.2, or its flow's */
	VERB_QUEUED,   /* an id of the queue beside us: never a word that Postfix takes for many */
	VERB_ALL_QUEUED, /* one, or `all` */
	VERB_ADDRESS,    /* one, not 0.0.0.0 or :: */
	VERB_NETWORK,    /* an address or a network */
	VERB_NETWORKS,   /* some, by commas */
	VERB_MAC,        /* not 00:00:00:00:00:00 */
	VERB_ELEMENT,    /* of a list, which knows of what kind */
	VERB_DURATION,   /* more than 0 */
	VERB_SPAN,       /* a duration, or `none` */
	VERB_ENDING,     /* how a flow ended */
	VERB_OUTCOME,    /* how a message ended */
	VERB_SENDER,     /* a mail address, with its brackets or without, or <> */
	VERB_RECIPIENT,  /* one without the <> */
	VERB_CHOICE,     /* one of the words of `value`, by bars */
	VERB_VALUES,     /* their number */
};

enum verb_flag {
	VERB_NEEDED = 1 << 0, /* of a group: one of those that are marked so */
	VERB_ALONE = 1 << 1,  /* of those of its group that are marked so, one at most */
	VERB_MANY = 1 << 2,   /* any number of times */
	VERB_FIRST = 1 << 3,  /* may be left out, but takes the first word whatever it is */
	VERB_EMPTY = 1 << 4,  /* "" is a value, too */
};

struct verb_part {
	enum verb_part_kind kind;
	const char *name;  /* as typed; of an argument as the usage calls it */
	const char *value; /* as the usage calls it; NULL: a word that stands alone */
	enum verb_value type;
	unsigned flags;
	unsigned group; /* those beside each other with one number stand with bars in the usage */
	const char *words; /* of a rest: what may stand in it, by bars; for completion alone */
};

/* What a verb is. */
enum verb_trait {
	VERB_CHANGES = 1 << 0,    /* something: its JSON is one object, with `changed` */
	VERB_EDITS = 1 << 1,      /* the policy, by one statement: of a batch they are one change */
	VERB_LOCAL = 1 << 2,      /* posternctl does it without asking control in these words */
	VERB_HIDDEN = 1 << 3,     /* between our own programs */
	VERB_FIELDS = 1 << 4,     /* an answer is shown as fields below each other */
	VERB_AT_SESSION = 1 << 5, /* session.sock takes it, too */
	VERB_PLAIN = 1 << 6,      /* its answer is a text, not rows */
	VERB_AT_DESK = 1 << 7,    /* desk.sock takes it, too */
	VERB_SECRET = 1 << 8,     /* its body is a password, which posternctl asks for */
};

struct verb {
	const char *name; /* "" for a noun that takes its words directly */
	const char *help;
	unsigned traits;
	unsigned wait_s;               /* how long posternctl waits for a word; 0: VERB_WAIT_S */
	const struct verb_part *parts; /* ends with kind 0; NULL: none */
};

#define VERB_WAIT_S    30
#define VERB_WAIT_EVER 0xffffffffu
#define VERB_PARTS_MAX 24

struct verb_noun {
	const char *name;
	const char *help;
	const struct verb *verbs; /* ends with name NULL; the first is the noun alone */
	const char *none; /* where it has nothing to show: of all, and of what was asked for */
	const char *none_such;
};

/* In the order of the manual; ends with NULL. */
extern const struct verb_noun *const verb_nouns[];

/* The noun or verb of exactly this name, or NULL. `list` is the same word as `show`; word NULL is
 * the noun alone. */
const struct verb_noun *verb_find_noun(const char *word);
const struct verb *verb_find(const struct verb_noun *noun, const char *word);
/* The only name that begins like this, for who types by hand; NULL: none, or several. */
const struct verb_noun *verb_short_noun(const char *word);
const struct verb *verb_short(const struct verb_noun *noun, const char *word);
/* Does the noun take its words without a verb? */
bool verb_is_noun(const struct verb_noun *noun);
/* `audit f-1`, `session 12`: is it an id of what the noun shows, and so no verb? */
bool verb_is_id(const struct verb_noun *noun, const char *word);
/* Does the verb have a part of this type? */
bool verb_takes(const struct verb *verb, enum verb_value type);

/* "no such noun "gues", did you mean "guest"?" and the names there are. */
#define VERB_TEXT_SIZE 1024
struct verb_error {
	char text[VERB_TEXT_SIZE]; /* what is wrong */
	char expected[256];        /* "" or what would have been right */
	const char *near;          /* NULL, or the name that may be meant */
	char choice[32];           /* what near points to where no table holds it alone */
};
void verb_no_such_noun(const char *word, struct verb_error *error);
void verb_no_such(const struct verb_noun *noun, const char *word, struct verb_error *error);

extern const char *const verb_value_names[VERB_VALUES]; /* "zone", "mac", ... */

/* Is the word a value of this part? And what is one, in words: "a MAC". */
bool verb_fits(const struct verb_part *part, const char *word);
const char *verb_expects(const struct verb_part *part);
/* Of a network with bits behind its length, what may be meant; NULL: it is none, or this part does
 * not take networks. */
const char *verb_readings(
	const struct verb_part *part, const char *word, char buf[static PREFIX_READINGS_SIZE]);

/* What was typed, in the parts of its verb. */
struct verb_words {
	const struct verb *verb;
	const char **values; /* those of a part stand together */
	struct {
		uint16_t at, n;
	} of[VERB_PARTS_MAX];
};

/* Reads the words behind noun and verb, which are borrowed. 0, -EINVAL with the error filled, or
 * -ENOMEM. */
int verb_read(const struct verb *verb, const char *const *words, size_t n, struct verb_words *out,
	struct verb_error *error);
void verb_words_fini(struct verb_words *words);
/* The value of a part, which the verb must have declared: the first one; NULL: not given. Of a word
 * that stands alone it is the word itself. */
const char *verb_value(const struct verb_words *words, const char *name);
/* All of them. */
const char *const *verb_values(const struct verb_words *words, const char *name, size_t *n);

/* What follows "posternctl": noun, verb, parts. Returns text. */
const char *verb_usage(
	const struct verb_noun *noun, const struct verb *verb, char text[static VERB_TEXT_SIZE]);

/* What may stand behind these words, for completion. Returns how many parts there are; is_value: it
 * is the value of the only one, a keyword or an option. */
size_t verb_next(const struct verb *verb, const char *const *words, size_t n,
	const struct verb_part *parts[static VERB_PARTS_MAX], bool *is_value);

#endif
