/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns what a request brings: its words and its body, from its first frame until it is answered,
 * and the bound of all requests together. */
#ifndef POSTERN_DAEMON_CONTROL_REQUEST_INTAKE_H
#define POSTERN_DAEMON_CONTROL_REQUEST_INTAKE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Of all requests: one largest body, and room for others. */
#define INTAKE_BYTES_MAX (128u << 20)
/* A frame where no file is taken. */
#define INTAKE_SMALL_FRAME_MAX (16u << 10)

struct intake {
	size_t *all;  /* bytes of all requests; each counts its own in */
	bool no_file; /* none is taken */
	char *words;  /* NULL: none came */
	size_t words_len;
	char *body; /* NULL: none came; else with a NUL behind it */
	size_t body_len;
	size_t held; /* bytes, counted in *all */
};

/* Each takes a frame: NULL, or what is wrong with it. */
const char *intake_words(struct intake *intake, const uint8_t *payload, size_t len);
const char *intake_body(struct intake *intake, const uint8_t *payload, size_t len);
/* Frees it; ready for the next request. */
void intake_drop(struct intake *intake);
/* The request moves: `from` is ready for the next one. */
struct intake intake_move(struct intake *from);

#endif
