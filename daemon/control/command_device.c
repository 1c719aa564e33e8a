#include "daemon/control/command.h"

#include "daemon/control/control.h"
#include "daemon/control/edit.h"
#include "daemon/control/row.h"

static json_t *macs_of(const struct policy_device *device)
{
	json_t *array = json_array();
	for (size_t i = 0; i < device->nmacs; i++)
		json_array_append_new(array, row_mac(&device->macs[i]));
	return array;
}

static json_t *addresses_of(const struct policy_device *device)
{
	json_t *array = json_array();
	char text[PREFIX_TEXT_SIZE];
	for (size_t i = 0; i < device->addresses.n; i++)
		json_array_append_new(
			array, json_string(prefix_format(&device->addresses.v[i], text)));
	for (size_t i = 0; i < device->list_names.n; i++)
		json_array_append_new(array, row_string(&device->list_names.v[i]));
	return array;
}

static void show_device(struct command *command, const struct policy_device *device)
{
	command_row(
		command, json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "device",
				 row_string(&device->name), "zone", row_string(&device->zone_name),
				 "user", row_string(&device->user), "groups",
				 row_strings(device->groups.v, device->groups.n), "macs",
				 macs_of(device), "addresses", addresses_of(device), "comment",
				 row_string(&device->comment)));
}

static void run_show(struct command *command)
{
	const struct policy *policy = command->control->policy;
	const char *name = command_word(command);
	if (!command_at_end(command))
		return;
	if (name) {
		ptrdiff_t index = policy_find_device(policy, name);
		if (index < 0) {
			command_no_such(command, POLICY_KIND_DEVICE, name);
			return;
		}
		show_device(command, &policy->devices[index]);
	} else {
		for (size_t i = 0; i < policy->ndevices; i++)
			show_device(command, &policy->devices[i]);
	}
	command_ok(command);
}

static struct policy *make_add(struct edit *edit, const struct policy *running,
	const struct language_world *world, struct language_diagnosis *diagnosis)
{
	return language_edit_add(running, edit->kind, edit->statement, edit->position, edit->other,
		world, diagnosis);
}

static struct policy *make_delete(struct edit *edit, const struct policy *running,
	const struct language_world *world, struct language_diagnosis *diagnosis)
{
	return language_edit_delete(running, edit->kind, edit->name, world, diagnosis);
}

static bool take_name(struct command *command, struct edit *edit)
{
	edit->command = command;
	edit->kind = "device";
	edit->may_shadow = true;
	edit->position = LANGUAGE_LAST;
	edit->name = command_word(command);
	if (!edit->name)
		command_usage(command, "the device's name is missing");
	return edit->name != NULL;
}

static void run_add(struct command *command)
{
	struct edit edit = {.make = make_add};
	if (!take_name(command, &edit))
		return;
	edit.statement = edit_statement(
		"device", edit.name, command->words + command->at, command->nwords - command->at);
	if (edit.statement)
		edit_run(&edit);
	else
		command_done(command, COMMAND_REFUSED, "out of memory");
}

static void run_delete(struct command *command)
{
	struct edit edit = {.make = make_delete};
	if (!take_name(command, &edit))
		return;
	if (command_at_end(command))
		edit_run(&edit);
}

static const struct command_verb verbs[] = {
	{"show", "[NAME]", false, run_show},
	{"add", "NAME zone Z [mac M,...] [address A,...] user U [group G,...] [comment TEXT]",
		false, run_add},
	{"delete", "NAME", false, run_delete},
	{NULL, NULL, false, NULL},
};

const struct command_noun command_device = {"device", verbs};
