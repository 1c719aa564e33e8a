/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/auth/directory.h"

#include "lib/base/container.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define IN_FIRST 4096
#define OUT_MAX  (1024 * 1024)

/* state     holds                       moved on by
 * --------  --------------------------  ------------------------------------------------
 * CONNECTS  a socket on its way         the socket; its time
 * ASKS_TLS  a question for StartTLS     the answer; its time
 * SECURES   a handshake                 it; its time
 * READY     messages, both ways         nothing but its end
 * BROKEN    nothing                     its owner closes it */
enum directory_state { CONNECTS, ASKS_TLS, SECURES, READY, BROKEN };

struct bytes {
	uint8_t *v;
	size_t len, size;
};

struct directory {
	struct directory_setup setup;
	enum directory_state state;
	struct loop_watch watch;
	struct loop_timer timer; /* of the step */
	struct tls_session *tls; /* NULL: in clear */
	struct bytes in, out;
	int32_t last_id;
	bool inside; /* a call of ours is under way: it is freed at its end */
	bool closed;
};

/* ---- bytes ---- */

static void wipe(struct bytes *bytes)
{
	if (bytes->v)
		explicit_bzero(bytes->v, bytes->size);
	free(bytes->v);
	*bytes = (struct bytes){0};
}

/* Room for so many bytes in all. Never realloc(): what it leaves behind is not wiped. */
static bool make_room(struct bytes *bytes, size_t wanted)
{
	size_t size = bytes->size ? bytes->size : IN_FIRST;

	while (size < wanted)
		size *= 2;
	if (size == bytes->size)
		return true;
	uint8_t *v = malloc(size);
	if (!v)
		return false;
	size_t len = bytes->len;
	if (len > 0)
		memcpy(v, bytes->v, len);
	wipe(bytes);
	*bytes = (struct bytes){.v = v, .len = len, .size = size};
	return true;
}

static void drop_front(struct bytes *bytes, size_t n)
{
	memmove(bytes->v, bytes->v + n, bytes->len - n);
	explicit_bzero(bytes->v + bytes->len - n, n);
	bytes->len -= n;
}

/* ---- its life ---- */

static void set_state(struct directory *directory, enum directory_state state)
{
	struct loop *loop = directory->setup.loop;

	directory->state = state;
	if (state == READY || state == BROKEN)
		loop_timer_clear(loop, &directory->timer);
	else
		loop_timer_set(loop, &directory->timer, loop_now_ms(loop) + DIRECTORY_STEP_MS);
}

static void let_go(struct directory *directory)
{
	loop_timer_clear(directory->setup.loop, &directory->timer);
	if (directory->watch.fd >= 0) {
		loop_del(directory->setup.loop, &directory->watch);
		tls_free(directory->tls);
		close(directory->watch.fd);
	}
	directory->tls = NULL;
	directory->watch.fd = -1;
	wipe(&directory->in);
	wipe(&directory->out);
}

static void break_off(struct directory *directory, const char *why)
{
	if (directory->closed || directory->state == BROKEN)
		return;
	set_state(directory, BROKEN);
	let_go(directory);
	directory->setup.face->on_broken(directory->setup.owner, why);
}

static void leave(struct directory *directory)
{
	directory->inside = false;
	if (!directory->closed)
		return;
	tls_context_free(directory->setup.context);
	free(directory);
}

void directory_close(struct directory *directory)
{
	if (!directory || directory->closed)
		return;
	if (directory->tls && directory->state == READY)
		tls_close(directory->tls);
	let_go(directory);
	directory->closed = true;
	if (!directory->inside)
		leave(directory);
}

/* ---- steps to READY; each says whether there is more to do at once ---- */

static bool begin_tls(struct directory *directory)
{
	const struct ldap_url *url = directory->setup.url;
	struct tls_context *context = directory->setup.context;
	int fd = directory->watch.fd;

	directory->tls = url->addr.family == ADDR_NONE
				 ? tls_connect(context, fd, url->host)
				 : tls_connect_address(context, fd, &url->addr);
	if (!directory->tls) {
		break_off(directory, "no memory");
		return false;
	}
	set_state(directory, SECURES);
	return true;
}

static bool ask_for_tls(struct directory *directory)
{
	uint8_t bytes[64];
	struct ber_writer writer = {.bytes = bytes, .size = sizeof(bytes)};

	ldap_write_start_tls(&writer, directory_next_id(directory));
	set_state(directory, ASKS_TLS);
	/* the first bytes of a connection: they fit */
	if (send(directory->watch.fd, bytes, writer.len, MSG_NOSIGNAL) == (ssize_t)writer.len)
		return true;
	break_off(directory, "it closed at once");
	return false;
}

static bool finish_connect(struct directory *directory)
{
	int error = 0;
	socklen_t len = sizeof(error);

	getsockopt(directory->watch.fd, SOL_SOCKET, SO_ERROR, &error, &len);
	if (error) {
		break_off(directory, strerrordesc_np(error));
		return false;
	}
	return directory->setup.url->immediate ? begin_tls(directory) : ask_for_tls(directory);
}

static bool secure(struct directory *directory)
{
	switch (tls_handshake(directory->tls)) {
	case TLS_DONE:
		set_state(directory, READY);
		directory->setup.face->on_ready(directory->setup.owner);
		return true;
	case TLS_FAILED:
		break_off(directory, tls_why(directory->tls));
		return false;
	case TLS_WANTS_READ:
	case TLS_WANTS_WRITE:
		break;
	}
	return false;
}

/* ---- what comes ---- */

/* Takes what the socket has. False: nothing is there now, or it is broken. */
static bool read_some(struct directory *directory)
{
	struct bytes *in = &directory->in;

	if (!make_room(in, in->len + IN_FIRST / 2)) {
		break_off(directory, "no memory");
		return false;
	}
	size_t room = in->size - in->len;
	ssize_t n = directory->tls ? tls_read(directory->tls, in->v + in->len, room)
				   : recv(directory->watch.fd, in->v + in->len, room, 0);
	if (n < 0 && !directory->tls)
		n = -errno;
	if (n == -EAGAIN || n == -EINTR)
		return false;
	if (n <= 0) {
		break_off(directory, n == 0 || n == -ECONNRESET ? "it closed the connection"
				     : directory->tls           ? tls_why(directory->tls)
								: strerrordesc_np((int)-n));
		return false;
	}
	in->len += (size_t)n;
	return true;
}

/* The length of the whole message from there on; 0: it is not there yet, or it is broken. */
static size_t whole(struct directory *directory, size_t at, struct ldap_message *message)
{
	const uint8_t *bytes = directory->in.v + at;
	size_t there = directory->in.len - at;
	/* the first byte says already that it is no message: nobody waits for its length */
	long len = there > 0 && bytes[0] != BER_SEQUENCE
			   ? -EBADMSG
			   : ber_length(bytes, there, DIRECTORY_MESSAGE_MAX);

	if (len == -EMSGSIZE)
		break_off(directory, "it says too much at once");
	else if (len < 0)
		break_off(directory, "it does not speak LDAP");
	if (len <= 0 || (size_t)len > there)
		return 0;
	if (ldap_read(bytes, (size_t)len, message) == 0)
		return (size_t)len;
	break_off(directory, "it does not keep to the rules of LDAP");
	return 0;
}

/* What was said in clear behind the answer is no server's: nobody may speak before TLS does. */
static bool hear_of_tls(struct directory *directory)
{
	struct ldap_message message;
	size_t len;

	while (!(len = directory->in.len ? whole(directory, 0, &message) : 0))
		if (directory->state == BROKEN || !read_some(directory))
			return false;
	bool ours = message.kind == LDAP_EXTENDED && message.id == directory->last_id;
	bool taken = ours && message.result == LDAP_SUCCESS;
	if (!ours)
		break_off(directory, "it answers StartTLS with something else");
	else if (directory->in.len > len)
		break_off(directory, "it speaks on in clear behind its answer to StartTLS");
	else if (!taken && !directory->setup.insecure)
		break_off(directory, "it takes no StartTLS, and without it no password goes there; "
				     "expected ldaps://, or `insecure`");
	if (directory->state == BROKEN)
		return false;
	wipe(&directory->in);
	if (taken)
		return begin_tls(directory);
	set_state(directory, READY);
	directory->setup.face->on_ready(directory->setup.owner);
	return true;
}

static bool is_over(const struct directory *directory)
{
	return directory->closed || directory->state == BROKEN;
}

/* One message after the other; what is left of the next moves once. */
static void hand_over(struct directory *directory)
{
	struct bytes *in = &directory->in;
	struct ldap_message message;
	size_t at = 0, len;

	while (at < in->len && (len = whole(directory, at, &message)) > 0) {
		directory->setup.face->on_message(directory->setup.owner, &message,
			(struct ber_slice){.bytes = in->v + at, .len = len});
		if (is_over(directory))
			return;
		at += len;
	}
	if (!is_over(directory) && at > 0)
		drop_front(in, at);
}

/* ---- what goes ---- */

static void write_out(struct directory *directory)
{
	struct bytes *out = &directory->out;

	while (out->len > 0) {
		ssize_t n = directory->tls
				    ? tls_write(directory->tls, out->v, out->len)
				    : send(directory->watch.fd, out->v, out->len, MSG_NOSIGNAL);
		if (n < 0 && !directory->tls)
			n = -errno;
		if (n == -EAGAIN || n == -EINTR)
			return;
		if (n < 0) {
			break_off(directory, "it closed the connection");
			return;
		}
		drop_front(out, (size_t)n);
	}
}

static uint32_t interest(const struct directory *directory)
{
	bool writes = directory->state == CONNECTS;

	if (directory->tls)
		writes = tls_wants(directory->tls) == TLS_WANTS_WRITE &&
			 (directory->state == SECURES || directory->out.len > 0);
	else if (directory->state == READY)
		writes = directory->out.len > 0;
	return EPOLLIN | (writes ? EPOLLOUT : 0);
}

static void run_ready(struct directory *directory)
{
	write_out(directory);
	while (!is_over(directory) && read_some(directory))
		hand_over(directory);
	if (!is_over(directory)) /* what was asked meanwhile */
		write_out(directory);
}

static void run(struct directory *directory)
{
	bool on = true;

	while (on && !is_over(directory)) {
		switch (directory->state) {
		case CONNECTS:
			on = finish_connect(directory);
			break;
		case ASKS_TLS:
			on = hear_of_tls(directory);
			break;
		case SECURES:
			on = secure(directory);
			break;
		case READY:
			run_ready(directory);
			on = false;
			break;
		case BROKEN:
			break;
		}
	}
	if (!is_over(directory))
		loop_change(directory->setup.loop, &directory->watch, interest(directory));
}

static void on_event(struct loop_watch *watch, uint32_t events)
{
	struct directory *directory = container_of(watch, struct directory, watch);

	(void)events;
	directory->inside = true;
	run(directory);
	leave(directory);
}

static void on_time(struct loop_timer *timer, uint64_t now_ms)
{
	static const char *const late[] = {[CONNECTS] = "it cannot be reached",
		[ASKS_TLS] = "it does not answer",
		[SECURES] = "it does not finish its handshake"};
	struct directory *directory = container_of(timer, struct directory, timer);

	(void)now_ms;
	directory->inside = true;
	if (directory->state == READY) /* something is to be written */
		run(directory);
	else
		break_off(directory, late[directory->state]);
	leave(directory);
}

/* ---- from outside ---- */

int32_t directory_next_id(struct directory *directory)
{
	directory->last_id = directory->last_id == INT32_MAX ? 1 : directory->last_id + 1;
	return directory->last_id;
}

int32_t directory_last_id(const struct directory *directory)
{
	return directory->last_id;
}

/* From within a call of ours its end writes; else the loop comes back to it at once. */
bool directory_send(struct directory *directory, const struct ber_writer *request)
{
	struct bytes *out = &directory->out;
	struct loop *loop = directory->setup.loop;

	if (directory->state != READY || request->full || out->len + request->len > OUT_MAX ||
		!make_room(out, out->len + request->len))
		return false;
	memcpy(out->v + out->len, request->bytes, request->len);
	out->len += request->len;
	if (!directory->inside)
		loop_timer_set(loop, &directory->timer, loop_now_ms(loop));
	return true;
}

/* Over a socket that is connected; taken over. */
static struct directory *adopt(const struct directory_setup *setup, int fd)
{
	struct directory *directory = calloc(1, sizeof(*directory));

	if (!directory) {
		close(fd);
		return NULL;
	}
	directory->setup = *setup;
	directory->watch = (struct loop_watch){.fd = fd, .on_event = on_event};
	directory->timer.on_time = on_time;
	if (loop_add(setup->loop, &directory->watch, EPOLLIN | EPOLLOUT) < 0) {
		close(fd);
		free(directory);
		return NULL;
	}
	tls_context_hold(setup->context);
	set_state(directory, CONNECTS);
	return directory;
}

struct directory *directory_open(const struct directory_setup *setup)
{
	struct sockaddr_storage sa;
	size_t len = endpoint_encode(&setup->server, &sa);
	int fd = socket(sa.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return NULL;
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
	if (connect(fd, (struct sockaddr *)&sa, (socklen_t)len) < 0 && errno != EINPROGRESS) {
		close(fd);
		return NULL;
	}
	return adopt(setup, fd);
}
