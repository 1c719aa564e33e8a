#include "daemon/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#define LINE_SIZE 2048

static char ident[64] = "posternd";
static bool to_stderr = true;
static bool starter_listens; /* in the background: errors go to the starter's terminal, too */
static enum policy_log_level threshold = POLICY_LOG_INFO;

void log_init(const char *process, bool foreground, enum policy_log_level level)
{
	snprintf(ident, sizeof(ident), "posternd: %s", process);
	to_stderr = foreground;
	starter_listens = !foreground;
	threshold = level;
	tzset(); /* syslog() stamps local time: the zone file cannot be read later */
	if (!foreground)
		openlog(ident, LOG_NDELAY | LOG_PID, LOG_DAEMON);
}

void log_set_level(enum policy_log_level level)
{
	threshold = level;
}

/* C0, DEL, and C1 in its UTF-8 form: what a terminal could act on. */
static void blank_controls(char *text)
{
	for (unsigned char *p = (unsigned char *)text; *p; p++) {
		if (*p < 0x20 || *p == 0x7f) {
			*p = '?';
		} else if (*p == 0xc2 && p[1] >= 0x80 && p[1] < 0xa0) {
			*p++ = '?';
			*p = '?';
		}
	}
}

__attribute__((format(printf, 2, 0))) static void write_line(
	enum policy_log_level level, const char *format, va_list args)
{
	static const char *const names[] = {"error: ", "warning: ", "", "debug: "};
	static const int priorities[] = {LOG_ERR, LOG_WARNING, LOG_INFO, LOG_DEBUG};
	char text[LINE_SIZE], line[LINE_SIZE + sizeof(ident) + 16];
	int saved = errno;

	if (level > threshold)
		return;
	vsnprintf(text, sizeof(text), format, args);
	blank_controls(text);
	if (!to_stderr) {
		syslog(priorities[level], "%s%s", names[level], text);
		if (!starter_listens || level != POLICY_LOG_ERROR)
			goto done;
	}
	/* one write, so that lines of several processes do not mix */
	int len = snprintf(line, sizeof(line), "%s: %s%s\n", ident, names[level], text);
	if (write(STDERR_FILENO, line, (size_t)len) < 0)
		starter_listens = false;
done:
	errno = saved;
}

#define LOG_AT(level)                    \
	va_list args;                    \
	va_start(args, format);          \
	write_line(level, format, args); \
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
