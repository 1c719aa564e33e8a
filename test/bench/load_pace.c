/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "load.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#define SLOTS      8192
#define GIVE_UP_NS 5000000000ull

/* A connection from its SYN to its greeting. */
struct slot {
	int fd; /* -1: free */
	uint64_t began_ns;
};

struct pace {
	struct load_place place;
	int epoll;
	struct slot slots[SLOTS];
	uint32_t free[SLOTS], nfree;
	uint64_t greeted, failed, last_ns, gap_ns;
	uint64_t *ns;
	size_t n, room;
};

static void begin(struct pace *pace)
{
	if (pace->nfree == 0) {
		pace->failed++;
		return;
	}
	uint32_t number = pace->free[--pace->nfree];
	struct slot *slot = &pace->slots[number];
	struct epoll_event event = {.events = EPOLLIN, .data.u32 = number};
	slot->fd = load_socket(&pace->place, SOCK_NONBLOCK);
	slot->began_ns = load_now_ns();
	if (connect(slot->fd, (struct sockaddr *)&pace->place.address, pace->place.len) < 0 &&
		errno != EINPROGRESS)
		load_fail("connect");
	epoll_ctl(pace->epoll, EPOLL_CTL_ADD, slot->fd, &event);
}

static void finish(struct pace *pace, uint32_t number)
{
	struct slot *slot = &pace->slots[number];
	close(slot->fd);
	slot->fd = -1;
	pace->free[pace->nfree++] = number;
}

/* The greeting, or what came instead. */
static void hear(struct pace *pace, uint32_t number)
{
	char line[512];
	ssize_t n = recv(pace->slots[number].fd, line, sizeof(line), MSG_DONTWAIT);
	uint64_t now_ns = load_now_ns();

	if (n < 0 && errno == EAGAIN)
		return;
	if (n >= 3 && strncmp(line, "220", 3) == 0) {
		if (pace->n < pace->room)
			pace->ns[pace->n++] = now_ns - pace->slots[number].began_ns;
		if (pace->last_ns && now_ns - pace->last_ns > pace->gap_ns)
			pace->gap_ns = now_ns - pace->last_ns;
		pace->last_ns = now_ns;
		pace->greeted++;
	} else {
		pace->failed++;
	}
	finish(pace, number);
}

static void hear_all(struct pace *pace, int wait_ms)
{
	struct epoll_event events[256];
	int n = epoll_wait(pace->epoll, events, 256, wait_ms);
	for (int i = 0; i < n; i++)
		hear(pace, events[i].data.u32);
}

static void tell(struct pace *pace)
{
	for (uint32_t i = 0; i < SLOTS; i++)
		pace->failed += pace->slots[i].fd >= 0;
	printf("{\"greeted\": %llu, \"failed\": %llu, \"gap_ms\": %.1f}\n",
		(unsigned long long)pace->greeted, (unsigned long long)pace->failed,
		(double)pace->gap_ns / 1e6);
	load_print_times(pace->ns, pace->n);
}

int load_pace(char **words)
{
	struct pace *pace = calloc(1, sizeof(*pace));
	double rate = atof(words[2]), seconds = atof(words[3]);
	uint64_t began_ns = load_now_ns(), begun = 0, wanted = (uint64_t)(rate * seconds);

	pace->place = load_place_of(words[0], words[1]);
	pace->epoll = epoll_create1(0);
	pace->room = wanted;
	pace->ns = calloc(wanted, sizeof(*pace->ns));
	for (uint32_t i = 0; i < SLOTS; i++) {
		pace->slots[i].fd = -1;
		pace->free[pace->nfree++] = i;
	}
	while (begun < wanted) {
		uint64_t due = (uint64_t)((double)(load_now_ns() - began_ns) / 1e9 * rate) + 1;
		for (; begun < due && begun < wanted; begun++)
			begin(pace);
		hear_all(pace, 1);
	}
	uint64_t last_ns = load_now_ns();
	while (pace->nfree < SLOTS && load_now_ns() - last_ns < GIVE_UP_NS)
		hear_all(pace, 50);
	tell(pace);
	return 0;
}
