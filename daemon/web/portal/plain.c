/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/web/portal/plain.h"

#include "daemon/web/web.h"
#include "lib/base/container.h"
#include "lib/portal/headers.h"
#include "lib/portal/markup.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>

#define CAME_MAX    16384 /* of a request, and behind it */
#define ANSWER_SIZE 2048
/* Behind the answer: who is closed on while he still says something may lose it. */
#define BEHIND_MS 2000

static void arm(struct visit *visit, uint64_t ms)
{
	struct loop *loop = visit->service->portal->web->loop;

	loop_timer_set(loop, &visit->timer, loop_now_ms(loop) + ms);
}

static void put_field(struct markup *out, const char *name, const char *value)
{
	markup_put(out, name);
	markup_put(out, ": ");
	markup_put(out, value);
	markup_put(out, "\r\n");
}

static void put_way(struct markup *out, const struct policy_portal *policy)
{
	const char *name = policy->names.v[0].text, *open = strchr(name, ':') ? "[" : "";
	char url[POLICY_PORTAL_URL_SIZE], port[8] = "";

	if (policy->port != POLICY_PORTAL_PORT)
		snprintf(port, sizeof(port), ":%u", policy->port);
	snprintf(url, sizeof(url), "https://%s%s%s%s/", open, name, *open ? "]" : "", port);
	put_field(out, "Location", url);
}

static void put_answer(struct markup *out, const struct policy_portal *policy, time_t now)
{
	struct portal_header headers[PORTAL_HEADERS_MAX];
	size_t n = portal_headers(PORTAL_CONTENT_PAGE, false, headers);
	char date[64];
	struct tm when;

	strftime(date, sizeof(date), "%a, %d %b %Y %H:%M:%S GMT", gmtime_r(&now, &when));
	markup_put(out, "HTTP/1.1 302 Found\r\n");
	put_field(out, "Date", date);
	put_way(out, policy);
	for (size_t i = 0; i < n; i++)
		put_field(out, headers[i].name, headers[i].value);
	put_field(out, "Content-Length", "0");
	put_field(out, "Connection", "close");
	markup_put(out, "\r\n");
}

static void say(struct visit *visit)
{
	const struct portal *portal = visit->service->portal;
	char answer[ANSWER_SIZE];
	struct markup out = {.bytes = answer, .size = sizeof(answer)};

	put_answer(&out, portal->policy, (time_t)(loop_wall_ms(portal->web->loop) / 1000));
	if (out.len > sizeof(answer) ||
		send(visit->fd, answer, out.len, MSG_NOSIGNAL | MSG_DONTWAIT) != (ssize_t)out.len) {
		visit_close(visit);
		return;
	}
	shutdown(visit->fd, SHUT_WR);
	visit->state = VISIT_SENDS;
	arm(visit, BEHIND_MS);
}

/* Does an empty line end in these bytes? */
static bool is_whole(struct visit *visit, const char *bytes, size_t len)
{
	for (size_t i = 0; i < len && visit->newlines < 2; i++) {
		if (bytes[i] == '\n')
			visit->newlines++;
		else if (bytes[i] != '\r')
			visit->newlines = 0;
	}
	return visit->newlines >= 2;
}

static void on_event(struct loop_watch *watch, uint32_t events)
{
	struct visit *visit = container_of(watch, struct visit, watch);
	char bytes[4096];
	ssize_t n = recv(visit->fd, bytes, sizeof(bytes), MSG_DONTWAIT);

	(void)events;
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	visit->came += n > 0 ? (size_t)n : 0;
	if (n <= 0 || visit->came > CAME_MAX)
		visit_close(visit);
	else if (visit->state == VISIT_READS && is_whole(visit, bytes, (size_t)n))
		say(visit);
}

void plain_take(struct visit *visit)
{
	visit->state = VISIT_READS;
	visit->watch = (struct loop_watch){.fd = visit->fd, .on_event = on_event};
	if (loop_add(visit->service->portal->web->loop, &visit->watch, EPOLLIN) < 0) {
		visit->watch.fd = -1;
		visit_close(visit);
		return;
	}
	arm(visit, VISIT_IDLE_S * 1000);
}
