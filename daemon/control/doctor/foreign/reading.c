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

enum foreign_hit reading_hit(const struct foreign_rule *reading)
{
	const uint32_t state = reading->packet->established ? FOREIGN_ESTABLISHED : FOREIGN_NEW;

	if (reading->missed || reading->port_missed ||
		(reading->stateful && !(reading->states & state)))
		return FOREIGN_MISSED;
	return reading->narrowed ? FOREIGN_MAYBE : FOREIGN_HIT;
}
