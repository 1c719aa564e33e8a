/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns what is said with an smtp process of its scans: how each of them fares there, and what one
 * says to a message that is tested. */
#ifndef POSTERN_LIB_IPC_SCAN_H
#define POSTERN_LIB_IPC_SCAN_H

#include "lib/base/addr.h"
#include "lib/ipc/core.h"
#include "lib/milter/change.h"
#include "lib/milter/reply.h"
#include "lib/policy/policy.h"

enum ipc_scan_type {
	/* smtp -> control */
	IPC_SCAN_STATE = IPC_FILE_SCAN, /* of one scan, whenever it changes: once a second at most,
					 * at once if it is whether it is up */

	/* control -> smtp */
	IPC_SCAN_TEST, /* + a sealed memfd with the text; answered by */

	/* smtp -> control */
	IPC_SCAN_TESTING, /* it is waited for, every few seconds */
	IPC_SCAN_CHANGE,  /* of the header, which it wants: none or more, in order */
	IPC_SCAN_TESTED,  /* its verdict, then the reply */
	IPC_SCAN_END,
};

#define SCAN_SLOW_MS 10000

/* Of one process, since its start; what is `now` of this moment. A message counts once with each
 * scan that it has, when that one's verdict is there. How it fares (since_ms, fault_ms and text,
 * up, open) is of the filter that the policy in force has under this name: another one begins anew.
 */
struct ipc_scan_state {
	struct ipc_header header;
	char scan[POLICY_NAME_SIZE];
	uint64_t filter; /* policy_scan_filter() */
	uint64_t asked;  /* messages that it was to judge: passed + refused + failed + given up */
	uint64_t passed;
	uint64_t refused;      /* messages, or recipients before, that it said no to */
	uint64_t failed;       /* it could not be had, was late, broke off, or lied; of these */
	uint64_t unscanned;    /* went to the server all the same: on-failure accept; or */
	uint64_t shed;         /* were not tried at all: its circuit was open */
	uint64_t crowded;      /* of failed: no place was free in time */
	uint64_t slow;         /* verdicts that took longer than SCAN_SLOW_MS */
	uint64_t changes;      /* header changes that were made */
	uint64_t dropped;      /* header changes that were not: its mode is stream */
	uint64_t since_ms;     /* wall clock: since when it is as `up` says; 0: it was not asked */
	uint64_t fault_ms;     /* wall clock: of the last fault, whose words are in text; 0: none */
	uint64_t unscanned_ms; /* wall clock: a message last went on unscanned; 0: none did */
	uint32_t up;           /* 0: the last time it was asked it failed */
	uint32_t open;         /* now, 1: five times in a row: it is not tried for 10 s */
	uint32_t under_way;    /* now: messages from DATA to the verdict, */
	uint32_t places;       /* of so many at most; */
	uint32_t waiting;      /* now: messages that wait for a place */
	uint32_t reserved;
	struct histogram took; /* HISTOGRAM_SCAN: from the end of the text to the verdict */
	char text[IPC_TEXT_SIZE];
};

#define SCAN_TEST_PATH_SIZE 255 /* as of `server test` */

/* An envelope and, in the descriptor, a text as it is stored, through one scan as a message of that
 * client and user goes. */
struct ipc_scan_test {
	struct ipc_header header;
	char scan[POLICY_NAME_SIZE];
	struct addr client;
	uint32_t bounce; /* 1: the sender is <>; else an empty one is the gateway's */
	char user[256];  /* empty: nobody has logged in */
	char from[SCAN_TEST_PATH_SIZE]; /* trial_is_path() of lib/smtp/probe/trial.h */
	char to[SCAN_TEST_PATH_SIZE];   /* likewise, and never empty */
};

/* What comes of it. X(identifier, name) */
#define SCAN_TEST_VERDICT_TABLE(X)                                             \
	X(ACCEPTED, "accepted")     /* the message may go, with the changes */ \
	X(REFUSED, "refused")       /* for good, */                            \
	X(TEMPFAILED, "tempfailed") /* or for now */                           \
	X(FAILED, "failed")         /* nothing was found out: on-failure says */

enum scan_test_verdict {
#define SCAN_TEST_VERDICT_ENUM(id, name) SCAN_TEST_##id,
	SCAN_TEST_VERDICT_TABLE(SCAN_TEST_VERDICT_ENUM)
#undef SCAN_TEST_VERDICT_ENUM
};
#define SCAN_TEST_VERDICTS (SCAN_TEST_FAILED + 1)
extern const char *const scan_test_verdict_names[SCAN_TEST_VERDICTS];

#define SCAN_TEST_WORD_SIZE  24
#define SCAN_TEST_PLACE_SIZE 320 /* a socket's path, or a host with its address */
#define SCAN_TEST_VALUE_MAX  16384

struct ipc_scan_change {
	struct ipc_header header;
	uint32_t kind;  /* enum milter_change_kind */
	uint32_t index; /* of INSERT and SET */
	uint32_t name_bytes;
	uint32_t value_bytes; /* of those that follow: SCAN_TEST_VALUE_MAX at most */
	uint32_t cut;         /* bytes of the value that do not */
	uint32_t reserved;
	uint8_t bytes[]; /* name, value: a filter's, whatever they are */
};

struct ipc_scan_tested {
	struct ipc_header header;
	uint32_t verdict;                  /* enum scan_test_verdict */
	uint32_t code;                     /* of the reply that a client would hear; 0: none */
	char enhanced[SMTP_ENHANCED_SIZE]; /* likewise */
	char words[MILTER_WORDS_SIZE];     /* likewise; printable */
	char why[SCAN_TEST_WORD_SIZE];     /* in a word; empty: ACCEPTED */
	char stage[SCAN_TEST_WORD_SIZE];   /* what it answered to; empty: it was not reached */
	char place[SCAN_TEST_PLACE_SIZE];  /* where it was asked, at last */
	char text[IPC_TEXT_SIZE];          /* what else it says, or what went wrong; printable */
	uint64_t took_ms;
	uint32_t changes; /* that were told before */
	uint32_t dropped; /* that it wanted, and are not made: its mode is stream */
};

#endif
