#include "daemon/control/drained.h"

#include "daemon/control/control.h"
#include "daemon/control/state_lines.h"
#include "daemon/log.h"
#include "lib/fields.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAME      "drained"
#define LINE_ROOM (24 + POLICY_NAME_SIZE + TARGET_NAME_SIZE)

struct drained {
	struct control *control;
	size_t n;
	struct drained_line lines[DRAINED_MAX];
};

bool drained_parse(struct fields *line, struct drained_line *to)
{
	return fields_number(line, STEADY_MS_MAX, &to->since_ms) && to->since_ms &&
	       fields_word(line, to->server, sizeof(to->server)) &&
	       fields_word(line, to->host, sizeof(to->host)) && fields_over(line);
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
		log_warning("server %s: host %s is still drained", drained->lines[i].server,
			drained->lines[i].host);
	return drained;
}

void drained_free(struct drained *drained)
{
	free(drained);
}

static struct drained_line *find(
	const struct drained *drained, const char *server, const char *host)
{
	for (size_t i = 0; i < drained->n; i++) {
		const struct drained_line *line = &drained->lines[i];
		if (strcmp(line->server, server) == 0 && dns_same_name(line->host, host))
			return (struct drained_line *)line;
	}
	return NULL;
}

uint64_t drained_since(const struct drained *drained, const char *server, const char *host)
{
	const struct drained_line *line = find(drained, server, host);
	return line ? line->since_ms : 0;
}

bool drained_any(const struct drained *drained, const char *server)
{
	for (size_t i = 0; i < drained->n; i++)
		if (strcmp(drained->lines[i].server, server) == 0)
			return true;
	return false;
}

void drained_mark(const struct drained *drained, struct message_targets *message)
{
	for (uint32_t i = 0; i < message->n; i++)
		message->v[i].drained = find(drained, message->server, message->v[i].name) != NULL;
}

int drained_set(struct drained *drained, const char *server, const char *host, bool on,
	struct gather *gather)
{
	struct drained_line *line = find(drained, server, host);
	struct state_lines *lines;

	if (on == (line != NULL))
		return -EALREADY;
	if (on && drained->n == DRAINED_MAX)
		return -ENOSPC;
	lines = state_lines_new(DRAINED_MAX * LINE_ROOM);
	if (!lines)
		return -ENOMEM;
	if (on) {
		line = &drained->lines[drained->n++];
		line->since_ms = loop_wall_ms(drained->control->loop);
		snprintf(line->server, sizeof(line->server), "%s", server);
		snprintf(line->host, sizeof(line->host), "%s", host);
	} else {
		*line = drained->lines[--drained->n];
	}
	for (size_t i = 0; i < drained->n; i++)
		state_lines_put(lines, "%" PRIu64 " %s %s\n", drained->lines[i].since_ms,
			drained->lines[i].server, drained->lines[i].host);
	state_lines_write(
		lines, drained->control, NAME, gather, "it is so, but not in the state folder");
	return 0;
}
