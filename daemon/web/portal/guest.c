/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/web/portal/guest.h"

static bool is_of(const struct guest *guest, const struct origin *origin)
{
	if (guest->seen_ms == 0 || guest->origin.ifindex != origin->ifindex)
		return false;
	if (mac_is_set(&guest->origin.mac) || mac_is_set(&origin->mac))
		return mac_equal(&guest->origin.mac, &origin->mac);
	return addr_equal(&guest->origin.client.addr, &origin->client.addr);
}

static struct guest *find(struct guests *guests, const struct origin *origin)
{
	for (size_t i = 0; i < GUESTS_MAX; i++)
		if (is_of(&guests->v[i], origin))
			return &guests->v[i];
	return NULL;
}

static struct guest *place(struct guests *guests)
{
	struct guest *oldest = NULL;

	for (size_t i = 0; i < GUESTS_MAX; i++) {
		struct guest *guest = &guests->v[i];
		if (guest->open == 0 && (!oldest || guest->seen_ms < oldest->seen_ms))
			oldest = guest;
	}
	return oldest;
}

struct guest *guest_get(struct guests *guests, const struct origin *origin, uint64_t now_ms)
{
	struct guest *guest = find(guests, origin);

	if (!guest && (guest = place(guests)))
		*guest = (struct guest){.origin = *origin};
	if (guest)
		guest->seen_ms = now_ms;
	return guest;
}

/* Until when he would have paid for all that he took, each at its time; so many of them he may take
 * ahead. */
uint64_t guest_turn(struct guest *guest, enum guest_turn turn, uint64_t now_ms)
{
	const uint64_t ahead_ms = GUEST_AT_ONCE * GUEST_EACH_MS;
	uint64_t *paid_ms = &guest->paid_ms[turn];

	if (*paid_ms < now_ms)
		*paid_ms = now_ms;
	*paid_ms += GUEST_EACH_MS;
	return *paid_ms > now_ms + ahead_ms ? *paid_ms - now_ms - ahead_ms : 0;
}
