/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns a relay process with the test in the place of keeper and control, in a network namespace of
 * its own whose loopback has the addresses of client, gateway, server and Internet. What TPROXY
 * does is done by connecting to the listener at the Internet's address. */
#ifndef POSTERN_TEST_RELAY_WORLD_H
#define POSTERN_TEST_RELAY_WORLD_H

#include "daemon/base/channel.h"
#include "daemon/base/log.h"
#include "daemon/process/process.h"
#include "lib/ipc/flow.h"
#include "lib/ipc/hand.h"
#include "lib/ipc/record.h"
#include "lib/limit/limit.h"
#include "lib/policy/session.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/ipv6.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#define WAIT_S 20 /* a deadline, never reached when all is well */
#ifndef TCP_SAVE_SYN
#define TCP_SAVE_SYN 27
#endif

#define RECORDS_AT_ONCE 1024 /* an ipc holds no more: none has less than 64 bytes */

struct world {
	bool ip6;
	pid_t relay;
	int keeper, control;
	uint16_t port; /* of the listener */
	int server;    /* listening at SERVER */
	uint16_t server_port;
	uint64_t policy, inquiry;
	struct ipc_flow record; /* the last one */
	/* Of the last ipc with records: how many there are, and were looked at. */
	struct ipc_flow records[RECORDS_AT_ONCE];
	unsigned nrecords, seen_records;
	unsigned messages, message_ending; /* records of messages that came; the last one's */
	struct ipc_assembly assembly;
	uint64_t counters[COUNTERS];
	bool started, counted;
	unsigned news; /* IPC_HOST, seen while waiting for others */
};

static const char *const client_texts[] = {"192.0.2.10", "2001:db8:1::10"};
static const char *const client2_texts[] = {"192.0.2.11", "2001:db8:1::11"};
static const char *const internet_texts[] = {"198.51.100.25", "2001:db8:3::25"};
static const char *const server_texts[] = {"203.0.113.10", "2001:db8:2::10"};

const char *client_text(const struct world *world);

/* ---- The namespace ---- */

/* False: this machine lets us have no namespace. */
bool enter_namespace(void);

/* ---- Sockets ---- */

socklen_t make_address(const char *text, uint16_t port, struct sockaddr_storage *sa);
void set_patience(int fd);
int listen_at(const char *text, uint16_t *port);
int connect_from(const char *from, const char *to, uint16_t port);
/* A client of the zone that wants to talk to the Internet. */
int dial(const struct world *world);
void say(int fd, const char *text);
/* Reads exactly one line; returns it with its end. */
const char *hear(int fd);
void hear_exactly(int fd, const char *text);
/* The line begins so and ends with a flow id. */
void hear_refusal(int fd, const char *beginning);
void hear_end(int fd);
void hear_reset(int fd);
void reset(int fd);

/* ---- The server ---- */

int server_take(const struct world *world);
/* Answers the gateway's question; extension may be empty. */
void server_be_asked(const struct world *world, const char *extension);

/* ---- Control and keeper ---- */

void tell(int fd, const void *ipc, int descriptor);
void tell_plain(int fd, unsigned type);
/* Waits for the next ipc of the type; counters, starts and records are noted by the way. */
void await(struct world *world, int fd, unsigned type, void *into);
/* Of a live flow: which request it answers. */
uint32_t await_live(struct world *world, struct ipc_flow *flow);
const struct ipc_flow *await_record(struct world *world);
/* Waits until a counter has at least this value. */
void await_counter(struct world *world, unsigned counter, uint64_t value);
struct ipc_reply request(struct world *world, void *ipc, int descriptor);
struct ipc_reply prepare_policy(struct world *world, const char *text);
void apply_policy(struct world *world, const char *text);
/* The policy of most tests. Both texts may be empty: more in the zone, more in the server. */
const char *policy_text(const struct world *world, const char *zone_more, const char *server_more);
void log_in(int control, uint64_t id, const char *user, const char *address);
void log_out(int control, uint64_t id);
void tell_link(struct world *world, bool has_mac);

/* ---- The smtp process of this place: the test again ---- */

/* Our end of a new pair with a process of that role, whose other end the world's process gets. */
int give_pair(struct world *world, enum process_role role);
/* The next HAND: its descriptor, and what came with it, which is good until the next one. */
const struct ipc_hand *take_hand(int pair, int *client);
void say_taken(int pair, uint64_t flow);
/* Nothing waits there. */
void expect_silence(int fd);

/* ---- The relay ---- */

struct relay_options {
	uint16_t relay_port; /* 0: one that is not the listener's; 1: the listener's */
	rlim_t descriptors;  /* 0: as we have */
};

/* The server is there, and nothing else yet. */
void begin_world(struct world *world, bool ip6);
/* Forks world->relay, whose keeper and control the test is, with what start says beside them and
 * the limits of flows; run does not return. */
void start_process(struct world *world, struct process_start *start,
	void (*run)(const struct process_start *start, const void *context), const void *context);
void start_relay(struct world *world, bool ip6, const struct relay_options *options);
/* A relay that has a policy and accepts. */
void begin(struct world *world, bool ip6, const char *zone_more, const char *server_more);
/* The process does nothing until it is let go on. */
void hold(const struct world *world);
void let_go(const struct world *world);
void tell_drain(const struct world *world, uint32_t seconds);
/* Waits until the process has ended as it was asked to. */
void await_end(struct world *world);
/* It is asked to end when nothing is left to do, and ends. */
void end(struct world *world);
/* Anna logs in, her host is asked, and her flow runs, greeted with "220 hi". */
void open_first_flow(struct world *world, int *client, int *server);
/* Another one that runs. */
void open_flow(struct world *world, int *client, int *server);

#define BOTH(test)                                                      \
	{#test " (IPv4)", test, NULL, NULL, (void *)(uintptr_t)0},      \
	{                                                               \
#test " (IPv6)", test, NULL, NULL, (void *)(uintptr_t)1 \
	}
#define IS_IP6(state) ((uintptr_t) * (state) == 1)

#endif
