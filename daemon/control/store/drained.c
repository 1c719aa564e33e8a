/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/control/store/drained.h"

#include "daemon/base/log.h"
#include "daemon/control/control.h"
#include "daemon/control/store/state_lines.h"
#include "lib/base/fields.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAME      "drained"
#define LINE_ROOM (32 + POLICY_NAME_SIZE + TARGET_NAME_SIZE)

struct drained {
	struct control *control;
	size_t n;
	struct drained_line lines[DRAINED_MAX];
};

bool drained_parse(struct fields *line, struct drained_line *to)
{
	uint64_t port = 0;
	bool good = fields_number(line, STEADY_MS_MAX, &to->since_ms) && to->since_ms &&
		    fields_word(line, to->server, sizeof(to->server)) &&
		    fields_word(line, to->host, sizeof(to->host)) &&
		    (fields_over(line) ||
			    (fields_number(line, UINT16_MAX, &port) && port && fields_over(line)));
	to->port = (uint16_t)port;
	return good;
}

static void parse(struct drained *drained, const char *text)
{
	struct fields left = {text, text + strlen(text)}, line;
	while (drained->n < DRAINED_MAX && fields_line(&left, &line))
		drained->n += drained_parse(&line, &drained->lines[drained->n]);
}

struct drained *drained_open(struct control *control)
{
	struct drained *drained = calloc(1, sizeof(*drained));
	if (!drained)
		return NULL;
	drained->control = control;
	char *text = state_lines_read(control, NAME);
	if (text)
		parse(drained, text);
	free(text);
	for (size_t i = 0; i < drained->n; i++)
		log_warning("server %s: host %s%s is still drained", drained->lines[i].server,
			drained->lines[i].host, drained->lines[i].port ? " (one port)" : "");
	return drained;
}

void drained_free(struct drained *drained)
{
	free(drained);
}

static bool is_of(const struct drained_line *line, const char *server, const char *host)
{
	return strcmp(line->server, server) == 0 && dns_same_name(line->host, host);
}

/* The line that says so of a port, by itself or of all. */
static const struct drained_line *find(
	const struct drained *drained, const char *server, const char *host, uint16_t port)
{
	for (size_t i = 0; i < drained->n; i++) {
		const struct drained_line *line = &drained->lines[i];
		if (is_of(line, server, host) && (!line->port || line->port == port))
			return line;
	}
	return NULL;
}

uint64_t drained_since(
	const struct drained *drained, const char *server, const char *host, uint16_t port)
{
	const struct drained_line *line = find(drained, server, host, port);
	return line ? line->since_ms : 0;
}

bool drained_host(const struct drained *drained, const char *server, const char *host)
{
	for (size_t i = 0; i < drained->n; i++)
		if (is_of(&drained->lines[i], server, host))
			return true;
	return false;
}

bool drained_any(const struct drained *drained, const char *server)
{
	for (size_t i = 0; i < drained->n; i++)
		if (strcmp(drained->lines[i].server, server) == 0)
			return true;
	return false;
}

void drained_mark(const struct drained *drained, const char *server, struct ipc_target *v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		v[i].drained = find(drained, server, v[i].name, v[i].port) != NULL;
}

/* The lines of the host's ports, or with port 0 all of the host. */
static void take_out(struct drained *drained, const char *server, const char *host, uint16_t port)
{
	size_t kept = 0;
	for (size_t i = 0; i < drained->n; i++) {
		const struct drained_line *line = &drained->lines[i];
		if (!is_of(line, server, host) || (port && line->port != port))
			drained->lines[kept++] = *line;
	}
	drained->n = kept;
}

static void put_in(struct drained *drained, const char *server, const char *host, uint16_t port)
{
	struct drained_line *line = &drained->lines[drained->n++];
	line->since_ms = loop_wall_ms(drained->control->loop);
	snprintf(line->server, sizeof(line->server), "%s", server);
	snprintf(line->host, sizeof(line->host), "%s", host);
	line->port = port;
}

/* 0 or why it cannot be. */
static int refuse(
	const struct drained *drained, const char *server, const char *host, uint16_t port, bool on)
{
	bool whole = drained_since(drained, server, host, 0) != 0;
	bool is_so = port ? find(drained, server, host, port) != NULL
		     : on ? whole
			  : drained_host(drained, server, host);
	if (on == is_so)
		return -EALREADY;
	if (!on && port && whole)
		return -EBUSY;
	return on && drained->n == DRAINED_MAX ? -ENOSPC : 0;
}

int drained_set(struct drained *drained, const char *server, const char *host, uint16_t port,
	bool on, struct gather *gather)
{
	int error = refuse(drained, server, host, port, on);
	struct state_lines *lines;

	if (error)
		return error;
	lines = state_lines_new(DRAINED_MAX * LINE_ROOM);
	if (!lines)
		return -ENOMEM;
	take_out(drained, server, host, port);
	if (on)
		put_in(drained, server, host, port);
	for (size_t i = 0; i < drained->n; i++) {
		const struct drained_line *line = &drained->lines[i];
		char end[8] = "";
		if (line->port)
			snprintf(end, sizeof(end), " %u", line->port);
		state_lines_put(lines, "%" PRIu64 " %s %s%s\n", line->since_ms, line->server,
			line->host, end);
	}
	state_lines_write(
		lines, drained->control, NAME, gather, "it is so, but not in the state folder");
	return 0;
}
