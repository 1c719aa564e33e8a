/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "test/lib/control_answer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

void answer_init(struct answer *answer)
{
	json_decref(answer->rows);
	answer->rows = json_array();
	answer->n = 0;
	answer->is_there = false;
}

void answer_on_row(void *context, const char *json, uint64_t key)
{
	struct answer *answer = context;
	json_t *row = json_loads(json, 0, NULL);

	assert_non_null(row);
	assert_null(strchr(json, '\n'));
	assert_true(answer->n < ANSWER_ROWS_MAX);
	json_array_append_new(answer->rows, row);
	answer->keys[answer->n++] = key;
}

void answer_on_done(void *context, int status, bool more)
{
	struct answer *answer = context;

	answer->status = status;
	answer->more = more;
	answer->is_there = true;
	loop_stop(answer->loop);
}

size_t answer_await(struct answer *answer)
{
	assert_int_equal(loop_run(answer->loop), 0);
	assert_true(answer->is_there);
	return answer->n;
}

const char *answer_text(const struct answer *answer, size_t row, const char *field)
{
	const char *text =
		json_string_value(json_object_get(json_array_get(answer->rows, row), field));

	return text ? text : "null";
}
