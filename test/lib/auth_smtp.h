/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A process that checks passwords in a test: the real one's code, with one smtp that asks it, in
 * one loop. */
#ifndef POSTERN_TEST_AUTH_SMTP_H
#define POSTERN_TEST_AUTH_SMTP_H

#include "test/lib/auth_world.h"

extern struct auth_world *auth_smtp_world;
#define auth_smtp (auth_smtp_world->auth)

/* With a policy of this text in force, and nothing else of the picture. */
void auth_smtp_init(const char *text);
/* What it needs is there: its backends open, and the smtp comes. */
void auth_smtp_begin(void);
void auth_smtp_fini(void);

uint64_t auth_smtp_now_ms(void);
/* What waits is done; timers that are due by then, too. */
void auth_smtp_run(uint64_t ms);
/* Until it is so; fails if it does not become so. */
void auth_smtp_until(bool (*so)(void));

/* ---- what smtp says ---- */

extern bool auth_smtp_in_clear; /* what is said comes in clear, else in TLS */
void auth_smtp_ask(uint64_t id, const char *listener, const char *mechanism, const char *from,
	const void *response, size_t len, bool given);
void auth_smtp_plain(uint64_t id, const char *listener, const char *user, const char *password);
void auth_smtp_respond(uint64_t id, const char *response);
void auth_smtp_cancel(uint64_t id);

/* ---- and hears ---- */

union auth_smtp_ipc {
	struct ipc_header header;
	struct ipc_auth_offer offer;
	struct ipc_auth_challenge challenge;
	struct ipc_auth_verdict verdict;
	uint8_t bytes[IPC_BYTES_MAX];
};
extern union auth_smtp_ipc auth_smtp_heard;

/* The type of what was heard; 0: nothing is there. */
unsigned auth_smtp_hear(void);
/* The same, when something is. */
unsigned auth_smtp_await(void);
void auth_smtp_hear_offers(void);
void auth_smtp_expect(uint64_t id, enum auth_verdict verdict, const char *name);
/* The name of who it is, of the verdict heard last. */
const char *auth_smtp_user(void);

#endif
