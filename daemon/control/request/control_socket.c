/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/control/request/control_socket.h"

#include "daemon/base/log.h"
#include "daemon/control/control.h"
#include "lib/base/container.h"
#include "lib/command/outcome.h"
#include "lib/command/request.h"
#include "lib/version.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define CLIENTS_MAX        64
#define ANSWER_BYTES_MAX   (64u << 20)
#define WATCHER_BYTES_MAX  (1u << 20)
#define STREAM_BYTES       (256u << 10) /* a long answer goes on below this */
#define HALF_REQUEST_MS    30000
#define SLOW_READER_MS     60000
#define IDLE_CONNECTION_MS 600000

/* At each place; the rest stays for operators. */
static const unsigned clients_max[CONTROL_SOCKET_PLACES] = {[CONTROL_SOCKET_CONTROL] = CLIENTS_MAX,
	[CONTROL_SOCKET_SESSION] = 48,
	[CONTROL_SOCKET_DESK] = 8};

struct server_socket {
	struct loop_watch watch;
	struct control_socket *server;
	enum control_socket_place place;
};

struct control_socket_client {
	struct loop_watch watch;
	struct loop_timer deadline; /* of a half request, an idle connection, a slow reader */
	struct loop_timer turn;     /* the next rows of a long answer */
	struct control_socket_client *next;
	struct control_socket *server;
	struct request_reader reader;
	uid_t uid;
	enum control_socket_place place;
	bool broken;   /* to be closed by the sweep */
	bool closing;  /* once its output is written */
	bool waits;    /* control_socket_continue() was asked for */
	bool answered; /* at least once */
	unsigned topics;
	struct intake intake; /* of a request whose GO did not come yet */
	void *command;        /* of the face; NULL: none runs */
	uint8_t *out;
	size_t out_at, out_len, out_room;
};

struct control_socket {
	struct control *control;
	const struct control_socket_face *face;
	struct server_socket sockets[CONTROL_SOCKET_PLACES];
	struct control_socket_client *clients;
	struct loop_timer sweep;
	unsigned nclients, nwatchers, clients_at[CONTROL_SOCKET_PLACES];
	bool paused, muted;
};

static void mark_broken(struct control_socket_client *client)
{
	struct loop *loop = client->server->control->loop;
	client->broken = true;
	loop_timer_set(loop, &client->server->sweep, loop_now_ms(loop));
}

static size_t queued(const struct control_socket_client *client)
{
	return client->out_len - client->out_at;
}

static void set_deadline(struct control_socket_client *client)
{
	struct loop *loop = client->server->control->loop;
	uint64_t wait_ms = IDLE_CONNECTION_MS;
	if (queued(client)) {
		wait_ms = SLOW_READER_MS;
	} else if (client->command || client->topics) {
		loop_timer_clear(loop, &client->deadline);
		return;
	} else if (client->intake.words || client->reader.len) {
		wait_ms = HALF_REQUEST_MS;
	}
	loop_timer_set(loop, &client->deadline, loop_now_ms(loop) + wait_ms);
}

/* Behind a request that runs, and answers that nobody reads, no other is taken: the kernel's buffer
 * holds back a fast writer. */
static bool may_take(const struct control_socket_client *client)
{
	return !client->command && !client->broken && !client->closing &&
	       queued(client) <= STREAM_BYTES;
}

static void set_events(struct control_socket_client *client)
{
	uint32_t events = may_take(client) ? EPOLLIN : 0;
	if (queued(client))
		events |= EPOLLOUT;
	loop_change(client->server->control->loop, &client->watch, events);
}

static void write_out(struct control_socket_client *client)
{
	while (queued(client)) {
		ssize_t n = send(client->watch.fd, client->out + client->out_at, queued(client),
			MSG_DONTWAIT | MSG_NOSIGNAL);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno != EAGAIN)
			mark_broken(client);
		if (n <= 0)
			return;
		client->out_at += (size_t)n;
	}
	client->out_at = client->out_len = 0;
	if (client->out_room > 1u << 20) {
		free(client->out);
		client->out = NULL;
		client->out_room = 0;
	}
	if (client->closing)
		mark_broken(client);
}

static bool make_room(struct control_socket_client *client, size_t len)
{
	if (client->out_room - client->out_len >= len)
		return true;
	if (client->out_at)
		memmove(client->out, client->out + client->out_at, queued(client));
	client->out_len = queued(client);
	client->out_at = 0;
	size_t room = client->out_room ? client->out_room : 4096;
	while (room - client->out_len < len)
		room *= 2;
	if (room == client->out_room)
		return true;
	uint8_t *out = realloc(client->out, room);
	if (!out)
		return false;
	client->out = out;
	client->out_room = room;
	return true;
}

void control_socket_send(
	struct control_socket_client *client, uint8_t kind, const void *payload, size_t len)
{
	if (!client || client->broken)
		return;
	size_t most = client->topics ? WATCHER_BYTES_MAX : ANSWER_BYTES_MAX;
	size_t whole = len + REQUEST_HEADER_SIZE;
	if (len > REQUEST_FRAME_MAX || queued(client) + whole > most || !make_room(client, whole)) {
		log_warning("a client of the control socket (uid %u) does not read; dropped",
			(unsigned)client->uid);
		mark_broken(client);
		return;
	}
	bool was_empty = !queued(client);
	request_encode_header(
		client->out + client->out_len, (enum request_kind)kind, (uint32_t)len);
	if (len)
		memcpy(client->out + client->out_len + REQUEST_HEADER_SIZE, payload, len);
	client->out_len += whole;
	/* events go at once, answers when they are whole or large */
	if (client->topics || queued(client) > STREAM_BYTES)
		write_out(client);
	if (was_empty && !client->broken) {
		set_deadline(client);
		set_events(client);
	}
}

static void on_turn(struct loop_timer *timer, uint64_t now_ms)
{
	struct control_socket_client *client =
		container_of(timer, struct control_socket_client, turn);
	(void)now_ms;
	if (client->command)
		client->server->face->more(client->command);
}

void control_socket_continue(struct control_socket_client *client)
{
	struct loop *loop = client->server->control->loop;
	write_out(client);
	client->waits = queued(client) > STREAM_BYTES;
	if (!client->waits)
		loop_timer_set(loop, &client->turn, loop_now_ms(loop));
}

static void answer_done(struct control_socket_client *client, uint8_t status, const char *text)
{
	char payload[1024] = {(char)status};
	size_t len = strlen(text);
	if (len > sizeof(payload) - 1)
		len = sizeof(payload) - 1;
	memcpy(payload + 1, text, len);
	control_socket_send(client, REQUEST_DONE, payload, len + 1);
}

/* The stream can no longer be read: say why, then close. */
static void refuse_stream(struct control_socket_client *client, const char *text)
{
	client->server->control->counters[COUNTER_REQUESTS_REFUSED]++;
	answer_done(client, (uint8_t)outcome_status(OUTCOME_REFUSED), text);
	client->closing = true;
	write_out(client);
	set_events(client);
}

bool control_socket_has_left(const struct control_socket_client *client)
{
	struct pollfd peer = {.fd = client->watch.fd};
	return client->broken || (poll(&peer, 1, 0) == 1 && (peer.revents & (POLLHUP | POLLERR)));
}

static const char *take_go(struct control_socket_client *client)
{
	if (!client->intake.words)
		return "a GO frame before WORDS";
	/* who gave up must not find it done minutes later */
	if (control_socket_has_left(client)) {
		log_warning("a request of uid %u was dropped: its caller is gone",
			(unsigned)client->uid);
		mark_broken(client);
		return NULL;
	}
	const char **words = calloc(REQUEST_WORDS_MAX, sizeof(*words));
	int n = words ? request_words((const uint8_t *)client->intake.words,
				client->intake.words_len, words, REQUEST_WORDS_MAX)
		      : -ENOMEM;
	if (n < 0) {
		free(words);
		return n == -ENOMEM ? "out of memory"
				    : "the words of the request are not UTF-8 text, hold control "
				      "characters or are too many";
	}
	const struct control_socket_face *face = client->server->face;
	struct control_socket_request request = {.client = client,
		.intake = intake_move(&client->intake),
		.words = words,
		.nwords = (size_t)n,
		.uid = client->uid,
		.came_by = client->place};
	client->command = face->make(client->server->control, &request);
	if (!client->command) {
		intake_drop(&request.intake);
		free(words);
		return "out of memory";
	}
	face->run(client->command);
	return NULL;
}

/* Takes the frames that are here, until a request runs. */
static void take_frames(struct control_socket_client *client)
{
	while (may_take(client) && !client->topics && !client->server->muted) {
		enum request_kind kind = REQUEST_DONE;
		const uint8_t *payload;
		size_t len;
		const char *wrong = NULL;
		int got = request_reader_frame(&client->reader, &kind, &payload, &len);
		if (got == 0)
			break;
		if (got < 0) {
			refuse_stream(client,
				got == -EPROTONOSUPPORT
					? "posternctl speaks another version of the control "
					  "protocol than this posternd (" POSTERN_VERSION
					  "); use the posternctl of the same release"
				: got == -EMSGSIZE ? "a frame is too long"
						   : "this is not the control protocol");
			return;
		}
		if (kind == REQUEST_WORDS)
			wrong = intake_words(&client->intake, payload, len);
		else if (kind == REQUEST_BODY)
			wrong = intake_body(&client->intake, payload, len);
		else if (kind != REQUEST_GO)
			wrong = "a frame of a kind that no request has";
		request_reader_next(&client->reader);
		if (kind == REQUEST_GO)
			wrong = take_go(client);
		if (wrong) {
			refuse_stream(client, wrong);
			return;
		}
	}
	if (!client->broken) {
		set_deadline(client);
		set_events(client);
	}
}

void control_socket_end(struct control_socket_client *client)
{
	client->command = NULL;
	client->waits = false;
	client->answered = true;
	loop_timer_clear(client->server->control->loop, &client->turn);
	write_out(client);
	/* The next request of a batch is taken in a turn of its own, so that a batch neither grows
	 * the stack nor holds up admission. */
	if (!client->broken) {
		set_deadline(client);
		set_events(client);
		if (client->reader.len)
			loop_timer_set(client->server->control->loop, &client->turn,
				loop_now_ms(client->server->control->loop));
	}
}

static void on_turn_or_frames(struct loop_timer *timer, uint64_t now_ms)
{
	struct control_socket_client *client =
		container_of(timer, struct control_socket_client, turn);
	if (client->command)
		on_turn(timer, now_ms);
	else
		take_frames(client);
}

static void read_in(struct control_socket_client *client)
{
	size_t room;
	uint8_t *to = request_reader_room(&client->reader, &room);
	if (!to) {
		mark_broken(client);
		return;
	}
	ssize_t n = recv(client->watch.fd, to, room, MSG_DONTWAIT);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		mark_broken(client);
		return;
	}
	request_reader_fed(&client->reader, (size_t)n);
	if (client->topics) /* a monitor has nothing to say but its end */
		client->reader.len = 0;
	take_frames(client);
}

static void on_client(struct loop_watch *watch, uint32_t events)
{
	struct control_socket_client *client = (struct control_socket_client *)watch;
	struct loop *loop = client->server->control->loop;
	if (client->broken)
		return;
	if (events & EPOLLOUT) {
		write_out(client);
		if (!client->broken) {
			set_deadline(client);
			set_events(client);
		}
		if (client->waits && queued(client) <= STREAM_BYTES && client->command)
			control_socket_continue(client);
		else if (client->reader.len && may_take(client))
			loop_timer_set(loop, &client->turn, loop_now_ms(loop));
	}
	if (events & EPOLLIN)
		read_in(client);
	else if (events & (EPOLLHUP | EPOLLERR))
		mark_broken(client);
}

static void on_deadline(struct loop_timer *timer, uint64_t now_ms)
{
	struct control_socket_client *client =
		container_of(timer, struct control_socket_client, deadline);
	(void)now_ms;
	mark_broken(client);
}

static void close_client(struct control_socket_client *client)
{
	struct loop *loop = client->server->control->loop;
	loop_timer_clear(loop, &client->deadline);
	loop_timer_clear(loop, &client->turn);
	loop_del(loop, &client->watch);
	close(client->watch.fd);
	if (client->command)
		client->server->face->left(client->command);
	client->server->nclients--;
	client->server->clients_at[client->place]--;
	client->server->nwatchers -= client->topics != 0;
	request_reader_fini(&client->reader);
	intake_drop(&client->intake);
	free(client->out);
	free(client);
}

static void sweep(struct loop_timer *timer, uint64_t now_ms)
{
	struct control_socket *server = container_of(timer, struct control_socket, sweep);
	(void)now_ms;
	for (struct control_socket_client **at = &server->clients; *at;) {
		struct control_socket_client *client = *at;
		if (client->broken) {
			*at = client->next;
			close_client(client);
		} else {
			at = &client->next;
		}
	}
}

static void turn_away(int fd)
{
	static const char text[] = "\001too many connections to the control socket; try again";
	uint8_t frame[REQUEST_HEADER_SIZE + sizeof(text)];
	request_encode_header(frame, REQUEST_DONE, sizeof(text) - 1);
	memcpy(frame + REQUEST_HEADER_SIZE, text, sizeof(text) - 1);
	if (send(fd, frame, REQUEST_HEADER_SIZE + sizeof(text) - 1, MSG_DONTWAIT | MSG_NOSIGNAL) <
		0)
		log_debug("a connection that is too many left by itself");
	close(fd);
}

static void add_client(struct server_socket *socket, int fd, uid_t uid)
{
	struct control_socket *server = socket->server;
	struct control_socket_client *client = calloc(1, sizeof(*client));
	if (!client) {
		close(fd);
		return;
	}
	client->watch = (struct loop_watch){.fd = fd, .on_event = on_client};
	client->deadline.on_time = on_deadline;
	client->turn.on_time = on_turn_or_frames;
	client->server = server;
	client->place = socket->place;
	client->uid = uid;
	client->intake = (struct intake){.all = &server->control->request_bytes,
		.no_file = socket->place != CONTROL_SOCKET_CONTROL};
	request_reader_init(&client->reader);
	if (socket->place != CONTROL_SOCKET_CONTROL)
		client->reader.max = INTAKE_SMALL_FRAME_MAX;
	if (loop_add(server->control->loop, &client->watch, EPOLLIN) < 0) {
		close(fd);
		free(client);
		return;
	}
	client->next = server->clients;
	server->clients = client;
	server->nclients++;
	server->clients_at[client->place]++;
	set_deadline(client);
}

static void on_accept(struct loop_watch *watch, uint32_t events)
{
	struct server_socket *socket = (struct server_socket *)watch;
	struct control_socket *server = socket->server;
	(void)events;
	for (unsigned i = 0; i < 16; i++) {
		int fd = accept4(watch->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (fd < 0)
			return;
		struct ucred who = {.uid = (uid_t)-1};
		socklen_t len = sizeof(who);
		/* Our own processes have no business here: one that was taken over shall not log
		 * anybody in. */
		if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &len) < 0 ||
			(who.uid != 0 && who.uid == geteuid()))
			close(fd);
		else if (server->nclients >= CLIENTS_MAX ||
			 server->clients_at[socket->place] >= clients_max[socket->place])
			turn_away(fd);
		else
			add_client(socket, fd, who.uid);
	}
}

struct control_socket *control_socket_open(struct control *control,
	const struct control_socket_face *face, const int fds[static CONTROL_SOCKET_PLACES])
{
	struct control_socket *server = calloc(1, sizeof(*server));
	if (!server)
		return NULL;
	server->control = control;
	server->face = face;
	server->sweep.on_time = sweep;
	for (unsigned i = 0; i < CONTROL_SOCKET_PLACES; i++) {
		struct server_socket *socket = &server->sockets[i];
		*socket = (struct server_socket){
			.server = server, .place = (enum control_socket_place)i};
		socket->watch.fd = fds[i];
		socket->watch.on_event = on_accept;
		/* accept() must not wait when a connection left between event and call */
		if (socket->watch.fd >= 0 && fcntl(socket->watch.fd, F_SETFL, O_NONBLOCK) < 0)
			log_error("a control socket cannot be made non-blocking: %s",
				strerror(errno));
		if (socket->watch.fd >= 0 && loop_add(control->loop, &socket->watch, EPOLLIN) < 0) {
			control_socket_free(server);
			return NULL;
		}
	}
	return server;
}

void control_socket_pause(struct control_socket *server)
{
	if (server->paused)
		return;
	server->paused = true;
	for (unsigned i = 0; i < CONTROL_SOCKET_PLACES; i++)
		if (server->sockets[i].watch.fd >= 0)
			loop_del(server->control->loop, &server->sockets[i].watch);
}

bool control_socket_is_idle(const struct control_socket *server)
{
	for (const struct control_socket_client *client = server->clients; client;
		client = client->next) {
		if (client->broken || client->topics)
			continue;
		if (client->command || client->intake.words || client->reader.len ||
			queued(client) || !client->answered)
			return false;
	}
	return true;
}

void control_socket_mute(struct control_socket *server)
{
	server->muted = true;
}

void control_socket_free(struct control_socket *server)
{
	if (!server)
		return;
	for (struct control_socket_client *client = server->clients; client; client = client->next)
		mark_broken(client);
	sweep(&server->sweep, 0);
	loop_timer_clear(server->control->loop, &server->sweep);
	for (unsigned i = 0; i < CONTROL_SOCKET_PLACES; i++) {
		if (server->sockets[i].watch.fd < 0)
			continue;
		if (!server->paused)
			loop_del(server->control->loop, &server->sockets[i].watch);
		close(server->sockets[i].watch.fd);
	}
	free(server);
}

void control_socket_watch(struct control_socket_client *client, unsigned topics)
{
	client->server->nwatchers += client->topics == 0;
	client->topics = topics;
	loop_timer_clear(client->server->control->loop, &client->deadline);
	write_out(client);
}

bool control_socket_has_watcher(const struct control_socket *server, unsigned topic)
{
	if (!server || !server->nwatchers)
		return false;
	for (struct control_socket_client *client = server->clients; client; client = client->next)
		if (client->topics & topic)
			return true;
	return false;
}

unsigned control_socket_publish(
	struct control_socket *server, unsigned topic, const char *json, size_t len)
{
	unsigned n = 0;
	for (struct control_socket_client *client = server->clients; client;
		client = client->next) {
		if (!(client->topics & topic) || client->broken)
			continue;
		control_socket_send(client, REQUEST_EVENT, json, len);
		n++;
	}
	return n;
}
