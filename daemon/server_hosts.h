/* Owns what relays found out about the servers' hosts. */
#ifndef POSTERN_SERVER_HOSTS_H
#define POSTERN_SERVER_HOSTS_H

#include "lib/message.h"

struct control;
struct server_hosts;

enum server_hosts_word {
	SERVER_HOSTS_UNKNOWN,
	SERVER_HOSTS_UP,
	SERVER_HOSTS_DOWN,    /* the last flow could not have it */
	SERVER_HOSTS_REFUSED, /* not to be used: it would let clients forge their identity */
};
#define SERVER_HOSTS_WORDS 4
extern const char *const server_hosts_words[SERVER_HOSTS_WORDS];

struct server_hosts_state {
	enum server_hosts_word word;
	uint64_t since_ms; /* wall clock: of the last change */
	char text[MESSAGE_TEXT_SIZE];
};

struct server_hosts *server_hosts_new(void);
void server_hosts_free(struct server_hosts *hosts);
void server_hosts_tell(struct control *control, const struct message_host *message);
/* What a finished flow met at the hosts that it tried. */
void server_hosts_tell_attempts(struct control *control, const struct message_flow *flow);
struct server_hosts_state server_hosts_find(
	const struct server_hosts *hosts, const char *server, const struct endpoint *host);

#endif
