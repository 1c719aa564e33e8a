/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns what is wrong with the state folder, in words, for who asks: a full disk, changes that could
 * not be stored, sessions that a lost file has taken. */
#ifndef POSTERN_DAEMON_CONTROL_STORE_STATE_TROUBLE_H
#define POSTERN_DAEMON_CONTROL_STORE_STATE_TROUBLE_H

#include <stddef.h>
#include <stdint.h>

struct control;

struct state_trouble {
	char text[512];
	const char *next; /* what to do */
};

#define STATE_TROUBLES_MAX 5
size_t state_troubles(
	const struct control *control, struct state_trouble v[static STATE_TROUBLES_MAX]);
/* Bytes that are free there; UINT64_MAX: not known. */
uint64_t state_free_bytes(const struct control *control);

#endif
