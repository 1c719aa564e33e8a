/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns the certificates with their keys, trust stores and secrets of the running policy as control
 * sees them: reads them, hands them to the processes that need them, and keeps what may be shown.
 * The bytes stay no longer than it takes to hand them over; a process that starts later is given
 * what the files hold then.
 *
 * The files are looked at once a minute. One that has changed and is good is in force at once; one
 * that is not leaves what there was, and is told until it is mended. */
#ifndef POSTERN_DAEMON_CONTROL_CREDENTIAL_CREDENTIALS_H
#define POSTERN_DAEMON_CONTROL_CREDENTIAL_CREDENTIALS_H

#include "daemon/control/credential/read.h"
#include "daemon/control/peers/question.h"
#include "daemon/process/roles.h"
#include "lib/policy/policy.h"
#include "lib/tls/credential.h"

#include <stdbool.h>

struct control;
struct peer;
struct credentials_part;

/* One of the running policy. */
struct credential_now {
	struct credential what; /* borrowed from the running policy */
	bool loaded;            /* the processes were given it */
	struct certificate_facts facts;
	unsigned trusted;
	uint64_t loaded_ms; /* wall clock */
	char trouble[768];  /* of the last look; empty: none */
	char warning[512];
	/* of what is loaded, or was last found bad: another look at the same files is spared */
	struct file_stamp file_stamp, key_stamp;
	unsigned bad_looks;
	char said[768];     /* the trouble that the log has */
	unsigned days_said; /* which of the marks below the log has; 0: none */
};

/* Days before the end at which a certificate is a warning, and a trouble. */
#define CREDENTIAL_WARNING_DAYS 21
#define CREDENTIAL_TROUBLE_DAYS 7

struct credentials_part *credentials_new(struct control *control);
void credentials_free(struct credentials_part *part);

/* Reads what the policy needs and holds it for credentials_tell(). What is bad is left out where
 * the running policy has it as well, which goes on with what was loaded of it, or with lenient;
 * else text says the first reason. 0, 1: something is left out, or -errno. */
int credentials_open(struct credentials_part *part, struct policy *policy, bool lenient, char *text,
	size_t size);
/* The running policy has it: the same name and files. */
bool credentials_run(const struct credentials_part *part, const struct credential *what);
/* To one process, what is held, if its role is told. In front of the policy. */
void credentials_tell(struct credentials_part *part, struct peer *peer);
/* What is held is wiped. */
void credentials_close(struct credentials_part *part);
/* The three in one, of the running policy. */
void credentials_tell_running(struct credentials_part *part, struct peer *peer);
/* Another policy runs: from now on its credentials are told of. */
void credentials_follow(struct credentials_part *part);

/* The secret of an account of the running policy, as its file says it now. To be wiped, whatever it
 * came to. */
void credentials_read_account(const struct credentials_part *part,
	const struct policy_account *account, struct credential_read *read);

/* Those of the running policy, in its order. */
const struct credential_now *credentials_now(const struct credentials_part *part, size_t *n);
/* Seconds since 1970, by the machine's clock. */
int64_t credentials_now_s(const struct credentials_part *part);

/* For renew.c alone. */
struct credential_now *credentials_now_at(struct credentials_part *part, size_t i);
void credentials_read_one(const struct credentials_part *part, const struct credential *credential,
	struct credential_read *read);
void credentials_spread(
	struct credentials_part *part, const struct credential *what, struct credential_read *read);
void credentials_note(struct credential_now *now, const struct credential_read *read, uint64_t ms);
void credentials_stamp(struct credential_now *now);
/* Is a process of this role given any? */
bool credentials_are_for(enum process_role role);

#endif
