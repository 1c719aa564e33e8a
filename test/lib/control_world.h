/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns the control process between a keeper, a relay and a client that the test plays: what is said
 * and in which order. */
#ifndef POSTERN_TEST_CONTROL_WORLD_H
#define POSTERN_TEST_CONTROL_WORLD_H

#include "daemon/base/channel.h"
#include "daemon/process/process.h"
#include "kernel-rules/plan.h"
#include "lib/command/request.h"
#include "lib/ipc/flow.h"
#include "lib/ipc/kernel.h"
#include "lib/ipc/replica.h"
#include "lib/limit/message_limit.h"
#include "lib/policy/session.h"
#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#define DEADLINE_MS 10000 /* never reached when all is well */
#define MAC7        "02:00:5e:00:53:07"
#define MAC8        "02:00:5e:00:53:08"

/* The policy of the file. */
extern const char control_policy[];

struct world {
	char dir[64], config[128], state[128], control_path[128], session_path[128];
	pid_t pid;
	int keeper, relay; /* our ends; -1: none */
	int control_socket, session_socket;
	struct message_limit limits; /* what smtp takes of, and control sees */
};

extern struct world world;

union received {
	_Alignas(16) uint8_t bytes[IPC_BYTES_MAX];
	struct ipc_header header;
	struct ipc_reply reply;
	struct ipc_verdict verdict;
	struct ipc_entries entries;
	struct ipc_wanted wanted;
	struct ipc_policy policy;
	struct ipc_sessions sessions;
	struct ipc_session_gone gone;
	struct ipc_kill kill;
	struct ipc_list_entries list;
	struct ipc_flow_ids ids;
	struct ipc_bypass bypass;
	struct ipc_neighbour neighbour;
	struct ipc_foresee foresee;
};

/* What was received last. */
extern union received in;

/* ---- the process ---- */

/* For setting up and tearing down a case: control runs, and has said nothing yet. */
int set_up(void **state);
int tear_down(void **state);
void start_control(void);
/* signal 0: it ends by itself. */
void stop_control(int signal);
/* It does nothing until it is let go on. */
void hold_control(void);
void let_control_go(void);
void write_config(const char *text);

/* ---- keeper and relay ---- */

/* The next ipc, into `in`. false: none within the time. *passed: its descriptor; may be NULL.
 */
bool receive(int fd, int wait_ms, int *passed);
void expect(int fd, unsigned type);
void send_to(int fd, const void *ipc, int passed);
/* Answers the ipc that was received last. */
void answer(int fd, int status, const char *text);
void answer_seq(int fd, uint32_t seq, int status, const char *text);
void expect_plan(enum plan_mode mode);
/* Plays the keeper up to the plan of the policy that runs: the posture comes first. */
void greet_control_until_plan(int posture, int plan);
/* A policy takes the place of the one that control came up with, while no relay is there. */
void see_another_policy(void);
void expect_ready(void);
/* Plays the keeper until READY. */
void greet_control(void);
/* Plays a process with flows that gets its picture: our end. */
int add_process(enum process_role role, unsigned number);
/* A relay, which is the world's. */
void add_relay(void);
/* A first packet of a client: its verdict is in `in`. */
void admit(const char *ifname, const char *addr, const char *mac);

/* ---- what a client of the sockets asks ---- */

struct asked {
	int fd, status;
	struct request_reader reader;
	char rows[65536], text[65536], error[4096];
};

int connect_to(const char *path);
struct asked *connect_asked(const char *path);
void send_frame(int fd, enum request_kind kind, const void *payload, size_t len);
/* Words with single blanks between them; body may be NULL. */
struct asked *ask(const char *words, const char *body);
struct asked *ask_at(const char *path, const char *words, const char *body);
/* Reads until DONE; false when nothing comes within the time. */
bool read_answer(struct asked *asked, int wait_ms);
/* Waits for the end, which must have this status, and lets go. */
void finish(struct asked *asked, int status);

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

#endif
