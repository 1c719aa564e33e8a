#include "daemon/control/drained.h"

#include "daemon/control/control.h"
#include "daemon/control/disk.h"
#include "daemon/log.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAME      "drained"
#define LINE_ROOM (24 + POLICY_NAME_SIZE + TARGET_NAME_SIZE)

struct line {
	uint64_t since_ms;
	char server[POLICY_NAME_SIZE];
	char host[TARGET_NAME_SIZE];
};

struct drained {
	struct control *control;
	size_t n;
	struct line lines[DRAINED_MAX];
};

struct writing {
	struct disk_job job;
	struct gather *gather;
	const char *dir;
	size_t len;
	char text[DRAINED_MAX * LINE_ROOM + 1];
};

/* Lines of "SINCE SERVER HOST". */
static void parse(struct drained *drained, char *text)
{
	for (char *rest, *line = strtok_r(text, "\n", &rest); line && drained->n < DRAINED_MAX;
		line = strtok_r(NULL, "\n", &rest)) {
		struct line *to = &drained->lines[drained->n];
		char *at;
		to->since_ms = strtoull(line, &at, 10);
		char *server = *at == ' ' ? at + 1 : at, *host = strchr(server, ' ');
		if (!to->since_ms || !host || !host[1])
			continue;
		*host++ = '\0';
		snprintf(to->server, sizeof(to->server), "%s", server);
		snprintf(to->host, sizeof(to->host), "%s", host);
		drained->n++;
	}
}

struct drained *drained_open(struct control *control)
{
	struct drained *drained = calloc(1, sizeof(*drained));
	char path[4096 + 16], *text;
	size_t len;
	if (!drained)
		return NULL;
	drained->control = control;
	snprintf(path, sizeof(path), "%s/" NAME, control->start.options.state_dir);
	int error = disk_read(path, 1 << 20, &text, &len);
	if (error == 0) {
		parse(drained, text);
		free(text);
	} else if (error != -ENOENT) {
		log_error("%s: %s", path, strerror(-error));
	}
	for (size_t i = 0; i < drained->n; i++)
		log_warning("server %s: host %s is still drained", drained->lines[i].server,
			drained->lines[i].host);
	return drained;
}

void drained_free(struct drained *drained)
{
	free(drained);
}

static struct line *find(const struct drained *drained, const char *server, const char *host)
{
	for (size_t i = 0; i < drained->n; i++) {
		const struct line *line = &drained->lines[i];
		if (strcmp(line->server, server) == 0 && dns_same_name(line->host, host))
			return (struct line *)line;
	}
	return NULL;
}

uint64_t drained_since(const struct drained *drained, const char *server, const char *host)
{
	const struct line *line = find(drained, server, host);
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

static int run(struct disk_job *job)
{
	struct writing *writing = (struct writing *)job;
	return disk_replace(writing->dir, NAME, writing->text, writing->len);
}

static void done(struct disk_job *job)
{
	struct writing *writing = (struct writing *)job;
	struct gather *gather = writing->gather;
	int status = job->status;
	free(writing);
	gather_end(gather, status, status ? "it is so, but not in the state folder" : NULL);
}

static void save(struct drained *drained, struct writing *writing, struct gather *gather)
{
	for (size_t i = 0; i < drained->n; i++)
		writing->len += (size_t)snprintf(writing->text + writing->len,
			sizeof(writing->text) - writing->len, "%" PRIu64 " %s %s\n",
			drained->lines[i].since_ms, drained->lines[i].server,
			drained->lines[i].host);
	writing->gather = gather;
	writing->dir = drained->control->start.options.state_dir;
	writing->job.run = run;
	writing->job.done = done;
	gather_add(gather);
	disk_submit(drained->control->disk, &writing->job);
}

int drained_set(struct drained *drained, const char *server, const char *host, bool on,
	struct gather *gather)
{
	struct line *line = find(drained, server, host);
	struct writing *writing;

	if (on == (line != NULL))
		return -EALREADY;
	if (on && drained->n == DRAINED_MAX)
		return -ENOSPC;
	writing = calloc(1, sizeof(*writing));
	if (!writing)
		return -ENOMEM;
	if (on) {
		line = &drained->lines[drained->n++];
		line->since_ms = loop_wall_ms(drained->control->loop);
		snprintf(line->server, sizeof(line->server), "%s", server);
		snprintf(line->host, sizeof(line->host), "%s", host);
	} else {
		*line = drained->lines[--drained->n];
	}
	save(drained, writing, gather);
	return 0;
}
