/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/control/doctor/doctor.h"

#include "daemon/base/own_address.h"
#include "daemon/control/control.h"
#include "daemon/control/doctor/examination.h"
#include "daemon/control/doctor/foreign/foreign.h"
#include "daemon/control/doctor/foreign/set.h"
#include "daemon/control/doctor/path.h"
#include "daemon/control/doctor/zone_port.h"
#include "daemon/control/kernel/entries.h"
#include "daemon/control/kernel/facts.h"
#include "daemon/control/kernel/interfaces.h"
#include "daemon/control/kernel/listening.h"
#include "daemon/control/kernel/lost_flows.h"
#include "daemon/control/peers/web_peer.h"
#include "daemon/control/policy/wanted.h"
#include "daemon/control/store/state_trouble.h"
#include "lib/base/hash.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *const doctor_state_names[DOCTOR_STATES] = {
	[DOCTOR_OK] = "ok", [DOCTOR_WARNING] = "warning", [DOCTOR_ERROR] = "error"};

static void add_fact(void *context, const char *text)
{
	struct doctor_facts *facts = context;
	char *copy = facts->n < DOCTOR_FACTS_MAX ? strdup(text) : NULL;
	if (copy)
		facts->v[facts->n++] = copy;
	else
		facts->left_out++;
}

/* The next greater port of a listener or a zone; 0: there is none. */
static uint16_t port_after(const struct control *control, uint16_t port)
{
	uint16_t listener = listening_next_port(control->listening, port, false);
	uint16_t zone = zone_port_after(control->policy, port);
	return !zone || (listener && listener < zone) ? listener : zone;
}

void doctor_facts_take(
	struct doctor_facts *lines, const struct control *control, const struct facts *facts)
{
	const struct foreign_dump foreign = {
		facts->foreign, facts->foreign_len, control->links, control->nlinks};
	const uint32_t mask = control->start.options.mark_mask;

	for (size_t i = 0; i < facts->n; i++)
		add_fact(lines, facts->lines[i]);
	path_tell(control, &foreign, add_fact, lines);
	foreign_tell(&foreign, mask, FOREIGN_SMTP_PORT, false, add_fact, lines);
	for (uint16_t port = 0; (port = port_after(control, port));)
		if (port != FOREIGN_SMTP_PORT)
			foreign_tell(&foreign, mask, port, false, add_fact, lines);
	for (uint16_t port = 0; (port = listening_next_port(control->listening, port, true));)
		foreign_tell(&foreign, mask, port, true, add_fact, lines);
}

void doctor_facts_fini(struct doctor_facts *facts)
{
	for (size_t i = 0; i < facts->n; i++)
		free(facts->v[i]);
	*facts = (struct doctor_facts){.n = 0};
}

static bool fact_is(const struct doctor_facts *facts, const char *word, const char *value)
{
	size_t at = 0;
	const char *found = examination_fact(facts, word, &at);
	return found && strncmp(found, value, strlen(value)) == 0;
}

static void check_kernel(const struct examination *exam)
{
	const struct doctor_facts *facts = exam->facts;
	bool running = fact_is(facts, "plan", "running");
	examination_find(exam, "table", running ? DOCTOR_OK : DOCTOR_ERROR,
		"look into the log for why the kernel refused it; modules nf_tables, nft_tproxy, "
		"nft_socket, nft_fib_inet, nf_conntrack are needed",
		"table inet postern is %s%s", running ? "as we left it" : "not in force",
		fact_is(facts, "table", "owned") ? ", safe from a foreign flush"
						 : ", put back after a foreign flush");
	bool queue = !fact_is(facts, "queue", "none");
	examination_find(exam, "queue", queue ? DOCTOR_OK : DOCTOR_ERROR,
		"the kernel needs nft_queue, or nft_compat with xt_NFQUEUE", "%s",
		fact_is(facts, "queue", "native")   ? "nft queue"
		: fact_is(facts, "queue", "compat") ? "xtables NFQUEUE by nft_compat"
						    : "no queue");
	examination_find(exam, "route", fact_is(facts, "routes", "ok") ? DOCTOR_OK : DOCTOR_ERROR,
		"ip rule show; ip route show table all # another program removes ours",
		"ip rules and the local route are %s",
		fact_is(facts, "routes", "ok") ? "in place" : "failing");
}

/* The keeper tells "FAMILY off|PRIORITY front|PRIORITY behind PRIORITY free|contested". */
static void check_rules(const struct examination *exam)
{
	char family[8], where[16], moves[16] = "";
	unsigned priority, behind;
	size_t at = 0;
	for (const char *fact; (fact = examination_fact(exam->facts, "rules", &at));) {
		int n = sscanf(
			fact, "%7s %u %15s %u %15s", family, &priority, where, &behind, moves);
		if (n < 2)
			examination_find(exam, "ip-rule", DOCTOR_OK, "",
				"%.3s: the machine does not have it, or has switched it off", fact);
		else if (n < 4)
			examination_find(exam, "ip-rule", DOCTOR_OK, "",
				"%s: ours stand from %u on, in front of all that could take what "
				"is "
				"steered",
				family, priority);
		else
			examination_find(exam, "ip-rule", DOCTOR_ERROR,
				strcmp(moves, "contested") == 0
					? "two programs want the first place: give its rules a "
					  "fixed, higher priority"
					: "give that rule a higher priority than ours, or ours a "
					  "lower one by posternd --rule-priority",
				"%s: the rule %u of another program takes what is steered before "
				"ours, %u: ip -%c rule show",
				family, behind, priority, family[2]);
	}
}

static void check_lost(const struct examination *exam)
{
	uint64_t missing, steered;
	if (lost_flows_last_minute(exam->control->lost_flows, &missing, &steered))
		examination_find(exam, "steered", DOCTOR_ERROR,
			"something takes them on the way: another program's mark, filter or bridge "
			"setting, as named above; or clients do not wait for an answer",
			"%" PRIu64 " of %" PRIu64
			" connections of the last minute reached no relay",
			missing, steered);
	else
		examination_find(exam, "steered", DOCTOR_OK, "",
			"what was steered in the last minute reached the relays");
}

static void check_queue_losses(const struct examination *exam)
{
	size_t at = 0;
	unsigned waiting, dropped, user_dropped, strange;
	const uint64_t *counts = exam->control->events.counts;
	const char *fact = examination_fact(exam->facts, "nfqueue", &at);
	if (!fact || sscanf(fact, "%*u %*u %u %u %u %u", &waiting, &dropped, &user_dropped,
			     &strange) != 4) {
		examination_find(
			exam, "queue", DOCTOR_ERROR, "restart posternd", "nobody reads the queue");
		return;
	}
	if (strange)
		examination_find(exam, "queue", DOCTOR_ERROR,
			"when it is full of these, no unknown client is let in: restart posternd",
			"the queue does not empty: %u of %u packets in it are nobody's", strange,
			waiting);
	else if (counts[IPC_EVENT_QUEUE_STUCK])
		examination_find(exam, "queue", DOCTOR_WARNING,
			"does another program read queue packets of this process? their clients "
			"sent them again",
			"packets in the queue were nobody's %" PRIu64 " times, and were dropped",
			counts[IPC_EVENT_QUEUE_STUCK]);
	examination_find(exam, "queue", dropped + user_dropped ? DOCTOR_WARNING : DOCTOR_OK,
		"first packets came faster than they were decided: clients try again",
		"%u waiting, %u dropped", waiting, dropped + user_dropped);
}

static void check_listeners(const struct examination *exam)
{
	unsigned closed = 0, open = 0;
	size_t at = 0;
	for (const char *fact; (fact = examination_fact(exam->facts, "listener", &at));)
		*(strstr(fact, " closed") ? &closed : &open) += 1;
	examination_find(exam, "listener", closed ? DOCTOR_ERROR : DOCTOR_OK,
		"relays cannot be started: see the log", "%u open, %u closed", open, closed);
}

static void check_smtp(const struct examination *exam)
{
	const struct wanted *want = exam->control->wanted;
	if (!wanted_all_run(want))
		examination_find(exam, "smtp", DOCTOR_ERROR,
			"the processes cannot be started, or die: see the log",
			"not all smtp processes run: who is to be read there hears 421");
	else if (wanted_is(want, PROCESS_SMTP))
		examination_find(exam, "smtp", DOCTOR_OK, "", "all smtp processes run");
}

static void check_renamed(const struct examination *exam)
{
	for (size_t l = 0; l < exam->control->nlinks; l++) {
		const struct control_link *link = &exam->control->links[l];
		const struct policy_zone *left = interfaces_left_zone(exam->control, link);
		if (left)
			examination_find(exam, "interface", DOCTOR_ERROR,
				"give it back its name, or give the zone the new one",
				"%s of zone %s is called %s now: its clients are not redirected",
				link->was, left->name.text, link->name);
	}
}

static void check_interfaces(const struct examination *exam)
{
	const struct policy *policy = exam->control->policy;
	for (size_t z = 0; z < policy->nzones; z++)
		for (size_t i = 0; i < policy->zones[z].interfaces.n; i++) {
			const char *pattern = policy->zones[z].interfaces.v[i].text;
			bool present = false;
			for (size_t l = 0; l < exam->control->nlinks; l++)
				present |= policy_interface_match(
					pattern, exam->control->links[l].name);
			examination_find(exam, "interface", present ? DOCTOR_OK : DOCTOR_WARNING,
				"it may come later; is the name right? ip -br link",
				"zone %s: \"%s\" is %s", policy->zones[z].name.text, pattern,
				present ? "present" : "not present");
		}
}

/* With `bind client` the server answers the client itself, and must do so by way of us. The keeper
 * tells "ADDRESS PORT INTERFACE" of each host. */
static void check_bound(const struct examination *exam)
{
	size_t at = 0;
	char host[ADDR_TEXT_SIZE], ifname[64];
	unsigned port;
	for (const char *fact; (fact = examination_fact(exam->facts, "bound", &at));) {
		if (sscanf(fact, "%45s %u %63s", host, &port, ifname) != 3)
			continue;
		const struct policy_zone *zone = interfaces_zone_of(exam->control->policy, ifname);
		if (strcmp(ifname, "-") == 0)
			examination_find(exam, "server-return", DOCTOR_ERROR,
				"give the gateway a route to the server, and the server one back",
				"%s (bind client) has no route", host);
		else if (zone)
			examination_find(exam, "server-return", DOCTOR_ERROR,
				"bind gateway, or a network of its own for the server: beside its "
				"clients it answers them directly, and no connection comes about",
				"%s (bind client) is behind %s, an interface of zone %s", host,
				ifname, zone->name.text);
		else
			examination_find(exam, "server-return", DOCTOR_OK, "",
				"%s (bind client) answers by %s, if it routes the clients' "
				"networks "
				"to this gateway",
				host, ifname);
	}
}

static void check_devices(const struct examination *exam)
{
	const struct policy *policy = exam->control->policy;
	unsigned local = 0;
	for (size_t d = 0; d < policy->ndevices; d++)
		for (size_t m = 0; m < policy->devices[d].nmacs; m++) {
			char text[MAC_TEXT_SIZE];
			const struct mac *mac = &policy->devices[d].macs[m];
			if (!mac_is_local(mac))
				continue;
			local++;
			examination_find(exam, "device-mac", DOCTOR_WARNING,
				"phones and laptops make such MACs up and change them; switch that "
				"off on the device",
				"device %s: %s is locally administered",
				policy->devices[d].name.text, mac_format(mac, text));
		}
	if (!local)
		examination_find(exam, "device-mac", DOCTOR_OK, "", "no device has a made-up MAC");
}

#define ROUTER_ADDRESSES 5 /* IPv4 addresses behind one MAC that no single host has */
#define MACS_COUNTED     4096

struct mac_count {
	struct mac mac;
	unsigned addresses;
};

struct mac_counts {
	struct mac_count v[MACS_COUNTED]; /* open addressing */
};

static int count_mac(void *context, const struct entry *entry)
{
	struct mac_counts *counts = context;
	const struct mac *mac = &entry->key.mac;
	if (!entry->key.has_mac || entry->key.source.family != ADDR_IP4)
		return 0;
	uint32_t at = hash_bytes(mac->bytes, sizeof(mac->bytes));
	for (unsigned i = 0; i < 16; i++) {
		struct mac_count *count = &counts->v[(at + i) % MACS_COUNTED];
		if (count->addresses && !mac_equal(&count->mac, mac))
			continue;
		count->mac = *mac;
		count->addresses++;
		break;
	}
	return 0;
}

static void check_routers(const struct examination *exam)
{
	struct mac_counts *counts = calloc(1, sizeof(*counts));
	unsigned routers = 0;
	if (!counts)
		return;
	entries_each(exam->control->entries, count_mac, counts);
	for (size_t i = 0; i < MACS_COUNTED; i++) {
		char text[MAC_TEXT_SIZE];
		if (counts->v[i].addresses < ROUTER_ADDRESSES)
			continue;
		routers++;
		examination_find(exam, "router", DOCTOR_WARNING,
			"behind a router all clients have its MAC: give that zone identity address",
			"%u addresses behind %s", counts->v[i].addresses,
			mac_format(&counts->v[i].mac, text));
	}
	if (!routers)
		examination_find(exam, "router", DOCTOR_OK, "", "no MAC stands for many addresses");
	free(counts);
}

static void check_policy_file(const struct examination *exam)
{
	char advice[512];
	snprintf(advice, sizeof(advice), "posternctl policy check %s",
		exam->control->start.options.config);
	examination_find(exam, "policy-file", exam->control->file_bad ? DOCTOR_ERROR : DOCTOR_OK,
		advice, "%s",
		exam->control->file_bad
			? "the file changed and is not good: an older policy is running"
			: "the running policy is good");
}

static void check_metrics(const struct examination *exam)
{
	char text[256];
	bool bad = web_peer_trouble(exam->control->web, text, sizeof(text));
	examination_find(exam, "metrics", bad ? DOCTOR_WARNING : DOCTOR_OK,
		"Nobody can scrape it; mail goes on. Choose another address or port in "
		"`metrics listen`, or end what holds this one: ss -ltnp",
		"%s", bad ? text : "they can be scraped, or are not wanted");
}

#define HOLDS                                                                                  \
	"End what holds the port, or choose another address or port; it is tried again every " \
	"second"

static void check_endpoints(const struct examination *exam)
{
	static const char *const lost[POLICY_TAKERS] = {
		[POLICY_TAKER_LISTENER] = "Nobody can send to this listener there. " HOLDS,
		[POLICY_TAKER_RADIUS] = "Nothing is heard of who is logged in. " HOLDS,
		[POLICY_TAKER_PORTAL] = "Nobody can log in there. " HOLDS,
	};
	const struct listening *listening = exam->control->listening;
	char at[ENDPOINT_TEXT_SIZE];

	for (size_t i = 0; i < listening->n; i++) {
		const struct listening_at *one = &listening->v[i];
		const char *kind = policy_taker_names[one->taker];
		if (one->error)
			examination_find(
				exam, "endpoint", DOCTOR_ERROR, lost[one->taker], "%s", one->text);
		else if (!addr_is_unspecified(&one->at.addr) && !own_address(&one->at.addr))
			examination_find(exam, "endpoint", DOCTOR_WARNING,
				"Nothing, if it comes later; else correct its address",
				"%s %s waits at %s, which is no address of the gateway yet", kind,
				one->listener, endpoint_format(&one->at, at));
		else
			examination_find(exam, "endpoint", DOCTOR_OK, "", "%s %s listens at %s",
				kind, one->listener, endpoint_format(&one->at, at));
	}
}

static void check_state(const struct examination *exam)
{
	struct state_trouble v[STATE_TROUBLES_MAX];
	const char *dir = exam->control->start.options.state_dir;
	size_t n = state_troubles(exam->control, v);
	for (size_t i = 0; i < n; i++)
		examination_find(exam, "state", DOCTOR_ERROR,
			"make room on that disk (df, `audit { size }`), see that the folder can be "
			"written; who was logged in and is not any more has to log in again",
			"%s", v[i].text);
	uint64_t free_bytes = state_free_bytes(exam->control);
	if (!n && free_bytes != UINT64_MAX)
		examination_find(exam, "state", DOCTOR_OK, "", "%s has %" PRIu64 " MiB free", dir,
			free_bytes >> 20);
	else if (!n)
		examination_find(exam, "state", DOCTOR_OK, "", "%s can be written", dir);
}

void doctor_examine(const struct control *control, const struct doctor_facts *facts,
	doctor_finding *finding, void *context)
{
	static void (*const checks[])(const struct examination *) = {check_renamed,
		check_policy_file, check_state, check_interfaces, examination_of_ways,
		examination_of_settings, check_kernel, check_rules, examination_of_foreign,
		check_lost, check_queue_losses, check_listeners, check_endpoints, check_smtp,
		examination_of_servers, examination_of_paths, examination_of_credentials,
		examination_of_auths, examination_of_radiuses, examination_of_portals,
		examination_of_scans, check_bound, check_devices, check_routers, check_metrics};
	const struct examination exam = {control, facts, finding, context};
	for (size_t i = 0; i < sizeof(checks) / sizeof(*checks); i++)
		checks[i](&exam);
}

void doctor_examine_foreign(const struct control *control, const struct doctor_facts *facts,
	doctor_finding *finding, void *context)
{
	const struct examination exam = {control, facts, finding, context};
	examination_of_foreign(&exam);
}
