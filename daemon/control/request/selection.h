/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns which sessions a command is about: "user U", "address A", "mac M", "zone Z" or an id. */
#ifndef POSTERN_DAEMON_CONTROL_REQUEST_SELECTION_H
#define POSTERN_DAEMON_CONTROL_REQUEST_SELECTION_H

#include "daemon/control/request/command.h"
#include "lib/policy/session.h"

/* Opens empty, but for devices and changes; ids is the caller's to free. */
struct selection {
	uint64_t id;             /* 0: any */
	const char *kind, *word; /* as typed, for a refusal */
	const char *user, *zone;
	struct prefix address; /* family ADDR_NONE: any */
	struct mac mac;
	bool devices; /* too */
	bool changes; /* what is named alone is meant, never what merely holds it */
	uint64_t *ids;
	size_t n, room, at;
};

/* Takes what was given. Several narrow each other: of an id, an address and a MAC there is one at
 * most. */
void selection_take(const struct command *command, struct selection *selection);
/* Fills in the ids, as far as memory goes. */
void selection_find(const struct control *control, struct selection *selection);
/* Two zones may have the same address, and then it does not say who is meant. */
bool selection_is_ambiguous(const struct control *control, const struct selection *selection);
/* Nothing was found, or too much: says so in the words of the selection. */
void selection_refuse(struct command *command, const struct selection *selection);

#endif
