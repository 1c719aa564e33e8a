/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/control/commands/nouns.h"
#include "daemon/control/request/command.h"

#include "daemon/control/control.h"
#include "daemon/control/request/json_row.h"

static json_t *macs_of(const struct policy_device *device)
{
	json_t *array = json_array();
	for (size_t i = 0; i < device->nmacs; i++)
		json_array_append_new(array, json_row_mac(&device->macs[i]));
	for (size_t i = 0; i < device->mac_list_names.n; i++)
		json_array_append_new(array, json_row_string(&device->mac_list_names.v[i]));
	return array;
}

static json_t *addresses_of(const struct policy_device *device)
{
	json_t *array = json_array();
	for (size_t i = 0; i < device->addresses.n; i++)
		json_array_append_new(array, json_row_prefix(&device->addresses.v[i]));
	for (size_t i = 0; i < device->list_names.n; i++)
		json_array_append_new(array, json_row_string(&device->list_names.v[i]));
	return array;
}

static void show_device(struct command *command, const struct policy_device *device)
{
	command_row(command,
		json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "device",
			json_row_string(&device->name), "zone", json_row_string(&device->zone_name),
			"user", json_row_string(&device->user), "groups",
			json_row_strings(device->groups.v, device->groups.n), "macs",
			macs_of(device), "addresses", addresses_of(device), "comment",
			json_row_string(&device->comment)));
}

static void run_show(struct command *command)
{
	const struct policy *policy = command->control->policy;
	size_t i, end;

	if (!command_named(command, POLICY_KIND_DEVICE, &i, &end))
		return;
	for (; i < end; i++)
		show_device(command, &policy->devices[i]);
	command_ok(command);
}

static const struct command_verb verbs[] = {
	{"show", run_show},
	{"add", command_edit},
	{"replace", command_edit},
	{"set", command_edit},
	{"unset", command_edit},
	{"delete", command_edit},
	{NULL, NULL},
};

const struct command_noun command_device = {"device", verbs};
