/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/control/session/passed.h"

#include "daemon/base/log.h"
#include "daemon/base/worker.h"
#include "daemon/control/control.h"
#include "daemon/control/store/disk.h"
#include "lib/base/fields.h"
#include "lib/base/hash.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define NAME           "passed"
#define UNKNOWN        "unknown-to"
#define BUCKETS        16384
#define FILE_BYTES_MAX (64u << 20)
#define LINES_SPARE    4096 /* so many lines too many before the file is written anew */
#define LINE_ROOM      (24 + ADDR_TEXT_SIZE)

/* One address of one session. */
struct node {
	struct node *by_session, *by_addr; /* next in the bucket, the younger first */
	uint64_t session;
	struct addr addr;
	uint64_t last_ms; /* of a packet, as far as known */
};

struct passed {
	struct control *control;
	uint64_t unknown_to; /* the last session from before there was a file */
	struct node *by_session[BUCKETS], *by_addr[BUCKETS];
	size_t n, lines; /* addresses; lines in the file */
	char *text;      /* lines that wait for the disk */
	size_t len, room;
	bool writing, anew; /* a job is under way; the next one writes the whole file */
};

static size_t bucket_of_session(uint64_t session)
{
	return hash_bytes(&session, sizeof(session)) % BUCKETS;
}

static size_t bucket_of_addr(const struct addr *addr)
{
	return hash_bytes(addr, sizeof(*addr)) % BUCKETS;
}

static void put_out(struct passed *passed, struct node *node)
{
	struct node **at = &passed->by_session[bucket_of_session(node->session)];
	while (*at != node)
		at = &(*at)->by_session;
	*at = node->by_session;
	at = &passed->by_addr[bucket_of_addr(&node->addr)];
	while (*at != node)
		at = &(*at)->by_addr;
	*at = node->by_addr;
	passed->n--;
	free(node);
}

static struct node *find_node(
	const struct passed *passed, uint64_t session, const struct addr *addr)
{
	struct node *node = passed->by_session[bucket_of_session(session)];
	while (node && (node->session != session || !addr_equal(&node->addr, addr)))
		node = node->by_session;
	return node;
}

/* The address is the next session's now: in one zone nobody else has it. */
static void take_from_others(
	struct passed *passed, const struct session *session, const struct addr *addr)
{
	for (struct node *node = passed->by_addr[bucket_of_addr(addr)], *next; node; node = next) {
		next = node->by_addr;
		if (!addr_equal(&node->addr, addr))
			continue;
		const struct session *other =
			session_table_find(passed->control->table, node->session);
		if (!other || policy_string_equal(&other->zone, &session->zone))
			put_out(passed, node);
	}
}

/* Buckets have the younger in front, so the last one met is the oldest. */
static bool give_up_oldest(struct passed *passed, uint64_t session, struct addr *gone)
{
	struct node *oldest = NULL;
	unsigned n = 0;
	for (struct node *node = passed->by_session[bucket_of_session(session)]; node;
		node = node->by_session)
		if (node->session == session) {
			oldest = node;
			n++;
		}
	if (n < PASSED_ADDRESSES_MAX)
		return false;
	*gone = oldest->addr;
	put_out(passed, oldest);
	return true;
}

/* NULL: out of memory, or no such session. */
static struct node *add_node(struct passed *passed, uint64_t id, const struct addr *addr,
	bool *gave_up, struct addr *gone)
{
	const struct session *session = session_table_find(passed->control->table, id);
	struct node *node = session ? calloc(1, sizeof(*node)) : NULL;
	if (!node)
		return NULL;
	take_from_others(passed, session, addr);
	*gave_up = give_up_oldest(passed, id, gone);
	node->session = id;
	node->addr = *addr;
	node->by_session = passed->by_session[bucket_of_session(id)];
	passed->by_session[bucket_of_session(id)] = node;
	node->by_addr = passed->by_addr[bucket_of_addr(addr)];
	passed->by_addr[bucket_of_addr(addr)] = node;
	passed->n++;
	return node;
}

/* ---- the file: "SESSION unknown-to", then "SESSION ADDRESS", the oldest first ---- */

static void put_line(struct passed *passed, uint64_t session, const char *word)
{
	if (passed->len + LINE_ROOM > passed->room) {
		size_t room = passed->room ? 2 * passed->room : 4096;
		char *text = realloc(passed->text, room);
		if (!text) {
			passed->anew = true;
			return;
		}
		passed->text = text;
		passed->room = room;
	}
	passed->len += (size_t)snprintf(
		passed->text + passed->len, LINE_ROOM, "%" PRIu64 " %s\n", session, word);
	passed->lines++;
}

static void put_node(struct passed *passed, const struct node *node)
{
	char address[ADDR_TEXT_SIZE];
	put_line(passed, node->session, addr_format(&node->addr, address));
}

struct writing {
	struct worker_job job; /* first */
	struct passed *passed;
	const char *dir;
	bool anew;
	char *text;
	size_t len;
};

/* Without fsync: what a power cut takes is of connections that it ended. */
static int append(const char *dir, const char *text, size_t len)
{
	char path[4096];
	snprintf(path, sizeof(path), "%s/" NAME, dir);
	int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	ssize_t n = write(fd, text, len);
	int error = n == (ssize_t)len ? 0 : n < 0 ? -errno : -ENOSPC;
	close(fd);
	return error;
}

static int run(struct worker_job *job)
{
	struct writing *writing = (struct writing *)job;
	return writing->anew ? disk_replace(writing->dir, NAME, writing->text, writing->len)
			     : append(writing->dir, writing->text, writing->len);
}

static void put_all(struct passed *passed)
{
	passed->len = passed->lines = 0;
	passed->anew = false;
	put_line(passed, passed->unknown_to, UNKNOWN);
	for (size_t i = 0; i < BUCKETS; i++) {
		struct node *reversed = NULL, *next;
		for (struct node *node = passed->by_session[i]; node; node = next) {
			next = node->by_session;
			if (!session_table_find(passed->control->table, node->session)) {
				put_out(passed, node);
				continue;
			}
			node->by_session = reversed;
			reversed = node;
			passed->by_session[i] = next;
		}
		for (struct node *node = reversed; node; node = next) {
			next = node->by_session;
			put_node(passed, node);
			node->by_session = passed->by_session[i];
			passed->by_session[i] = node;
		}
	}
}

static void write_out(struct passed *passed);

static void done(struct worker_job *job)
{
	struct writing *writing = (struct writing *)job;
	struct passed *passed = writing->passed;
	passed->writing = false;
	if (job->status) {
		log_error("%s/" NAME ": %s", writing->dir, strerror(-job->status));
		passed->anew = true; /* with the next one */
	}
	bool more = !job->status && passed->len;
	free(writing->text);
	free(writing);
	if (more)
		write_out(passed);
}

static void write_out(struct passed *passed)
{
	if (passed->writing)
		return;
	bool anew = passed->anew || passed->lines > 2 * passed->n + LINES_SPARE;
	if (anew)
		put_all(passed);
	struct writing *writing = calloc(1, sizeof(*writing));
	if (!writing)
		return;
	writing->job = (struct worker_job){.run = run, .done = done};
	writing->passed = passed;
	writing->dir = passed->control->start.options.state_dir;
	writing->anew = anew;
	writing->text = passed->text;
	writing->len = passed->len;
	passed->text = NULL;
	passed->len = passed->room = 0;
	passed->writing = true;
	worker_submit(passed->control->disk, &writing->job);
}

bool passed_parse(struct fields *line, uint64_t *session, struct addr *addr)
{
	char word[ADDR_TEXT_SIZE];
	*addr = (struct addr){0};
	return fields_number(line, INT64_MAX, session) && fields_word(line, word, sizeof(word)) &&
	       fields_over(line) &&
	       (strcmp(word, UNKNOWN) == 0 || addr_parse(word, strlen(word), addr) == 0);
}

/* The last line may be half a one: then it has no end. */
static void read_lines(struct passed *passed, const char *text)
{
	struct fields left = {text, text + strlen(text)}, line;
	while (fields_line(&left, &line)) {
		struct addr addr, gone;
		uint64_t session;
		bool gave_up;
		passed->lines++;
		if (!passed_parse(&line, &session, &addr))
			continue;
		if (addr.family == ADDR_NONE)
			passed->unknown_to = session;
		else if (!find_node(passed, session, &addr))
			add_node(passed, session, &addr, &gave_up, &gone);
	}
}

struct passed *passed_open(struct control *control, uint64_t last_id)
{
	struct passed *passed = calloc(1, sizeof(*passed));
	char path[4096], *text;
	size_t len;
	if (!passed)
		return NULL;
	passed->control = control;
	snprintf(path, sizeof(path), "%s/" NAME, control->start.options.state_dir);
	int error = disk_read(path, FILE_BYTES_MAX, &text, &len);
	if (!error) {
		read_lines(passed, text);
		free(text);
		return passed;
	}
	if (error != -ENOENT)
		log_error("%s: %s", path, strerror(-error));
	passed->unknown_to = last_id;
	passed->anew = true;
	write_out(passed);
	return passed;
}

void passed_free(struct passed *passed)
{
	if (!passed)
		return;
	for (size_t i = 0; i < BUCKETS; i++)
		for (struct node *node = passed->by_session[i], *next; node; node = next) {
			next = node->by_session;
			free(node);
		}
	free(passed->text);
	free(passed);
}

bool passed_is_known(const struct passed *passed, uint64_t session)
{
	return session > passed->unknown_to;
}

bool passed_note(struct passed *passed, uint64_t session, const struct addr *addr,
	uint64_t until_ms, struct addr *gone)
{
	struct node *node = find_node(passed, session, addr);
	bool gave_up = false;
	if (!node) {
		node = add_node(passed, session, addr, &gave_up, gone);
		if (!node)
			return false;
		put_node(passed, node);
		write_out(passed);
	}
	if (until_ms > node->last_ms)
		node->last_ms = until_ms;
	return gave_up;
}

void passed_note_used(struct passed *passed, const struct addr *addr, uint64_t at_ms)
{
	for (struct node *node = passed->by_addr[bucket_of_addr(addr)]; node; node = node->by_addr)
		if (addr_equal(&node->addr, addr) && at_ms > node->last_ms)
			node->last_ms = at_ms;
}

uint64_t passed_last_ms(const struct passed *passed, uint64_t session)
{
	uint64_t last_ms = 0;
	for (const struct node *node = passed->by_session[bucket_of_session(session)]; node;
		node = node->by_session)
		if (node->session == session && node->last_ms > last_ms)
			last_ms = node->last_ms;
	return last_ms;
}

static void note_any(void *context, const struct addr *addr)
{
	(void)addr;
	*(bool *)context = true;
}

bool passed_any(const struct passed *passed, uint64_t session)
{
	bool any = false;
	passed_each(passed, session, note_any, &any);
	return any;
}

void passed_each(const struct passed *passed, uint64_t session,
	void (*visit)(void *context, const struct addr *addr), void *context)
{
	for (const struct node *node = passed->by_session[bucket_of_session(session)]; node;
		node = node->by_session)
		if (node->session == session)
			visit(context, &node->addr);
}
