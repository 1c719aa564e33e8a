#include "daemon/health/server_test.h"

#include "daemon/health/tracked.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

/* Each wait is shorter than control waits for the next row. */
#define WAIT_MS   15000
#define QUIT_MS   5000
#define ITEMS_MAX (TARGETS_MAX * 8)
#define LINE_SIZE 400

/* One dialogue: an address of a host, and a client. */
struct item {
	char name[TARGET_NAME_SIZE];
	char text[TARGET_TEXT_SIZE]; /* without an address: why */
	struct endpoint host;        /* ADDR_NONE: it has no address */
	struct endpoint client;      /* ADDR_NONE: the gateway, as itself */
	bool foreign;                /* it is connected from the client's address */
};

struct server_test {
	struct loop_watch watch; /* first */
	struct loop_timer deadline;
	struct dial dial;
	struct server_tests *tests;
	uint32_t seq; /* 0: not in use */
	struct tracked_terms terms;
	enum policy_bind bind;
	struct ipc_test asked;
	char from[TRIAL_PATH_SIZE];
	struct item *items;
	size_t n, at;
	bool connected;
	int error; /* why there is no socket; errno */
	uint64_t connected_ms;
	struct trial_setup setup;
	struct trial trial;
	size_t line_len;
	char line[LINE_SIZE]; /* what the server says, up to the end of its line */
};

struct server_tests {
	struct loop *loop;
	struct dials *dials;
	const struct targets *targets;
	struct server_tests_face face;
	struct server_test v[SERVER_TESTS_MAX];
};

static void tell(const struct server_test *test, enum ipc_tested_kind kind,
	enum trial_verdict verdict, const char *text)
{
	const struct item *item = &test->items[test->at];
	struct ipc_tested ipc;

	ipc_init(&ipc, IPC_TESTED, sizeof(ipc));
	ipc.header.seq = test->seq;
	ipc.host = item->host;
	ipc.client = item->client.addr;
	ipc.kind = (uint16_t)kind;
	ipc.verdict = (uint16_t)verdict;
	memcpy(ipc.name, item->name, sizeof(ipc.name));
	snprintf(ipc.text, sizeof(ipc.text), "%s", text);
	for (char *at = ipc.text; *at; at++)
		if ((unsigned char)*at < ' ' || (unsigned char)*at >= 0x7f)
			*at = '?';
	test->tests->face.send(test->tests->face.context, &ipc);
}

static void hang_up(struct server_test *test)
{
	struct loop *loop = test->tests->loop;
	loop_timer_clear(loop, &test->deadline);
	dial_cancel(&test->dial);
	if (test->watch.fd >= 0) {
		loop_del(loop, &test->watch);
		close(test->watch.fd);
	}
	test->watch.fd = -1;
	test->connected = false;
	test->line_len = 0;
}

static void end(struct server_test *test)
{
	struct ipc_reply reply;
	ipc_init(&reply, IPC_REPLY, sizeof(reply));
	reply.header.seq = test->seq;
	free(test->items);
	test->items = NULL;
	test->seq = 0;
	test->tests->face.send(test->tests->face.context, &reply);
}

static void wait_until_next(struct server_test *test, uint64_t ms)
{
	struct loop *loop = test->tests->loop;
	loop_timer_set(loop, &test->deadline, loop_now_ms(loop) + (ms < WAIT_MS ? ms : WAIT_MS));
}

static void set_up(struct server_test *test, const struct item *item)
{
	const struct tracked_terms *terms = &test->terms;
	bool user = *test->asked.user && terms->login && terms->announce != POLICY_ANNOUNCE_NONE;

	test->setup = (struct trial_setup){.dialogue = {.hostname = terms->hostname,
						   .announce = terms->announce,
						   .client = item->client,
						   .login = user ? test->asked.user : NULL},
		.from = test->from,
		.to = test->asked.to,
		.bind = test->bind,
		.login = terms->login,
		.foreign = item->foreign,
		.own = item->foreign ? item->client.addr : terms->bind,
		.host = item->host};
	/* what the client is said to have wanted: nobody's address, of its own family */
	struct endpoint *original = &test->setup.dialogue.original;
	*original = test->setup.dialogue.client;
	original->addr.bytes[original->addr.family == ADDR_IP4 ? 3 : 15] ^= 2;
	original->port = 25;
}

static void learn_own_address(struct server_test *test)
{
	struct sockaddr_storage sa;
	struct endpoint own;
	socklen_t len = sizeof(sa);
	if (getsockname(test->watch.fd, (struct sockaddr *)&sa, &len) == 0 &&
		endpoint_decode((struct sockaddr *)&sa, len, &own) == 0)
		test->setup.own = own.addr;
}

static void watch(struct server_test *test, int fd)
{
	test->error = fd < 0 ? -fd : 0;
	test->watch.fd = fd < 0 ? -1 : fd;
	if (fd < 0)
		return;
	learn_own_address(test);
	loop_add(test->tests->loop, &test->watch, EPOLLIN | EPOLLOUT);
}

static void dial(struct server_test *test, const struct item *item)
{
	const struct addr *from = item->foreign ? &item->client.addr : &test->terms.bind;
	int fd = dial_begin(test->tests->dials, &test->dial, &item->host, from, item->foreign);
	test->error = 0;
	if (fd != -EAGAIN)
		watch(test, fd);
}

/* What stops it comes by the deadline, so that the answer never comes from within the question. */
static void next(struct server_test *test)
{
	if (test->at == test->n) {
		end(test);
		return;
	}
	const struct item *item = &test->items[test->at];
	set_up(test, item);
	if (item->host.addr.family == ADDR_NONE)
		test->error = ENODATA;
	else
		dial(test, item);
	wait_until_next(test, test->error ? 0 : test->terms.connect_ms);
}

static void on_socket(struct dial *dial, int fd)
{
	struct server_test *test =
		(struct server_test *)(void *)((char *)dial - offsetof(struct server_test, dial));
	watch(test, fd);
	wait_until_next(test, test->error ? 0 : test->terms.connect_ms);
}

/* What has nothing to do with the client is the same for the other one. */
static void pass_the_same(struct server_test *test)
{
	const struct item *item = &test->items[test->at];
	while (test->at + 1 < test->n &&
		addr_equal(&test->items[test->at + 1].host.addr, &item->host.addr) &&
		test->items[test->at + 1].host.port == item->host.port)
		test->at++;
}

static void go_to_next(struct server_test *test)
{
	hang_up(test);
	test->at++;
	next(test);
}

static void on_no_connection(struct server_test *test, int error)
{
	const struct item *item = &test->items[test->at];
	char text[TRIAL_VERDICT_SIZE];

	if (item->host.addr.family == ADDR_NONE)
		snprintf(text, sizeof(text), "unreachable: it has no address%s%s",
			*item->text ? ": " : "", item->text);
	else if (error == EAFNOSUPPORT && item->foreign)
		snprintf(text, sizeof(text),
			"passed over: with `bind client` only clients of its own IP version go "
			"there");
	else
		trial_unreached(&test->setup, error, text);
	tell(test, IPC_TESTED_VERDICT,
		error == EAFNOSUPPORT && item->foreign ? TRIAL_SKIPPED : TRIAL_REFUSED, text);
	pass_the_same(test);
	go_to_next(test);
}

static void tell_header(const struct server_test *test)
{
	const struct dialogue_setup *setup = &test->setup.dialogue;
	char client[ENDPOINT_TEXT_SIZE], original[ENDPOINT_TEXT_SIZE], text[TRIAL_VERDICT_SIZE];
	snprintf(text, sizeof(text), "(PROXY header, version 2: %s to %s%s%s)",
		endpoint_format(&setup->client, client),
		endpoint_format(&setup->original, original), setup->login ? ", user " : "",
		setup->login ? setup->login : "");
	tell(test, IPC_TESTED_SAID, TRIAL_TAKEN, text);
}

/* out is one line, or a header. */
static void tell_said(const struct server_test *test)
{
	const struct trial *trial = &test->trial;
	char text[TRIAL_VERDICT_SIZE];

	if (trial->out[0] == '\r') {
		tell_header(test);
		return;
	}
	size_t len = trial->out_len < sizeof(text) ? trial->out_len : sizeof(text) - 1;
	memcpy(text, trial->out, len);
	text[len] = '\0';
	text[strcspn(text, "\r\n")] = '\0';
	tell(test, IPC_TESTED_SAID, TRIAL_TAKEN, text);
}

static void tell_line(struct server_test *test)
{
	size_t len = test->line_len;
	if (len > 0 && test->line[len - 1] == '\r')
		len--;
	test->line[len] = '\0';
	test->line_len = 0;
	tell(test, IPC_TESTED_HEARD, TRIAL_TAKEN, test->line);
}

/* A line is cut where it has no room, in a place that it is not shown beyond. */
static void tell_heard(struct server_test *test, const uint8_t *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (bytes[i] == '\n')
			tell_line(test);
		else if (test->line_len < LINE_SIZE - 1)
			test->line[test->line_len++] = bytes[i] ? (char)bytes[i] : '?';
	}
}

static uint64_t since_connect_ms(const struct server_test *test)
{
	return loop_now_ms(test->tests->loop) - test->connected_ms;
}

/* After every change of the trial: says what is to be said, and waits so long. */
static void go_on(struct server_test *test)
{
	struct trial *trial = &test->trial;
	char text[TRIAL_VERDICT_SIZE];

	if (trial->out_len > 0) {
		tell_said(test);
		if (send(test->watch.fd, trial->out, trial->out_len, MSG_NOSIGNAL | MSG_DONTWAIT) !=
			(ssize_t)trial->out_len)
			trial_closed(trial, strerror(errno), since_connect_ms(test));
		trial->out_len = 0;
		wait_until_next(test, trial->step > TRIAL_RCPT ? QUIT_MS : test->terms.reply_ms);
	}
	if (trial->step != TRIAL_OVER)
		return;
	if (test->line_len > 0)
		tell_line(test);
	enum trial_verdict verdict = trial_judge(trial, text);
	tell(test, IPC_TESTED_VERDICT, verdict, text);
	if (trial->failed == TRIAL_DIALOGUE && !trial->dialogue.about_client)
		pass_the_same(test);
	go_to_next(test);
}

static void on_connected(struct server_test *test)
{
	test->connected = true;
	test->connected_ms = loop_now_ms(test->tests->loop);
	learn_own_address(test);
	loop_change(test->tests->loop, &test->watch, EPOLLIN);
	wait_until_next(test, test->terms.reply_ms);
	trial_begin(&test->trial, &test->setup);
	go_on(test);
}

static void read_host(struct server_test *test)
{
	uint8_t bytes[4096];
	ssize_t n = recv(test->watch.fd, bytes, sizeof(bytes), MSG_DONTWAIT);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n > 0) {
		tell_heard(test, bytes, (size_t)n);
		trial_feed(&test->trial, bytes, (size_t)n, since_connect_ms(test));
	} else {
		trial_closed(&test->trial, n < 0 ? strerror(errno) : "", since_connect_ms(test));
	}
	go_on(test);
}

static void on_event(struct loop_watch *watch, uint32_t events)
{
	struct server_test *test = (struct server_test *)(void *)watch;
	int error = 0;
	socklen_t len = sizeof(error);

	if (test->connected) {
		read_host(test);
		return;
	}
	if (getsockopt(watch->fd, SOL_SOCKET, SO_ERROR, &error, &len) < 0)
		error = errno;
	if (error)
		on_no_connection(test, error);
	else if (events & EPOLLOUT)
		on_connected(test);
}

static void on_deadline(struct loop_timer *timer, uint64_t now_ms)
{
	struct server_test *test =
		(struct server_test *)(void *)((char *)timer -
					       offsetof(struct server_test, deadline));
	(void)now_ms;
	if (test->error || !test->connected) {
		/* the keeper's word, if it is that which did not come */
		int error = test->error ? test->error : test->dial.dials ? EPERM : ETIMEDOUT;
		on_no_connection(test, error);
		return;
	}
	trial_late(&test->trial);
	go_on(test);
}

static void add_item(struct server_test *test, const struct tracked *host, const struct addr *addr,
	const struct endpoint *client, bool foreign)
{
	if (test->n == ITEMS_MAX)
		return;
	struct item *item = &test->items[test->n++];
	snprintf(item->name, sizeof(item->name), "%s", host->target.name);
	snprintf(item->text, sizeof(item->text), "%s", host->target.text);
	item->foreign = foreign;
	if (client)
		item->client = *client;
	if (!addr)
		return;
	item->host.addr = *addr;
	item->host.port = host->target.port;
}

/* As the client that was asked for; else as one of each IP version, since a server may take only
 * one, or with `bind client` as one that can reach the host. */
static void add_clients(
	struct server_test *test, const struct tracked *host, const struct addr *addr)
{
	static const uint8_t bits[] = {TARGET_CLIENTS_IP4, TARGET_CLIENTS_IP6};
	const struct tracked_terms *terms = &test->terms;
	const struct endpoint asked = {.addr = test->asked.client, .port = 40025};
	bool announces = terms->announce != POLICY_ANNOUNCE_NONE;
	unsigned own = addr->family == ADDR_IP6;

	if (asked.addr.family != ADDR_NONE && (announces || terms->from_client))
		add_item(test, host, addr, &asked, terms->from_client);
	else if (tracked_is_foreign(terms, addr->family))
		add_item(test, host, addr, &terms->clients[own], true);
	else if (!announces)
		add_item(test, host, addr, NULL, false);
	else
		for (unsigned i = 0; i < 2; i++)
			if (terms->families & bits[i])
				add_item(test, host, addr, &terms->clients[i], false);
}

static void add_items(struct server_test *test, const struct tracked *host)
{
	for (; host; host = host->next) {
		for (size_t i = 0; i < host->target.n; i++)
			add_clients(test, host, &host->target.addresses[i]);
		if (host->target.n == 0)
			add_item(test, host, NULL, NULL, false);
	}
}

static void set_from(struct server_test *test)
{
	test->from[0] = '\0';
	if (*test->asked.from)
		memcpy(test->from, test->asked.from, sizeof(test->from));
	else if (!test->asked.nobody)
		snprintf(test->from, sizeof(test->from), "postmaster@%.240s", test->terms.hostname);
	if (!trial_is_path(test->from))
		test->from[0] = '\0';
}

int server_tests_begin(struct server_tests *tests, const struct ipc_test *ipc)
{
	const struct tracked *hosts = targets_hosts(tests->targets, ipc->server);
	struct server_test *test = NULL;

	if (!hosts)
		return -ENOENT;
	for (size_t i = 0; i < SERVER_TESTS_MAX && !test; i++)
		if (!tests->v[i].seq)
			test = &tests->v[i];
	if (!test)
		return -EBUSY;
	test->items = calloc(ITEMS_MAX, sizeof(test->items[0]));
	if (!test->items)
		return -ENOMEM;
	test->seq = ipc->header.seq;
	test->asked = *ipc;
	test->terms = *hosts->terms;
	test->bind = test->terms.from_client   ? POLICY_BIND_CLIENT
		     : test->terms.bind.family ? POLICY_BIND_ADDRESS
					       : POLICY_BIND_GATEWAY;
	test->n = test->at = 0;
	set_from(test);
	add_items(test, hosts);
	next(test);
	return 0;
}

struct server_tests *server_tests_new(struct loop *loop, const struct targets *targets,
	const struct server_tests_face *face, struct dials *dials)
{
	struct server_tests *tests = calloc(1, sizeof(*tests));
	if (!tests)
		return NULL;
	tests->loop = loop;
	tests->dials = dials;
	tests->targets = targets;
	tests->face = *face;
	for (size_t i = 0; i < SERVER_TESTS_MAX; i++) {
		tests->v[i].tests = tests;
		tests->v[i].watch.fd = -1;
		tests->v[i].watch.on_event = on_event;
		tests->v[i].deadline.on_time = on_deadline;
		tests->v[i].dial.on_socket = on_socket;
	}
	return tests;
}

void server_tests_stop(struct server_tests *tests)
{
	for (size_t i = 0; i < SERVER_TESTS_MAX; i++) {
		hang_up(&tests->v[i]);
		free(tests->v[i].items);
		tests->v[i].items = NULL;
		tests->v[i].seq = 0;
	}
}

void server_tests_free(struct server_tests *tests)
{
	if (tests)
		server_tests_stop(tests);
	free(tests);
}
