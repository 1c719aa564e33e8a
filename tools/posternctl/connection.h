/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns the connection to control: one request out, its answer's frames in. */
#ifndef POSTERN_TOOLS_POSTERNCTL_CONNECTION_H
#define POSTERN_TOOLS_POSTERNCTL_CONNECTION_H

#include "lib/command/request.h"

/* Exit statuses, as posternctl(8) has them. */
enum {
	CONNECTION_DONE = 0,
	CONNECTION_REFUSED = 1,
	CONNECTION_USAGE = 2,
	CONNECTION_NO_DAEMON = 3,
};

struct connection {
	int fd;
	struct request_reader reader;
};

/* What to do with an answer's frames; each may be NULL. Payload is not NUL-terminated. */
struct connection_answer {
	void (*on_row)(void *context, const char *json, size_t len);
	void (*on_text)(void *context, const char *text, size_t len);
	void (*on_event)(void *context, const char *json, size_t len);
	void *context;
	bool enough; /* set by one of these: no more is wanted, the answer ends here */
	/* Of the end: */
	char error[65600]; /* a text for people, at most 64 KiB; empty when there was none */
	char *outcome;     /* JSON, malloc'ed; NULL: none came */
	bool timed_out;    /* nobody answered in time */
};

/* Connects to run_dir/control.sock, or where that may not be opened to desk.sock, or session.sock.
 * 0 or -errno. Waits at most so long, as does connection_ask() for each word of an answer;
 * VERB_WAIT_EVER: for ever. */
int connection_open(struct connection *connection, const char *run_dir, unsigned wait_s);
void connection_wait(struct connection *connection, unsigned wait_s);
void connection_close(struct connection *connection);
/* Sends the words and, if body is not NULL, the body; handles the answer until DONE. Returns the
 * exit status; CONNECTION_NO_DAEMON when the connection broke or nobody answered in time, or enough
 * was read: it is then of no more use. */
int connection_ask(struct connection *connection, const char *const *words, size_t nwords,
	const char *body, size_t body_len, struct connection_answer *answer);

#endif
