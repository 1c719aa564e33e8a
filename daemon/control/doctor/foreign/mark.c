/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/control/doctor/foreign/mark.h"

struct foreign_mark foreign_mark_of(uint32_t value)
{
	return (struct foreign_mark){.known = UINT32_MAX, .bits = value};
}

struct foreign_mark foreign_mark_change(struct foreign_mark mark, uint32_t mask, uint32_t bits)
{
	const uint32_t known = mark.known | ~mask;

	return (struct foreign_mark){.kept = mark.kept & mask & ~bits,
		.known = known,
		.bits = ((mark.bits & mask) ^ bits) & known};
}

/* A bit stays what it is where the other's is 0. */
struct foreign_mark foreign_mark_xor(struct foreign_mark one, struct foreign_mark other)
{
	const uint32_t known = one.known & other.known;

	return (struct foreign_mark){.kept = (one.kept & other.known & ~other.bits) |
					     (other.kept & one.known & ~one.bits),
		.known = known,
		.bits = (one.bits ^ other.bits) & known};
}

struct foreign_mark foreign_mark_shift(struct foreign_mark mark, unsigned by, bool right)
{
	if (!by || by > 31)
		return by ? foreign_mark_of(0) : mark;
	const uint32_t in = right ? ~(UINT32_MAX >> by) : ~(UINT32_MAX << by);
	return (struct foreign_mark){.known = (right ? mark.known >> by : mark.known << by) | in,
		.bits = right ? mark.bits >> by : mark.bits << by};
}

struct foreign_mark foreign_mark_join(struct foreign_mark one, struct foreign_mark other)
{
	const uint32_t known = one.known & other.known & ~(one.bits ^ other.bits);

	return (struct foreign_mark){
		.kept = one.kept & other.kept, .known = known, .bits = one.bits & known};
}

bool foreign_mark_equal(struct foreign_mark one, struct foreign_mark other, uint32_t mask)
{
	return !(((one.kept ^ other.kept) | (one.known ^ other.known) | (one.bits ^ other.bits)) &
		 mask);
}

bool foreign_mark_may_be(struct foreign_mark mark, uint32_t mask, uint32_t value)
{
	return !((mark.bits ^ value) & mark.known & mask);
}

bool foreign_mark_is(struct foreign_mark mark, uint32_t mask, uint32_t value)
{
	return (mark.known & mask) == mask && foreign_mark_may_be(mark, mask, value);
}
