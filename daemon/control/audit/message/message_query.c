/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/control/audit/message/message_query.h"

#include "daemon/control/audit/message/message_rows.h"
#include "daemon/control/audit/message/message_text.h"

#include <errno.h>
#include <inttypes.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define SQL_SIZE   1024
#define PAGE_BYTES (4u << 20) /* then a page is over */
#define PROBE_ROWS 1000       /* a word that has so many in a segment is as common as any other */

enum {
	PARAM_HIGH = 1,
	PARAM_SINCE,
	PARAM_UNTIL,
	PARAM_WORD, /* and one for each word */
};

/* What is looked for, as the index has it. */
struct words {
	int64_t v[MESSAGE_WORDS];
	int n;
};

struct looking {
	struct sqlite3 *db;
	const struct message_filter *filter;
	struct words words;
	int64_t high; /* keys below it */
	unsigned limit;
	struct audit_result *result;
	size_t bytes; /* of its rows */
};

bool message_wanted_set(struct message_wanted *wanted, const char *text, size_t len)
{
	if (len > sizeof(wanted->text))
		return false;
	*wanted = (struct message_wanted){.given = true, .len = (uint16_t)len};
	memcpy(wanted->text, text, len);
	return true;
}

static void add_word(
	struct words *words, enum message_word word, const struct message_wanted *wanted)
{
	if (wanted->given)
		words->v[words->n++] = message_word_hash(word, wanted->text, wanted->len);
}

static struct words words_of(const struct message_filter *filter)
{
	struct words words = {.n = 0};

	if (filter->flow)
		words.v[words.n++] = message_word_flow(filter->flow);
	add_word(&words, MESSAGE_WORD_QUEUE_ID, &filter->queue_id);
	add_word(&words, MESSAGE_WORD_MESSAGE_ID, &filter->message_id);
	if (filter->ending && message_word_ending(filter->ending - 1u, &words.v[words.n]))
		words.n++;
	add_word(&words, MESSAGE_WORD_RECIPIENT, &filter->recipient);
	add_word(&words, MESSAGE_WORD_SENDER, &filter->sender);
	add_word(&words, MESSAGE_WORD_USER, &filter->user);
	return words;
}

static bool same(const struct message_wanted *wanted, const struct message_text *text)
{
	return !wanted->given || (text->at && text->len == wanted->len &&
					 memcmp(text->at, wanted->text, wanted->len) == 0);
}

static bool same_address(const struct message_wanted *wanted, const struct message_text *text)
{
	if (!wanted->given)
		return true;
	if (!text->at || text->len != wanted->len)
		return false;
	for (size_t i = 0; i < text->len; i++) {
		char a = text->at[i], b = wanted->text[i];
		a = (char)(a >= 'A' && a <= 'Z' ? a + 'a' - 'A' : a);
		b = (char)(b >= 'A' && b <= 'Z' ? b + 'a' - 'A' : b);
		if (a != b)
			return false;
	}
	return true;
}

static bool has_recipient(const struct message_wanted *wanted, const struct message_record *record)
{
	struct message_recipient recipient;
	size_t at = 0;

	if (!wanted->given)
		return true;
	while (message_recipient_next(record, &at, &recipient))
		if (same_address(wanted, &recipient.address))
			return true;
	return false;
}

static bool is_of(unsigned sources, unsigned source)
{
	return !sources ||
	       (source != MESSAGE_SOURCE_NONE && sources & 1u << (source - MESSAGE_SOURCE_SESSION));
}
_Static_assert(MESSAGE_SOURCE_AUTH - MESSAGE_SOURCE_SESSION == (int)POLICY_SOURCE_AUTH &&
		       MESSAGE_SOURCE_DEVICE - MESSAGE_SOURCE_SESSION == (int)POLICY_SOURCE_DEVICE,
	"both name the sources in one order");

/* The index has hashes: two words may share one. */
static bool matches(const struct message_filter *filter, const struct message_record *record)
{
	return (!filter->flow || filter->flow == record->flow) &&
	       (!filter->number || filter->number == record->number) &&
	       (!filter->ending || filter->ending == record->ending + 1u) &&
	       is_of(filter->sources, record->source) && same(&filter->user, &record->user) &&
	       same(&filter->queue_id, &record->queue_id) &&
	       same(&filter->message_id, &record->message_id) &&
	       same_address(&filter->sender, &record->sender) &&
	       has_recipient(&filter->recipient, record);
}

static int prepare(struct looking *looking, const char *sql, sqlite3_stmt **statement)
{
	const struct message_filter *filter = looking->filter;
	uint64_t until = filter->until_ms ? filter->until_ms : INT64_MAX;

	if (sqlite3_prepare_v2(looking->db, sql, -1, statement, NULL) != SQLITE_OK)
		return database_error(looking->db);
	/* parameters that a statement does not have are passed over */
	sqlite3_bind_int64(*statement, PARAM_HIGH, looking->high);
	sqlite3_bind_int64(*statement, PARAM_SINCE, (sqlite3_int64)filter->since_ms);
	sqlite3_bind_int64(*statement, PARAM_UNTIL, (sqlite3_int64)until);
	for (int i = 0; i < looking->words.n; i++)
		sqlite3_bind_int64(*statement, PARAM_WORD + i, looking->words.v[i]);
	return 0;
}

/* Of several words the rarest of this segment comes first. suffix: "_7"; "" of the open one. */
static int choose_word(struct looking *looking, const char *suffix)
{
	struct words *words = &looking->words;
	int64_t fewest = INT64_MAX;
	int best = 0, status = 0;

	for (int i = 0; words->n > 1 && i < words->n && fewest > 1 && status == 0; i++) {
		sqlite3_stmt *statement;
		char sql[SQL_SIZE];
		snprintf(sql, sizeof(sql),
			"SELECT count(*) FROM (SELECT 1 FROM word%s WHERE hash = ?%d AND key < ?%d "
			"LIMIT %d)",
			suffix, PARAM_WORD + i, PARAM_HIGH, PROBE_ROWS);
		status = prepare(looking, sql, &statement);
		if (status < 0)
			break;
		if (sqlite3_step(statement) != SQLITE_ROW)
			status = database_error(looking->db);
		int64_t n = sqlite3_column_int64(statement, 0);
		sqlite3_finalize(statement);
		if (n < fewest) {
			fewest = n;
			best = i;
		}
	}
	int64_t first = words->v[best];
	words->v[best] = words->v[0];
	words->v[0] = first;
	return status;
}

/* Along the first word's entries, those that have the others, too; without words along the rows. */
static void write_sql(const struct looking *looking, const char *suffix, char sql[static SQL_SIZE])
{
	size_t len;

	if (!looking->words.n) {
		snprintf(sql, SQL_SIZE,
			"SELECT m.key, m.record FROM message%s m WHERE m.key < ?%d AND "
			"m.end_ms >= ?%d AND m.end_ms < ?%d ORDER BY m.key DESC",
			suffix, PARAM_HIGH, PARAM_SINCE, PARAM_UNTIL);
		return;
	}
	len = (size_t)snprintf(sql, SQL_SIZE,
		"SELECT m.key, m.record FROM word%s w CROSS JOIN message%s m ON m.key = w.key "
		"WHERE w.hash = ?%d AND w.key < ?%d AND m.end_ms >= ?%d AND m.end_ms < ?%d",
		suffix, suffix, PARAM_WORD, PARAM_HIGH, PARAM_SINCE, PARAM_UNTIL);
	for (int i = 1; i < looking->words.n; i++)
		len += (size_t)snprintf(sql + len, SQL_SIZE - len,
			" AND EXISTS (SELECT 1 FROM word%s x WHERE x.hash = ?%d AND x.key = w.key)",
			suffix, PARAM_WORD + i);
	snprintf(sql + len, SQL_SIZE - len, " ORDER BY w.key DESC");
}

static int take_row(struct looking *looking, sqlite3_stmt *row)
{
	struct audit_result *result = looking->result;
	struct message_record record;
	const void *bytes = sqlite3_column_blob(row, 1);

	if (!bytes ||
		message_record_decode(bytes, (size_t)sqlite3_column_bytes(row, 1), &record) < 0 ||
		!matches(looking->filter, &record))
		return 0;
	if (result->n == looking->limit || looking->bytes > PAGE_BYTES) {
		result->more = true;
		return 0;
	}
	char *json = message_text_dump(&record, looking->filter->whole);
	if (!json)
		return -ENOMEM;
	looking->bytes += strlen(json);
	result->v[result->n++] = (struct audit_found){json, (uint64_t)sqlite3_column_int64(row, 0)};
	return 0;
}

static int look_at(struct looking *looking, const char *suffix)
{
	sqlite3_stmt *row;
	char sql[SQL_SIZE];
	int status = choose_word(looking, suffix), code = SQLITE_DONE;

	if (status < 0)
		return status;
	write_sql(looking, suffix, sql);
	status = prepare(looking, sql, &row);
	if (status < 0)
		return status;
	while (status == 0 && !looking->result->more && (code = sqlite3_step(row)) == SQLITE_ROW)
		status = take_row(looking, row);
	if (status == 0 && code != SQLITE_ROW && code != SQLITE_DONE)
		status = database_error(looking->db);
	sqlite3_finalize(row);
	return status;
}

static int look_at_closed(struct looking *looking)
{
	sqlite3_stmt *segment;
	int code = SQLITE_DONE;
	int status = prepare(looking,
		"SELECT number FROM segment WHERE first_key < ?1 AND last_ms >= ?2 AND "
		"first_ms < ?3 ORDER BY number DESC",
		&segment);

	if (status < 0)
		return status;
	while (status == 0 && !looking->result->more &&
		(code = sqlite3_step(segment)) == SQLITE_ROW) {
		char suffix[24];
		snprintf(suffix, sizeof(suffix), "_%" PRId64,
			(int64_t)sqlite3_column_int64(segment, 0));
		status = look_at(looking, suffix);
	}
	if (status == 0 && code != SQLITE_ROW && code != SQLITE_DONE)
		status = database_error(looking->db);
	sqlite3_finalize(segment);
	return status;
}

int message_query_run(struct database *store, struct sqlite3 *db,
	const struct message_filter *filter, struct audit_result *result)
{
	unsigned limit = filter->limit ? filter->limit : AUDIT_QUERY_LIMIT;
	struct looking looking = {.db = db,
		.filter = filter,
		.words = words_of(filter),
		.high = filter->before ? (int64_t)filter->before : INT64_MAX,
		.limit = limit < AUDIT_QUERY_LIMIT_MAX ? limit : AUDIT_QUERY_LIMIT_MAX,
		.result = result};

	(void)store;
	*result = (struct audit_result){.v = calloc(looking.limit, sizeof(struct audit_found))};
	if (!result->v)
		return -ENOMEM;
	int status = look_at(&looking, "");
	return status || result->more ? status : look_at_closed(&looking);
}
