/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns which conditions of a rule a packet that is forwarded meets: of its interfaces, its
 * addresses, its family and its NAT, since of these more is known than of any packet to a port. The
 * reading's packet is not NULL in any of these. */
#ifndef POSTERN_DAEMON_CONTROL_DOCTOR_FOREIGN_PACKET_H
#define POSTERN_DAEMON_CONTROL_DOCTOR_FOREIGN_PACKET_H

#include "daemon/control/doctor/foreign/reading.h"

/* Its source or destination, or the first bytes of one as nft writes a prefix. false: these bytes
 * of the IP header are neither, or not known. */
bool packet_load_address(struct foreign_rule *reading, uint32_t offset, uint32_t len);
/* What is loaded of it, through mask and xor of a bitwise expression. false: these do not fit. */
bool packet_mask_address(struct foreign_rule *reading, const struct foreign_attrs *expr);
/* An interface, which may end in a star. */
void packet_compare_interface(struct foreign_rule *reading, uint32_t op, const char *pattern);
/* Address, family or status, as loaded. */
void packet_compare(struct foreign_rule *reading, uint32_t op, const uint8_t *data, uint32_t len);
/* Interface, address or state, as loaded, in a set or verdict map. false: it is neither. */
bool packet_look_up(
	struct foreign_rule *reading, const struct foreign_set *set, bool map, bool inverted);

#endif
