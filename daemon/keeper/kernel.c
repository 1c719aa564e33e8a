/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The kernel's state as the plan wants it: put there, watched, put back. All writing to our table
 * goes through this process's one socket. */
#include "daemon/keeper/keeper.h"

#include "daemon/base/log.h"
#include "lib/base/container.h"

#include <errno.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

/* Another program that fights us for the table must not take the machine with it. */
#define HEALS_A_SECOND 20
#define FOLLOW_MS      200
#define ALIVE_MS       30000

static void fill_link(struct ipc_link *ipc, unsigned type, const struct link *link)
{
	ipc_init(ipc, type, sizeof(*ipc));
	ipc->ifindex = link->ifindex;
	ipc->has_mac = link->has_mac;
	ipc->up = link->up;
	ipc->running = link->running;
	ipc->carrier_downs = link->carrier_downs;
	memcpy(ipc->name, link->name, sizeof(ipc->name));
}

void keeper_kernel_send_links(struct keeper *keeper, struct keeper_child *child)
{
	struct ipc_link ipc;
	struct ipc_plain done;

	for (size_t i = 0; i < links_count(keeper->links); i++) {
		fill_link(&ipc, IPC_LINK, links_at(keeper->links, i));
		keeper_child_send(child, &ipc, -1);
	}
	ipc_init(&done, IPC_LINKS_DONE, sizeof(done));
	keeper_child_send(child, &done, -1);
}

static void ask_heal(struct keeper *keeper, bool table, bool routes)
{
	uint64_t now_ms = loop_now_ms(keeper->loop);

	keeper->heal_table |= table;
	keeper->heal_routes |= routes;
	if (now_ms - keeper->healed_ms >= 1000) {
		keeper->healed_ms = now_ms;
		keeper->heals = 0;
	}
	loop_timer_set(keeper->loop, &keeper->heal,
		keeper->heals < HEALS_A_SECOND ? now_ms : keeper->healed_ms + 1000);
}

/* How the ip rules of one family stand, where that is worth a word. */
static void say_standing(const struct keeper *keeper, enum addr_family family, bool was_contested)
{
	const struct routes_standing *standing = routes_standing(keeper->routes, family);

	if (standing->moved)
		log_info("another program put an ip rule in front of ours (IPv%d): they stand at "
			 "%" PRIu32 " now",
			(int)family, standing->priority);
	if (standing->contested && !was_contested)
		log_warning("another program keeps putting ip rules in front of ours (IPv%d): we "
			    "stop moving them for a minute",
			(int)family);
}

static int follow(struct keeper *keeper)
{
	bool contested4 = routes_standing(keeper->routes, ADDR_IP4)->contested;
	bool contested6 = routes_standing(keeper->routes, ADDR_IP6)->contested;

	int error = routes_apply(keeper->routes, &keeper->plan);
	say_standing(keeper, ADDR_IP4, contested4);
	say_standing(keeper, ADDR_IP6, contested6);
	return error;
}

/* Who may pass by the kernel's memory alone, while control can take that back. */
static void keep_alive(struct keeper *keeper)
{
	const struct keeper_child *control = &keeper->control;

	if (!keeper->has_plan || !keeper->control_ready || !control->channel || control->missed > 1)
		return;
	int error = table_keep_alive(keeper->table, ALIVE_MS);
	if (error)
		log_error("cannot tell the kernel that control is alive: %s", strerror(-error));
	else
		keeper->alive_ms = loop_now_ms(keeper->loop);
}

static void on_heal(struct loop_timer *timer, uint64_t now_ms)
{
	struct keeper *keeper = container_of(timer, struct keeper, heal);
	bool table = keeper->heal_table, routes = keeper->heal_routes;

	(void)now_ms;
	keeper->heal_table = keeper->heal_routes = false;
	if (!keeper->has_plan || keeper->phase == KEEPER_ENDING)
		return;
	keeper->heals++;
	if (table) {
		int error = table_apply(keeper->table, &keeper->plan);
		if (error) {
			log_error("cannot put the table back: %s", strerror(-error));
			keeper->heal_table = true;
		} else {
			keep_alive(keeper);
			keeper_event(keeper, IPC_EVENT_HEALED_TABLE,
				"another program changed our table: it is put back");
		}
	}
	if (routes) {
		int error = follow(keeper);
		if (error) {
			log_error("cannot put the policy route back: %s", strerror(-error));
			keeper->heal_routes = true;
		} else {
			keeper_event(keeper, IPC_EVENT_HEALED_ROUTE,
				"another program changed our policy route: it is put back");
		}
	}
	if (keeper->heal_table || keeper->heal_routes)
		loop_timer_set(keeper->loop, &keeper->heal, loop_now_ms(keeper->loop) + 1000);
}

struct losing {
	struct keeper *keeper;
	const struct link *bridge;
};

static void lose(void *context, const struct mac *mac)
{
	const struct losing *losing = context;
	struct ipc_mac_lost ipc;

	ipc_init(&ipc, IPC_MAC_LOST, sizeof(ipc));
	ipc.mac = *mac;
	memcpy(ipc.bridge, losing->bridge->name, sizeof(ipc.bridge));
	keeper_child_send(&losing->keeper->control, &ipc, -1);
}

/* Who was behind a port of a bridge that goes down, or is no more, has lost his link, though the
 * bridge has not. */
static void follow_port(struct keeper *keeper, enum link_change change, const struct link *old,
	const struct link *link)
{
	if (!old || !old->master || !keeper->bridge_ports)
		return;
	const struct link *bridge = links_find(keeper->links, old->master);
	bool down = change == LINK_WENT || link->master != old->master || !link->running ||
		    link->carrier_downs != old->carrier_downs;
	if (!bridge || !bridge->is_bridge || !down)
		return;
	struct losing losing = {keeper, bridge};
	bridge_ports_read(keeper->bridge_ports); /* who has moved on is elsewhere */
	bridge_ports_take(keeper->bridge_ports, old->ifindex, lose, &losing);
}

static void on_link(
	void *context, enum link_change change, const struct link *old, const struct link *link)
{
	struct keeper *keeper = context;
	struct ipc_link ipc;

	bool renamed = old && strcmp(old->name, link->name) != 0;
	fill_link(&ipc, change == LINK_WENT ? IPC_UNLINK : IPC_LINK, link);
	keeper_child_send_links(keeper, &ipc);
	follow_port(keeper, change, old, link);
	if (change == LINK_WENT || renamed)
		keeper_forget_interface(keeper, old->name);
	if (change == LINK_CAME || renamed)
		keeper_forget_now(keeper, link->name);
}

static void on_links(struct loop_watch *watch, uint32_t events)
{
	struct keeper *keeper = container_of(watch, struct keeper, links_watch);

	(void)events;
	int error = links_read(keeper->links);
	if (error)
		log_error("cannot follow the interfaces: %s", strerror(-error));
}

static int watch_fd_of(struct keeper *keeper, struct loop_watch *watch, int fd,
	void (*on_event)(struct loop_watch *watch, uint32_t events))
{
	watch->fd = fd;
	watch->on_event = on_event;
	return loop_add(keeper->loop, watch, EPOLLIN);
}

static void on_bridge_ports(struct loop_watch *watch, uint32_t events)
{
	struct keeper *keeper = container_of(watch, struct keeper, bridge_ports_watch);

	(void)events;
	int error = bridge_ports_read(keeper->bridge_ports);
	if (error)
		log_error("cannot follow the bridges' ports: %s", strerror(-error));
}

/* Without it a port's end is not noticed: no reason not to start. */
static void open_bridge_ports(struct keeper *keeper)
{
	int error = bridge_ports_open(&keeper->bridge_ports);

	if (!error)
		error = watch_fd_of(keeper, &keeper->bridge_ports_watch,
			bridge_ports_fd(keeper->bridge_ports), on_bridge_ports);
	if (error)
		log_warning("cannot follow the bridges' ports: %s", strerror(-error));
}

/* Others' ip rules may change by the hundred: ours follow a few times a second. */
static void ask_follow(struct keeper *keeper)
{
	uint64_t now_ms = loop_now_ms(keeper->loop), next_ms = keeper->followed_ms + FOLLOW_MS;

	loop_timer_set(keeper->loop, &keeper->follow, now_ms > next_ms ? now_ms : next_ms);
}

static void on_follow(struct loop_timer *timer, uint64_t now_ms)
{
	struct keeper *keeper = container_of(timer, struct keeper, follow);

	keeper->followed_ms = now_ms;
	if (!keeper->has_plan || keeper->phase == KEEPER_ENDING)
		return;
	if (follow(keeper))
		ask_heal(keeper, false, true);
}

void keeper_kernel_tick(struct keeper *keeper)
{
	if (loop_now_ms(keeper->loop) - keeper->alive_ms >= ALIVE_MS / 3)
		keep_alive(keeper);
	if (routes_are_due(keeper->routes))
		ask_follow(keeper);
}

static void on_routes(struct loop_watch *watch, uint32_t events)
{
	struct keeper *keeper = container_of(watch, struct keeper, routes_watch);

	(void)events;
	int change = routes_read(keeper->routes);
	if (change == ROUTES_CHANGED)
		ask_follow(keeper);
	else if (change != 0)
		ask_heal(keeper, false, true);
}

static void on_table(struct loop_watch *watch, uint32_t events)
{
	struct keeper *keeper = container_of(watch, struct keeper, table_watch);

	(void)events;
	if (watch_read(keeper->watch) != 0)
		ask_heal(keeper, true, false);
}

int keeper_kernel_open(struct keeper *keeper, int fd)
{
	int error;

	keeper->heal.on_time = on_heal;
	keeper->follow.on_time = on_follow;
	keeper_forget_init(keeper);
	if ((error = links_open(&keeper->links, on_link, keeper)) ||
		(error = routes_open(&keeper->routes)) ||
		(error = fd < 0 ? table_open(&keeper->table)
				: table_adopt(&keeper->table, fd, keeper->upgrade.state.lacks)) ||
		(error = table_zero_counters(keeper->table)) ||
		(error = watch_open(keeper->table, &keeper->watch)) ||
		(error = watch_fd_of(
			 keeper, &keeper->links_watch, links_fd(keeper->links), on_links)) ||
		(error = watch_fd_of(
			 keeper, &keeper->routes_watch, routes_fd(keeper->routes), on_routes)) ||
		(error = watch_fd_of(
			 keeper, &keeper->table_watch, watch_fd(keeper->watch), on_table)))
		log_error("cannot open the kernel's netlink sockets: %s", strerror(-error));
	else
		open_bridge_ports(keeper);
	return error;
}

int keeper_kernel_apply(struct keeper *keeper, struct plan *plan)
{
	size_t hosts_now = plan->nhosts;
	if (keeper->has_plan)
		plan_keep_hosts(plan, &keeper->plan);
	/* a control that begins does not know yet which hosts are up, and clients have entries */
	if (keeper->has_plan && !keeper->control_ready)
		plan_keep_leads(plan, &keeper->plan);
	int error = table_apply(keeper->table, plan);
	if (error)
		return error;
	error = routes_apply(keeper->routes, plan);
	if (error) {
		/* both or none: back to what was */
		if (keeper->has_plan) {
			table_apply(keeper->table, &keeper->plan);
			routes_apply(keeper->routes, &keeper->plan);
		}
		return error;
	}
	if (keeper->has_plan)
		plan_fini(&keeper->plan);
	keeper->plan = *plan;
	keeper->has_plan = true;
	keeper->hosts_now = hosts_now;
	keep_alive(keeper);
	return 0;
}

int keeper_kernel_lead_paths(struct keeper *keeper, const struct ipc_paths *paths)
{
	int error = keeper->has_plan && keeper->plan.mode == PLAN_RUNNING ? 0 : -ENOENT;

	for (uint32_t i = 0; !error && i < paths->n; i++)
		error = plan_lead_path(
			&keeper->plan, paths->v[i].path, &paths->v[i].at4, &paths->v[i].at6);
	if (error)
		return error;
	error = table_change_paths(keeper->table, &keeper->plan);
	/* the plan says where they lead: whoever puts it back puts them back */
	if (error)
		ask_heal(keeper, true, false);
	return error;
}

int keeper_kernel_leave(struct keeper *keeper)
{
	if (!keeper->has_plan)
		return 0; /* nothing was ours: what a former run left stays as it is */
	keeper->plan.mode = PLAN_BARE;
	int error = table_apply(keeper->table, &keeper->plan);
	int routes_error = routes_remove(keeper->routes, &keeper->plan);
	return error ? error : routes_error;
}
