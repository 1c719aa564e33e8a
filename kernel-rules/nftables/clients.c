/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kernel-rules/nftables/clients.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "kernel-rules/nftables/table_state.h"

/* A full set is counted anew at most so often: a count reads the whole set. */
#define RECOUNT_MS 10000

static_assert(SET_SPARE == CLIENTS_CHANGES_MAX, "each change may be a delete");

static uint64_t now_ms(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* ---- keys ---- */

size_t clients_encode_key(const struct client *client, uint8_t key[static 48])
{
	size_t len = SET_NAME_BYTES, address = client->addr.family == ADDR_IP4 ? 4 : 16;
	memset(key, 0, 48);
	memcpy(key, client->ifname, strnlen(client->ifname, SET_NAME_BYTES - 1));
	if (mac_is_set(&client->mac)) {
		memcpy(key + len, client->mac.bytes, sizeof(client->mac.bytes));
		len += SET_ETHER_BYTES;
	}
	memcpy(key + len, client->addr.bytes, address);
	return len + address;
}

bool clients_decode_key(
	const struct set_client *set, const uint8_t *key, size_t len, struct client *client)
{
	size_t address = set->family == ADDR_IP4 ? 4 : 16, at = SET_NAME_BYTES;
	if (len != SET_NAME_BYTES + (set->has_mac ? SET_ETHER_BYTES : 0) + address)
		return false;
	*client = (struct client){.mark = set->mark};
	memcpy(client->ifname, key, SET_NAME_BYTES - 1);
	if (set->has_mac) {
		memcpy(client->mac.bytes, key + at, sizeof(client->mac.bytes));
		at += SET_ETHER_BYTES;
	}
	client->addr.family = (uint8_t)set->family;
	memcpy(client->addr.bytes, key + at, address);
	return true;
}

/* ---- changes ---- */

static bool is_good(const struct table *t, const struct client_change *change)
{
	const struct client *client = &change->client;
	bool known_mark =
		client->mark == MARK_KERNEL
			? t->has_paths && client->path && client->path <= t->highest_number
			: client->mark >= MARK_RELAY && client->mark <= MARK_DROP;
	return (client->addr.family == ADDR_IP4 || client->addr.family == ADDR_IP6) &&
	       client->ifname[0] && memchr(client->ifname, 0, sizeof(client->ifname)) != NULL &&
	       (!change->add || known_mark);
}

/* Does the change put the client into this set? */
static bool is_added(const struct client_change *change, const struct set_client *set)
{
	return change->add && change->client.mark == set->mark;
}

static bool concerns(const struct client_change *change, const struct set_client *set)
{
	return (enum addr_family)change->client.addr.family == set->family &&
	       mac_is_set(&change->client.mac) == set->has_mac;
}

/* What is done to one set, in this order. */
enum pass {
	/* An entry that has just timed out cannot be deleted, and the refusal would undo the whole
	 * batch: so every entry is added before it is deleted. */
	PASS_BEFORE,
	PASS_DELETE,
	PASS_ADD,
};
#define BEFORE_MS 3600000 /* any time: the entry lives only within the batch */

/* Is the set in the table? */
static bool is_there(const struct table *t, const struct set_client *set)
{
	return set->mark != MARK_KERNEL || t->has_paths;
}

/* Adding to a map an element that has another number there is refused: so what a client has there
 * is asked for first. What is not there then can only have timed out, and is in nobody's way.
 * Numbers by change; 0: none. */
static int read_numbers(
	struct table *t, const struct client_change *changes, size_t n, uint32_t *numbers)
{
	for (size_t i = 0; i < n; i++) {
		const struct client *client = &changes[i].client;
		int set = set_client_of(MARK_KERNEL, client->addr.family, mac_is_set(&client->mac));
		if (!t->has_paths || set < 0 || !t->counts[set])
			continue;
		struct set_element element = {0};
		element.key_len = clients_encode_key(client, element.key);
		int status = set_get(&t->nl, set_clients[set].name, &element);
		if (status == 0 && element.data_len == sizeof(numbers[i]))
			memcpy(&numbers[i], element.data, sizeof(numbers[i]));
		else if (status && status != -ENOENT)
			return status;
	}
	return 0;
}

/* Is the client's entry taken out of this set first? Where the kernel begins the time of an entry
 * anew when it is added again, one that stays in its set is left in it. */
static bool is_deleted(const struct table *t, const struct client_change *change,
	const struct set_client *set, uint32_t number)
{
	if (set->mark == MARK_KERNEL)
		return number != 0;
	return !is_added(change, set) || !t->renews;
}

static struct set_element element_of(const struct table *t, const struct set_client *set,
	const struct client *client, enum pass pass, uint32_t number)
{
	struct set_element element = {.timeout_ms = pass == PASS_BEFORE ? BEFORE_MS
						    : pass == PASS_ADD  ? client->timeout_ms
									: 0};
	element.key_len = clients_encode_key(client, element.key);
	if (set->mark == MARK_KERNEL && pass != PASS_DELETE) {
		uint32_t bits = pass == PASS_BEFORE
					? number
					: plan_number_bits(t->server_mask, client->path);
		memcpy(element.data, &bits, sizeof(bits));
		element.data_len = sizeof(bits);
	}
	return element;
}

static void put_pass(struct batch *batch, const struct table *t, const struct set_client *set,
	const struct client_change *changes, const uint32_t *numbers, size_t n, enum pass pass)
{
	struct set_message message;
	bool begun = false;

	for (size_t i = 0; i < n; i++) {
		const struct client_change *change = &changes[i];
		if (!concerns(change, set) ||
			!(pass == PASS_ADD ? is_added(change, set)
					   : is_deleted(t, change, set, numbers[i])))
			continue;
		struct set_element element = element_of(t, set, &change->client, pass, numbers[i]);
		if (begun && set_message_put(&message, &element))
			continue;
		if (begun)
			set_message_end(&message);
		begun = set_message_begin(&message, batch, set->name, pass != PASS_DELETE);
		if (!begun)
			return;
		set_message_put(&message, &element);
	}
	if (begun)
		set_message_end(&message);
}

static void on_counted(void *context, const struct set_element *element)
{
	(void)element;
	++*(uint32_t *)context;
}

/* Is there room for so many more? Counts anew if it seems not. */
static bool has_room(struct table *t, size_t set, size_t more)
{
	if (t->counts[set] + more <= t->client_max)
		return true;
	uint64_t now = now_ms();
	uint32_t count = 0;
	if (t->recounted_ms && now - t->recounted_ms < RECOUNT_MS)
		return false;
	t->recounted_ms = now;
	if (set_read(&t->nl, set_clients[set].name, on_counted, &count) == 0)
		t->counts[set] = count;
	return t->counts[set] + more <= t->client_max;
}

int clients_change(struct table *table, const struct client_change *changes, size_t n)
{
	size_t more[SET_CLIENTS] = {0};
	struct batch batch;

	if (!table->running)
		return -ENOENT;
	if (n > CLIENTS_CHANGES_MAX)
		return -E2BIG;
	for (size_t i = 0; i < n; i++) {
		const struct client *client = &changes[i].client;
		if (!is_good(table, &changes[i]))
			return -EINVAL;
		if (changes[i].add)
			more[set_client_of(
				client->mark, client->addr.family, mac_is_set(&client->mac))]++;
	}
	for (size_t set = 0; set < SET_CLIENTS; set++) {
		if (more[set] && !has_room(table, set, more[set]))
			return -ENFILE;
	}

	uint32_t *numbers = calloc(n + 1, sizeof(*numbers));
	int status = numbers ? read_numbers(table, changes, n, numbers) : -ENOMEM;
	if (status) {
		free(numbers);
		return status;
	}
	batch_init(&batch);
	for (size_t set = 0; set < SET_CLIENTS; set++) {
		/* nothing can be in a set that nothing was put into */
		int first = table->counts[set] ? PASS_BEFORE : PASS_ADD;
		for (int pass = first; pass <= PASS_ADD; pass++)
			put_pass(&batch, table, &set_clients[set], changes, numbers, n,
				(enum pass)pass);
	}
	free(numbers);
	status = batch_send(&batch, &table->nl);
	batch_fini(&batch);
	for (size_t set = 0; set < SET_CLIENTS; set++) {
		if (status == 0)
			table->counts[set] += (uint32_t)more[set];
		else if (status == -ENFILE && more[set])
			table->counts[set] = table->client_max; /* to be counted */
	}
	return status;
}

int clients_flush(struct table *table)
{
	struct batch batch;
	if (!table->running)
		return -ENOENT;
	batch_init(&batch);
	for (size_t set = 0; set < SET_CLIENTS; set++) {
		if (is_there(table, &set_clients[set]))
			set_empty(&batch, set_clients[set].name);
	}
	int status = batch_send(&batch, &table->nl);
	batch_fini(&batch);
	if (status == 0)
		memset(table->counts, 0, sizeof(table->counts));
	return status;
}

struct dumping {
	const struct set_client *set;
	uint32_t server_mask;
	clients_visit *visit;
	void *context;
};

static void on_element(void *context, const struct set_element *element)
{
	struct dumping *dumping = context;
	struct client client;
	if (!clients_decode_key(dumping->set, element->key, element->key_len, &client))
		return;
	if (element->data_len == sizeof(uint32_t)) {
		uint32_t bits;
		memcpy(&bits, element->data, sizeof(bits));
		client.path = plan_number_of(dumping->server_mask, bits);
	}
	client.timeout_ms = element->left_ms;
	client.packets = element->packets;
	dumping->visit(dumping->context, &client);
}

int clients_dump(struct table *table, clients_visit *visit, void *context)
{
	struct dumping dumping = {
		.server_mask = table->server_mask, .visit = visit, .context = context};
	int status = 0;
	for (size_t set = 0; status == 0 && set < SET_CLIENTS; set++) {
		if (!is_there(table, &set_clients[set]))
			continue;
		dumping.set = &set_clients[set];
		status = set_read(&table->nl, set_clients[set].name, on_element, &dumping);
	}
	return status;
}

uint64_t clients_count(const struct table *table)
{
	uint64_t sum = 0;
	for (size_t set = 0; set < SET_CLIENTS; set++)
		sum += table->counts[set];
	return sum;
}
