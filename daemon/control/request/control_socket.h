/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns the control sockets: connections of posternctl and portals, their requests and answers. */
#ifndef POSTERN_DAEMON_CONTROL_REQUEST_CONTROL_SOCKET_H
#define POSTERN_DAEMON_CONTROL_REQUEST_CONTROL_SOCKET_H

#include "daemon/control/request/intake.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum control_socket_place {
	CONTROL_SOCKET_CONTROL, /* control.sock: all */
	CONTROL_SOCKET_SESSION, /* session.sock: VERB_AT_SESSION */
	CONTROL_SOCKET_DESK,    /* desk.sock: VERB_AT_DESK */
};
#define CONTROL_SOCKET_PLACES 3

struct control;
struct control_socket;
struct control_socket_client;

/* A request that is there whole. */
struct control_socket_request {
	struct control_socket_client *client;
	struct intake intake; /* what words points into, and the body */
	const char **words;   /* malloc'ed */
	size_t nwords;
	uid_t uid;
	enum control_socket_place came_by;
};

/* Who carries requests out. What make() makes is borrowed until control_socket_end(). */
struct control_socket_face {
	/* Takes words and intake over. NULL: out of memory, and nothing is taken. */
	void *(*make)(struct control *control, const struct control_socket_request *request);
	void (*run)(void *command);
	/* The client has read what was queued (control_socket_continue()). */
	void (*more)(void *command);
	/* The client is gone: nobody waits any more. */
	void (*left)(void *command);
};

/* Takes the listening sockets over; -1: there is none. NULL: out of memory. */
struct control_socket *control_socket_open(struct control *control,
	const struct control_socket_face *face, const int fds[static CONTROL_SOCKET_PLACES]);
void control_socket_free(struct control_socket *server);

/* Before another control takes the place: connections that come now wait for that one. Those that
 * are here are served until the server is idle: each has had its answers. */
void control_socket_pause(struct control_socket *server);
bool control_socket_is_idle(const struct control_socket *server);
/* From now on no request is taken, whoever is still connected. */
void control_socket_mute(struct control_socket *server);

/* Queues one frame. The client is dropped when it does not read: its bound is that of an answer, or
 * a small one for a monitor. */
void control_socket_send(
	struct control_socket_client *client, uint8_t kind, const void *payload, size_t len);
/* The client's running command has given its last frame; the next request may begin. */
void control_socket_end(struct control_socket_client *client);
/* Calls more() once the client has read what is queued. */
void control_socket_continue(struct control_socket_client *client);
/* Has the client closed its end, so that nobody reads an answer? */
bool control_socket_has_left(const struct control_socket_client *client);
/* From now on the client only gets events. */
void control_socket_watch(struct control_socket_client *client, unsigned topics);
/* One event to every monitor that wants the topic. Returns how many got it. */
unsigned control_socket_publish(
	struct control_socket *server, unsigned topic, const char *json, size_t len);
bool control_socket_has_watcher(const struct control_socket *server, unsigned topic);

#endif
