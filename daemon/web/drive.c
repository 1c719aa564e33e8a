/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/web/drive.h"

#include "lib/base/container.h"

#include <errno.h>
#include <microhttpd.h>
#include <sys/epoll.h>

#define WAIT_MAX_MS 1000

/* From a TLS client's first byte until its handshake is over libmicrohttpd (0.9.75) wants to be run
 * again at once, and finds nothing there to read: who says half a hello would keep the process busy
 * for as long as he likes. It is run so often for what came, which is more than a request needs;
 * then when more comes, and now and then for what it may still hold. */
#define ROUNDS_MAX 8
#define NOTHING_MS 20

static void run(struct drive *drive)
{
	MHD_UNSIGNED_LONG_LONG wait_ms = WAIT_MAX_MS;
	bool any = drive->look(drive->context);

	MHD_run(drive->mhd);
	bool waits = MHD_get_timeout(drive->mhd, &wait_ms) == MHD_YES;
	if (wait_ms > WAIT_MAX_MS)
		wait_ms = WAIT_MAX_MS;
	if (wait_ms == 0 && drive->rounds++ >= ROUNDS_MAX)
		wait_ms = NOTHING_MS;
	if (waits || any)
		loop_timer_set(drive->loop, &drive->timer, loop_now_ms(drive->loop) + wait_ms);
	else
		loop_timer_clear(drive->loop, &drive->timer);
}

void drive_run(struct drive *drive)
{
	drive->rounds = 0;
	run(drive);
}

void drive_wake(struct drive *drive)
{
	drive->rounds = 0;
	loop_timer_set(drive->loop, &drive->timer, loop_now_ms(drive->loop));
}

static void on_event(struct loop_watch *watch, uint32_t events)
{
	(void)events;
	drive_run(container_of(watch, struct drive, watch));
}

static void on_time(struct loop_timer *timer, uint64_t now_ms)
{
	(void)now_ms;
	run(container_of(timer, struct drive, timer));
}

int drive_open(struct drive *drive, struct loop *loop, struct MHD_Daemon *mhd,
	bool (*look)(void *context), void *context)
{
	*drive = (struct drive){.loop = loop,
		.mhd = mhd,
		.look = look,
		.context = context,
		.watch = {.fd = -1, .on_event = on_event},
		.timer = {.on_time = on_time}};
	if (!mhd)
		return -ENOMEM;
	drive->watch.fd = MHD_get_daemon_info(mhd, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd;
	int error = loop_add(loop, &drive->watch, EPOLLIN);
	if (error) {
		MHD_stop_daemon(mhd);
		drive->mhd = NULL;
	}
	return error;
}

void drive_close(struct drive *drive)
{
	if (!drive->mhd)
		return;
	loop_del(drive->loop, &drive->watch);
	loop_timer_clear(drive->loop, &drive->timer);
	MHD_stop_daemon(drive->mhd);
	drive->mhd = NULL;
}
