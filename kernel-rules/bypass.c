/* The bypass: a zone's ports in the set that lets them pass, until the kernel lets them time out.
 * It needs no plan and no daemon, only the table that one left behind. */
#include "kernel-rules/table_state.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <arpa/inet.h>

struct ports {
	uint16_t v[PLAN_PORTS_MAX];
	size_t n;
};

static void on_port(void *context, const struct set_element *element)
{
	struct ports *ports = context;
	uint16_t wire;
	if (element->key_len < sizeof(wire) || ports->n == PLAN_PORTS_MAX)
		return;
	memcpy(&wire, element->key, sizeof(wire));
	ports->v[ports->n++] = ntohs(wire);
}

/* Puts one zone's change into the batch. */
static int put_zone(
	struct table *t, struct batch *batch, const char *set, bool on, uint32_t seconds)
{
	char name[SET_NAME_SIZE];
	struct ports ports = {0};

	set_empty(batch, set);
	if (!on)
		return 0;
	snprintf(name, sizeof(name), SET_PORT_OF "%s", set + strlen(SET_BYPASS_OF));
	int status = set_read(&t->nl, name, on_port, &ports);
	if (status)
		return status;
	set_fill_ports(batch, set, ports.v, ports.n, (uint64_t)seconds * 1000);
	return 0;
}

static bool is_bypass_of(const struct view_name *entry, const char *zone)
{
	size_t before = strlen(SET_BYPASS_OF);
	return entry->kind == VIEW_SET && strncmp(entry->name, SET_BYPASS_OF, before) == 0 &&
	       (!zone || strcmp(entry->name + before, zone) == 0);
}

static int change(struct table *t, const char *zone, bool on, uint32_t seconds)
{
	struct batch batch;
	struct view view;
	size_t zones = 0;

	int status = view_read(&t->nl, &view);
	if (status || !view.exists)
		return status;
	if ((view.flags & TABLE_F_OWNER) && view.owner != t->nl.port) {
		view_fini(&view);
		return -EBUSY;
	}
	batch_init(&batch);
	if (view.flags & TABLE_F_PERSIST)
		table_put(&batch, TABLE_F_OWNER | TABLE_F_PERSIST);
	for (size_t i = 0; status == 0 && i < view.n; i++) {
		if (!is_bypass_of(&view.names[i], zone))
			continue;
		status = put_zone(t, &batch, view.names[i].name, on, seconds);
		zones++;
	}
	if (status == 0 && zone && zones == 0)
		status = -ENOENT;
	if (status == 0)
		status = batch_send(&batch, &t->nl);
	batch_fini(&batch);
	view_fini(&view);
	return status;
}

int table_bypass_on(struct table *table, const char *zone, uint32_t seconds)
{
	return change(table, zone, true, seconds);
}

int table_bypass_off(struct table *table, const char *zone)
{
	return change(table, zone, false, 0);
}

static void on_bypassed(void *context, const struct set_element *element)
{
	int64_t *left = context;
	int64_t here = UINT32_MAX;
	if (element->has_left)
		here = (int64_t)(element->left_ms + 999) / 1000;
	if (here > *left)
		*left = here;
}

int64_t table_bypass_left(struct table *table, const char *zone)
{
	struct view view;
	int64_t left = 0;
	int status = view_read(&table->nl, &view);

	for (size_t i = 0; status == 0 && i < view.n; i++) {
		if (is_bypass_of(&view.names[i], zone))
			status = set_read(&table->nl, view.names[i].name, on_bypassed, &left);
	}
	view_fini(&view);
	return status ? status : left;
}
