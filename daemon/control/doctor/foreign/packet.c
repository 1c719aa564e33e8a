/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/control/doctor/foreign/packet.h"

#include "lib/policy/policy.h"

#include <linux/netfilter.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nf_tables.h>
#include <string.h>

/* Where the IP headers have them: RFC 791 section 3.1, RFC 8200 section 3. */
#define IP4_SOURCE 12
#define IP6_SOURCE 8

static const char *interface_of(const struct foreign_rule *reading)
{
	bool out = reading->loaded == LOADED_OUT || reading->loaded == LOADED_OUT_INDEX;
	return out ? reading->packet->out : reading->packet->in;
}

bool packet_load_address(struct foreign_rule *reading, uint32_t offset, uint32_t len)
{
	const struct foreign_packet *packet = reading->packet;
	const bool ip6 = packet->family == ADDR_IP6;
	const uint32_t size = ip6 ? 16 : 4, source = ip6 ? IP6_SOURCE : IP4_SOURCE;
	const struct addr *addr = offset == source ? &packet->source : &packet->destination;

	if ((offset != source && offset != source + size) || len > size ||
		addr->family == ADDR_NONE)
		return false;
	memcpy(reading->field, addr->bytes, len);
	reading->field_len = len;
	return true;
}

bool packet_mask_address(struct foreign_rule *reading, const struct foreign_attrs *expr)
{
	uint32_t mask_len, xor_len;
	const uint8_t *mask = foreign_value(expr, NFTA_BITWISE_MASK, &mask_len);
	const uint8_t * xor = foreign_value(expr, NFTA_BITWISE_XOR, &xor_len);

	if (!mask || !xor || mask_len != reading->field_len || xor_len != reading->field_len)
		return false;
	for (uint32_t i = 0; i < mask_len; i++)
		reading->field[i] = (uint8_t)((reading->field[i] & mask[i]) ^ xor[i]);
	return true;
}

static bool is_comparison(uint32_t op)
{
	return op == NFT_CMP_EQ || op == NFT_CMP_NEQ;
}

void packet_compare_interface(struct foreign_rule *reading, uint32_t op, const char *pattern)
{
	reading->missed |=
		policy_interface_match(pattern, interface_of(reading)) != (op == NFT_CMP_EQ);
}

/* `ct status dnat`: it is. Of its other bits nothing is known. */
static bool read_status(
	const struct foreign_rule *reading, const uint8_t *data, uint32_t len, bool *equal)
{
	static const uint8_t none[4];

	*equal = false;
	return len == sizeof(none) && memcmp(data, none, len) == 0 &&
	       reading->masked == IPS_DST_NAT;
}

void packet_compare(struct foreign_rule *reading, uint32_t op, const uint8_t *data, uint32_t len)
{
	bool known = data && len && is_comparison(op), equal = false;

	if (known && reading->loaded == LOADED_ADDRESS) {
		known = len <= reading->field_len;
		equal = known && memcmp(reading->field, data, len) == 0;
	} else if (known && reading->loaded == LOADED_FAMILY) {
		equal = data[0] ==
			(reading->packet->family == ADDR_IP6 ? NFPROTO_IPV6 : NFPROTO_IPV4);
	} else if (known) {
		known = read_status(reading, data, len, &equal);
	}
	*(known ? &reading->missed : &reading->narrowed) |= !known || equal != (op == NFT_CMP_EQ);
}

/* Without the key: what the map does with each may be done. */
static void miss_out(struct foreign_rule *reading, const struct foreign_set *set, bool map)
{
	reading->narrowed = true;
	reading->unfound = map ? set->name : NULL;
}

static void look_up_interface(
	struct foreign_rule *reading, const struct foreign_set *set, bool map, bool inverted)
{
	const bool by_index =
		reading->loaded == LOADED_INDEX || reading->loaded == LOADED_OUT_INDEX;
	struct foreign_interfaces interfaces;

	foreign_set_interfaces(set, by_index, &interfaces);
	for (size_t i = 0; i < interfaces.n; i++) {
		if (!policy_interface_match(interfaces.v[i].name, interface_of(reading)))
			continue;
		reading->missed |= inverted;
		if (map)
			reading->act = interfaces.v[i].act;
		return;
	}
	if (interfaces.incomplete)
		miss_out(reading, set, map);
	else
		reading->missed |= !inverted;
}

/* A set of addresses may be cut off: what is not found in it may be in it. */
static void look_up_address(
	struct foreign_rule *reading, const struct foreign_set *set, bool map, bool inverted)
{
	struct foreign_act act;

	if (!foreign_set_find(set, reading->field, reading->field_len, &act)) {
		miss_out(reading, set, map);
		return;
	}
	reading->missed |= inverted;
	if (map)
		reading->act = act;
}

static void look_up_state(struct foreign_rule *reading, const struct foreign_set *set)
{
	const uint32_t state = packet_state(reading->packet);
	uint8_t key[sizeof(state)];
	struct foreign_act act;

	memcpy(key, &state, sizeof(key));
	if (foreign_set_find(set, key, sizeof(key), &act))
		reading->act = act;
	else
		reading->missed = true;
}

bool packet_look_up(
	struct foreign_rule *reading, const struct foreign_set *set, bool map, bool inverted)
{
	if (reading->loaded == LOADED_ADDRESS)
		look_up_address(reading, set, map, inverted);
	else if (reading->loaded == LOADED_INTERFACE || reading->loaded == LOADED_INDEX ||
		 reading->loaded == LOADED_OUT || reading->loaded == LOADED_OUT_INDEX)
		look_up_interface(reading, set, map, inverted);
	else if (reading->loaded == LOADED_STATE && map)
		look_up_state(reading, set);
	else
		return false;
	return true;
}
