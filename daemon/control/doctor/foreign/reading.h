/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns what the reading of one rule of another program has found so far. A condition that is not
 * understood makes it say less, never more. */
#ifndef POSTERN_DAEMON_CONTROL_DOCTOR_FOREIGN_READING_H
#define POSTERN_DAEMON_CONTROL_DOCTOR_FOREIGN_READING_H

#include "daemon/control/doctor/foreign/mark.h"
#include "daemon/control/doctor/foreign/set.h"

#include "lib/base/addr.h"

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
	LOADED_STATE,
	/* of a packet that is forwarded alone */
	LOADED_OUT,
	LOADED_OUT_INDEX,
	LOADED_FAMILY,
	LOADED_ADDRESS,
	LOADED_STATUS
};

/* A packet of a connection that is forwarded, to a server that it was led to by DNAT or back. */
struct foreign_packet {
	const char *in, *out;
	enum addr_family family;
	struct addr source, destination; /* of family ADDR_NONE: not known */
	bool established;                /* false: the first of its connection */
};

/* A port that clients choose: answers go to one. */
#define FOREIGN_ANSWERING_PORT 40000

static inline uint32_t packet_state(const struct foreign_packet *packet)
{
	return packet->established ? FOREIGN_ESTABLISHED : FOREIGN_NEW;
}

enum foreign_hit {
	FOREIGN_MISSED,
	FOREIGN_MAYBE, /* not all conditions were understood */
	FOREIGN_HIT,
};

/* The first nine are the caller's to set. */
struct foreign_rule {
	const struct foreign_dump *dump;
	uint16_t to; /* the port that packets go to */
	bool udp;    /* by UDP, else by TCP */
	uint32_t family;
	const char *table;
	uint32_t mark_mask, relay; /* relay: the mark of the packets */
	/* NULL: any that goes to the port. Else its conditions are held against this one alone. */
	const struct foreign_packet *packet;
	/* With a packet, and else NULL: the marks that it comes with. The rule writes to them. */
	struct foreign_marks *marks;
	enum loaded loaded;
	struct foreign_mark value; /* what is loaded, as a mark */
	bool unread;               /* what is loaded was not compared yet */
	bool joined;               /* nor was what was loaded before */
	uint8_t field[16];         /* of an address */
	uint32_t field_len;
	bool missed;                /* a condition that the packet does not meet */
	uint32_t masked, xored;     /* what a loaded state or mark went through */
	bool port_hit, port_missed; /* a condition that the port meets; one that it does not */
	bool mark, ct_mark;
	bool stateful; /* a condition on the state */
	uint32_t states;
	bool narrowed;                /* a condition on something else */
	bool overwrites;              /* our bits of the packet's mark */
	bool overwrites_ct;           /* and of the connection's */
	bool offloads;                /* a flowtable takes the connection */
	bool spares;                  /* not those that we let through: by their marks */
	char interface[IFNAMSIZ + 4]; /* it must come from; empty: from any */
	bool listed; /* it must come from one of these, each of which may have its own act */
	struct foreign_interfaces interfaces;
	struct foreign_act act;
	const char *unfound; /* a verdict map that acts by what is not known; NULL: none */
};

/* Does its packet meet the rule that was read? */
enum foreign_hit reading_hit(const struct foreign_rule *reading);
/* A condition on a mark, of which enough may be known: with marks only. */
void reading_take_mark(
	struct foreign_rule *reading, struct foreign_mark mark, uint32_t value, bool equal);
/* A condition on the port, which packets to it meet or do not. */
void reading_take_port(struct foreign_rule *reading, bool hit);
/* A condition on the state: of a steered flow's packets the first is new and all others are
 * established. */
void reading_take_states(struct foreign_rule *reading, uint32_t states);

#endif
