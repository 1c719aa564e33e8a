/* Owns the control sockets: connections of posternctl and portals, their requests and answers. */
#ifndef POSTERN_DAEMON_CONTROL_REQUEST_SERVER_H
#define POSTERN_DAEMON_CONTROL_REQUEST_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum server_place {
	SERVER_CONTROL, /* control.sock: all */
	SERVER_SESSION, /* session.sock: VERB_AT_SESSION */
	SERVER_DESK,    /* desk.sock: VERB_AT_DESK */
};
#define SERVER_PLACES 3

struct command;
struct control;
struct server;
struct server_client;

/* Takes the listening sockets over; -1: there is none. NULL: out of memory. */
struct server *server_open(struct control *control, const int fds[static SERVER_PLACES]);
void server_free(struct server *server);

/* Before another control takes the place: connections that come now wait for that one. Those that
 * are here are served until the server is idle: each has had its answers. */
void server_pause(struct server *server);
bool server_is_idle(const struct server *server);
/* From now on no request is taken, whoever is still connected. */
void server_mute(struct server *server);

/* Queues one frame. The client is dropped when it does not read: its bound is that of an answer, or
 * a small one for a monitor. */
void server_send(struct server_client *client, uint8_t kind, const void *payload, size_t len);
/* The client's running command has given its last frame; the next request may begin. */
void server_end(struct server_client *client);
/* Calls the command's more() again once the client has read what is queued. */
void server_continue(struct server_client *client);
/* Has the client closed its end, so that nobody reads an answer? */
bool server_has_left(const struct server_client *client);
/* From now on the client only gets events. */
void server_watch(struct server_client *client, unsigned topics);
/* One event to every monitor that wants the topic. Returns how many got it. */
unsigned server_publish(struct server *server, unsigned topic, const char *json, size_t len);
bool server_has_watcher(const struct server *server, unsigned topic);

struct server_counts {
	unsigned clients, watchers;
	uint64_t dropped;     /* for not reading */
	uint64_t turned_away; /* too many connections */
};
void server_count(const struct server *server, struct server_counts *counts);

#endif
