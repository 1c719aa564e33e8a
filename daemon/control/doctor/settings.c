/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What doctor finds of the kernel's settings, as sysctl has them. */
#include "daemon/control/doctor/examination.h"

#include "daemon/control/control.h"
#include "daemon/control/doctor/setting.h"
#include "daemon/control/kernel/interfaces.h"

#include <stdio.h>

#define BACKLOG         4096
#define INTERFACES_MOST 64 /* of thousands that a wildcard has, enough to see what is wrong */

/* Has any interface an IPv6 address that others can route to? A line is address, index, length,
 * scope, flags, name; all but the last in hexadecimal digits. */
static bool has_ip6(void)
{
	char line[128];
	unsigned scope;
	bool found = false;
	FILE *file = fopen("/proc/net/if_inet6", "re");
	while (file && !found && fgets(line, sizeof(line), file))
		found = sscanf(line, "%*s %*x %*x %x", &scope) == 1 && scope == 0;
	if (file)
		fclose(file);
	return found;
}

static void check_forwarding(const struct examination *exam)
{
	static const struct {
		const char *path, *name;
	} families[] = {
		{"/proc/sys/net/ipv4/ip_forward", "net.ipv4.ip_forward"},
		{"/proc/sys/net/ipv6/conf/all/forwarding", "net.ipv6.conf.all.forwarding"},
	};
	for (size_t i = 0; i < 2; i++) {
		char advice[96];
		long on = setting_read(families[i].path);
		bool unused = i == 1 && !has_ip6();
		snprintf(advice, sizeof(advice), "sysctl -w %s=1", families[i].name);
		examination_find(exam, "forwarding", on == 0 && !unused ? DOCTOR_ERROR : DOCTOR_OK,
			advice, "%s is %ld%s", families[i].name, on,
			unused   ? ": no interface has an IPv6 address to route"
			: on < 0 ? " (not readable)"
				 : "");
	}
}

/* The setting of one bridge counts beside the one for all: "IFNAME 0|1 0|1" is the fact. */
static bool check_bridges(const struct examination *exam)
{
	static const char *const names[] = {"nf_call_iptables", "nf_call_ip6tables"};
	bool found = false;
	size_t at = 0;
	for (const char *fact; (fact = examination_fact(exam->facts, "bridge", &at));) {
		char ifname[64], advice[128];
		int on[2] = {0};
		if (sscanf(fact, "%63s %d %d", ifname, &on[0], &on[1]) < 1 ||
			!interfaces_zone_of(exam->control->policy, ifname))
			continue;
		found = true;
		for (size_t i = 0; i < 2; i++) {
			if (!on[i])
				continue;
			snprintf(advice, sizeof(advice), "ip link set %s type bridge %s 0", ifname,
				names[i]);
			examination_find(exam, "bridge", DOCTOR_ERROR, advice,
				"%s is on for bridge %s: nobody behind it is served", names[i],
				ifname);
		}
	}
	return found;
}

static void check_bridge_calls(const struct examination *exam)
{
	static const char *const names[] = {"bridge-nf-call-iptables", "bridge-nf-call-ip6tables"};
	bool bridge = check_bridges(exam);
	for (size_t i = 0; i < 2; i++) {
		char advice[128], path[64];
		snprintf(path, sizeof(path), "/proc/sys/net/bridge/%s", names[i]);
		long on = setting_read(path);
		snprintf(advice, sizeof(advice), "sysctl -w net.bridge.%s=0", names[i]);
		examination_find(exam, "bridge", on == 1 && bridge ? DOCTOR_ERROR : DOCTOR_OK,
			advice, "net.bridge.%s is %s, %s", names[i],
			on < 0    ? "absent"
			: on == 0 ? "0"
				  : "1",
			bridge ? "a zone is on a bridge: with 1 nobody behind it is served"
			       : "no zone is on a bridge");
	}
}

/* What passes from an interface is forwarded only where its own switch is on, too. */
static void check_forwarding_of_zones(const struct examination *exam)
{
	unsigned looked_at = 0;
	for (size_t i = 0; i < exam->control->nlinks && looked_at < INTERFACES_MOST; i++) {
		const char *name = exam->control->links[i].name;
		char path[96], advice[128];
		if (!interfaces_zone_of(exam->control->policy, name))
			continue;
		looked_at++;
		snprintf(path, sizeof(path), "/proc/sys/net/ipv4/conf/%s/forwarding", name);
		snprintf(advice, sizeof(advice), "sysctl -w net/ipv4/conf/%s/forwarding=1", name);
		if (setting_read(path) == 0)
			examination_find(exam, "forwarding", DOCTOR_WARNING, advice,
				"net/ipv4/conf/%s/forwarding is 0: what is to pass from it does "
				"not",
				name);
	}
}

/* Both are harmless behind our ip rules, which name the interface; told because people look. */
static void check_reverse_path(const struct examination *exam)
{
	examination_find(exam, "rp-filter", DOCTOR_OK, "",
		"net.ipv4.conf.all: rp_filter is %ld, src_valid_mark is %ld; either works",
		setting_read("/proc/sys/net/ipv4/conf/all/rp_filter"),
		setting_read("/proc/sys/net/ipv4/conf/all/src_valid_mark"));
}

static void check_syn_cookies(const struct examination *exam)
{
	long cookies = setting_read("/proc/sys/net/ipv4/tcp_syncookies");
	examination_find(exam, "syn-cookies", cookies == 2 ? DOCTOR_WARNING : DOCTOR_OK,
		"sysctl -w net.ipv4.tcp_syncookies=1 # 2 hides every client's MAC: zones with "
		"identity mac answer 421",
		"net.ipv4.tcp_syncookies is %ld", cookies);
}

static void check_conntrack(const struct examination *exam)
{
	long count, max;
	bool filling = setting_of_conntrack(&count, &max);
	char advice[128];
	snprintf(advice, sizeof(advice),
		"sysctl -w net.netfilter.nf_conntrack_max=%ld # a full table drops connections",
		2 * max);
	examination_find(exam, "conntrack", filling ? DOCTOR_WARNING : DOCTOR_OK, advice,
		"%ld of %ld connections", count, max);
}

/* The listening sockets ask for this much, and there are as many as that takes (keeper/listener.c).
 */
static void check_backlog(const struct examination *exam)
{
	long most = setting_read("/proc/sys/net/core/somaxconn");
	examination_find(exam, "backlog", most < BACKLOG ? DOCTOR_WARNING : DOCTOR_OK,
		"sysctl -w net.core.somaxconn=4096 # and restart posternd: a flood of half-open "
		"connections fills shorter ones, and zones with identity mac answer 421",
		"net.core.somaxconn is %ld", most);
}

void examination_of_settings(const struct examination *exam)
{
	check_forwarding(exam);
	check_forwarding_of_zones(exam);
	check_bridge_calls(exam);
	check_reverse_path(exam);
	check_syn_cookies(exam);
	check_backlog(exam);
	check_conntrack(exam);
}
