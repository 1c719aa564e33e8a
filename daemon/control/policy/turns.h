/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns whose turn it is to change the policy: one at a time, the others behind it in the order in
 * which they came, because each begins from the running policy. */
#ifndef POSTERN_DAEMON_CONTROL_POLICY_TURNS_H
#define POSTERN_DAEMON_CONTROL_POLICY_TURNS_H

#include <stdbool.h>

struct turns;

struct turns *turns_new(void);
void turns_free(struct turns *turns); /* NULL is allowed; who waits is not called */
/* Calls run now, or as soon as nobody has the turn. */
void turns_when_free(struct turns *turns, void (*run)(void *context), void *context);
/* Only when nobody has it. */
void turns_take(struct turns *turns);
/* It is over. Who waits is not called yet: what the turn came to is told first. */
void turns_leave(struct turns *turns);
/* Calls who waits, until one has the turn. */
void turns_go_on(struct turns *turns);

#endif
