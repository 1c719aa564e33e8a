/* Owns the connection to control: one request out, its answer's frames in. */
#ifndef POSTERN_TOOLS_CLIENT_H
#define POSTERN_TOOLS_CLIENT_H

#include "lib/request.h"

/* Exit statuses (design, section 5). */
enum {
	CLIENT_DONE = 0,
	CLIENT_REFUSED = 1,
	CLIENT_USAGE = 2,
	CLIENT_NO_DAEMON = 3,
};

struct client {
	int fd;
	struct request_reader reader;
};

/* What to do with an answer's frames; each may be NULL. Payload is not NUL-terminated. */
struct client_answer {
	void (*on_row)(void *context, const char *json, size_t len);
	void (*on_text)(void *context, const char *text, size_t len);
	void (*on_event)(void *context, const char *json, size_t len);
	void *context;
	char error[4096]; /* filled from DONE; empty when there was none */
};

/* Connects to run_dir/control.sock, or to run_dir/session.sock where the former may not be opened.
 * 0 or -errno. */
int client_open(struct client *client, const char *run_dir);
void client_close(struct client *client);
/* Sends the words and, if body is not NULL, the body; handles the answer until DONE. Returns the
 * exit status; CLIENT_NO_DAEMON when the connection broke. */
int client_ask(struct client *client, const char *const *words, size_t nwords, const char *body,
	size_t body_len, struct client_answer *answer);

#endif
