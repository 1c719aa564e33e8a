/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns what an archive of records answered to the last question. */
#ifndef POSTERN_TEST_CONTROL_ANSWER_H
#define POSTERN_TEST_CONTROL_ANSWER_H

#include "daemon/base/loop.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ANSWER_ROWS_MAX 20000

struct answer {
	struct loop *loop;
	json_t *rows;
	uint64_t keys[ANSWER_ROWS_MAX];
	size_t n;
	int status;
	bool more, is_there;
};

/* Nothing is answered yet. */
void answer_init(struct answer *answer);
/* An audit_row and an audit_done; the context is the answer. */
void answer_on_row(void *context, const char *json, uint64_t key);
void answer_on_done(void *context, int status, bool more);
/* Runs the loop until it is there. Returns how many rows. */
size_t answer_await(struct answer *answer);
/* "null": it has none. Borrowed from the row. */
const char *answer_text(const struct answer *answer, size_t row, const char *field);

#endif
