/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/health/jitter.h"

#include <sys/random.h>

uint64_t jitter_below(uint64_t below)
{
	uint64_t chance = 0;
	/* without chance all is as good, only not spread */
	if (below == 0 || getrandom(&chance, sizeof(chance), 0) != sizeof(chance))
		return 0;
	return chance % below;
}

uint64_t jitter_around(uint64_t ms)
{
	return ms - ms / 10 + jitter_below(ms / 5 + 1);
}
