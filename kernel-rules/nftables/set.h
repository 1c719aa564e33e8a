/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns the sets of our table: their names, their making, and what stands in them. */
#ifndef POSTERN_KERNEL_RULES_NFTABLES_SET_H
#define POSTERN_KERNEL_RULES_NFTABLES_SET_H

#include "kernel-rules/nftables/batch.h"
#include "kernel-rules/plan.h"

#define SET_NAME_SIZE 96

/* A client set for each verdict, family and way of knowing a client. Those with the mark KERNEL are
 * maps to the number of the client's path, in its place in a mark; a plan without paths has none of
 * them. */
#define SET_CLIENTS 20
#define SET_RATES   6
/* Longer than client_max, for the entries that the deletes of one call make for a moment. */
#define SET_SPARE 4096

struct set_client {
	const char *name; /* "relay4m" */
	enum mark mark;
	enum addr_family family;
	bool has_mac;
};
extern const struct set_client set_clients[SET_CLIENTS];
/* Index of the client set for an entry, or -1. */
int set_client_of(enum mark mark, enum addr_family family, bool has_mac);
#define SET_NAME_BYTES  16 /* of an interface's name in a key */
#define SET_ETHER_BYTES 8  /* of a MAC in a key: padded to whole registers */
bool set_client_wanted(const struct set_client *set, const struct plan *plan);

/* How fast unknown clients ask, and how fast known ones connect. */
#define SET_RATE_MAC "rate-m"
#define SET_RATE_IP4 "rate-4"
#define SET_RATE_IP6 "rate-6"
#define SET_BUSY_MAC "busy-m"
#define SET_BUSY_IP4 "busy-4"
#define SET_BUSY_IP6 "busy-6"
#define SET_PORTS    "ports"
/* Hosts of servers with `bind client`. */
#define SET_BIND_IP4 "bind4"
#define SET_BIND_IP6 "bind6"
/* Hosts that take a login at our word. */
#define SET_LOGIN_IP4 "login4"
#define SET_LOGIN_IP6 "login6"
/* Hosts that paths lead to, or led to. */
#define SET_PATH_IP4 "path4"
#define SET_PATH_IP6 "path6"
/* Maps from a number, in its place in a mark, to where it leads. */
#define SET_PATH_SERVER_IP4 "path-server4"
#define SET_PATH_SERVER_IP6 "path-server6"
/* Numbers that lead there with the gateway's own address. */
#define SET_PATH_GATEWAY "path-gateway"
/* How fast each client ends connections of paths. */
#define SET_PATH_END_IP4 "path-end4"
#define SET_PATH_END_IP6 "path-end6"
/* Interfaces of clients that took a path, each with itself. */
#define SET_PATH_SAME "path-same"
/* These stand before a limit of flows: the numbers that have it, and how many flows each client has
 * (behind it -m, -4 or -6). */
#define SET_PATH_LIMIT_OF "path-limit-"
#define SET_PATH_COUNT_OF "path-count-"
/* Each of these holds `tcp` for a time: control answers; everything of all zones passes. */
#define SET_ALIVE  "alive"
#define SET_BYPASS "bypass"
/* These stand before a zone's name. The second is one for a time, too. */
#define SET_PORT_OF   "port-"
#define SET_BYPASS_OF "bypass-"
#define SET_NET4_OF   "net4-"
#define SET_NET6_OF   "net6-"

/* Makes the sets, empty. counters: each element counts its packets. */
void set_add_client(
	struct batch *batch, const struct set_client *set, uint32_t client_max, bool counters);
extern const char *const set_rates[SET_RATES];
void set_add_rate(struct batch *batch, const char *name);
void set_add_ports(struct batch *batch, const char *name);
void set_add_timed(struct batch *batch, const char *name);
void set_add_networks(struct batch *batch, const char *name, enum addr_family family);
void set_add_ends(struct batch *batch, const char *name, enum addr_family family);

void set_add_marks(struct batch *batch, const char *name);
void set_add_mark_ends(struct batch *batch, const char *name, enum addr_family family);
void set_add_interfaces(struct batch *batch, const char *name);
void set_add_count(struct batch *batch, const char *name, bool has_mac, enum addr_family family);

/* Fills them. */
void set_fill_ports(struct batch *batch, const char *name, const uint16_t *ports, size_t n);
/* 0: for ever. Its time begins anew. */
void set_fill_timed(struct batch *batch, const char *name, uint64_t timeout_ms);
void set_fill_networks(struct batch *batch, const char *name, enum addr_family family,
	const struct prefix *networks, size_t n);
/* Those of the family; no twins. */
void set_fill_ends(struct batch *batch, const char *name, enum addr_family family,
	const struct endpoint *ends, size_t n);
void set_fill_marks(struct batch *batch, const char *name, const uint32_t *marks, size_t n);
struct set_mark_end {
	uint32_t mark;
	struct endpoint end;
};
/* All of one family. */
void set_fill_mark_ends(
	struct batch *batch, const char *name, const struct set_mark_end *ends, size_t n);
/* Takes these marks' elements out: they must be there. */
void set_del_marks(struct batch *batch, const char *name, const uint32_t *marks, size_t n);
/* Takes all elements out. */
void set_empty(struct batch *batch, const char *name);

/* One element as bytes of its key. */
struct set_element {
	uint8_t key[48];
	size_t key_len;
	uint8_t data[20]; /* of a map's element */
	size_t data_len;
	uint64_t timeout_ms; /* to be given; 0: none */
	bool interval_end;

	bool has_left; /* read back: it has a timeout */
	uint64_t left_ms, packets;
};

/* Many elements in one message: begin, put until done (false: end this message and begin another
 * one), end. Deleting wants only the key. */
struct set_message {
	struct batch *batch;
	struct nlmsghdr *nlh;
	struct nlattr *list;
};
bool set_message_begin(
	struct set_message *message, struct batch *batch, const char *name, bool add);
bool set_message_put(struct set_message *message, const struct set_element *element);
void set_message_end(struct set_message *message);

/* Reads the elements back. 0, -ENOENT, -errno. */
typedef void set_visit(void *context, const struct set_element *element);
int set_read(struct netlink *nl, const char *name, set_visit *visit, void *context);

/* Reads the one with the key of *element. 0, -ENOENT (there is none, or no set), -errno. */
int set_get(struct netlink *nl, const char *name, struct set_element *element);

#endif
