/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What doctor finds in the configuration of a clamd on this machine: that it says when it did not
 * look at all of a message, and looks at as much as the policy lets in. Its answer alone tells
 * neither. */
#include "daemon/control/doctor/examination.h"

#include "daemon/control/control.h"
#include "daemon/control/store/disk.h"
#include "lib/language/language.h"
#include "lib/limit/limit_of.h"
#include "lib/policy/policy.h"
#include "lib/scan/clamd_conf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#define PATH     "/etc/clamav/clamd.conf"
#define FILE_MAX (256u << 10)
#define RESTART  "then: systemctl restart clamav-daemon"

/* ---- is it that clamd? ---- */

/* Debian's is written with /var/run, which is a link. */
static const char *short_path(const char *path)
{
	return strncmp(path, "/var/run/", 9) == 0 ? path + 4 : path;
}

static bool is_socket(const char *one, const char *other)
{
	struct stat a, b;

	if (!*one || !*other)
		return false;
	if (strcmp(short_path(one), short_path(other)) == 0)
		return true;
	return stat(one, &a) == 0 && stat(other, &b) == 0 && a.st_dev == b.st_dev &&
	       a.st_ino == b.st_ino;
}

static bool is_here(const struct policy_scan *scan)
{
	return scan->addr.family != ADDR_NONE ? addr_is_loopback(&scan->addr)
					      : strcasecmp(scan->host.text, "localhost") == 0;
}

static bool is_of(const struct policy_scan *scan, const struct clamd_conf *conf)
{
	if (scan->path.len > 0)
		return is_socket(scan->path.text, conf->socket);
	return conf->port && scan->port == conf->port && is_here(scan);
}

static bool read_conf(struct clamd_conf *conf)
{
	char *text;
	size_t len;

	if (disk_read(PATH, FILE_MAX, &text, &len))
		return false;
	clamd_conf_read(conf, text, len);
	free(text);
	return true;
}

/* ---- what the policy lets in ---- */

static uint64_t size_at(const struct policy *policy, struct limit_place place, size_t rule)
{
	const struct policy_limit *limit =
		limit_of_kind(policy, place, (ptrdiff_t)rule, POLICY_LIMIT_SIZE, POLICY_PER_ALL);

	return limit ? limit->size_bytes : POLICY_SIZE_MAX_BYTES;
}

/* The largest message that the rule takes, wherever it comes from. */
static uint64_t size_of(const struct policy *policy, size_t number)
{
	const struct policy_rule *rule = &policy->rules[number];
	uint64_t largest = 0, size;

	for (size_t i = 0; i < policy->nzones; i++)
		if (policy_rule_in_zone(rule, i) &&
			(size = size_at(policy, (struct limit_place){false, i}, number)) > largest)
			largest = size;
	for (size_t i = 0; i < policy->nlisteners; i++)
		if (policy_rule_in_listener(rule, i) &&
			(size = size_at(policy, (struct limit_place){true, i}, number)) > largest)
			largest = size;
	return largest;
}

static uint64_t largest_for(const struct policy *policy, size_t scan)
{
	uint64_t largest = 0, size;

	for (size_t i = 0; i < policy->nrules; i++)
		if (!policy->rules[i].disabled &&
			policy_rule_scans(&policy->rules[i]) & 1u << scan &&
			(size = size_of(policy, i)) > largest)
			largest = size;
	return largest;
}

/* ---- what is found ---- */

static const char *say_size(uint64_t bytes, char buf[static 32])
{
	if (bytes % 1024 == 0)
		return language_format_size(bytes, buf);
	snprintf(buf, 32, "%llu bytes", (unsigned long long)bytes);
	return buf;
}

static void check_alerts(const struct examination *exam, const char *name)
{
	examination_find(exam, "clamd-limits", DOCTOR_WARNING,
		"AlertExceedsMax yes # a line of " PATH "; " RESTART,
		"scan %s: clamd calls clean what it did not look at, as it is beyond its limits: "
		"AlertExceedsMax is not on in " PATH,
		name);
}

/* False: it is no less than what is let in. */
static bool check_limit(const struct examination *exam, const char *name, const char *option,
	uint64_t limit, uint64_t largest, const char *end)
{
	char advice[256], taken[32], seen[32], wanted[32];

	if (limit >= largest)
		return false;
	snprintf(advice, sizeof(advice),
		"%s %s # a line of " PATH ", or a `limit size` that is as low; " RESTART, option,
		language_format_size(largest, wanted));
	examination_find(exam, "clamd-limits", DOCTOR_WARNING, advice,
		"scan %s: a message may have %s, and clamd looks at %s (%s in " PATH
		"): what is larger %s",
		name, say_size(largest, taken), say_size(limit, seen), option, end);
	return true;
}

void examination_of_clamd(const struct examination *exam, size_t index)
{
	const struct policy *policy = exam->control->policy;
	const struct policy_scan *scan = &policy->scans[index];
	const char *name = scan->name.text;
	const uint64_t largest = largest_for(policy, index);
	struct clamd_conf conf;

	if (scan->kind != POLICY_SCAN_CLAMAV || !read_conf(&conf) || !is_of(scan, &conf))
		return;
	const char *refused =
		scan->on_failure == POLICY_SCAN_ACCEPT ? "goes on unscanned" : "hears 552";
	const char *end = conf.alerts ? refused : "passes as clean";
	if (!conf.alerts)
		check_alerts(exam, name);
	bool less = check_limit(exam, name, "StreamMaxLength", conf.stream_bytes, largest, refused);
	less |= check_limit(exam, name, "MaxScanSize", conf.scan_bytes, largest, end);
	less |= check_limit(exam, name, "MaxFileSize", conf.file_bytes, largest, end);
	if (conf.alerts && !less)
		examination_find(exam, "clamd-limits", DOCTOR_OK, "",
			"scan %s: clamd looks at messages as large as the policy lets in, and says "
			"what it did not look at",
			name);
}
