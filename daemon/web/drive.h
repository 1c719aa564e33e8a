/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns running libmicrohttpd without a thread of its own: its epoll descriptor stands in our loop.
 */
#ifndef POSTERN_DAEMON_WEB_DRIVE_H
#define POSTERN_DAEMON_WEB_DRIVE_H

#include "daemon/base/loop.h"

struct MHD_Daemon;

struct drive {
	struct loop *loop;
	struct MHD_Daemon *mhd; /* NULL: closed */
	/* Whatever is to be looked at before each run; true: there is something to wait for, so
	   that it runs again within a second. */
	bool (*look)(void *context);
	void *context;
	struct loop_watch watch;
	struct loop_timer timer;
	unsigned rounds; /* at once after one another, without that anything came */
};

/* mhd is taken over, whatever comes of it; NULL: it could not be started. 0 or -errno. */
int drive_open(struct drive *drive, struct loop *loop, struct MHD_Daemon *mhd,
	bool (*look)(void *context), void *context);
/* No connection may be suspended. */
void drive_close(struct drive *drive);
/* Not from within one of its handlers. */
void drive_run(struct drive *drive);
/* The same soon, from wherever. */
void drive_wake(struct drive *drive);

#endif
