/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns the HTTP side of metrics: GET /metrics and a page that points there, everything else
 * refused; connections few, short and slow ones cut. */
#ifndef POSTERN_DAEMON_WEB_HTTP_H
#define POSTERN_DAEMON_WEB_HTTP_H

#include "daemon/base/loop.h"
#include "lib/base/addr.h"

#include <stddef.h>

struct http;

/* Where pages come from. */
struct http_face {
	void *context;
	/* Somebody waits for a page: http_page() or http_fail() follows, later and
	 * not from within. Not asked again before that. 0, or -errno: none can be had now. */
	int (*ask)(void *context);
};

/* Listens. 0 or -errno. */
int http_open(struct loop *loop, const struct endpoint *at, const struct http_face *face,
	struct http **http);
/* Connections end where they are. NULL is allowed. */
void http_close(struct http *http);
/* For all who wait, and for a moment for those who come. bytes are of mmap(), and taken over. */
void http_page(struct http *http, void *bytes, size_t len);
/* All who wait hear that there is none: 503. */
void http_fail(struct http *http);

#endif
