/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "test/lib/relay_servers.h"

void open_hosts(const struct world *world, struct hosts *hosts)
{
	hosts->listener[0] = world->server;
	hosts->port[0] = world->server_port;
	for (int i = 1; i < HOSTS; i++)
		hosts->listener[i] = listen_at(server_texts[world->ip6], &hosts->port[i]);
}

void close_hosts(struct hosts *hosts)
{
	for (int i = 1; i < HOSTS; i++)
		close(hosts->listener[i]);
}

const char *hosts_policy(
	const struct world *world, const struct hosts *hosts, const char *more, const char *second)
{
	static char text[4096];
	const char *address = server_texts[world->ip6];
	snprintf(text, sizeof(text),
		"language 1 hostname \"gw.example.net\" log level error\n"
		"zone guest { interface \"lo\" network 192.0.2.0/24, 2001:db8:1::/64\n"
		"identity address unauthenticated answer 421 \"Please log in\" }\n"
		"server relay { host %s port %u preference 10 host %s port %u preference 20 %s\n"
		"host %s port %u preference 30 %s }\n"
		"rule mail { zone guest user any server relay }\n",
		address, hosts->port[0], address, hosts->port[1], second, address, hosts->port[2],
		more);
	return text;
}

void begin_hosts(
	struct world *world, struct hosts *hosts, bool ip6, const char *more, const char *second)
{
	start_relay(world, ip6, &(struct relay_options){0});
	open_hosts(world, hosts);
	apply_policy(world, hosts_policy(world, hosts, more, second));
	tell_plain(world->control, IPC_PICTURE_DONE);
	log_in(world->control, 1, "anna", client_text(world));
}

struct ipc_targets *targets_of(const struct world *world, const struct hosts *hosts)
{
	static _Alignas(16)
		uint8_t room[sizeof(struct ipc_targets) + HOSTS * sizeof(struct ipc_target)];
	struct ipc_targets *ipc = (void *)room;
	const char *address = server_texts[world->ip6];
	ipc_init(ipc, IPC_TARGETS, sizeof(room));
	ipc->number = world->policy;
	ipc->inquiry = world->inquiry;
	strcpy(ipc->server, "relay");
	ipc->n = HOSTS;
	ipc->known = 1;
	for (uint16_t i = 0; i < HOSTS; i++) {
		struct ipc_target *target = &ipc->v[i];
		strcpy(target->name, address);
		target->port = hosts->port[i];
		target->line = i;
		target->preference = (uint16_t)(10 * (i + 1));
		target->weight = 1;
		target->state = TARGET_UP;
		target->client_families = TARGET_CLIENTS_ALL;
		target->naddresses = 1;
		target->asked = 1;
		assert_int_equal(addr_parse(address, strlen(address), &target->addresses[0]), 0);
		target->read = (struct ipc_target_read){
			.state = TARGET_UP, .client_families = TARGET_CLIENTS_ALL, .naddresses = 1};
	}
	return ipc;
}

int take_at(const struct hosts *hosts, int i)
{
	struct pollfd wait = {.fd = hosts->listener[i], .events = POLLIN};
	assert_int_equal(poll(&wait, 1, WAIT_S * 1000), 1);
	int fd = accept4(hosts->listener[i], NULL, NULL, SOCK_CLOEXEC);
	assert_true(fd >= 0);
	set_patience(fd);
	return fd;
}

void nobody_at(const struct hosts *hosts, int i)
{
	struct pollfd wait = {.fd = hosts->listener[i], .events = POLLIN};
	assert_int_equal(poll(&wait, 1, 0), 0);
}

void be_asked_at(const struct hosts *hosts, int i)
{
	int fd = take_at(hosts, i);
	say(fd, "220 hi\r\n");
	hear_exactly(fd, "EHLO gw.example.net\r\n");
	say(fd, "250 hello\r\n");
	hear_exactly(fd, "QUIT\r\n");
	say(fd, "221 bye\r\n");
	close(fd);
}

void serve(struct world *world, const struct hosts *hosts, int i)
{
	int client = dial(world);
	int server = take_at(hosts, i);
	say(server, "220 good\r\n");
	hear_exactly(client, "220 good\r\n");
	close(server);
	hear_end(client);
	close(client);
	const struct ipc_flow *record = await_record(world);
	assert_int_equal(record->host.port, hosts->port[i]);
}

static const struct ipc_flow *live_of(const struct ipc_header *header)
{
	static struct ipc_flow live;
	const struct ipc_flow_row *row = (const void *)header;
	assert_int_equal(ipc_flow_decode(row->data, header->bytes - sizeof(*row), &live), 0);
	return &live;
}

static uint32_t count_state(struct world *world, const char *name)
{
	static _Alignas(16) uint8_t buf[IPC_BYTES_MAX];
	const struct ipc_header *header = (const void *)buf;
	struct ipc_plain get;
	uint32_t n = 0;
	ipc_init(&get, IPC_FLOWS_GET, sizeof(get));
	get.header.seq = 7;
	tell(world->control, &get, -1);
	do {
		ssize_t len = recv(world->control, buf, sizeof(buf), 0);
		assert_true(len > 0);
		if (header->type == IPC_FLOW)
			n += strcmp(live_of(header)->state, name) == 0;
	} while (header->type != IPC_REPLY);
	return n;
}

void await_state(struct world *world, uint32_t n, const char *name)
{
	for (int tries = 0; count_state(world, name) != n; tries++) {
		assert_true(tries < WAIT_S * 1000);
		usleep(1000);
	}
}
