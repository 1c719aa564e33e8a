/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns what a table of sessions is made of. Private to lib/session*.c. */
#ifndef POSTERN_SESSION_TABLE_H
#define POSTERN_SESSION_TABLE_H

#include "lib/policy/session_index.h"

struct devices {
	struct session_index *index;
	struct session_entry **v; /* by their number in the policy */
	size_t n;
};

struct session_table {
	struct session_index *portal;
	struct hash ids; /* by their low bits, since ids are given out in sequence */
	struct heap ends;
	struct devices devices;
};

#endif
