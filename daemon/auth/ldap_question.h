/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns what one question says to a directory and what the answers mean: search, bind, the user's
 * own entry, and every result code. Which connection it goes by is not its concern. */
#ifndef POSTERN_DAEMON_AUTH_LDAP_QUESTION_H
#define POSTERN_DAEMON_AUTH_LDAP_QUESTION_H

#include "daemon/auth/attempt.h"
#include "daemon/auth/ldap_entry.h"
#include "daemon/base/loop.h"

#define LDAP_QUESTION_DN_SIZE 1024

struct backend;
struct ldap_link;

enum ldap_step {
	LDAP_STEP_SEARCHES, /* for the user's entry */
	LDAP_STEP_BINDS,    /* as him */
	LDAP_STEP_READS,    /* his entry, once he is bound */
};

struct ldap_question {
	struct ldap_question *next; /* the longest waiting first */
	struct attempt *attempt;
	struct backend *backend;
	const char *attribute; /* whose value is the user's name, borrowed; "": none */
	enum ldap_step step;
	size_t site;
	struct ldap_link *link; /* NULL: it waits for one */
	int32_t id;             /* 0: it is not asked yet */
	bool again;             /* a connection that was used before closed under it, once */
	struct loop_timer timer;
	unsigned entries, references;
	struct ldap_entry entry;        /* the first */
	char dn[LDAP_QUESTION_DN_SIZE]; /* who is bound */
	char user[ATTEMPT_USER_SIZE];
};

enum ldap_next {
	LDAP_NEXT_HEAR,   /* there is more to it */
	LDAP_NEXT_ASK,    /* its step is another now, by the same connection */
	LDAP_NEXT_PLACE,  /* the same, by one of its own */
	LDAP_NEXT_ANSWER, /* it is over */
	LDAP_NEXT_TWO,    /* the same: a name has two entries */
	LDAP_NEXT_LATER,  /* it cannot be found out there */
	LDAP_NEXT_SITE,   /* this directory cannot say it, another may */
	LDAP_NEXT_BREAK,  /* the connection is good for nothing */
};

/* What comes of a message. */
struct ldap_outcome {
	enum ldap_next next;
	enum attempt_answer answer; /* of ANSWER */
	bool works;                 /* the directory does what it is there for */
	char why[128];              /* in words of no directory's; "": none */
};

/* Of the policy: whose value is the user's name. "": none. */
void ldap_question_attribute(
	const struct backend *backend, char name[static LDAP_ENTRY_ATTRIBUTE_SIZE]);
/* From its beginning. False: no name there can be so long. */
bool ldap_question_begin(struct ldap_question *question);
/* What its step says, with its id. */
void ldap_question_write(const struct ldap_question *question, struct ber_writer *writer);
/* A message with its id, in these bytes. */
struct ldap_outcome ldap_question_hear(
	struct ldap_question *question, const struct ldap_message *message, struct ber_slice bytes);

#endif
