/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/control/commands/nouns.h"
#include "daemon/control/request/command.h"

#include "daemon/control/clock.h"
#include "daemon/control/commands/parts.h"
#include "daemon/control/control.h"
#include "daemon/control/policy/apply.h"
#include "daemon/control/policy/edit/edit.h"
#include "daemon/control/policy/edit/operator_text.h"
#include "daemon/control/policy/parse.h"
#include "daemon/control/request/json_row.h"
#include "daemon/control/store/session_store.h"
#include "lib/base/net/lpm.h"
#include "lib/base/vector.h"
#include "lib/language/language.h"
#include "lib/policy/element.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *kind_name(enum policy_list_kind kind)
{
	switch (kind) {
	case POLICY_LIST_INLINE:
		return "inline";
	case POLICY_LIST_FILE:
		return "file";
	case POLICY_LIST_DYNAMIC:
		return "dynamic";
	}
	return "?";
}

/* ---- show, export ---- */

/* Entries are copied first, so that a list may change while its rows go out. */
struct showing {
	struct session_store_entry *v;
	size_t n, room, at;
	bool as_text;
	bool failed;
};

static int collect(void *context, const struct policy_elem *elem, uint64_t end_ms)
{
	struct showing *showing = context;
	struct session_store_entry *v =
		vector_grow(showing->v, showing->n, &showing->room, sizeof(*v));
	if (!v) {
		showing->failed = true;
		return 1;
	}
	showing->v = v;
	struct session_store_entry entry = {.elem = *elem, .end_ms = end_ms};
	if (element_text_len(elem) && !(entry.elem.text = strndup(elem->text, elem->len))) {
		showing->failed = true;
		return 1;
	}
	showing->v[showing->n++] = entry;
	return 0;
}

static void collect_list(
	const struct control *control, const struct policy_list *list, struct showing *showing)
{
	for (size_t i = 0; i < list->elems.n; i++)
		collect(showing, &list->elems.v[i], 0);
	if (list->kind == POLICY_LIST_DYNAMIC)
		lists_each(control->lists, list->name.text, collect, showing);
}

static void forget_showing(struct command *command)
{
	struct showing *showing = command->state;
	for (size_t i = 0; i < showing->n; i++)
		if (element_text_len(&showing->v[i].elem))
			free((char *)showing->v[i].elem.text);
	free(showing->v);
}

static void show_entry(struct command *command, const struct session_store_entry *entry)
{
	uint64_t now_ms = clock_now_ms(command->control);
	char text[ELEMENT_TEXT_SIZE];
	json_t *left = json_null();
	if (entry->end_ms)
		left = json_integer(entry->end_ms > now_ms
					    ? (json_int_t)((entry->end_ms - now_ms + 999) / 1000)
					    : 0);
	command_row(command, json_pack("{s:s, s:o}", "element", element_format(&entry->elem, text),
				     "left_s", left));
}

static void show_more(struct command *command)
{
	struct showing *showing = command->state;
	char text[COMMAND_ROWS_A_TURN * (ELEMENT_TEXT_SIZE + 1)];
	size_t used = 0;
	for (unsigned i = 0; i < COMMAND_ROWS_A_TURN && showing->at < showing->n; i++) {
		const struct session_store_entry *entry = &showing->v[showing->at++];
		char one[ELEMENT_TEXT_SIZE];
		if (showing->as_text)
			used += (size_t)snprintf(text + used, sizeof(text) - used, "%s\n",
				element_format(&entry->elem, one));
		else
			show_entry(command, entry);
	}
	command_text(command, text, used);
	if (showing->at == showing->n)
		command_ok(command);
	else
		control_socket_continue(command->client);
}

static void stream_list(struct command *command, const struct policy_list *list, bool as_text)
{
	struct showing *showing = command_new_state(command, sizeof(*showing));
	if (!showing)
		return;
	command->forget = forget_showing;
	showing->as_text = as_text;
	collect_list(command->control, list, showing);
	if (showing->failed)
		command_done(command, OUTCOME_REFUSED, "out of memory");
	else
		command_stream(command, show_more);
}

static void show_match(struct command *command, const struct policy_list *list, const char *word)
{
	const struct control *control = command->control;
	struct addr addr = {0};
	struct mac mac = {0};
	bool is_mac = mac_parse(word, strlen(word), &mac) == 0;
	bool found = false;
	if (list->holds != POLICY_HOLDS_ADDRESSES) {
		command_done(command, OUTCOME_REFUSED,
			"list %s is one of kind %s: no address or MAC can match it",
			list->name.text, policy_holds_names[list->holds]);
		return;
	}
	if (!is_mac && addr_parse(word, strlen(word), &addr) < 0) {
		command_usage(command, "\"%s\" is neither an address nor a MAC", word);
		return;
	}
	if (list->kind == POLICY_LIST_DYNAMIC)
		found = lists_match(control->lists, list->name.text, is_mac ? &mac : NULL,
			is_mac ? NULL : &addr, clock_now_ms(control), NULL);
	else if (list->index)
		found = is_mac ? lpm_find_mac(list->index, &mac) != NULL
			       : lpm_find(list->index, &addr, NULL) != NULL;
	command_row(command, json_pack("{s:s, s:o, s:b}", "match", word, "list",
				     json_row_string(&list->name), "found", found));
	command_done(command, found ? OUTCOME_DONE : OUTCOME_REFUSED, "%s",
		found ? "" : "not in the list");
}

static void show_all(struct command *command)
{
	const struct control *control = command->control;
	for (size_t i = 0; i < control->policy->nlists; i++) {
		const struct policy_list *list = &control->policy->lists[i];
		size_t n = list->kind == POLICY_LIST_DYNAMIC
				   ? lists_count(control->lists, list->name.text)
				   : list->elems.n;
		command_row(command,
			json_pack("{s:o, s:s, s:s, s:I, s:o}", "list", json_row_string(&list->name),
				"kind", kind_name(list->kind), "holds",
				policy_holds_names[list->holds], "entries", (json_int_t)n, "path",
				json_row_string(&list->path)));
	}
	command_ok(command);
}

static void run_show(struct command *command)
{
	if (!command_given(command, "NAME")) {
		show_all(command);
		return;
	}
	const char *match = command_value(command, "match");
	const struct policy_list *list = list_find(command);
	if (list && match)
		show_match(command, list, match);
	else if (list)
		stream_list(command, list, false);
}

static void run_export(struct command *command)
{
	const struct policy_list *list = list_find(command);
	if (list)
		stream_list(command, list, true);
}

/* ---- reload: the running policy again, one file read anew ---- */

static void run_reload_now(struct command *command)
{
	struct control *control = command->control;
	const char *name = command_value(command, "NAME");
	struct policy_texts texts;
	struct language_diagnosis diagnosis;
	char origin[256];
	size_t len, running_len = 0;
	if (!command_may_change(command))
		return;
	ptrdiff_t index = policy_find_list(control->policy, name);
	if (index < 0 || control->policy->lists[index].kind != POLICY_LIST_FILE) {
		command_done(command, OUTCOME_REFUSED, "list %s is not read from a file", name);
		return;
	}
	int error = edit_running_texts(control, control->policy->lists[index].path.text, &texts);
	char *text = language_print(control->policy, LANGUAGE_PRINT_CANONICAL, &len);
	if (error || !text) {
		free(text);
		policy_texts_fini(&texts);
		command_done(command, OUTCOME_REFUSED, "%s", strerror(error ? -error : ENOMEM));
		return;
	}
	struct policy *policy =
		policy_parse_text(control, "running policy", text, len, &texts, &diagnosis);
	free(text);
	char *running = operator_text_running(control, &running_len);
	text = policy ? operator_text_settle(control, running, running_len, policy, &texts, &len)
		      : NULL;
	free(running);
	if (!text) {
		if (policy)
			command_done(command, OUTCOME_REFUSED, "out of memory");
		else
			command_syntax(command, &diagnosis);
		language_diagnosis_fini(&diagnosis);
		policy_unref(policy);
		policy_texts_fini(&texts);
		return;
	}
	language_diagnosis_fini(&diagnosis);
	command_log(command);
	apply_begin(control->apply, &(struct apply_order){.policy = policy,
					    .source = text,
					    .source_len = len,
					    .texts = texts,
					    .origin = command_line(command, origin),
					    .uid = command->uid,
					    .pass = command_pass(command, GUARD_EDIT),
					    .done = command_on_outcome,
					    .context = command});
}

static void run_reload(struct command *command)
{
	if (list_find(command))
		command_when_free(command, run_reload_now);
}

static const struct command_verb verbs[] = {
	{"set", command_edit},
	{"create", command_edit},
	{"delete", command_edit},
	{"show", run_show},
	{"add", list_add},
	{"remove", list_remove},
	{"clear", list_clear},
	{"replace", list_replace},
	{"import", list_import},
	{"export", run_export},
	{"reload", run_reload},
	{NULL, NULL},
};

const struct command_noun command_list = {"list", verbs};
