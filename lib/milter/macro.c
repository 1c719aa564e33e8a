/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/milter/macro.h"

#include <string.h>

const char *const milter_macro_names[] = {
#define NAME(id, name, events) [MILTER_MACRO_##id] = (name),
	MILTER_MACRO_TABLE(NAME)
#undef NAME
};
_Static_assert(sizeof(milter_macro_names) / sizeof(*milter_macro_names) == MILTER_MACROS, "names");
_Static_assert(MILTER_MACROS <= 32, "one bit each");
_Static_assert(
	MILTER_MACRO_ROOM >= MILTER_HEAD_BYTES + 1 + MILTER_MACROS * (16 + MILTER_MACRO_VALUE_MAX),
	"all find room");

uint32_t milter_macros_of(enum milter_event event)
{
	static const char *const events[MILTER_MACROS] = {
#define EVENTS(id, name, letters) [MILTER_MACRO_##id] = (letters),
		MILTER_MACRO_TABLE(EVENTS)
#undef EVENTS
	};
	uint32_t which = 0;

	for (unsigned i = 0; i < MILTER_MACROS; i++)
		if (strchr(events[i], milter_event_letters[event]))
			which |= 1u << i;
	return which;
}

/* Filters write a name of several letters with or without its braces. */
static uint32_t find(const char *name, size_t len)
{
	for (unsigned i = 0; i < MILTER_MACROS; i++) {
		const char *ours = milter_macro_names[i];
		size_t ours_len = strlen(ours);
		if (ours_len == len && memcmp(ours, name, len) == 0)
			return 1u << i;
		if (ours[0] == '{' && ours_len == len + 2 && memcmp(ours + 1, name, len) == 0)
			return 1u << i;
	}
	return 0;
}

uint32_t milter_macros_parse(const char *list)
{
	static const char between[] = " ,\t\r\n";
	uint32_t which = 0;

	for (;;) {
		list += strspn(list, between);
		size_t len = strcspn(list, between);
		if (len == 0)
			return which;
		which |= find(list, len);
		list += len;
	}
}

/* A control byte ends something for who reads values as lines or as C strings. */
static void write_value(struct milter_writer *writer, const char *value)
{
	for (size_t i = 0; value[i] && i < MILTER_MACRO_VALUE_MAX; i++) {
		unsigned char c = (unsigned char)value[i];
		milter_packet_bytes(writer, c < ' ' || c == 0x7f ? "?" : &value[i], 1);
	}
	milter_packet_bytes(writer, "", 1);
}

void milter_macros_write(struct milter_writer *writer, enum milter_event event, uint32_t which,
	const struct milter_macros *macros)
{
	bool any = false;

	for (unsigned i = 0; macros && i < MILTER_MACROS; i++) {
		const char *value = macros->values[i];
		/* some read a list with an empty value as a broken one */
		if (!(which & 1u << i) || !value || !*value)
			continue;
		if (!any) {
			milter_packet_begin(writer, MILTER_LETTER_MACROS);
			milter_packet_bytes(writer, &milter_event_letters[event], 1);
		}
		any = true;
		milter_packet_text(writer, milter_macro_names[i]);
		write_value(writer, value);
	}
	if (any)
		milter_packet_end(writer);
}
