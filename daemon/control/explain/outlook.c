/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/control/explain/outlook.h"

#include "daemon/control/clock.h"
#include "daemon/control/control.h"
#include "daemon/control/decision_world.h"
#include "daemon/control/kernel/bypass.h"
#include "daemon/control/kernel/path.h"
#include "daemon/control/peers/flow_peers.h"
#include "daemon/control/peers/health/health_peer.h"
#include "lib/policy/choice.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

const struct bypass_line *outlook_bypass(struct control *control, const char *zone, uint64_t at_ms)
{
	size_t n;
	const struct bypass_line *lines = bypass_lines(control->bypass, &n);

	for (size_t i = 0; i < n; i++)
		if ((!*lines[i].zone || strcmp(lines[i].zone, zone) == 0) &&
			lines[i].until_ms > at_ms)
			return &lines[i];
	return NULL;
}

void outlook_tell_bypass(
	struct control *control, const struct bypass_line *line, decide_step *step, void *context)
{
	char text[POLICY_NAME_SIZE + 128], at[40];
	struct tm tm;
	time_t until = (time_t)(clock_to_wall(control, line->until_ms) / 1000);

	strftime(at, sizeof(at), "%a %F %T", localtime_r(&until, &tm));
	snprintf(text, sizeof(text), "bypass: on for %s%s until %s: every connection passes",
		*line->zone ? "zone " : "all zones", line->zone, at);
	step(context, text);
}

static void tell_host(
	const struct ipc_target *target, enum addr_family client, decide_step *step, void *context)
{
	struct endpoint at = {.port = target->port};
	char text[TARGET_NAME_SIZE + TARGET_TEXT_SIZE + 160], address[ENDPOINT_TEXT_SIZE] = "";
	bool may = choice_may(target, client);

	if (target->naddresses > 0) {
		at.addr = target->addresses[0];
		endpoint_format(&at, address);
	}
	snprintf(text, sizeof(text), "host %s%s%s%s, preference %u: %s%s%s", target->name,
		*address ? " (" : "", address, *address ? ")" : "", target->preference,
		may ? target_state_names[target->state] : "not used, ",
		may ? (target->state == TARGET_DOWN ? ", tried behind all others" : "")
		    : choice_refusal(target, client),
		!may || target->state != TARGET_UNKNOWN ? ""
		: target->failing                       ? ", and the last try of it failed"
							: ", not probed");
	step(context, text);
}

void outlook_hosts(struct control *control, size_t server, enum addr_family client, bool read,
	decide_step *step, void *context)
{
	const struct ipc_targets *targets = health_peer_targets(control->health, server);

	for (uint32_t i = 0; targets && i < targets->n; i++) {
		const struct ipc_target target = ipc_target_seen(&targets->v[i], read);
		tell_host(&target, client, step, context);
	}
}

struct look {
	struct control *control;
	enum addr_family client;
	bool any, is_up;
	uint8_t offers;
};

static void take_server(void *context, const struct policy_rule *rule, ptrdiff_t server)
{
	struct look *look = context;
	uint8_t offers;

	(void)rule;
	look->any = true;
	if (!health_peer_serves(look->control->health, server, look->client, &offers))
		return;
	look->is_up = true;
	look->offers &= offers;
}

void outlook_reach(struct control *control, const struct decide_origin *origin,
	const struct decide_envelope *envelope, uint64_t now_ms, struct outlook_reach *reach)
{
	const struct decide_world world = decision_world(control);
	struct look look = {
		.control = control, .client = origin->source.family, .offers = UINT8_MAX};

	decide_reach(&world, origin, envelope, now_ms, take_server, &look);
	*reach = (struct outlook_reach){
		.down = look.any && !look.is_up, .offers = look.is_up ? look.offers : 0};
}

bool outlook_is_of_server(enum ending ending)
{
	return ending == ENDING_NONE || ending == ENDING_OVER_FLOWS_SERVER ||
	       ending == ENDING_HOST_UNFIT || ending == ENDING_NO_SERVER;
}

/* Of a client all of whose connections go to one server of `path kernel`. */
static void tell_path(struct control *control, const struct decide_path *path,
	const struct addr *client, decide_step *step, void *context)
{
	const char *server = control->policy->servers[path->server].name.text;
	const struct path_pick pick = paths_pick(control->paths, path, client);
	char text[POLICY_NAME_SIZE + ENDPOINT_TEXT_SIZE + 192], at[ENDPOINT_TEXT_SIZE],
		most[64] = "";

	if (path->flows)
		snprintf(most, sizeof(most), ", at most %u at once", (unsigned)path->flows);
	if (pick.number)
		snprintf(text, sizeof(text),
			"kernel: every connection of this client goes by path %u of server %s "
			"straight to %s%s",
			(unsigned)pick.number, server, endpoint_format(&pick.at, at), most);
	else
		snprintf(text, sizeof(text),
			"kernel: every connection of this client goes to server %s, of which no "
			"host that takes IPv%d clients is known to be up: so to the relay",
			server, (int)client->family);
	step(context, text);
}

static void tell_why(const struct decide_world *world, const struct decide_origin *origin,
	uint64_t now_ms, decide_step *step, void *context)
{
	char text[DECIDE_WHY_SIZE + 64], why[DECIDE_WHY_SIZE];

	if (!*decide_why_relay(world, origin, now_ms, why))
		return;
	snprintf(text, sizeof(text), "kernel: the relay carries them, not the kernel: %s", why);
	step(context, text);
}

void outlook_kernel(struct control *control, const struct decide_origin *origin, uint64_t now_ms,
	decide_step *step, void *context)
{
	static const char *const words[] = {[MARK_RELAY] = "goes to the relay",
		[MARK_PASS] = "passes",
		[MARK_REJECT] = "is reset",
		[MARK_DROP] = "is dropped"};
	const struct decide_world world = decision_world(control);
	struct decide_path path;
	enum mark mark;
	uint64_t until_ms = 0;
	char text[128];
	bool certain = decide_client(&world, origin, now_ms, &mark, &until_ms, &path);
	if (certain && mark == MARK_KERNEL) {
		tell_path(control, &path, &origin->source, step, context);
		return;
	}
	if (certain)
		snprintf(text, sizeof(text),
			"kernel: every connection of this client %s, so the kernel may remember it",
			words[mark]);
	else
		snprintf(text, sizeof(text),
			"kernel: the destination decides, so each connection is asked about");
	step(context, text);
	tell_why(&world, origin, now_ms, step, context);
}

static void on_answer(struct question *ask, const struct ipc_header *ipc)
{
	struct outlook *outlook = (struct outlook *)ask;
	const struct ipc_reply *reply = (const struct ipc_reply *)ipc;

	if (ipc && ipc->type == IPC_REPLY && !reply->status && reply->value < ENDINGS) {
		outlook->ending = (enum ending)reply->value;
		memcpy(outlook->text, reply->text, sizeof(outlook->text));
	} else {
		outlook->ending = ENDING_NO_POLICY;
	}
	outlook->done(outlook);
}

void outlook_ask(struct control *control, struct outlook *outlook, struct ipc_foresee *question)
{
	outlook->ask.on_answer = on_answer;
	if (!flow_peers_ask(control->flow_peers, PROCESS_RELAY, &outlook->ask, question, -1))
		on_answer(&outlook->ask, NULL);
}
