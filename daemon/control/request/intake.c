/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/control/request/intake.h"

#include "lib/command/request.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define BODY_ROOM (REQUEST_BODY_MAX + 1)

static const char too_much[] = "too much is sent to the control sockets at once; try again";

static bool hold(struct intake *intake, size_t bytes)
{
	if (bytes > INTAKE_BYTES_MAX - *intake->all)
		return false;
	*intake->all += bytes;
	intake->held += bytes;
	return true;
}

const char *intake_words(struct intake *intake, const uint8_t *payload, size_t len)
{
	if (intake->words)
		return "a second WORDS frame before GO";
	if (!hold(intake, len + 1))
		return too_much;
	intake->words = malloc(len + 1);
	if (!intake->words)
		return "out of memory";
	memcpy(intake->words, payload, len);
	intake->words_len = len;
	return NULL;
}

/* Address space, touched as it fills: what came is there once, however it grew. Zero behind it. */
static char *reserve(void)
{
	void *body = mmap(NULL, BODY_ROOM, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	return body == MAP_FAILED ? NULL : body;
}

const char *intake_body(struct intake *intake, const uint8_t *payload, size_t len)
{
	if (intake->no_file)
		return "only control.sock takes a file";
	if (!intake->words)
		return "a BODY frame before WORDS";
	if (len > REQUEST_BODY_MAX - intake->body_len)
		return "the file is too large: at most 64 MiB";
	if (!hold(intake, len))
		return too_much;
	if (!intake->body && !(intake->body = reserve()))
		return "out of memory";
	memcpy(intake->body + intake->body_len, payload, len);
	intake->body_len += len;
	return NULL;
}

void intake_drop(struct intake *intake)
{
	if (intake->all)
		*intake->all -= intake->held;
	free(intake->words);
	/* it may be a password */
	if (intake->body) {
		explicit_bzero(intake->body, intake->body_len);
		munmap(intake->body, BODY_ROOM);
	}
	*intake = (struct intake){.all = intake->all, .no_file = intake->no_file};
}

struct intake intake_move(struct intake *from)
{
	struct intake moved = *from;
	*from = (struct intake){.all = moved.all, .no_file = moved.no_file};
	return moved;
}
