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
		bool ours = info.mark.mark == reading->relay && !info.mark.invert;
		*(ours ? &reading->mark : &reading->narrowed) = true;
	} else if (strcmp(name, "connmark") == 0 &&
		   take_info(expr, NFTA_MATCH_INFO, &info, sizeof(info.ct_mark))) {
		bool ours = info.ct_mark.mark == reading->relay && !info.ct_mark.invert;
		*(ours ? &reading->ct_mark : &reading->narrowed) = true;
	} else if (strcmp(name, "comment") != 0) {
		reading->narrowed = true;
	}
}

/* Saved or restored with all our bits at once, a mark stays what it is: both are alike. */
static void read_connmark(
	struct foreign_rule *reading, const struct xt_connmark_tginfo1 *mark, uint8_t mode)
{
	const uint32_t ours = reading->mark_mask;
	bool ct = (mark->ctmask & ours) != 0, packet = (mark->nfmask & ours) != 0;

	switch (mode) {
	case XT_CONNMARK_SET:
		reading->overwrites_ct |= ct || (mark->ctmark & ours);
		break;
	case XT_CONNMARK_SAVE:
		reading->overwrites_ct |= ct && (mark->nfmask & ours) != ours;
		break;
	case XT_CONNMARK_RESTORE:
		reading->overwrites |= packet && (mark->ctmask & ours) != ours;
		break;
	}
}

/* What is moved sideways on the way is other bits than it was. */
static void read_shifted_connmark(
	struct foreign_rule *reading, const struct xt_connmark_tginfo2 *mark)
{
	struct xt_connmark_tginfo1 plain = {
		.ctmark = mark->ctmark, .ctmask = mark->ctmask, .nfmask = mark->nfmask};

	if (mark->shift_bits && mark->mode == XT_CONNMARK_SAVE)
		plain.nfmask = 0;
	if (mark->shift_bits && mark->mode == XT_CONNMARK_RESTORE)
		plain.ctmask = 0;
	read_connmark(reading, &plain, mark->mode);
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
		reading->overwrites |=
			((info.mark.mask | info.mark.mark) & reading->mark_mask) != 0;
	else if (strcmp(name, "CONNMARK") == 0 && revision == 1 &&
		 take_info(expr, NFTA_TARGET_INFO, &info, sizeof(info.connmark)))
		read_connmark(reading, &info.connmark, info.connmark.mode);
	else if (strcmp(name, "CONNMARK") == 0 && revision == 2 &&
		 take_info(expr, NFTA_TARGET_INFO, &info, sizeof(info.connmark2)))
		read_shifted_connmark(reading, &info.connmark2);
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
