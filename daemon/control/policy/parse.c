/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/control/policy/parse.h"

#include "daemon/control/control.h"
#include "daemon/control/credential/credentials.h"
#include "daemon/control/credential/read.h"
#include "daemon/control/kernel/interfaces.h"
#include "daemon/control/kernel/path.h"
#include "kernel-rules/way.h"

#include <ifaddrs.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

static int read_text(void *context, const char *path, char **text, size_t *len)
{
	struct policy_world *world = context;
	return policy_texts_read(world->texts, path, text, len);
}

static int find_interface(void *context, const char *pattern)
{
	const struct policy_world *world = context;
	int found = -1;
	for (size_t i = 0; i < world->control->nlinks; i++) {
		const struct control_link *link = &world->control->links[i];
		if (policy_interface_match(pattern, link->name) && found != 0)
			found = link->has_mac;
	}
	return found;
}

static bool own_address(void *context, const struct addr *addr)
{
	const struct policy_world *world = context;
	for (struct ifaddrs *at = world->addresses; at; at = at->ifa_next) {
		struct endpoint own;
		size_t len = at->ifa_addr && at->ifa_addr->sa_family == AF_INET
				     ? sizeof(struct sockaddr_in)
				     : sizeof(struct sockaddr_in6);
		if (at->ifa_addr && endpoint_decode(at->ifa_addr, len, &own) == 0 &&
			addr_equal(&own.addr, addr))
			return true;
	}
	return addr_is_loopback(addr);
}

static void look_at_credential(
	void *context, const struct credential *credential, struct credential_verdict *verdict)
{
	const struct policy_world *world = context;
	struct credential_read read;
	credential_read(credential, world->control->start.options.user,
		(int64_t)(loop_wall_ms(world->control->loop) / 1000), &read);
	*verdict = read.verdict;
	credential_read_wipe(&read);
}

static void look_at_new(
	void *context, const struct credential *credential, struct credential_verdict *verdict)
{
	const struct policy_world *world = context;
	if (!credentials_run(world->control->credentials, credential))
		look_at_credential(context, credential, verdict);
}

static struct ways *ways_of(struct policy_world *world)
{
	if (!world->ways_tried)
		world->ways = ways_open();
	world->ways_tried = true;
	return world->ways;
}

static const char *find_bridge(void *context, const char *pattern, const char **port)
{
	struct ways *ways = ways_of(context);
	return ways ? ways_bridge(ways, pattern, port) : NULL;
}

static const char *find_way(void *context, const struct addr *addr)
{
	struct ways *ways = ways_of(context);
	return ways ? ways_to(ways, addr) : NULL;
}

static const char *find_uplink(void *context, enum addr_family family)
{
	struct ways *ways = ways_of(context);
	return ways ? ways_uplink(ways, family) : NULL;
}

void policy_world_init(
	struct policy_world *world, struct control *control, struct policy_texts *texts)
{
	struct ifaddrs *addresses = NULL;
	if (getifaddrs(&addresses) < 0)
		addresses = NULL;
	*world = (struct policy_world){.control = control, .texts = texts, .addresses = addresses};
	world->language.read = read_text;
	world->language.context = world;
	/* before the keeper's picture is complete, absence means nothing */
	world->language.interface = control->links_done ? find_interface : NULL;
	world->language.relay_port = control->start.options.relay_port;
	world->language.path_numbers = paths_most(control->start.options.server_mask);
	world->language.own_address = own_address;
	world->language.bridge = find_bridge;
	world->language.way = find_way;
	world->language.uplink = find_uplink;
	/* what ran is judged where it is read to run */
	if (!texts || !texts->replay)
		world->language.credential = look_at_credential;
}

void policy_world_judge_new(struct policy_world *world)
{
	world->language.credential = look_at_new;
}

void policy_world_fini(struct policy_world *world)
{
	freeifaddrs(world->addresses);
	world->addresses = NULL;
	ways_close(world->ways);
	world->ways = NULL;
}

struct policy *policy_parse_text(struct control *control, const char *name, const char *text,
	size_t len, struct policy_texts *texts, struct language_diagnosis *diagnosis)
{
	struct policy_world world;
	policy_world_init(&world, control, texts);
	struct policy *policy = language_parse(name, text, len, &world.language, diagnosis);
	policy_world_fini(&world);
	return policy;
}

struct policy *policy_parse_record(
	struct control *control, struct policy_record *record, struct language_diagnosis *diagnosis)
{
	struct policy_world world;
	record->texts.replay = true;
	policy_world_init(&world, control, &record->texts);
	world.language.lenient = true;
	struct policy *policy = language_parse("running policy", record->canonical,
		record->canonical_len, &world.language, diagnosis);
	policy_world_fini(&world);
	return policy;
}

char *policy_parse_messages(
	const struct language_diagnosis *diagnosis, enum language_severity severity)
{
	size_t len = 1, at = 0;
	for (size_t i = 0; i < diagnosis->n; i++)
		len += strlen(diagnosis->v[i].text) + 1;
	char *text = calloc(1, len);
	for (size_t i = 0; text && i < diagnosis->n; i++) {
		const struct language_message *message = &diagnosis->v[i];
		if (message->severity != severity)
			continue;
		size_t n = strlen(message->text);
		memcpy(text + at, message->text, n);
		at += n;
		if (n && message->text[n - 1] != '\n')
			text[at++] = '\n';
	}
	return text;
}
