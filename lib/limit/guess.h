/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns how often passwords may be guessed: counts of refused logins by address, and by user and
 * address, and who is known to log in from where.
 *
 * An address (of IPv6 its /64) that was refused too often, with one user or with many, is not asked
 * for any more for a while: nobody behind asks the backend. A user is never shut out by others:
 * what many addresses guess at only makes those wait longer from whom he never logged in. Whoever
 * logged in from an address before is exempt there, with the password that he had: whoever guesses
 * at him from behind the same address counts as anywhere; where the backend alone sees the
 * password, both have one larger limit. A password that passed and does no more is known no longer.
 * All tables are bounded; one that is full makes strangers wait, and no one who is known. */
#ifndef POSTERN_LIB_LIMIT_GUESS_H
#define POSTERN_LIB_LIMIT_GUESS_H

#include "lib/base/addr.h"
#include "lib/limit/bucket.h"

#define GUESS_PER_ADDRESS 10 /* refused in GUESS_WINDOW_S, whoever is named */
#define GUESS_PER_PAIR    5  /* of one user from one address */
#define GUESS_PER_UNSEEN  30 /* of one who is known, by mechanisms that show no password */
#define GUESS_PER_USER    20 /* from everywhere: from then on strangers wait longer */
#define GUESS_WINDOW_S    600
#define GUESS_AT_ONCE     50 /* strangers of one address; fewer, the more were refused */
#define GUESS_KNOWN_MAX   4096
#define GUESS_KNOWN_S     (30 * 86400)

#define GUESS_DELAY_MS      2000  /* a no is said at the next multiple of it */
#define GUESS_SLOW_DELAY_MS 10000 /* of a user at whom many guess */

/* The name as it counts: in lower case, without blanks around, and without "@domain" where that
 * is the backend's own (NULL: none). One person's ways of writing it are one. name: its size is
 * GUESS_NAME_SIZE. */
#define GUESS_NAME_SIZE 256
void guess_name(const char *said, const char *domain, char name[static GUESS_NAME_SIZE]);

struct guess;

/* secret: by which nobody finds whom he meets in a table. NULL: no memory. */
struct guess *guess_new(const uint8_t secret[static SIPHASH_SECRET_SIZE]);
void guess_free(struct guess *guess);

/* By which a password is told from others as long as this runs; never 0, which stands for one that
 * the backend alone saw. */
uint64_t guess_proof(const struct guess *guess, const char *password);

enum guess_verdict {
	GUESS_ASK,   /* the backend may be asked */
	GUESS_LATER, /* it is not: 454 4.7.0 */
};

/* So many strangers are being asked for already, who may all be refused. */
struct guess_asked {
	unsigned place, pair; /* of the address; of this user from there */
};
/* May somebody at this address log in as name now? Counts nothing. */
enum guess_verdict guess_may(struct guess *guess, const char *name, const struct addr *client,
	uint64_t proof, const struct guess_asked *asked, uint64_t now_us);
/* Do both count as one address? */
bool guess_same_place(const struct addr *one, const struct addr *other);
/* The backend said no. Returns after how long that is said, of asked_ms before: always the same,
 * however fast the backend was. */
uint32_t guess_refused(struct guess *guess, const char *name, const struct addr *client,
	uint64_t proof, uint64_t asked_ms, uint64_t now_us);
/* It said yes. */
void guess_passed(struct guess *guess, const char *name, const struct addr *client, uint64_t proof,
	uint64_t now_us);
/* Has this one logged in from there before, with that? */
bool guess_is_known(const struct guess *guess, const char *name, const struct addr *client,
	uint64_t proof, uint64_t now_us);

#endif
