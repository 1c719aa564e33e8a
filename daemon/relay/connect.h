/* Owns stage 6, first half: the server's hosts are tried one after the other until one takes the
 * connection, within the server's deadlines. */
#ifndef POSTERN_CONNECT_H
#define POSTERN_CONNECT_H

#include "daemon/relay/flow.h"
#include "daemon/relay/host.h"

struct connect_deadlines {
	uint32_t first_ms, connect_ms, greeting_ms, idle_ms;
};
/* Those of the flow's server; for `server original` the language's defaults. */
struct connect_deadlines connect_deadlines_of(const struct flow *flow);

/* How long the attempt at hand may take to connect, and to greet, so that the hosts that are left
 * can still be tried within `deadline first`. */
uint32_t connect_may_connect_ms(const struct flow *flow);
uint32_t connect_may_greet_ms(const struct flow *flow);

/* The flow was matched and charged: tries the first host. */
void connect_begin(struct flow *flow);
/* The attempt at hand failed: notes it and tries the next host; with none left the client is told
 * so. words: the server's own, or the system's; may be empty. */
void connect_failed(struct flow *flow, enum ending ending, const char *words);
void connect_on_server(struct flow *flow, uint32_t events);
void connect_on_deadline(struct flow *flow);
/* A host was asked: ENDING_NONE, or why it is not to be used. client: it was about this one alone;
 * NULL: about all. */
void connect_on_host(struct relay *relay, const struct host *host, enum ending ending,
	const char *words, const struct endpoint *client);

/* Sockets came that flows wait for (stock.h). */
void connect_on_socket(struct relay *relay);

/* A socket that connects to end from where the server says (NULL: `server original`), or -errno. */
int connect_socket(const struct endpoint *end, const struct policy_server *server);
/* What became of it: 0 or errno. */
int connect_error(int fd);
enum ending connect_ending(int error);

/* Of `server original`, whose address the client chose with its packets: NULL, or why nobody is
 * taken there. */
const char *connect_original_refusal(const struct addr *original);

#endif
