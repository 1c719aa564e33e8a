/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/control/doctor/advice.h"

#include "daemon/control/control.h"
#include "daemon/control/kernel/interfaces.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define INTERFACES_MAX 8 /* of one pattern */

void advice_put_line(struct advice *advice, const char *format, ...)
{
	va_list args;
	size_t room = sizeof(advice->text) - advice->len;
	va_start(args, format);
	int len = vsnprintf(advice->text + advice->len, room, format, args);
	va_end(args);
	if (len < 0 || (size_t)len + 2 > room) {
		advice->text[advice->len] = '\0'; /* half a line must not be pasted */
		return;
	}
	advice->len += (size_t)len;
	advice->text[advice->len++] = '\n';
	advice->text[advice->len] = '\0';
}

static bool is_iptables(const struct examination *exam, const struct advice_chain *chain)
{
	size_t at = 0;
	char family[16], table[180];
	for (const char *fact; (fact = examination_fact(exam->facts, "iptables-nft", &at));)
		if (sscanf(fact, "%15s %179s", family, table) == 2 &&
			strcmp(family, chain->family) == 0 && strcmp(table, chain->table) == 0)
			return true;
	return false;
}

static const char *iptables_of(const struct advice_chain *chain)
{
	return strcmp(chain->family, "ip6") == 0 ? "ip6tables" : "iptables";
}

/* ---- firewall managers ---- */

enum manager {
	MANAGER_NONE, /* nftables.service, scripts: the lines themselves are kept by whoever pastes
			 them */
	MANAGER_FIREWALLD,
	MANAGER_UFW,
};

/* Firewalld makes a table of its name, which it makes anew at each reload and may own; ufw fills
 * iptables' filter table by chains of its own. */
static enum manager manager_of(const struct examination *exam, const struct advice_chain *chain)
{
	size_t at = 0;
	char family[16], table[180], to[180];
	if (strcmp(chain->table, "firewalld") == 0)
		return MANAGER_FIREWALLD;
	for (const char *fact; (fact = examination_fact(exam->facts, "jumps", &at));)
		if (sscanf(fact, "%15s %179s %*s %*s %179s", family, table, to) == 3 &&
			strcmp(family, chain->family) == 0 && strcmp(table, chain->table) == 0 &&
			strncmp(to, "ufw", 3) == 0)
			return MANAGER_UFW;
	return MANAGER_NONE;
}

/* A steered packet keeps its port, and firewalld's zones know ports; of marks its language says
 * nothing, and what iptables accepts its own table refuses all the same. */
static void put_firewalld_zone(
	struct advice *advice, const struct policy_zone *zone, const char *interface)
{
	for (size_t i = 0; i < zone->ports.n; i++)
		advice_put_line(advice,
			"firewall-cmd --permanent "
			"--zone=\"$(firewall-cmd --get-zone-of-interface=%s)\" --add-port=%u/tcp",
			interface, zone->ports.v[i]);
}

static void put_firewalld(struct advice *advice, const struct examination *exam)
{
	const struct policy *policy = exam->control->policy;
	if (advice->len)
		return; /* once for all conditions */
	advice_put_line(
		advice, "# this opens the same port of the gateway itself to these clients");
	advice_put_line(advice, "# a zone that has them by --add-source needs the port in their "
				"place: firewall-cmd --get-active-zones");
	for (size_t z = 0; z < policy->nzones; z++)
		for (size_t i = 0; i < policy->zones[z].interfaces.n; i++) {
			const char *pattern = policy->zones[z].interfaces.v[i].text;
			unsigned n = 0;
			for (size_t l = 0; l < exam->control->nlinks && n < INTERFACES_MAX; l++) {
				const char *link = exam->control->links[l].name;
				if (!policy_interface_match(pattern, link))
					continue;
				put_firewalld_zone(advice, &policy->zones[z], link);
				n++;
			}
		}
	advice_put_line(advice, "firewall-cmd --reload");
}

/* Its rules of before, since what is not for the gateway's own addresses it drops early. */
static void put_ufw(struct advice *advice, const struct advice_chain *chain, const char *iptables)
{
	const char *six = strcmp(chain->family, "ip6") == 0 ? "6" : "";
	char quoted[256];
	size_t len = 0;
	for (const char *c = iptables; *c && len < sizeof(quoted) - 2; c++) {
		if (*c == '/')
			quoted[len++] = '\\';
		quoted[len++] = *c;
	}
	quoted[len] = '\0';
	advice_put_line(advice,
		"sed -i '/^\\*filter/,/^COMMIT/ s/^COMMIT/-I ufw%s-before-%s %s -j ACCEPT\\n&/' "
		"/etc/ufw/before%s.rules",
		six, chain->hook, quoted, six);
	advice_put_line(advice, "ufw reload");
}

/* ---- conditions ---- */

void advice_put_accept(struct advice *advice, const struct examination *exam,
	const struct advice_chain *chain, const char *nft, const char *iptables)
{
	enum manager manager = manager_of(exam, chain);
	if (manager == MANAGER_FIREWALLD)
		put_firewalld(advice, exam);
	else if (manager == MANAGER_UFW)
		put_ufw(advice, chain, iptables);
	else if (is_iptables(exam, chain))
		advice_put_line(advice, "%s -t %s -I %s %s -j ACCEPT", iptables_of(chain),
			chain->table, chain->name, iptables);
	else
		advice_put_line(advice, "nft 'insert rule %s %s %s %s accept'", chain->family,
			chain->table, chain->name, nft);
}

void advice_put_mark(struct advice *advice, const struct examination *exam,
	const struct advice_chain *chain, enum mark mark, const char *nft, const char *iptables)
{
	uint32_t mask = exam->control->start.options.mark_mask, value = mark * (mask & -mask);
	char words[64], options[64];
	snprintf(words, sizeof(words), "%s & 0x%08" PRIx32 " == 0x%08" PRIx32, nft, mask, value);
	snprintf(options, sizeof(options), "-m %s --mark 0x%08" PRIx32 "/0x%08" PRIx32, iptables,
		value, mask);
	advice_put_accept(advice, exam, chain, words, options);
}

bool advice_knows_marks(const struct examination *exam, const struct advice_chain *chain)
{
	return manager_of(exam, chain) != MANAGER_FIREWALLD;
}

void advice_put_kept(struct advice *advice, const struct examination *exam,
	const struct advice_chain *chain, const char *nft, const char *iptables, uint32_t kept,
	const char *value)
{
	if (strncmp(value, "0x", 2) != 0)
		advice_put_line(advice, "# or have that rule keep 0x%08" PRIx32 " of `%s` as it is",
			kept, nft);
	else if (is_iptables(exam, chain))
		advice_put_line(advice,
			"# or write `-j %s --set-xmark %s/0x%08" PRIx32 "` in that rule", iptables,
			value, ~kept);
	else
		advice_put_line(advice,
			"# or write `%s set %s & 0x%08" PRIx32 " | %s` in that rule", nft, nft,
			kept, value);
}

void advice_put_host(struct advice *advice, const struct examination *exam,
	const struct advice_chain *chain, const struct addr *addr, unsigned port)
{
	bool ip4 = addr->family == ADDR_IP4;
	char text[ADDR_TEXT_SIZE], words[128], options[128];
	if (strcmp(chain->family, "inet") != 0 && strcmp(chain->family, ip4 ? "ip" : "ip6") != 0)
		return;
	addr_format(addr, text);
	snprintf(words, sizeof(words), "%s daddr %s tcp dport %u", ip4 ? "ip" : "ip6", text, port);
	snprintf(options, sizeof(options), "-p tcp -d %s --dport %u", text, port);
	advice_put_accept(advice, exam, chain, words, options);
}
