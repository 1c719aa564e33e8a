/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The bypass: sets that let all zones or a zone pass while their element stands. The kernel lets it
 * time out. It needs no plan and no daemon, only the table that one left behind. */
#include "kernel-rules/nftables/table_state.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static bool is_of_zone(const struct contents_name *entry)
{
	return entry->kind == CONTENTS_SET &&
	       strncmp(entry->name, SET_BYPASS_OF, strlen(SET_BYPASS_OF)) == 0;
}

static void name_set(char name[static SET_NAME_SIZE], const char *zone)
{
	snprintf(name, SET_NAME_SIZE, "%s%s", zone ? SET_BYPASS_OF : SET_BYPASS, zone ? zone : "");
}

static int put_change(struct table *t, struct batch *batch, const struct contents *view,
	const char *zone, bool on, uint32_t seconds)
{
	char name[SET_NAME_SIZE];

	name_set(name, zone);
	if (!contents_has(view, CONTENTS_SET, name))
		return -ENOENT;
	if (zone && !on && table_bypass_left(t, NULL) > 0)
		return -ENOTEMPTY;
	for (size_t i = 0; !zone && i < view->n; i++) {
		if (is_of_zone(&view->names[i]))
			set_empty(batch, view->names[i].name);
	}
	if (on)
		set_fill_timed(batch, name, (uint64_t)seconds * 1000);
	else
		set_empty(batch, name);
	return 0;
}

static int change(struct table *t, const char *zone, bool on, uint32_t seconds)
{
	struct batch batch;
	struct contents view;

	int status = contents_read(&t->nl, &view);
	if (status || !view.exists)
		return status;
	if ((view.flags & TABLE_F_OWNER) && view.owner != t->nl.port)
		status = -EBUSY;
	else if (!view.layout_ok)
		status = -ESTALE;
	if (status) {
		contents_fini(&view);
		return status;
	}
	batch_init(&batch);
	if (view.flags & TABLE_F_PERSIST)
		table_put(&batch, TABLE_F_OWNER | TABLE_F_PERSIST);
	status = put_change(t, &batch, &view, zone, on, seconds);
	if (status == 0)
		status = batch_send(&batch, &t->nl);
	batch_fini(&batch);
	contents_fini(&view);
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

static void on_element(void *context, const struct set_element *element)
{
	int64_t *left = context;
	*left = element->has_left ? (int64_t)(element->left_ms + 999) / 1000 : UINT32_MAX;
}

int64_t table_bypass_left(struct table *table, const char *zone)
{
	char name[SET_NAME_SIZE];
	int64_t left = 0;

	name_set(name, zone);
	int status = set_read(&table->nl, name, on_element, &left);
	return status && status != -ENOENT ? status : left;
}
