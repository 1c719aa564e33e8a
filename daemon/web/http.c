/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A scrape that waits for control is suspended, and resumed when the page has come. */
#include "daemon/web/http.h"

#include "daemon/web/drive.h"

#include <errno.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#define CONNECTIONS_MAX 32
#define PER_ADDRESS_MAX 8
#define WAITING_MAX     16 /* behind these, in the kernel */
#define MEMORY_BYTES    8192
#define IDLE_S          5
#define LIFE_MS         10000 /* of a connection, whatever comes on it */
#define FRESH_MS        500   /* a page is good for so long: scrapes faster than that share it */
#define TEXT_EXPOSITION "text/plain; version=0.0.4; charset=utf-8"
#define TEXT_HTML       "text/html; charset=utf-8"
#define TEXT_PLAIN      "text/plain; charset=utf-8"

enum waiting {
	WAITING_NOT,
	WAITING_PAGE, /* suspended */
	WAITING_OVER, /* the page is here, or none comes */
};

struct connection {
	struct MHD_Connection *mhd; /* NULL: free */
	uint64_t end_ms;
	enum waiting waiting;
};

struct http {
	struct loop *loop;
	struct drive drive;
	struct http_face face;
	struct connection connections[CONNECTIONS_MAX];
	bool asked;
	struct MHD_Response *page; /* NULL: none */
	uint64_t page_ms;
};

struct mapped {
	void *bytes;
	size_t len;
};

static const char index_page[] =
	"<!DOCTYPE html><html><head><title>Postern</title></head>"
	"<body><h1>Postern</h1><p><a href=\"/metrics\">Metrics</a></p></body></html>\n";

static struct connection *find(struct http *http, const struct MHD_Connection *mhd)
{
	for (size_t i = 0; i < CONNECTIONS_MAX; i++)
		if (http->connections[i].mhd == mhd)
			return &http->connections[i];
	return NULL;
}

static enum MHD_Result respond(
	struct MHD_Connection *mhd, unsigned status, struct MHD_Response *response)
{
	return response ? MHD_queue_response(mhd, status, response) : MHD_NO;
}

/* A connection serves one request: nobody holds a place longer than that takes. */
static struct MHD_Response *finish(struct MHD_Response *response, const char *type)
{
	if (response) {
		MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, type);
		MHD_add_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
		MHD_add_response_header(response, MHD_HTTP_HEADER_CONNECTION, "close");
	}
	return response;
}

static enum MHD_Result say(
	struct MHD_Connection *mhd, unsigned status, const char *type, const char *text)
{
	struct MHD_Response *response =
		finish(MHD_create_response_from_buffer(
			       strlen(text), (void *)(uintptr_t)text, MHD_RESPMEM_PERSISTENT),
			type);
	if (response && status == MHD_HTTP_METHOD_NOT_ALLOWED)
		MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, MHD_HTTP_METHOD_GET);
	enum MHD_Result result = respond(mhd, status, response);
	if (response)
		MHD_destroy_response(response);
	return result;
}

static enum MHD_Result say_none(struct MHD_Connection *mhd)
{
	return say(mhd, MHD_HTTP_SERVICE_UNAVAILABLE, TEXT_PLAIN,
		"the process that knows the metrics does not answer\n");
}

static bool has_body(struct MHD_Connection *mhd)
{
	const char *length =
		MHD_lookup_connection_value(mhd, MHD_HEADER_KIND, MHD_HTTP_HEADER_CONTENT_LENGTH);
	return (length && strcmp(length, "0") != 0) ||
	       MHD_lookup_connection_value(mhd, MHD_HEADER_KIND, MHD_HTTP_HEADER_TRANSFER_ENCODING);
}

static bool is_fresh(const struct http *http)
{
	return http->page && loop_now_ms(http->loop) - http->page_ms < FRESH_MS;
}

static enum MHD_Result wait_for_page(struct http *http, struct connection *connection)
{
	if (!http->asked && http->face.ask(http->face.context) < 0)
		return say_none(connection->mhd);
	http->asked = true;
	connection->waiting = WAITING_PAGE;
	MHD_suspend_connection(connection->mhd);
	return MHD_YES;
}

static enum MHD_Result on_request(void *context, struct MHD_Connection *mhd, const char *url,
	const char *method, const char *version, const char *body, size_t *body_bytes,
	void **request)
{
	struct http *http = context;
	struct connection *connection = find(http, mhd);

	(void)version;
	(void)body;
	(void)body_bytes;
	(void)request;
	if (!connection)
		return MHD_NO;
	if (connection->waiting == WAITING_OVER && http->page)
		return respond(mhd, MHD_HTTP_OK, http->page);
	if (connection->waiting == WAITING_OVER)
		return say_none(mhd);
	if (strcmp(method, MHD_HTTP_METHOD_GET) != 0)
		return say(mhd, MHD_HTTP_METHOD_NOT_ALLOWED, TEXT_PLAIN, "only GET\n");
	if (has_body(mhd))
		return say(mhd, MHD_HTTP_BAD_REQUEST, TEXT_PLAIN, "no body is expected\n");
	if (strcmp(url, "/") == 0)
		return say(mhd, MHD_HTTP_OK, TEXT_HTML, index_page);
	if (strcmp(url, "/metrics") != 0)
		return say(mhd, MHD_HTTP_NOT_FOUND, TEXT_PLAIN, "only /metrics is here\n");
	return is_fresh(http) ? respond(mhd, MHD_HTTP_OK, http->page)
			      : wait_for_page(http, connection);
}

static void on_connection(void *context, struct MHD_Connection *mhd, void **socket_context,
	enum MHD_ConnectionNotificationCode code)
{
	struct http *http = context;
	struct connection *connection =
		find(http, code == MHD_CONNECTION_NOTIFY_STARTED ? NULL : mhd);

	(void)socket_context;
	if (!connection)
		return; /* without a place: its request ends it */
	*connection = (struct connection){0};
	if (code != MHD_CONNECTION_NOTIFY_STARTED)
		return;
	connection->mhd = mhd;
	connection->end_ms = loop_now_ms(http->loop) + LIFE_MS;
}

/* Whoever dribbles a request, or does not read the answer, is cut: libmicrohttpd sees the end of
 * the connection and clears it up. One that waits for a page has a deadline elsewhere. */
static bool cut_old(void *context)
{
	struct http *http = context;
	bool any = false;

	for (size_t i = 0; i < CONNECTIONS_MAX; i++) {
		struct connection *connection = &http->connections[i];
		if (!connection->mhd)
			continue;
		any = true;
		if (loop_now_ms(http->loop) < connection->end_ms ||
			connection->waiting == WAITING_PAGE)
			continue;
		const union MHD_ConnectionInfo *info =
			MHD_get_connection_info(connection->mhd, MHD_CONNECTION_INFO_CONNECTION_FD);
		if (info)
			shutdown(info->connect_fd, SHUT_RDWR);
		connection->end_ms = loop_now_ms(http->loop) + LIFE_MS;
	}
	return any;
}

/* "::" is every address of the machine, of both families. */
static int open_listener(const struct endpoint *at)
{
	static const struct addr any = {.family = ADDR_IP6};
	struct sockaddr_storage sa;
	size_t len = endpoint_encode(at, &sa);
	const int on = 1, only6 = memcmp(at->addr.bytes, any.bytes, sizeof(any.bytes)) != 0;
	int fd = socket(sa.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return -errno;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (sa.ss_family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &only6, sizeof(only6));
	if (bind(fd, (const struct sockaddr *)&sa, (socklen_t)len) == 0 &&
		listen(fd, WAITING_MAX) == 0)
		return fd;
	int error = -errno;
	close(fd);
	return error;
}

static struct MHD_Daemon *start(struct http *http, int listener)
{
	return MHD_start_daemon(MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME, 0, NULL, NULL, on_request,
		http, MHD_OPTION_LISTEN_SOCKET, listener, MHD_OPTION_CONNECTION_LIMIT,
		(unsigned)CONNECTIONS_MAX, MHD_OPTION_PER_IP_CONNECTION_LIMIT,
		(unsigned)PER_ADDRESS_MAX, MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)IDLE_S,
		MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)MEMORY_BYTES,
		MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_NOTIFY_CONNECTION, on_connection, http,
		MHD_OPTION_END);
}

int http_open(struct loop *loop, const struct endpoint *at, const struct http_face *face,
	struct http **opened)
{
	struct http *http = calloc(1, sizeof(*http));
	int listener, error;

	if (!http)
		return -ENOMEM;
	listener = open_listener(at);
	if (listener < 0) {
		free(http);
		return listener;
	}
	http->loop = loop;
	http->face = *face;
	struct MHD_Daemon *mhd = start(http, listener);
	if (!mhd)
		close(listener);
	error = drive_open(&http->drive, loop, mhd, cut_old, http);
	if (error) {
		free(http);
		return error;
	}
	*opened = http;
	return 0;
}

static void drop_page(struct http *http)
{
	if (http->page)
		MHD_destroy_response(http->page); /* once nobody is sent it any more */
	http->page = NULL;
}

static void resume(struct http *http)
{
	http->asked = false;
	for (size_t i = 0; i < CONNECTIONS_MAX; i++) {
		struct connection *connection = &http->connections[i];
		if (!connection->mhd || connection->waiting != WAITING_PAGE)
			continue;
		connection->waiting = WAITING_OVER;
		MHD_resume_connection(connection->mhd);
	}
	drive_run(&http->drive);
}

void http_close(struct http *http)
{
	if (!http)
		return;
	http_fail(http); /* none may be suspended */
	drive_close(&http->drive);
	free(http);
}

static void unmap(void *context)
{
	struct mapped *mapped = context;
	munmap(mapped->bytes, mapped->len);
	free(mapped);
}

void http_page(struct http *http, void *bytes, size_t len)
{
	struct mapped *mapped = malloc(sizeof(*mapped));

	drop_page(http);
	if (mapped) {
		*mapped = (struct mapped){bytes, len};
		http->page = finish(MHD_create_response_from_buffer_with_free_callback_cls(
					    len, bytes, unmap, mapped),
			TEXT_EXPOSITION);
		http->page_ms = loop_now_ms(http->loop);
	}
	if (!http->page) {
		munmap(bytes, len);
		free(mapped);
	}
	resume(http);
}

void http_fail(struct http *http)
{
	drop_page(http);
	resume(http);
}
