/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns what is said with the process that checks passwords.
 *
 *	ASK        smtp -> auth: a client begins to log in at a listener; web -> auth: at a portal
 *	CHALLENGE  auth -> smtp: it is to be told this, and
 *	RESPONSE   smtp -> auth: this is its answer
 *	VERDICT    auth -> smtp: who it is, or that it is not told; nothing follows but LATER, to
 *	           a RESPONSE that comes all the same
 *	CANCEL     smtp -> auth: nobody waits any more; nothing follows, whatever crossed it
 *
 * In what follows web is as smtp. `id` is smtp's, no other login's of the same pair. What a client
 *says is a password or as good as one: such an ipc is wiped wherever it was held. */
#ifndef POSTERN_LIB_IPC_AUTH_H
#define POSTERN_LIB_IPC_AUTH_H

#include "lib/auth/affirm.h"
#include "lib/base/addr.h"
#include "lib/ipc/core.h"
#include "lib/policy/policy.h"

enum ipc_auth_type {
	/* smtp -> auth */
	IPC_AUTH_ASK = IPC_FILE_AUTH, /* secret */
	IPC_AUTH_RESPONSE,            /* secret */
	IPC_AUTH_CANCEL,

	/* auth -> smtp */
	IPC_AUTH_OFFER, /* what can be said at a listener: again whenever it changes */
	IPC_AUTH_CHALLENGE,
	IPC_AUTH_VERDICT,

	/* control -> auth */
	IPC_AUTH_TEST, /* secret: one user's password, as if he had come; answered by */

	/* auth -> control */
	IPC_AUTH_TESTED, /* a VERDICT's rest, then the reply */
	IPC_AUTH_STATE,  /* of one backend, whenever it changes */
	IPC_AUTH_KEY,    /* secret: by which it affirms who logs in at a portal */
	IPC_AUTH_END,
};

#define AUTH_MECHANISM_SIZE  24
#define AUTH_MECHANISMS_SIZE 256   /* words with blanks between */
#define AUTH_BYTES_MAX       9216  /* of one response or challenge: 12,288 letters (RFC 4954, 4) */
#define AUTH_ANSWER_MS       20000 /* from a response to what follows it; smtp waits longer */

struct ipc_auth_ask {
	struct ipc_header header;
	uint64_t id;
	struct endpoint client, server;
	struct addr place; /* of who guesses, where that is not the client's; ADDR_NONE: it is */
	char listener[POLICY_NAME_SIZE];
	char mechanism[AUTH_MECHANISM_SIZE]; /* in capitals */
	uint8_t secured;                     /* 1: in TLS */
	uint8_t given;                       /* 1: there is a response beside the command */
	uint8_t portal;                      /* 1: the name is a portal's */
	uint8_t reserved[3];
	uint16_t bytes;
	uint8_t response[]; /* decoded */
};

struct ipc_auth_response {
	struct ipc_header header;
	uint64_t id;
	uint32_t bytes;
	uint32_t reserved;
	uint8_t response[];
};

struct ipc_auth_cancel {
	struct ipc_header header;
	uint64_t id;
};

struct ipc_auth_offer {
	struct ipc_header header;
	char listener[POLICY_NAME_SIZE];
	char mechanisms[AUTH_MECHANISMS_SIZE]; /* "PLAIN LOGIN"; empty: nobody can log in */
	char clear[AUTH_MECHANISMS_SIZE];      /* those of them that say no password */
	uint32_t whole; /* 0: what the process before told holds: a backend did not tell it yet */
	uint32_t reserved;
};

struct ipc_auth_challenge {
	struct ipc_header header;
	uint64_t id;
	uint32_t bytes;
	uint32_t reserved;
	uint8_t challenge[];
};

/* What a login came to. X(identifier, name) */
#define AUTH_VERDICT_TABLE(X)                                                   \
	X(OK, "ok")               /* the session follows */                     \
	X(REFUSED, "refused")     /* wrong password, unknown user: not apart */ \
	X(LATER, "later")         /* it could not be found out */               \
	X(LIMITED, "limited")     /* refused too often: nobody was asked */     \
	X(MALFORMED, "malformed") /* no response of the mechanism */            \
	X(NO_MECHANISM, "no-mechanism")

enum auth_verdict {
#define AUTH_VERDICT_ENUM(id, name) AUTH_##id,
	AUTH_VERDICT_TABLE(AUTH_VERDICT_ENUM)
#undef AUTH_VERDICT_ENUM
};
#define AUTH_VERDICTS (AUTH_NO_MECHANISM + 1)
extern const char *const auth_verdict_names[AUTH_VERDICTS];

struct ipc_auth_verdict {
	struct ipc_header header;
	uint64_t id;
	uint32_t verdict;            /* enum auth_verdict */
	uint32_t session_bytes;      /* 0 unless OK */
	char auth[POLICY_NAME_SIZE]; /* which backend said so; empty: none was asked */
	char text[IPC_TEXT_SIZE];    /* why, for the log; never of the client's bytes */
	struct affirm affirm;        /* of a portal's login, for control; else zero */
	uint8_t session[];           /* session_encode() of one of kind SESSION_AUTH */
};

struct ipc_auth_key {
	struct ipc_header header;
	uint8_t key[AFFIRM_KEY_SIZE];
};

struct ipc_auth_test {
	struct ipc_header header;
	char auth[POLICY_NAME_SIZE];
	char user[256];
	uint32_t password_bytes;
	uint32_t reserved;
	uint8_t password[]; /* no NUL */
};

/* What came of logins at one place. */
struct auth_counts {
	uint64_t asked, passed, refused, later;
	uint64_t limited; /* put off, and it was not asked */
	uint64_t slow;    /* a yes, or that it cannot be found out, that took AUTH_SLOW_MS */
};

struct ipc_auth_state {
	struct ipc_header header;
	char auth[POLICY_NAME_SIZE];
	struct auth_counts counts;
	uint64_t begun_ms;   /* wall clock: they begin there; another: all are of another place */
	uint64_t since_ms;   /* wall clock: since when it is as `up` says; 0: it was not asked */
	uint64_t limited_ms; /* wall clock: when somebody was put off last; 0: nobody was */
	uint32_t up;         /* 0: the last that was asked of it it could not find out */
	uint32_t reserved;
	char mechanisms[AUTH_MECHANISMS_SIZE];
	char text[IPC_TEXT_SIZE]; /* why it is not up */
};
#define AUTH_SLOW_MS 2000

#endif
