/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns what is known of a mark while other programs' rules write to it: bits that are as our rules
 * left them, and bits that have a value by which rules can be told to be met or not. */
#ifndef POSTERN_DAEMON_CONTROL_DOCTOR_FOREIGN_MARK_H
#define POSTERN_DAEMON_CONTROL_DOCTOR_FOREIGN_MARK_H

#include <stdbool.h>
#include <stdint.h>

/* All 0: nothing is known. */
struct foreign_mark {
	uint32_t kept;        /* the connection's bits, as our rules wrote them */
	uint32_t known, bits; /* bits: of those that are known */
};

/* A packet's, and its connection's. */
struct foreign_marks {
	struct foreign_mark packet, ct;
};

struct foreign_mark foreign_mark_of(uint32_t value);
/* Through a mask, then xor. */
struct foreign_mark foreign_mark_change(struct foreign_mark mark, uint32_t mask, uint32_t bits);
struct foreign_mark foreign_mark_xor(struct foreign_mark one, struct foreign_mark other);
struct foreign_mark foreign_mark_shift(struct foreign_mark mark, unsigned by, bool right);
/* What is true of both. */
struct foreign_mark foreign_mark_join(struct foreign_mark one, struct foreign_mark other);
bool foreign_mark_equal(struct foreign_mark one, struct foreign_mark other, uint32_t mask);
/* Can it have this value in the mask, and must it? */
bool foreign_mark_may_be(struct foreign_mark mark, uint32_t mask, uint32_t value);
bool foreign_mark_is(struct foreign_mark mark, uint32_t mask, uint32_t value);

#endif
