/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/policy/balance.h"

ptrdiff_t balance_pick(struct balance_item *items, size_t n)
{
	ptrdiff_t best = -1;
	int64_t total = 0;
	for (size_t i = 0; i < n; i++) {
		if (!items[i].usable || items[i].weight == 0)
			continue;
		items[i].current += items[i].weight;
		total += items[i].weight;
		if (best < 0 || items[i].current > items[best].current)
			best = (ptrdiff_t)i;
	}
	if (best >= 0)
		items[best].current -= total;
	return best;
}
