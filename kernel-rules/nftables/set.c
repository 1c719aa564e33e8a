/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kernel-rules/nftables/set.h"

#include <endian.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <arpa/inet.h>
#include <libnftnl/expr.h>
#include <libnftnl/set.h>
#include <libnftnl/udata.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>

#include "kernel-rules/nftables/table_name.h"

/* nft's numbers of key types, by which it prints a set. */
#define TYPE_IP4     7
#define TYPE_IP6     8
#define TYPE_ETHER   9
#define TYPE_PROTO   12
#define TYPE_PORT    13
#define TYPE_MARK    19
#define TYPE_IFINDEX 20
#define TYPE_IFNAME  41
#define TYPE_BITS    6

/* nft's numbers of byte orders */
#define HOST_ENDIAN      1
#define BIG_ENDIAN_ORDER 2

#define PORT_BYTES 4 /* of a port behind an address */

#define RATE_SIZE       65536
#define RATE_TIMEOUT_MS 10000

#define CLIENT_SETS(name, mark)                                               \
	{name "4m", mark, ADDR_IP4, true}, {name "6m", mark, ADDR_IP6, true}, \
		{name "4", mark, ADDR_IP4, false},                            \
	{                                                                     \
		name "6", mark, ADDR_IP6, false                               \
	}

const struct set_client set_clients[SET_CLIENTS] = {
	CLIENT_SETS("relay", MARK_RELAY),
	CLIENT_SETS("kernel", MARK_KERNEL),
	CLIENT_SETS("pass", MARK_PASS),
	CLIENT_SETS("reject", MARK_REJECT),
	CLIENT_SETS("drop", MARK_DROP),
};

int set_client_of(enum mark mark, enum addr_family family, bool has_mac)
{
	for (int i = 0; i < SET_CLIENTS; i++) {
		if (set_clients[i].mark == mark && set_clients[i].family == family &&
			set_clients[i].has_mac == has_mac)
			return i;
	}
	return -1;
}

bool set_client_wanted(const struct set_client *set, const struct plan *plan)
{
	return set->mark != MARK_KERNEL || plan_has_paths(plan);
}

struct shape {
	uint32_t flags, key_type, key_len, size, timeout_ms;
	uint32_t data_type, data_len; /* of a map */
	bool counters;
	bool key_is_mark, data_is_mark; /* numbers of the machine: nft prints them as such */
};

/* What nft would note of a set that it made. */
static bool put_byte_order(struct nftnl_set *set, const struct shape *shape)
{
	struct nftnl_udata_buf *notes;
	bool done;

	if (!shape->key_is_mark && !shape->data_is_mark)
		return true;
	notes = nftnl_udata_buf_alloc(64);
	if (!notes)
		return false;
	done = nftnl_udata_put_u32(notes, NFTNL_UDATA_SET_KEYBYTEORDER,
		shape->key_is_mark ? HOST_ENDIAN : BIG_ENDIAN_ORDER);
	if (shape->flags & NFT_SET_MAP)
		done = done && nftnl_udata_put_u32(notes, NFTNL_UDATA_SET_DATABYTEORDER,
				       shape->data_is_mark ? HOST_ENDIAN : BIG_ENDIAN_ORDER);
	nftnl_set_set_data(
		set, NFTNL_SET_USERDATA, nftnl_udata_buf_data(notes), nftnl_udata_buf_len(notes));
	nftnl_udata_buf_free(notes);
	return done;
}

static void add_set(struct batch *batch, const char *name, const struct shape *shape)
{
	struct nlmsghdr *nlh = batch_begin(batch, NFT_MSG_NEWSET, NLM_F_CREATE);
	struct nftnl_set *set = nftnl_set_alloc();
	if (!nlh || !set)
		goto out;
	nftnl_set_set_str(set, NFTNL_SET_TABLE, TABLE_NAME);
	nftnl_set_set_str(set, NFTNL_SET_NAME, name);
	nftnl_set_set_u32(set, NFTNL_SET_FAMILY, NFPROTO_INET);
	nftnl_set_set_u32(set, NFTNL_SET_ID, batch->seq);
	nftnl_set_set_u32(set, NFTNL_SET_FLAGS, shape->flags);
	nftnl_set_set_u32(set, NFTNL_SET_KEY_TYPE, shape->key_type);
	nftnl_set_set_u32(set, NFTNL_SET_KEY_LEN, shape->key_len);
	if (shape->flags & NFT_SET_MAP) {
		nftnl_set_set_u32(set, NFTNL_SET_DATA_TYPE, shape->data_type);
		nftnl_set_set_u32(set, NFTNL_SET_DATA_LEN, shape->data_len);
	}
	if (!put_byte_order(set, shape))
		goto out;
	if (shape->size)
		nftnl_set_set_u32(set, NFTNL_SET_DESC_SIZE, shape->size);
	if (shape->timeout_ms)
		nftnl_set_set_u64(set, NFTNL_SET_TIMEOUT, shape->timeout_ms);
	if (shape->counters) {
		struct nftnl_expr *counter = nftnl_expr_alloc("counter");
		if (!counter)
			goto out;
		nftnl_set_add_expr(set, counter);
	}
	nftnl_set_nlmsg_build_payload(nlh, set);
	batch_end(batch, nlh);
	nftnl_set_free(set);
	return;
out:
	if (set)
		nftnl_set_free(set);
	batch_fail(batch, -ENOMEM);
}

void set_add_client(
	struct batch *batch, const struct set_client *set, uint32_t client_max, bool counters)
{
	bool ip4 = set->family == ADDR_IP4;
	struct shape shape = {.flags = NFT_SET_TIMEOUT,
		.key_type = TYPE_IFNAME,
		.key_len = SET_NAME_BYTES,
		.size = client_max + SET_SPARE,
		.counters = counters};
	if (set->has_mac) {
		shape.key_type = shape.key_type << TYPE_BITS | TYPE_ETHER;
		shape.key_len += SET_ETHER_BYTES;
	}
	shape.key_type = shape.key_type << TYPE_BITS | (ip4 ? TYPE_IP4 : TYPE_IP6);
	shape.key_len += ip4 ? 4 : 16;
	if (set->mark == MARK_KERNEL) {
		shape.flags |= NFT_SET_MAP;
		shape.data_type = TYPE_MARK;
		shape.data_len = sizeof(uint32_t);
		shape.data_is_mark = true;
	}
	add_set(batch, set->name, &shape);
}

const char *const set_rates[SET_RATES] = {
	SET_RATE_MAC, SET_RATE_IP4, SET_RATE_IP6, SET_BUSY_MAC, SET_BUSY_IP4, SET_BUSY_IP6};

/* Of clients by interface and MAC, or by interface and address. */
static struct shape shape_of_clients(bool has_mac, enum addr_family family)
{
	uint32_t type = has_mac ? TYPE_ETHER : family == ADDR_IP4 ? TYPE_IP4 : TYPE_IP6;
	return (struct shape){.flags = NFT_SET_EVAL,
		.size = RATE_SIZE,
		.key_type = TYPE_IFNAME << TYPE_BITS | type,
		.key_len = SET_NAME_BYTES + (has_mac                     ? SET_ETHER_BYTES
						    : family == ADDR_IP4 ? 4
									 : 16)};
}

void set_add_rate(struct batch *batch, const char *name)
{
	bool has_mac = strcmp(name, SET_RATE_MAC) == 0 || strcmp(name, SET_BUSY_MAC) == 0;
	bool ip4 = strcmp(name, SET_RATE_IP4) == 0 || strcmp(name, SET_BUSY_IP4) == 0 ||
		   strcmp(name, SET_PATH_END_IP4) == 0;
	struct shape shape = shape_of_clients(has_mac, ip4 ? ADDR_IP4 : ADDR_IP6);
	shape.flags |= NFT_SET_TIMEOUT;
	shape.timeout_ms = RATE_TIMEOUT_MS;
	add_set(batch, name, &shape);
}

/* An element goes with the last of its connections. */
void set_add_count(struct batch *batch, const char *name, bool has_mac, enum addr_family family)
{
	struct shape shape = shape_of_clients(has_mac, family);
	add_set(batch, name, &shape);
}

void set_add_marks(struct batch *batch, const char *name)
{
	struct shape shape = {
		.key_type = TYPE_MARK, .key_len = sizeof(uint32_t), .key_is_mark = true};
	add_set(batch, name, &shape);
}

void set_add_mark_ends(struct batch *batch, const char *name, enum addr_family family)
{
	bool ip4 = family == ADDR_IP4;
	struct shape shape = {.flags = NFT_SET_MAP,
		.key_type = TYPE_MARK,
		.key_len = sizeof(uint32_t),
		.data_type = (ip4 ? TYPE_IP4 : TYPE_IP6) << TYPE_BITS | TYPE_PORT,
		.data_len = (ip4 ? 4 : 16) + PORT_BYTES,
		.key_is_mark = true};
	add_set(batch, name, &shape);
}

void set_add_interfaces(struct batch *batch, const char *name)
{
	struct shape shape = {.flags = NFT_SET_EVAL,
		.size = RATE_SIZE,
		.key_type = TYPE_IFINDEX << TYPE_BITS | TYPE_IFINDEX,
		.key_len = 2 * sizeof(uint32_t)};
	add_set(batch, name, &shape);
}

void set_add_ports(struct batch *batch, const char *name)
{
	struct shape shape = {.key_type = TYPE_PORT, .key_len = 2};
	add_set(batch, name, &shape);
}

void set_add_timed(struct batch *batch, const char *name)
{
	struct shape shape = {.flags = NFT_SET_TIMEOUT, .key_type = TYPE_PROTO, .key_len = 1};
	add_set(batch, name, &shape);
}

void set_add_networks(struct batch *batch, const char *name, enum addr_family family)
{
	bool ip4 = family == ADDR_IP4;
	struct shape shape = {.flags = NFT_SET_INTERVAL,
		.key_type = ip4 ? TYPE_IP4 : TYPE_IP6,
		.key_len = ip4 ? 4 : 16};
	add_set(batch, name, &shape);
}

void set_add_ends(struct batch *batch, const char *name, enum addr_family family)
{
	bool ip4 = family == ADDR_IP4;
	struct shape shape = {.key_type = (ip4 ? TYPE_IP4 : TYPE_IP6) << TYPE_BITS | TYPE_PORT,
		.key_len = (ip4 ? 4 : 16) + PORT_BYTES};
	add_set(batch, name, &shape);
}

/* ---- elements ---- */

bool set_message_begin(struct set_message *message, struct batch *batch, const char *name, bool add)
{
	message->batch = batch;
	message->nlh = batch_begin(
		batch, add ? NFT_MSG_NEWSETELEM : NFT_MSG_DELSETELEM, add ? NLM_F_CREATE : 0);
	if (!message->nlh)
		return false;
	mnl_attr_put_strz(message->nlh, NFTA_SET_ELEM_LIST_TABLE, TABLE_NAME);
	mnl_attr_put_strz(message->nlh, NFTA_SET_ELEM_LIST_SET, name);
	message->list = mnl_attr_nest_start(message->nlh, NFTA_SET_ELEM_LIST_ELEMENTS);
	return true;
}

bool set_message_put(struct set_message *message, const struct set_element *element)
{
	struct nlmsghdr *nlh = message->nlh;
	/* an attribute's length has 16 bits, and libmnl does not look */
	if (nlh->nlmsg_len + 256 > BATCH_MESSAGE_MAX)
		return false;
	struct nlattr *item = mnl_attr_nest_start(nlh, NFTA_LIST_ELEM);
	if (element->interval_end)
		mnl_attr_put_u32(nlh, NFTA_SET_ELEM_FLAGS, htonl(NFT_SET_ELEM_INTERVAL_END));
	if (element->timeout_ms)
		mnl_attr_put_u64(nlh, NFTA_SET_ELEM_TIMEOUT, htobe64(element->timeout_ms));
	struct nlattr *key = mnl_attr_nest_start(nlh, NFTA_SET_ELEM_KEY);
	mnl_attr_put(nlh, NFTA_DATA_VALUE, element->key_len, element->key);
	mnl_attr_nest_end(nlh, key);
	if (element->data_len) {
		struct nlattr *data = mnl_attr_nest_start(nlh, NFTA_SET_ELEM_DATA);
		mnl_attr_put(nlh, NFTA_DATA_VALUE, element->data_len, element->data);
		mnl_attr_nest_end(nlh, data);
	}
	mnl_attr_nest_end(nlh, item);
	return true;
}

void set_message_end(struct set_message *message)
{
	mnl_attr_nest_end(message->nlh, message->list);
	batch_end(message->batch, message->nlh);
}

/* All elements, in as many messages as it takes. */
static void put_elements(struct batch *batch, const char *name, const struct set_element *elements,
	size_t n, bool add)
{
	struct set_message message;
	for (size_t i = 0; i < n;) {
		if (!set_message_begin(&message, batch, name, add))
			return;
		while (i < n && set_message_put(&message, &elements[i]))
			i++;
		set_message_end(&message);
	}
}

static void add_elements(
	struct batch *batch, const char *name, const struct set_element *elements, size_t n)
{
	put_elements(batch, name, elements, n, true);
}

void set_fill_timed(struct batch *batch, const char *name, uint64_t timeout_ms)
{
	struct set_element element = {.key = {IPPROTO_TCP}, .key_len = 1, .timeout_ms = timeout_ms};
	struct set_message message;

	/* not every kernel begins the time of an element anew that is added again */
	set_empty(batch, name);
	if (!set_message_begin(&message, batch, name, true))
		return;
	set_message_put(&message, &element);
	set_message_end(&message);
}

void set_fill_ports(struct batch *batch, const char *name, const uint16_t *ports, size_t n)
{
	struct set_element *elements = calloc(n + 1, sizeof(*elements));

	if (!elements) {
		batch_fail(batch, -ENOMEM);
		return;
	}
	for (size_t i = 0; i < n; i++) {
		uint16_t wire = htons(ports[i]);
		elements[i] = (struct set_element){.key_len = 2};
		memcpy(elements[i].key, &wire, sizeof(wire));
	}
	add_elements(batch, name, elements, n);
	free(elements);
}

/* A mark stands in a register as the machine has it. */
static void put_marks(
	struct batch *batch, const char *name, const uint32_t *marks, size_t n, bool add)
{
	struct set_element *elements = calloc(n + 1, sizeof(*elements));

	if (!elements) {
		batch_fail(batch, -ENOMEM);
		return;
	}
	for (size_t i = 0; i < n; i++) {
		memcpy(elements[i].key, &marks[i], sizeof(marks[i]));
		elements[i].key_len = sizeof(marks[i]);
	}
	put_elements(batch, name, elements, n, add);
	free(elements);
}

void set_fill_marks(struct batch *batch, const char *name, const uint32_t *marks, size_t n)
{
	put_marks(batch, name, marks, n, true);
}

void set_del_marks(struct batch *batch, const char *name, const uint32_t *marks, size_t n)
{
	put_marks(batch, name, marks, n, false);
}

void set_fill_mark_ends(
	struct batch *batch, const char *name, const struct set_mark_end *ends, size_t n)
{
	struct set_element *elements = calloc(n + 1, sizeof(*elements));

	if (!elements) {
		batch_fail(batch, -ENOMEM);
		return;
	}
	for (size_t i = 0; i < n; i++) {
		uint16_t wire = htons(ends[i].end.port);
		size_t address = ends[i].end.addr.family == ADDR_IP4 ? 4 : 16;
		memcpy(elements[i].key, &ends[i].mark, sizeof(ends[i].mark));
		elements[i].key_len = sizeof(ends[i].mark);
		memcpy(elements[i].data, ends[i].end.addr.bytes, address);
		memcpy(elements[i].data + address, &wire, sizeof(wire));
		elements[i].data_len = address + PORT_BYTES;
	}
	add_elements(batch, name, elements, n);
	free(elements);
}

void set_fill_ends(struct batch *batch, const char *name, enum addr_family family,
	const struct endpoint *ends, size_t n)
{
	struct set_element *elements = calloc(n + 1, sizeof(*elements));
	size_t count = 0, address = family == ADDR_IP4 ? 4 : 16;

	if (!elements) {
		batch_fail(batch, -ENOMEM);
		return;
	}
	for (size_t i = 0; i < n; i++) {
		uint16_t wire = htons(ends[i].port);
		if (ends[i].addr.family != family)
			continue;
		memcpy(elements[count].key, ends[i].addr.bytes, address);
		memcpy(elements[count].key + address, &wire, sizeof(wire));
		elements[count++].key_len = address + PORT_BYTES;
	}
	add_elements(batch, name, elements, count);
	free(elements);
}

void set_empty(struct batch *batch, const char *name)
{
	struct nlmsghdr *nlh = batch_begin(batch, NFT_MSG_DELSETELEM, 0);
	if (!nlh)
		return;
	mnl_attr_put_strz(nlh, NFTA_SET_ELEM_LIST_TABLE, TABLE_NAME);
	mnl_attr_put_strz(nlh, NFTA_SET_ELEM_LIST_SET, name);
	batch_end(batch, nlh);
}

static int compare_prefixes(const void *a, const void *b)
{
	const struct prefix *one = a, *other = b;
	int order = memcmp(one->addr.bytes, other->addr.bytes, sizeof(one->addr.bytes));
	return order ? order : (int)one->len - (int)other->len;
}

/* The first address behind a prefix; false: there is none. */
static bool behind(const struct prefix *prefix, uint8_t bytes[static 16])
{
	memcpy(bytes, prefix->addr.bytes, 16);
	for (unsigned bit = prefix->len; bit > 0; bit--) {
		uint8_t *byte = &bytes[(bit - 1) / 8];
		uint8_t one = (uint8_t)(0x80 >> (bit - 1) % 8);
		if (!(*byte & one)) {
			*byte |= one;
			return true;
		}
		*byte &= (uint8_t)~one;
	}
	return false;
}

/* Sorted prefixes as ranges that neither touch nor overlap. Like nft, the first element says that
 * the range before the first network is no member. Returns the number of elements. */
static size_t make_ranges(const struct prefix *v, size_t n, struct set_element *out)
{
	uint8_t zero[16] = {0}, end[16];
	size_t len = v[0].addr.family == ADDR_IP4 ? 4 : 16, count = 0;

	if (memcmp(v[0].addr.bytes, zero, len) != 0)
		out[count++] = (struct set_element){.key_len = len, .interval_end = true};
	for (size_t i = 0; i < n;) {
		struct set_element *start = &out[count++];
		*start = (struct set_element){.key_len = len};
		memcpy(start->key, v[i].addr.bytes, len);
		bool more = behind(&v[i], end);
		for (i++; i < n && (!more || memcmp(v[i].addr.bytes, end, len) <= 0); i++) {
			uint8_t next[16];
			bool next_more = behind(&v[i], next);
			if (!more || (next_more && memcmp(next, end, len) <= 0))
				continue;
			more = next_more;
			memcpy(end, next, sizeof(end));
		}
		if (more) {
			out[count] = (struct set_element){.key_len = len, .interval_end = true};
			memcpy(out[count++].key, end, len);
		}
	}
	return count;
}

void set_fill_networks(struct batch *batch, const char *name, enum addr_family family,
	const struct prefix *networks, size_t n)
{
	struct prefix *sorted = calloc(n + 1, sizeof(*sorted));
	struct set_element *elements = calloc(2 * n + 1, sizeof(*elements));
	size_t count = 0;

	if (!sorted || !elements) {
		batch_fail(batch, -ENOMEM);
		goto out;
	}
	for (size_t i = 0; i < n; i++) {
		if (networks[i].addr.family == family)
			sorted[count++] = networks[i];
	}
	if (count) {
		qsort(sorted, count, sizeof(*sorted), compare_prefixes);
		add_elements(batch, name, elements, make_ranges(sorted, count, elements));
	}
out:
	free(sorted);
	free(elements);
}

/* ---- reading back ---- */

static uint64_t read_u64(const struct nlattr *attr)
{
	uint64_t value;
	if (mnl_attr_get_payload_len(attr) < sizeof(value))
		return 0;
	memcpy(&value, mnl_attr_get_payload(attr), sizeof(value));
	return be64toh(value);
}

static uint64_t read_packets(const struct nlattr *expr)
{
	const struct nlattr *attr, *data;
	mnl_attr_for_each_nested(attr, expr)
	{
		if (mnl_attr_get_type(attr) != NFTA_EXPR_DATA)
			continue;
		mnl_attr_for_each_nested(data, attr)
		{
			if (mnl_attr_get_type(data) == NFTA_COUNTER_PACKETS)
				return read_u64(data);
		}
	}
	return 0;
}

/* What is longer than any of ours is left out. */
static size_t read_value(const struct nlattr *nest, uint8_t *to, size_t size)
{
	const struct nlattr *value;
	size_t len = 0;
	mnl_attr_for_each_nested(value, nest)
	{
		if (mnl_attr_get_type(value) != NFTA_DATA_VALUE ||
			mnl_attr_get_payload_len(value) > size)
			continue;
		len = mnl_attr_get_payload_len(value);
		memcpy(to, mnl_attr_get_payload(value), len);
	}
	return len;
}

static void read_element(const struct nlattr *item, struct set_element *element)
{
	const struct nlattr *attr;
	*element = (struct set_element){0};
	mnl_attr_for_each_nested(attr, item)
	{
		switch (mnl_attr_get_type(attr)) {
		case NFTA_SET_ELEM_KEY:
			element->key_len = read_value(attr, element->key, sizeof(element->key));
			break;
		case NFTA_SET_ELEM_DATA:
			element->data_len = read_value(attr, element->data, sizeof(element->data));
			break;
		case NFTA_SET_ELEM_EXPIRATION:
			element->left_ms = read_u64(attr);
			element->has_left = true;
			break;
		case NFTA_SET_ELEM_EXPR:
			element->packets = read_packets(attr);
			break;
		case NFTA_SET_ELEM_FLAGS:
			if (mnl_attr_get_payload_len(attr) >= 4)
				element->interval_end =
					ntohl(mnl_attr_get_u32(attr)) & NFT_SET_ELEM_INTERVAL_END;
			break;
		default:
			break;
		}
	}
}

struct reading {
	set_visit *visit;
	void *context;
};

static int on_elements(void *context, const struct nlmsghdr *nlh)
{
	struct reading *reading = context;
	const struct nlattr *attr, *item;
	mnl_attr_for_each(attr, nlh, sizeof(struct nfgenmsg))
	{
		if (mnl_attr_get_type(attr) != NFTA_SET_ELEM_LIST_ELEMENTS)
			continue;
		mnl_attr_for_each_nested(item, attr)
		{
			struct set_element element;
			read_element(item, &element);
			if (element.key_len)
				reading->visit(reading->context, &element);
		}
	}
	return 0;
}

int set_read(struct netlink *nl, const char *name, set_visit *visit, void *context)
{
	struct netlink_request request;
	struct reading reading = {.visit = visit, .context = context};
	struct nlmsghdr *nlh = netlink_begin_nf(nl, &request,
		NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_GETSETELEM, NLM_F_DUMP, NFPROTO_INET, 0);
	mnl_attr_put_strz(nlh, NFTA_SET_ELEM_LIST_TABLE, TABLE_NAME);
	mnl_attr_put_strz(nlh, NFTA_SET_ELEM_LIST_SET, name);
	int status = netlink_ask(nl, nlh, on_elements, &reading);
	/* any change of any table interrupts; what was read is still good */
	return status == -EINTR ? 0 : status;
}

static void take_element(void *context, const struct set_element *element)
{
	*(struct set_element *)context = *element;
}

int set_get(struct netlink *nl, const char *name, struct set_element *element)
{
	struct netlink_request request;
	struct reading reading = {.visit = take_element, .context = element};
	struct nlmsghdr *nlh = netlink_begin_nf(nl, &request,
		NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_GETSETELEM, NLM_F_ACK, NFPROTO_INET, 0);
	mnl_attr_put_strz(nlh, NFTA_SET_ELEM_LIST_TABLE, TABLE_NAME);
	mnl_attr_put_strz(nlh, NFTA_SET_ELEM_LIST_SET, name);
	struct nlattr *list = mnl_attr_nest_start(nlh, NFTA_SET_ELEM_LIST_ELEMENTS);
	struct nlattr *item = mnl_attr_nest_start(nlh, NFTA_LIST_ELEM);
	struct nlattr *key = mnl_attr_nest_start(nlh, NFTA_SET_ELEM_KEY);
	mnl_attr_put(nlh, NFTA_DATA_VALUE, element->key_len, element->key);
	mnl_attr_nest_end(nlh, key);
	mnl_attr_nest_end(nlh, item);
	mnl_attr_nest_end(nlh, list);
	return netlink_ask(nl, nlh, on_elements, &reading);
}
