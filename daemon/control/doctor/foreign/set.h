/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns what a set or map of another program's nftables rules says of the packets to a TCP port: of
 * the port, of a connection's states, of interfaces. */
#ifndef POSTERN_DAEMON_CONTROL_DOCTOR_FOREIGN_SET_H
#define POSTERN_DAEMON_CONTROL_DOCTOR_FOREIGN_SET_H

#include "daemon/control/doctor/foreign/bytes.h"

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FOREIGN_SMTP_PORT      25
#define FOREIGN_INTERFACES_MAX 16
#define FOREIGN_CHAIN_SIZE     128
/* Bits of `ct state`, and of the match of xtables. */
#define FOREIGN_ESTABLISHED 2u
#define FOREIGN_NEW         8u

struct foreign_set {
	const struct foreign_dump *dump;
	uint16_t port; /* the packets' */
	uint32_t family;
	const char *table, *name;
};

/* What becomes of a packet: an element of a verdict map, or a rule's end. */
struct foreign_act {
	const char *name; /* NULL: it goes on. "jump" is goto, too */
	bool returns;     /* to the chain that led here; name is NULL */
	bool stays;       /* goto: it does not come back from where it leads */
	char chain[FOREIGN_CHAIN_SIZE];
};

struct foreign_interface {
	char name[IFNAMSIZ];
	struct foreign_act act;
};

struct foreign_interfaces {
	size_t n;
	bool incomplete; /* there are more than fit, or intervals */
	struct foreign_interface v[FOREIGN_INTERFACES_MAX];
};

/* Of NF_DROP, NF_ACCEPT, NFT_JUMP, NFT_GOTO; chain is NULL but for the last two. */
void foreign_act_set(struct foreign_act *act, uint32_t verdict, const char *chain);

/* Empty: there is none with this number. */
void foreign_link_name(const struct foreign_dump *dump, uint32_t index, char name[static IFNAMSIZ]);

/* Is the key in the set, which may have intervals? act: of a verdict map's element. */
bool foreign_set_find(
	const struct foreign_set *set, const uint8_t *key, uint32_t len, struct foreign_act *act);
/* The same of the port. */
bool foreign_set_find_port(const struct foreign_set *set, struct foreign_act *act);
/* Calls for each chain that a verdict map leads to. */
void foreign_set_each_chain(const struct foreign_set *set,
	void (*visit)(void *context, const struct foreign_act *act), void *context);
/* The states in the set, or those that a verdict map accepts. */
uint32_t foreign_set_states(const struct foreign_set *set, bool map);
/* Interfaces by name, or by index (then those that are there). */
void foreign_set_interfaces(
	const struct foreign_set *set, bool by_index, struct foreign_interfaces *interfaces);

#endif
