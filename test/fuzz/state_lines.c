/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What stands in the state folder: its small files of lines, and the policies of the history. */
#include "daemon/control/kernel/bypass.h"
#include "daemon/control/policy/history/record.h"
#include "daemon/control/session/passed.h"
#include "daemon/control/store/drained.h"
#include "lib/base/fields.h"
#include "lib/base/steady.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void take_bypass(struct fields *line)
{
	struct bypass_line to;

	if (!bypass_parse(line, &to))
		return;
	/* whatever was written, it ends, and can be told of */
	if (to.until_ms - to.since_ms > BYPASS_MAX_S * 1000ull ||
		!memchr(to.zone, 0, sizeof(to.zone)))
		abort();
}

static void take_drained(struct fields *line)
{
	struct drained_line to;

	if (drained_parse(line, &to) && (!*to.server || !*to.host || !to.since_ms))
		abort();
}

static void take_passed(struct fields *line)
{
	struct addr addr;
	uint64_t session;

	if (passed_parse(line, &session, &addr) && session > INT64_MAX)
		abort();
}

/* A moment goes on, and is read back as it was written. */
static void take_steady(const char *text, size_t len)
{
	struct steady_moment moment, again;
	struct steady steady;
	char line[STEADY_TEXT_SIZE];

	if (steady_parse(text, len, &moment) < 0)
		return;
	steady_begin(&steady, &moment, moment.boot, moment.monotonic_ms, moment.wall_ms);
	if (steady_now(&steady, moment.monotonic_ms) != moment.steady_ms)
		abort();
	if (steady_parse(line, steady_format(&moment, line), &again) < 0 ||
		memcmp(&moment, &again, sizeof(moment)) != 0)
		abort();
	steady_begin(&steady, &moment, "another", 1000, moment.wall_ms / 2);
	steady_believed(&steady, 2000, moment.wall_ms);
}

static void take_files(const char *text, size_t len)
{
	struct policy_current current;
	struct policy_record record;

	if (policy_current_decode(text, len, &current) == 0)
		policy_current_fini(&current);
	if (policy_record_decode(text, len, &record) == 0)
		policy_record_fini(&record);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static void (*const takers[])(struct fields *) = {take_bypass, take_drained, take_passed};
	const char *text = (const char *)data;

	take_steady(text, size);
	take_files(text, size);
	for (size_t i = 0; i < sizeof(takers) / sizeof(takers[0]); i++) {
		struct fields left = {text, text + size}, line;
		while (fields_line(&left, &line))
			takers[i](&line);
	}
	return 0;
}
