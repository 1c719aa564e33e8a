/* Owns the log: one line an event, to stderr in the foreground, to syslog otherwise. */
#ifndef POSTERN_LOG_H
#define POSTERN_LOG_H

#include "lib/policy.h"

/* process: "keeper", "control", "relay 0", ... Opens what it needs, so that later nothing must be
 * opened. Control characters in messages come out as '?'. */
void log_init(const char *process, bool foreground, enum policy_log_level level);
void log_set_level(enum policy_log_level level);
void log_error(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_warning(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_info(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_debug(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
