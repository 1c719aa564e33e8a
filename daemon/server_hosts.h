/* Owns what relays found out about the servers' hosts. */
#ifndef POSTERN_SERVER_HOSTS_H
#define POSTERN_SERVER_HOSTS_H

#include "lib/message.h"

struct control;
struct server_hosts;

struct server_hosts_state {
	bool known, usable;
	uint64_t since_ms; /* wall clock: of the last change */
	char text[MESSAGE_TEXT_SIZE];
};

struct server_hosts *server_hosts_new(void);
void server_hosts_free(struct server_hosts *hosts);
void server_hosts_tell(struct control *control, const struct message_host *message);
struct server_hosts_state server_hosts_find(
	const struct server_hosts *hosts, const char *server, const struct endpoint *host);

#endif
