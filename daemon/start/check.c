/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/start/check.h"

#include "daemon/control/credential/read.h"
#include "daemon/control/kernel/path.h"
#include "daemon/control/store/disk.h"
#include "kernel-rules/way.h"
#include "lib/language/language.h"
#include "lib/policy/level.h"

#include <errno.h>
#include <net/if.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define FILE_BYTES_MAX (64u << 20)

/* What the checks ask of. */
struct world {
	struct ways *ways; /* NULL: not known */
	const char *user;  /* whose processes read the files */
};

static int read_file(void *context, const char *path, char **text, size_t *len)
{
	(void)context;
	return disk_read(path, FILE_BYTES_MAX, text, len);
}

static const char *find_bridge(void *context, const char *pattern, const char **port)
{
	const struct world *world = context;
	return world->ways ? ways_bridge(world->ways, pattern, port) : NULL;
}

static const char *find_way(void *context, const struct addr *addr)
{
	const struct world *world = context;
	return world->ways ? ways_to(world->ways, addr) : NULL;
}

static const char *find_uplink(void *context, enum addr_family family)
{
	const struct world *world = context;
	return world->ways ? ways_uplink(world->ways, family) : NULL;
}

/* What whoever asks may not read is judged when the daemon reads it. */
static void look_at_credential(
	void *context, const struct credential *credential, struct credential_verdict *verdict)
{
	const struct world *world = context;
	const struct passwd *user = getpwnam(world->user);
	char title[CREDENTIAL_TITLE_SIZE];
	struct credential_read read;

	credential_read(credential, world->user, time(NULL), &read);
	*verdict = read.verdict;
	if (read.denied && (!user || user->pw_uid != geteuid())) {
		verdict->bad = false;
		verdict->warned_of_key = verdict->bad_key;
		snprintf(verdict->warning, sizeof(verdict->warning),
			"%s: user %u, who checks this, may not read it: the daemon does at the "
			"apply",
			credential_title(credential, title), (unsigned)geteuid());
	}
	credential_read_wipe(&read);
}

static void tell_level(void *context, const char *zone, const char *text)
{
	(void)context;
	fprintf(stderr, "zone %s: %s\n", zone, text);
}

int check_main(const struct process_options *options)
{
	struct language_diagnosis diagnosis;
	char *text;
	size_t len;

	int error = disk_read_given(options->config, FILE_BYTES_MAX, &text, &len);
	if (error) {
		fprintf(stderr, "posternd: cannot read %s: %s\n", options->config,
			language_read_error(error));
		return 1;
	}
	struct world own = {ways_open(), options->user};
	const struct language_world world = {.read = read_file,
		.context = &own,
		.relay_port = options->relay_port,
		.path_numbers = paths_most(options->server_mask),
		.bridge = find_bridge,
		.way = find_way,
		.uplink = find_uplink,
		.credential = look_at_credential};
	struct policy *policy = language_parse(options->config, text, len, &world, &diagnosis);
	for (size_t i = 0; i < diagnosis.n; i++)
		fprintf(stderr, "%s\n", diagnosis.v[i].text);
	int status = policy && !diagnosis.errors ? 0 : 1;
	if (status == 0)
		level_changes(NULL, policy, tell_level, NULL);
	if (status == 0)
		fprintf(stderr, "%s is good\n", options->config);
	ways_close(own.ways);
	language_diagnosis_fini(&diagnosis);
	policy_unref(policy);
	free(text);
	return status;
}
