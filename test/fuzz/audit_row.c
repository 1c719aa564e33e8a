/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A row of audit.db in which anything may stand, as JSON. Each value: a kind, a length, bytes. */
#include "daemon/control/audit/row.h"

#include <jansson.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static sqlite3 *db;
static sqlite3_stmt *row;

static void check(int code)
{
	if (code != SQLITE_OK)
		abort();
}

/* The columns as parameters: what is bound is what is read. */
static void set_up(void)
{
	char sql[256] = "SELECT ?";

	for (const char *at = audit_row_columns; (at = strchr(at, ',')); at++)
		strcat(sql, ",?");
	check(sqlite3_open(":memory:", &db));
	check(sqlite3_prepare_v2(db, sql, -1, &row, NULL));
}

static size_t bind(int column, const uint8_t *data, size_t size)
{
	size_t len = size < 2 ? 0 : data[1];
	int64_t number = 0;

	if (size < 2)
		return size;
	if (len > size - 2)
		len = size - 2;
	switch (data[0] % 4) {
	case 0:
		memcpy(&number, data + 2, len < sizeof(number) ? len : sizeof(number));
		check(sqlite3_bind_int64(row, column, number));
		break;
	case 1:
		check(sqlite3_bind_text(
			row, column, (const char *)data + 2, (int)len, SQLITE_STATIC));
		break;
	case 2:
		check(sqlite3_bind_blob(row, column, data + 2, (int)len, SQLITE_STATIC));
		break;
	case 3:
		break; /* NULL */
	}
	return 2 + len;
}

static void read_as(bool whole)
{
	char *text = audit_row_read(row, whole);
	json_t *json = text ? json_loads(text, 0, NULL) : NULL;

	/* one line of an object, whatever stood there */
	if (!json || !json_is_object(json) || strchr(text, '\n'))
		abort();
	json_decref(json);
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (!db)
		set_up();
	sqlite3_reset(row);
	sqlite3_clear_bindings(row);
	for (int column = 1; column <= sqlite3_bind_parameter_count(row); column++) {
		size_t used = bind(column, data, size);
		data += used;
		size -= used;
	}
	if (sqlite3_step(row) != SQLITE_ROW)
		abort();
	read_as(false);
	read_as(true);
	return 0;
}
