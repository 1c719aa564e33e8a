/* Owns the HTTP side of metrics: GET /metrics and a page that points there, everything else
 * refused; connections few, short and slow ones cut. */
#ifndef POSTERN_METRICS_HTTP_H
#define POSTERN_METRICS_HTTP_H

#include "daemon/loop.h"
#include "lib/addr.h"

#include <stddef.h>

struct metrics_http;

/* Where pages come from. */
struct metrics_http_face {
	void *context;
	/* Somebody waits for a page: metrics_http_page() or metrics_http_fail() follows, later and
	 * not from within. Not asked again before that. 0, or -errno: none can be had now. */
	int (*ask)(void *context);
};

/* Listens. 0 or -errno. */
int metrics_http_open(struct loop *loop, const struct endpoint *at,
	const struct metrics_http_face *face, struct metrics_http **http);
/* Connections end where they are. NULL is allowed. */
void metrics_http_close(struct metrics_http *http);
/* For all who wait, and for a moment for those who come. bytes are of mmap(), and taken over. */
void metrics_http_page(struct metrics_http *http, void *bytes, size_t len);
/* All who wait hear that there is none: 503. */
void metrics_http_fail(struct metrics_http *http);

#endif
