/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns a clock that nobody sets: what was said to last an hour lasts an hour, whatever happens to
 * the wall clock meanwhile.
 *
 * It runs with the monotonic clock, and reads like the wall clock less all steps that this one made
 * since the first start. Over a reboot, where the monotonic clock begins anew, it goes on by what
 * the wall clock says has passed; one that stands behind where it stood says nothing, and then
 * nothing has passed. */
#ifndef POSTERN_LIB_BASE_STEADY_H
#define POSTERN_LIB_BASE_STEADY_H

#include <stddef.h>
#include <stdint.h>

#define STEADY_BOOT_SIZE 40
#define STEADY_TEXT_SIZE 192
/* Times beyond this, some 35,000 years, are none. */
#define STEADY_MS_MAX ((uint64_t)1 << 50)
/* A wall clock that jumps ahead by more is believed when it has stood so for as long. */
#define STEADY_BELIEF_MS 86400000

struct steady {
	int64_t offset_ms;   /* to the monotonic clock */
	int64_t believed_ms; /* to the wall clock, as believed */
	uint64_t since_ms;   /* how long the wall clock has stood as it does */
};

/* All clocks at one moment, to be kept over a restart. */
struct steady_moment {
	char boot[STEADY_BOOT_SIZE]; /* names what the monotonic clock began with */
	uint64_t monotonic_ms, steady_ms, wall_ms;
	uint64_t believed_ms; /* the wall clock, as believed */
	uint64_t since_ms;
};

/* last NULL: the first start. */
void steady_begin(struct steady *steady, const struct steady_moment *last, const char *boot,
	uint64_t monotonic_ms, uint64_t wall_ms);
uint64_t steady_now(const struct steady *steady, uint64_t monotonic_ms);
/* The wall clock was set. */
void steady_on_set(struct steady *steady, uint64_t monotonic_ms);
/* The wall clock for what cannot be undone, such as removing what is too old. */
uint64_t steady_believed(struct steady *steady, uint64_t monotonic_ms, uint64_t wall_ms);

struct steady_moment steady_moment_of(
	struct steady *steady, const char *boot, uint64_t monotonic_ms, uint64_t wall_ms);
/* One line. parse: 0 or -EBADMSG. */
size_t steady_format(const struct steady_moment *moment, char text[static STEADY_TEXT_SIZE]);
int steady_parse(const char *text, size_t len, struct steady_moment *moment);

#endif
