#include "daemon/check.h"

#include "daemon/control/disk.h"
#include "kernel-rules/way.h"
#include "lib/language.h"
#include "lib/level.h"

#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FILE_BYTES_MAX (64u << 20)

static int read_file(void *context, const char *path, char **text, size_t *len)
{
	(void)context;
	return disk_read(path, FILE_BYTES_MAX, text, len);
}

static const char *find_bridge(void *context, const char *pattern, const char **port)
{
	return context ? ways_bridge(context, pattern, port) : NULL;
}

static const char *find_way(void *context, const struct addr *addr)
{
	return context ? ways_to(context, addr) : NULL;
}

static const char *find_uplink(void *context, enum addr_family family)
{
	return context ? ways_uplink(context, family) : NULL;
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
	struct ways *ways = ways_open();
	const struct language_world world = {.read = read_file,
		.context = ways,
		.relay_port = options->relay_port,
		.bridge = find_bridge,
		.way = find_way,
		.uplink = find_uplink};
	struct policy *policy = language_parse(options->config, text, len, &world, &diagnosis);
	for (size_t i = 0; i < diagnosis.n; i++)
		fprintf(stderr, "%s\n", diagnosis.v[i].text);
	int status = policy && !diagnosis.errors ? 0 : 1;
	if (status == 0)
		level_changes(NULL, policy, tell_level, NULL);
	if (status == 0)
		fprintf(stderr, "%s is good\n", options->config);
	ways_close(ways);
	language_diagnosis_fini(&diagnosis);
	policy_unref(policy);
	free(text);
	return status;
}
