/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/control/doctor/foreign/reading.h"

void reading_take_port(struct foreign_rule *reading, bool hit)
{
	*(hit ? &reading->port_hit : &reading->port_missed) = true;
}

void reading_take_states(struct foreign_rule *reading, uint32_t states)
{
	reading->stateful = true;
	reading->states |= states & (FOREIGN_ESTABLISHED | FOREIGN_NEW);
}

void reading_take_mark(
	struct foreign_rule *reading, struct foreign_mark mark, uint32_t value, bool equal)
{
	if (!foreign_mark_may_be(mark, UINT32_MAX, value))
		reading->missed |= equal;
	else if (foreign_mark_is(mark, UINT32_MAX, value))
		reading->missed |= !equal;
	else
		reading->narrowed = true;
}

enum foreign_hit reading_hit(const struct foreign_rule *reading)
{
	if (reading->missed || reading->port_missed ||
		(reading->stateful && !(reading->states & packet_state(reading->packet))))
		return FOREIGN_MISSED;
	return reading->narrowed ? FOREIGN_MAYBE : FOREIGN_HIT;
}
