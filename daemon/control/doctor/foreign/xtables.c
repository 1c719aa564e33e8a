/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/control/doctor/foreign/xtables.h"

#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nf_tables_compat.h>
#include <linux/netfilter/xt_CT.h>
#include <linux/netfilter/xt_connmark.h>
#include <linux/netfilter/xt_conntrack.h>
#include <linux/netfilter/xt_mark.h>
#include <linux/netfilter/xt_multiport.h>
#include <linux/netfilter/xt_tcpudp.h>
#include <string.h>

/* What xtables' match or target is told, copied: it need not be aligned, and may be of another
 * revision and size. false: it is shorter. */
static bool take_info(const struct foreign_attrs *expr, unsigned type, void *info, size_t size)
{
	uint32_t len;
	const void *data = foreign_data(expr, type, &len);

	if (len < size)
		return false;
	memcpy(info, data, size);
	return true;
}

static bool has_port(const struct xt_multiport_v1 *ports, uint16_t port)
{
	bool in = false;

	for (unsigned i = 0; i < ports->count && i < XT_MULTI_PORTS; i++) {
		bool range = ports->pflags[i] && i + 1 < XT_MULTI_PORTS;
		in |= ports->ports[i] <= port && port <= ports->ports[i + (range ? 1 : 0)];
		i += range;
	}
	return in;
}

static void take_mark(struct foreign_rule *reading, const struct xt_mark_mtinfo1 *info)
{
	bool ours = info->mark == reading->relay && !info->invert;

	if (reading->marks)
		reading_take_mark(reading,
			foreign_mark_change(reading->marks->packet, info->mask, 0), info->mark,
			!info->invert);
	else
		*(ours ? &reading->mark : &reading->narrowed) = true;
}

static void take_ct_mark(struct foreign_rule *reading, const struct xt_connmark_mtinfo1 *info)
{
	bool ours = info->mark == reading->relay && !info->invert;

	if (reading->marks)
		reading_take_mark(reading, foreign_mark_change(reading->marks->ct, info->mask, 0),
			info->mark, !info->invert);
	else
		*(ours ? &reading->ct_mark : &reading->narrowed) = true;
}

void xtables_read_match(struct foreign_rule *reading, const struct foreign_attrs *expr)
{
	const char *name = foreign_text(expr, NFTA_MATCH_NAME);
	const uint32_t revision = foreign_u32(expr, NFTA_MATCH_REV);
	union {
		struct xt_tcp tcp;
		struct xt_udp udp;
		struct xt_multiport_v1 ports;
		struct xt_conntrack_mtinfo3 ct;
		struct xt_mark_mtinfo1 mark;
		struct xt_connmark_mtinfo1 ct_mark;
	} info;

	if (!name) {
		reading->narrowed = true;
	} else if (strcmp(name, "tcp") == 0 &&
		   take_info(expr, NFTA_MATCH_INFO, &info, sizeof(info.tcp))) {
		bool in = info.tcp.dpts[0] <= reading->to && reading->to <= info.tcp.dpts[1];
		reading_take_port(
			reading, !reading->udp && in != !!(info.tcp.invflags & XT_TCP_INV_DSTPT));
	} else if (strcmp(name, "udp") == 0 &&
		   take_info(expr, NFTA_MATCH_INFO, &info, sizeof(info.udp))) {
		bool in = info.udp.dpts[0] <= reading->to && reading->to <= info.udp.dpts[1];
		reading_take_port(
			reading, reading->udp && in != !!(info.udp.invflags & XT_UDP_INV_DSTPT));
	} else if (strcmp(name, "multiport") == 0 && revision == 1 &&
		   take_info(expr, NFTA_MATCH_INFO, &info, sizeof(info.ports))) {
		if (info.ports.flags == XT_MULTIPORT_SOURCE)
			reading->narrowed = true;
		else
			reading_take_port(
				reading, has_port(&info.ports, reading->to) != !!info.ports.invert);
	} else if (strcmp(name, "conntrack") == 0 && revision >= 2 &&
		   take_info(expr, NFTA_MATCH_INFO, &info, sizeof(info.ct))) {
		if (info.ct.match_flags == XT_CONNTRACK_STATE && !info.ct.invert_flags &&
			reading->packet && (info.ct.state_mask & XT_CONNTRACK_STATE_DNAT))
			return;
		if (info.ct.match_flags == XT_CONNTRACK_STATE && !info.ct.invert_flags)
			reading_take_states(reading, info.ct.state_mask);
		else
			reading->narrowed = true;
	} else if (strcmp(name, "mark") == 0 &&
		   take_info(expr, NFTA_MATCH_INFO, &info, sizeof(info.mark))) {
		take_mark(reading, &info.mark);
	} else if (strcmp(name, "connmark") == 0 &&
		   take_info(expr, NFTA_MATCH_INFO, &info, sizeof(info.ct_mark))) {
		take_ct_mark(reading, &info.ct_mark);
	} else if (strcmp(name, "comment") != 0) {
		reading->narrowed = true;
	}
}

static void write_connmark(struct foreign_marks *marks, const struct xt_connmark_tginfo2 *mark)
{
	const bool right = mark->shift_dir != 0;
	struct foreign_mark value;

	switch (mark->mode) {
	case XT_CONNMARK_SET:
		value = foreign_mark_change(marks->ct, ~mark->ctmask, mark->ctmark);
		marks->ct = foreign_mark_shift(value, mark->shift_bits, right);
		break;
	case XT_CONNMARK_SAVE:
		value = foreign_mark_change(marks->packet, mark->nfmask, 0);
		marks->ct = foreign_mark_xor(foreign_mark_change(marks->ct, ~mark->ctmask, 0),
			foreign_mark_shift(value, mark->shift_bits, right));
		break;
	case XT_CONNMARK_RESTORE:
		value = foreign_mark_change(marks->ct, mark->ctmask, 0);
		marks->packet =
			foreign_mark_xor(foreign_mark_change(marks->packet, ~mark->nfmask, 0),
				foreign_mark_shift(value, mark->shift_bits, right));
		break;
	}
}

/* Saved or restored with all our bits at once, a mark stays what it is: both are alike. What is
 * moved sideways on the way is other bits than it was. */
static void read_connmark(struct foreign_rule *reading, const struct xt_connmark_tginfo2 *mark)
{
	const uint32_t ours = reading->mark_mask;
	const bool ct = (mark->ctmask & ours) != 0, packet = (mark->nfmask & ours) != 0;
	const bool all_ct = !mark->shift_bits && (mark->ctmask & ours) == ours;
	const bool all_packet = !mark->shift_bits && (mark->nfmask & ours) == ours;

	switch (mark->mode) {
	case XT_CONNMARK_SET:
		reading->overwrites_ct |= ct || (mark->ctmark & ours);
		break;
	case XT_CONNMARK_SAVE:
		reading->overwrites_ct |= ct && !all_packet;
		break;
	case XT_CONNMARK_RESTORE:
		reading->overwrites |= packet && !all_ct;
		break;
	}
	if (reading->marks)
		write_connmark(reading->marks, mark);
}

static void read_mark(struct foreign_rule *reading, const struct xt_mark_tginfo2 *mark)
{
	reading->overwrites |= ((mark->mask | mark->mark) & reading->mark_mask) != 0;
	if (reading->marks)
		reading->marks->packet =
			foreign_mark_change(reading->marks->packet, ~mark->mask, mark->mark);
}

void xtables_read_target(struct foreign_rule *reading, const struct foreign_attrs *expr)
{
	static const struct {
		const char *name, *act;
	} targets[] = {{"REJECT", "reject"}, {"DROP", "drop"}, {"DNAT", "nat"}, {"REDIRECT", "nat"},
		{"TPROXY", "tproxy"}, {"NFQUEUE", "queue"}};
	static const struct {
		const char *name, *act;
	} sources[] = {{"MASQUERADE", "masquerade"}, {"SNAT", "snat"}};
	const char *name = foreign_text(expr, NFTA_TARGET_NAME);
	const uint32_t revision = foreign_u32(expr, NFTA_TARGET_REV);
	union {
		struct xt_mark_tginfo2 mark;
		struct xt_connmark_tginfo1 connmark;
		struct xt_connmark_tginfo2 connmark2;
		struct xt_ct_target_info ct;
	} info;

	if (!name)
		return;
	if (strcmp(name, "MARK") == 0 && revision == 2 &&
		take_info(expr, NFTA_TARGET_INFO, &info, sizeof(info.mark)))
		read_mark(reading, &info.mark);
	else if (strcmp(name, "CONNMARK") == 0 && revision == 1 &&
		 take_info(expr, NFTA_TARGET_INFO, &info, sizeof(info.connmark)))
		read_connmark(reading, &(struct xt_connmark_tginfo2){.ctmark = info.connmark.ctmark,
					       .ctmask = info.connmark.ctmask,
					       .nfmask = info.connmark.nfmask,
					       .mode = info.connmark.mode});
	else if (strcmp(name, "CONNMARK") == 0 && revision == 2 &&
		 take_info(expr, NFTA_TARGET_INFO, &info, sizeof(info.connmark2)))
		read_connmark(reading, &info.connmark2);
	else if (strcmp(name, "CT") == 0 &&
		 take_info(expr, NFTA_TARGET_INFO, &info, sizeof(info.ct)) &&
		 (info.ct.flags & XT_CT_NOTRACK))
		reading->act.name = "notrack";
	for (size_t i = 0; i < sizeof(targets) / sizeof(targets[0]); i++)
		if (strcmp(name, targets[i].name) == 0)
			reading->act.name = targets[i].act;
	for (size_t i = 0; reading->packet && i < sizeof(sources) / sizeof(sources[0]); i++)
		if (strcmp(name, sources[i].name) == 0)
			reading->act.name = sources[i].act;
}
