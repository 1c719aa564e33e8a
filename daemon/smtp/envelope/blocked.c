/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/smtp/envelope/blocked.h"

#include "daemon/smtp/smtp.h"

/* ---- the greeting ---- */

const struct block *blocked_by(const struct smtp_flow *flow)
{
	const struct way *way = &flow->way;

	return blocks_match(smtp_picture(flow->smtp)->blocks,
		way->zone < 0 ? "" : way->policy->zones[way->zone].name.text,
		*way->user ? way->user : NULL, way_user_source(way), &way->mac, &way->client.addr,
		loop_now_ms(flow->smtp->loop));
}

bool blocked_is(const struct smtp_flow *flow)
{
	return blocked_by(flow) != NULL;
}

const char *blocked_text(const struct smtp_flow *flow)
{
	const struct block *block = way_has_place(&flow->way) ? blocked_by(flow) : NULL;

	return block && *block->text ? block->text : NULL;
}
