/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/metrics/exposition.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROOM_FIRST 65536

void exposition_fini(struct exposition *exposition)
{
	free(exposition->text);
	*exposition = (struct exposition){0};
}

static bool make_room(struct exposition *exposition, size_t more)
{
	size_t room = exposition->room ? exposition->room : ROOM_FIRST;

	while (room - exposition->len < more)
		room *= 2;
	if (room == exposition->room)
		return true;
	char *text = exposition->failed ? NULL : realloc(exposition->text, room);
	if (!text) {
		exposition->failed = true;
		return false;
	}
	exposition->text = text;
	exposition->room = room;
	return true;
}

static void put(struct exposition *exposition, const char *text, size_t len)
{
	if (exposition->failed || !make_room(exposition, len))
		return;
	memcpy(exposition->text + exposition->len, text, len);
	exposition->len += len;
}

static void putf(struct exposition *exposition, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static void putf(struct exposition *exposition, const char *format, ...)
{
	char text[512];
	va_list args;

	va_start(args, format);
	int len = vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	put(exposition, text, (size_t)len < sizeof(text) ? (size_t)len : sizeof(text) - 1);
}

static void put_name(struct exposition *exposition, const char *name, enum counter_kind kind)
{
	snprintf(exposition->name, sizeof(exposition->name), "postern_%s%s", name,
		kind == COUNTER_KIND_GAUGE ? "" : "_total");
	for (char *at = exposition->name; *at; at++)
		if (*at == '-')
			*at = '_';
}

void exposition_begin(
	struct exposition *exposition, const char *name, enum counter_kind kind, const char *help)
{
	put_name(exposition, name, kind);
	putf(exposition, "# HELP %s %s\n# TYPE %s %s\n", exposition->name, help, exposition->name,
		kind == COUNTER_KIND_GAUGE ? "gauge" : "counter");
}

/* Names come from the policy and from DNS: nothing in them ends a label or a line, and what is not
 * ASCII, of which no scraper could be sure that it is UTF-8, is a question mark. */
static void put_label(struct exposition *exposition, const char *value)
{
	for (const char *at = value; *at; at++) {
		if (*at == '"' || *at == '\\')
			put(exposition, "\\", 1);
		bool plain = (unsigned char)*at >= 0x20 && (unsigned char)*at < 0x7f;
		put(exposition, plain ? at : "?", 1);
	}
}

static void put_labels(struct exposition *exposition, va_list args)
{
	const char *label, *before = "{";

	while ((label = va_arg(args, const char *))) {
		putf(exposition, "%s%s=\"", before, label);
		put_label(exposition, va_arg(args, const char *));
		put(exposition, "\"", 1);
		before = ",";
	}
	if (*before == ',')
		put(exposition, "}", 1);
}

void exposition_add(struct exposition *exposition, uint64_t value, ...)
{
	va_list args;

	putf(exposition, "%s", exposition->name);
	va_start(args, value);
	put_labels(exposition, args);
	va_end(args);
	putf(exposition, " %" PRIu64 "\n", value);
}

/* Without floating point, and without the zeros at the end. */
static const char *format_us(uint64_t us, char text[static 32])
{
	int len = snprintf(text, 32, "%" PRIu64 ".%06" PRIu64, us / 1000000, us % 1000000);

	while (text[len - 1] == '0')
		len--;
	if (text[len - 1] == '.')
		len--;
	text[len] = '\0';
	return text;
}

void exposition_add_us(struct exposition *exposition, uint64_t us, ...)
{
	char text[32];
	va_list args;

	putf(exposition, "%s", exposition->name);
	va_start(args, us);
	put_labels(exposition, args);
	va_end(args);
	putf(exposition, " %s\n", format_us(us, text));
}

void exposition_put_histogram(
	struct exposition *exposition, enum histogram_kind kind, const struct histogram *histogram)
{
	uint64_t count = 0;
	char text[32];

	snprintf(text, sizeof(text), "%s-seconds", histogram_name(kind));
	put_name(exposition, text, COUNTER_KIND_GAUGE);
	const char *name = exposition->name;
	putf(exposition, "# HELP %s %s\n# TYPE %s histogram\n", name, histogram_help(kind), name);
	for (unsigned i = 0; i < HISTOGRAM_BOUNDS; i++) {
		count += histogram->counts[i];
		putf(exposition, "%s_bucket{le=\"%s\"} %" PRIu64 "\n", name,
			format_us(histogram_bound(kind, i), text), count);
	}
	count += histogram->counts[HISTOGRAM_BOUNDS];
	putf(exposition, "%s_bucket{le=\"+Inf\"} %" PRIu64 "\n", name, count);
	putf(exposition, "%s_sum %s\n", name, format_us(histogram->sum_us, text));
	putf(exposition, "%s_count %" PRIu64 "\n", name, count);
}

static void put_verdicts(struct exposition *exposition, const uint64_t values[static COUNTERS])
{
	exposition_begin(exposition, "verdicts", COUNTER_KIND_TOTAL,
		"connections and first packets by verdict");
	for (unsigned i = COUNTER_VERDICT_REDIRECT; i <= COUNTER_VERDICT_DROP; i++)
		exposition_add(exposition, values[i], "verdict",
			counter_name(i) + strlen("verdict-"), NULL);
}

static void put_endings(struct exposition *exposition, const uint64_t values[static COUNTERS])
{
	exposition_begin(exposition, "flows-ended", COUNTER_KIND_TOTAL,
		"flows that ended, by how they did; class refused: Postern said no");
	for (unsigned i = ENDING_NONE + 1; i < ENDINGS; i++)
		exposition_add(exposition, values[COUNTER_ENDING + i], "ending", ending_names[i],
			"class", ending_class_names[ending_class_of((enum ending)i)], NULL);
}

static void put_former(struct exposition *exposition, unsigned counter, uint64_t value)
{
	char help[COUNTER_FORMER_SIZE];
	const char *name = counter_former(counter, help);

	if (!name)
		return;
	exposition_begin(exposition, name, counter_kind_of(counter), help);
	exposition_add(exposition, value, NULL);
}

static void put_message_endings(
	struct exposition *exposition, const uint64_t values[static COUNTERS])
{
	exposition_begin(exposition, "messages-ended", COUNTER_KIND_TOTAL,
		"messages of flows that are read, by how they ended");
	for (unsigned i = 0; i < MESSAGE_ENDINGS; i++)
		exposition_add(exposition, values[COUNTER_MESSAGE_ENDING + i], "ending",
			message_ending_name(i), "class",
			message_outcome_name(message_outcome_of((enum message_ending)i)), NULL);
}

static void put_recipients(struct exposition *exposition, const uint64_t values[static COUNTERS])
{
	exposition_begin(exposition, "recipients-refused", COUNTER_KIND_TOTAL,
		"recipients of flows that are read who were refused, by whom");
	for (unsigned i = 0; i < MESSAGE_BYS; i++)
		exposition_add(exposition, values[COUNTER_RECIPIENT_BY + i], "by",
			message_by_name(i), NULL);
}

void exposition_put_counters(struct exposition *exposition, const uint64_t values[static COUNTERS])
{
	for (unsigned i = 0; i < COUNTER_ENDING; i++) {
		if (i == COUNTER_VERDICT_REDIRECT)
			put_verdicts(exposition, values);
		if (i >= COUNTER_VERDICT_REDIRECT && i <= COUNTER_VERDICT_DROP)
			continue;
		exposition_begin(exposition, counter_name(i), counter_kind_of(i), counter_help(i));
		exposition_add(exposition, values[i], NULL);
		put_former(exposition, i, values[i]);
	}
	put_endings(exposition, values);
	put_message_endings(exposition, values);
	put_recipients(exposition, values);
}
