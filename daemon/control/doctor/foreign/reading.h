/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns what the reading of one rule of another program has found so far. A condition that is not
 * understood makes it say less, never more. */
#ifndef POSTERN_DAEMON_CONTROL_DOCTOR_FOREIGN_READING_H
#define POSTERN_DAEMON_CONTROL_DOCTOR_FOREIGN_READING_H

#include "daemon/control/doctor/foreign/set.h"

/* What the expressions so far have left in a register for the next to compare. */
enum loaded {
	LOADED_OTHER,
	LOADED_HARMLESS,
	LOADED_CONSTANT,
	LOADED_INTERFACE,
	LOADED_INDEX,
	LOADED_PROTOCOL, /* in the IP header */
	LOADED_PORT,
	LOADED_MARK,
	LOADED_CT_MARK,
	LOADED_STATE
};

/* The first six are the caller's to set. */
struct foreign_rule {
	const struct foreign_dump *dump;
	uint16_t to; /* the port that packets go to */
	uint32_t family;
	const char *table;
	uint32_t mark_mask, relay; /* relay: the mark of steered packets */
	enum loaded loaded;
	uint32_t masked, xored;     /* what a loaded state or mark went through */
	bool port_hit, port_missed; /* a condition that the port meets; one that it does not */
	bool mark, ct_mark;
	bool stateful; /* a condition on the state */
	uint32_t states;
	bool narrowed;                /* a condition on something else */
	bool overwrites;              /* our bits of the packet's mark */
	bool overwrites_ct;           /* and of the connection's */
	char interface[IFNAMSIZ + 4]; /* it must come from; empty: from any */
	bool listed; /* it must come from one of these, each of which may have its own act */
	struct foreign_interfaces interfaces;
	struct foreign_act act;
};

/* A condition on the port, which packets to it meet or do not. */
void reading_take_port(struct foreign_rule *reading, bool hit);
/* A condition on the state: of a steered flow's packets the first is new and all others are
 * established. */
void reading_take_states(struct foreign_rule *reading, uint32_t states);

#endif
