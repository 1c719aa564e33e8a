/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/base/log.h"

#include "daemon/base/sink.h"
#include "lib/base/journal.h"
#include "lib/base/text.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#define TEXT_SIZE 2048

static char name[32] = "starting";
static enum sink_kind kind = SINK_STDERR;
static bool starter_listens; /* in the background: errors go to the starter's terminal, too */
static enum policy_log_level threshold = POLICY_LOG_INFO;
static bool private;
/* control's threads of the disk log, too */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static const int priorities[] = {
	[POLICY_LOG_ERROR] = LOG_ERR,
	[POLICY_LOG_WARNING] = LOG_WARNING,
	[POLICY_LOG_INFO] = LOG_INFO,
	[POLICY_LOG_DEBUG] = LOG_DEBUG,
};

static const char *const level_names[] = {
	[POLICY_LOG_ERROR] = "error: ",
	[POLICY_LOG_WARNING] = "warning: ",
	[POLICY_LOG_INFO] = "",
	[POLICY_LOG_DEBUG] = "debug: ",
};

static const char *const ids[LOG_IDS] = {
	[LOG_ID_NONE] = "",
	[LOG_ID_FLOW] = "cee47da1ef454645a8a1fb53b78148ea",
	[LOG_ID_MESSAGE] = "2d73198a45b440d5a3696a7e41f0ffb2",
	[LOG_ID_SESSION_OVER] = "1d9eb3efb4784b0c8e330d2ffb4707d5",
	[LOG_ID_LOGIN_REFUSED] = "2889b5e3f4c74b4f8266bd59e177078d",
	[LOG_ID_POLICY_APPLIED] = "0175bd89f46b479b9b09d1739ceb78c8",
	[LOG_ID_POLICY_REFUSED] = "876b23f83aed4293a1a13e751fd05eed",
	[LOG_ID_COMMAND] = "74ed42ffe72c4970b3bdade68eb8b69a",
	[LOG_ID_BYPASS] = "7b290a8a7d154f1e8ffc7e4f558f4d45",
	[LOG_ID_BLOCK] = "85a185fbb830427fb9146a270721f812",
	[LOG_ID_HOST_STATE] = "3e7f917676764ff28a248aafb28644cc",
	[LOG_ID_PROCESS_ENDED] = "641f9cd0b0b94ab5b6624bb33cc85c8c",
	[LOG_ID_KERNEL_HEALED] = "f149d88f355e4efcb9727bf0f6f10e3e",
	[LOG_ID_AUDIT_LOST] = "8e0cf031048c4df88f09932b83aee4b5",
	[LOG_ID_LINES_LOST] = "fe6272a9a003441995e70c7ee8584a02",
	[LOG_ID_READY] = "91c4253d284545d1b91d3ff76b415124",
};

static const char *const field_names[LOG_FIELD_NAMES] = {
	[LOG_FIELD_FLOW] = "POSTERN_FLOW",
	[LOG_FIELD_USER] = "POSTERN_USER",
	[LOG_FIELD_CLIENT] = "POSTERN_CLIENT",
	[LOG_FIELD_MAC] = "POSTERN_MAC",
	[LOG_FIELD_ORIGINAL] = "POSTERN_ORIGINAL",
	[LOG_FIELD_DETAIL] = "POSTERN_DETAIL",
	[LOG_FIELD_SENDER] = "POSTERN_SENDER",
	[LOG_FIELD_RECIPIENT] = "POSTERN_RECIPIENT",
	[LOG_FIELD_HEADER_ID] = "POSTERN_HEADER_ID",
	[LOG_FIELD_ZONE] = "POSTERN_ZONE",
	[LOG_FIELD_RULE] = "POSTERN_RULE",
	[LOG_FIELD_SERVER] = "POSTERN_SERVER",
	[LOG_FIELD_HOST] = "POSTERN_HOST",
	[LOG_FIELD_VERDICT] = "POSTERN_VERDICT",
	[LOG_FIELD_REASON] = "POSTERN_REASON",
	[LOG_FIELD_ENDING] = "POSTERN_ENDING",
	[LOG_FIELD_INTERFACE] = "POSTERN_INTERFACE",
	[LOG_FIELD_SESSION] = "POSTERN_SESSION",
	[LOG_FIELD_POLICY] = "POSTERN_POLICY",
	[LOG_FIELD_UID] = "POSTERN_UID",
	[LOG_FIELD_COMMAND] = "POSTERN_COMMAND",
	[LOG_FIELD_STATE] = "POSTERN_STATE",
	[LOG_FIELD_CHILD] = "POSTERN_CHILD",
	[LOG_FIELD_MESSAGE] = "POSTERN_MESSAGE",
	[LOG_FIELD_QUEUE_ID] = "POSTERN_QUEUE_ID",
};

/* The user, and every address and word that may tell who it was; a server's reply may name a
 * mailbox. */
static bool is_personal(enum log_field_name field)
{
	return field >= LOG_FIELD_USER && field <= LOG_FIELD_DETAIL;
}

void log_init(const char *process, bool foreground, enum policy_log_level level)
{
	snprintf(name, sizeof(name), "%s", process);
	starter_listens = !foreground;
	threshold = level;
	private = false;
	tzset(); /* syslog's lines have local time: the zone file cannot be read later */
	kind = sink_open(foreground);
	starter_listens = !foreground && kind != SINK_STDERR;
}

void log_set_level(enum policy_log_level level)
{
	threshold = level;
}

void log_set_privacy(bool names_none)
{
	private = names_none;
}

bool log_is_private(void)
{
	return private;
}

const char *log_person(const char *text)
{
	return private ? "(private)" : text;
}

bool log_wants(enum policy_log_level level)
{
	return level <= threshold;
}

/* An entry in the form of the sink. */
static void put_entry(enum policy_log_level level, enum log_id id, const struct log_field *fields,
	size_t n, const char *text)
{
	struct journal entry;
	char line[TEXT_SIZE + sizeof(name) + 32], priority[4];

	journal_init(&entry);
	/* one write, so that lines of several processes do not mix */
	int len = snprintf(
		line, sizeof(line), "posternd: %s: %s%s\n", name, level_names[level], text);
	if (kind != SINK_STDERR && starter_listens && level == POLICY_LOG_ERROR &&
		write(STDERR_FILENO, line, (size_t)len) < 0)
		starter_listens = false;
	if (kind == SINK_STDERR) {
		sink_put(line, (size_t)len);
		return;
	}
	line[len - 1] = '\0';
	const char *message = line + sizeof("posternd: ") - 1;
	if (kind == SINK_SYSLOG) {
		time_t now = time(NULL);
		struct tm at = {0};
		localtime_r(&now, &at);
		journal_syslog(&entry, LOG_DAEMON | priorities[level], &at, "posternd",
			(int)getpid(), message);
		sink_put(entry.bytes, entry.len);
		return;
	}
	snprintf(priority, sizeof(priority), "%d", priorities[level]);
	journal_put(&entry, "MESSAGE", message);
	journal_put(&entry, "PRIORITY", priority);
	journal_put(&entry, "SYSLOG_IDENTIFIER", "posternd");
	journal_put(&entry, "SYSLOG_FACILITY", "3"); /* daemon */
	journal_put(&entry, "POSTERN_PROCESS", name);
	if (id != LOG_ID_NONE)
		journal_put(&entry, "MESSAGE_ID", ids[id]);
	for (size_t i = 0; i < n; i++)
		if (fields[i].value && *fields[i].value &&
			!(private && is_personal(fields[i].name)))
			journal_put(&entry, field_names[fields[i].name], fields[i].value);
	sink_put(entry.bytes, entry.len);
}

static void say_lost(void)
{
	char text[64];
	uint64_t lost = sink_lost();

	if (!lost)
		return;
	snprintf(text, sizeof(text), "%" PRIu64 " lines of the log were lost", lost);
	put_entry(POLICY_LOG_WARNING, LOG_ID_LINES_LOST, NULL, 0, text);
}

__attribute__((format(printf, 5, 0))) static void write_entry(enum policy_log_level level,
	enum log_id id, const struct log_field *fields, size_t n, const char *format, va_list args)
{
	char text[TEXT_SIZE];
	int saved = errno;

	if (!log_wants(level))
		return;
	vsnprintf(text, sizeof(text), format, args);
	text_blank(text);
	pthread_mutex_lock(&lock);
	sink_flush();
	say_lost();
	put_entry(level, id, fields, n, text);
	pthread_mutex_unlock(&lock);
	errno = saved;
}

void log_flush(void)
{
	pthread_mutex_lock(&lock);
	sink_flush();
	say_lost();
	pthread_mutex_unlock(&lock);
}

void log_event(enum policy_log_level level, enum log_id id, const struct log_field *fields,
	size_t n, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	write_entry(level, id, fields, n, format, args);
	va_end(args);
}

#define LOG_AT(level)                                           \
	va_list args;                                           \
	va_start(args, format);                                 \
	write_entry(level, LOG_ID_NONE, NULL, 0, format, args); \
	va_end(args)

void log_error(const char *format, ...)
{
	LOG_AT(POLICY_LOG_ERROR);
}

void log_warning(const char *format, ...)
{
	LOG_AT(POLICY_LOG_WARNING);
}

void log_info(const char *format, ...)
{
	LOG_AT(POLICY_LOG_INFO);
}

void log_debug(const char *format, ...)
{
	LOG_AT(POLICY_LOG_DEBUG);
}
