/* SPDX-License-Identifier: GPL-2.0-or-later */
/* In front of the C library for a unit test whose world is all in one loop: a clock that need not
 * be waited for. When nothing happens for a moment, all that the loop can wait for is its next
 * timer, and the clock goes there at once.
 *
 * By the linker's --wrap, for the whole program. */
#include <sys/epoll.h>
#include <time.h>

/* Longer than a busy machine keeps what one end of a connection said from the other, of whom none
 * waits to fill its packets. */
#define MOMENT_MS 200

int __real_clock_gettime(clockid_t id, struct timespec *at);
int __real_epoll_wait(int epoll, struct epoll_event *events, int n, int timeout_ms);
int __wrap_clock_gettime(clockid_t id, struct timespec *at);
int __wrap_epoll_wait(int epoll, struct epoll_event *events, int n, int timeout_ms);

static long long ahead_ms;

int __wrap_clock_gettime(clockid_t id, struct timespec *at)
{
	int result = __real_clock_gettime(id, at);

	at->tv_sec += (time_t)(ahead_ms / 1000);
	at->tv_nsec += (long)(ahead_ms % 1000) * 1000000;
	if (at->tv_nsec >= 1000000000) {
		at->tv_nsec -= 1000000000;
		at->tv_sec++;
	}
	return result;
}

int __wrap_epoll_wait(int epoll, struct epoll_event *events, int n, int timeout_ms)
{
	if (timeout_ms >= 0 && timeout_ms <= MOMENT_MS)
		return __real_epoll_wait(epoll, events, n, timeout_ms);
	int got = __real_epoll_wait(epoll, events, n, MOMENT_MS);
	if (got == 0 && timeout_ms > 0)
		ahead_ms += timeout_ms - MOMENT_MS;
	return got;
}
