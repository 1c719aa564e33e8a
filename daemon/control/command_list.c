#include "daemon/control/command.h"

#include "daemon/control/apply.h"
#include "daemon/control/clock.h"
#include "daemon/control/control.h"
#include "daemon/control/edit.h"
#include "daemon/control/list_change.h"
#include "daemon/control/policy_parse.h"
#include "daemon/control/row.h"
#include "daemon/control/source.h"
#include "lib/language.h"
#include "lib/lpm.h"

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

static const struct policy_list *find_list(struct command *command)
{
	const char *name = command_value(command, "NAME");
	ptrdiff_t index = policy_find_list(command->control->policy, name);
	if (index < 0) {
		command_no_such(command, POLICY_KIND_LIST, name);
		return NULL;
	}
	return &command->control->policy->lists[index];
}

static const struct policy_list *find_dynamic(struct command *command)
{
	const struct policy_list *list = find_list(command);
	if (!list || list->kind == POLICY_LIST_DYNAMIC)
		return list;
	command_done(command, OUTCOME_REFUSED,
		"list %s is %s, so it changes with %s; only a dynamic list changes by command",
		list->name.text,
		list->kind == POLICY_LIST_FILE ? "read from a file" : "written in the policy",
		list->kind == POLICY_LIST_FILE ? "the file and list reload" : "the policy");
	return NULL;
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
	if (showing->n == showing->room) {
		size_t room = showing->room ? 2 * showing->room : 64;
		struct session_store_entry *v = realloc(showing->v, room * sizeof(*v));
		if (!v) {
			showing->failed = true;
			return 1;
		}
		showing->v = v;
		showing->room = room;
	}
	showing->v[showing->n++] = (struct session_store_entry){.elem = *elem, .end_ms = end_ms};
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
	free(showing->v);
}

static void show_entry(struct command *command, const struct session_store_entry *entry)
{
	uint64_t now_ms = clock_now_ms(command->control);
	char text[PREFIX_TEXT_SIZE];
	json_t *left = json_null();
	if (entry->end_ms)
		left = json_integer(entry->end_ms > now_ms
					    ? (json_int_t)((entry->end_ms - now_ms + 999) / 1000)
					    : 0);
	command_row(command, json_pack("{s:s, s:o}", "element",
				     language_format_elem(&entry->elem, text), "left_s", left));
}

static void show_more(struct command *command)
{
	struct showing *showing = command->state;
	char text[COMMAND_ROWS_A_TURN * (PREFIX_TEXT_SIZE + 1)];
	size_t used = 0;
	for (unsigned i = 0; i < COMMAND_ROWS_A_TURN && showing->at < showing->n; i++) {
		const struct session_store_entry *entry = &showing->v[showing->at++];
		char one[PREFIX_TEXT_SIZE];
		if (showing->as_text)
			used += (size_t)snprintf(text + used, sizeof(text) - used, "%s\n",
				language_format_elem(&entry->elem, one));
		else
			show_entry(command, entry);
	}
	command_text(command, text, used);
	if (showing->at == showing->n)
		command_ok(command);
	else
		server_continue(command->client);
}

static void stream_list(struct command *command, const struct policy_list *list, bool as_text)
{
	struct showing *showing = calloc(1, sizeof(*showing));
	command->state = showing;
	if (!showing) {
		command_done(command, OUTCOME_REFUSED, "out of memory");
		return;
	}
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
				     row_string(&list->name), "found", found));
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
		command_row(
			command, json_pack("{s:o, s:s, s:I, s:o}", "list", row_string(&list->name),
					 "kind", kind_name(list->kind), "entries", (json_int_t)n,
					 "path", row_string(&list->path)));
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
	const struct policy_list *list = find_list(command);
	if (list && match)
		show_match(command, list, match);
	else if (list)
		stream_list(command, list, false);
}

static void run_export(struct command *command)
{
	const struct policy_list *list = find_list(command);
	if (list)
		stream_list(command, list, true);
}

/* ---- changes ---- */

struct changing {
	struct gather gather; /* first */
	struct command *command;
	struct policy_elem *elems;
	struct session_store_entry *entries;
	size_t n;
	uint64_t end_ms;
};

static void forget_changing(struct command *command)
{
	struct changing *changing = command->state;
	free(changing->elems);
	free(changing->entries);
}

static void on_changed(struct gather *gather)
{
	struct changing *changing = (struct changing *)gather;
	if (gather->status)
		command_done(changing->command, OUTCOME_REFUSED, "%s", gather->text);
	else
		command_ok(changing->command);
}

static struct changing *new_changing(struct command *command)
{
	struct changing *changing = calloc(1, sizeof(*changing));
	if (!changing) {
		command_done(command, OUTCOME_REFUSED, "out of memory");
		return NULL;
	}
	changing->command = command;
	command->state = changing;
	command->forget = forget_changing;
	return changing;
}

/* false: ended. */
static bool take_elements(struct command *command, struct changing *changing)
{
	const char *const *words = command_values(command, "ELEMENT", &changing->n);
	changing->elems = calloc(changing->n, sizeof(*changing->elems));
	for (size_t i = 0; changing->elems && i < changing->n; i++)
		language_parse_elem(words[i], &changing->elems[i]);
	if (!changing->elems)
		command_done(command, OUTCOME_REFUSED, "out of memory");
	return changing->elems != NULL;
}

struct finding {
	const struct policy_elem *elem;
	bool found, ends;
};

static bool same_elem(const struct policy_elem *a, const struct policy_elem *b)
{
	if (a->kind != b->kind)
		return false;
	return a->kind == POLICY_ELEM_MAC ? mac_equal(&a->mac, &b->mac)
					  : a->prefix.len == b->prefix.len &&
						    addr_equal(&a->prefix.addr, &b->prefix.addr);
}

static int find_elem(void *context, const struct policy_elem *elem, uint64_t end_ms)
{
	struct finding *finding = context;
	finding->found = same_elem(elem, finding->elem);
	finding->ends = end_ms != 0;
	return finding->found;
}

/* For ever, every one of them? */
static bool all_there(
	const struct control *control, const struct policy_list *list, struct changing *changing)
{
	for (size_t i = 0; i < changing->n; i++) {
		struct finding finding = {.elem = &changing->elems[i]};
		lists_each(control->lists, list->name.text, find_elem, &finding);
		if (!finding.found || finding.ends)
			return false;
	}
	return true;
}

static void run_add(struct command *command)
{
	const char *timeout = command_value(command, "timeout"); /* a refusal frees the command */
	const struct policy_list *list = find_dynamic(command);
	struct changing *changing = list ? new_changing(command) : NULL;
	uint64_t ms;
	if (!changing || !take_elements(command, changing))
		return;
	if (timeout && language_parse_duration(timeout, &ms) == 0)
		changing->end_ms = clock_now_ms(command->control) + ms;
	if (!changing->end_ms && all_there(command->control, list, changing)) {
		command_done(command, OUTCOME_UNCHANGED, "nothing changes");
		return;
	}
	command_log(command);
	gather_init(&changing->gather, on_changed);
	list_change_add(command->control, list->name.text, changing->elems, changing->n,
		changing->end_ms, &changing->gather);
	gather_end(&changing->gather, 0, NULL);
}

static void run_remove(struct command *command)
{
	const struct policy_list *list = find_dynamic(command);
	struct changing *changing = list ? new_changing(command) : NULL;
	if (!changing || !take_elements(command, changing))
		return;
	for (size_t i = 0; i < changing->n; i++) {
		struct finding finding = {.elem = &changing->elems[i]};
		char text[PREFIX_TEXT_SIZE];
		lists_each(command->control->lists, list->name.text, find_elem, &finding);
		if (finding.found)
			continue;
		command_done(command, OUTCOME_ABSENT, "%s is not in list %s",
			language_format_elem(finding.elem, text), list->name.text);
		return;
	}
	command_log(command);
	gather_init(&changing->gather, on_changed);
	list_change_remove(
		command->control, list->name.text, changing->elems, changing->n, &changing->gather);
	gather_end(&changing->gather, 0, NULL);
}

static int compare_elems(const void *a, const void *b)
{
	const struct policy_elem *x = a, *y = b;
	if (x->kind != y->kind)
		return x->kind < y->kind ? -1 : 1;
	if (x->kind == POLICY_ELEM_MAC)
		return memcmp(&x->mac, &y->mac, sizeof(x->mac));
	int order = addr_compare(&x->prefix.addr, &y->prefix.addr);
	return order ? order : (int)x->prefix.len - (int)y->prefix.len;
}

static int compare_entries(const void *a, const void *b)
{
	const struct session_store_entry *x = a, *y = b;
	return compare_elems(&x->elem, &y->elem);
}

/* What is named twice is there once. */
static void sort_elems(struct changing *changing)
{
	struct policy_elem *v = changing->elems;
	size_t n = 0;
	qsort(v, changing->n, sizeof(*v), compare_elems);
	for (size_t i = 0; i < changing->n; i++)
		if (n == 0 || compare_elems(&v[n - 1], &v[i]) != 0)
			v[n++] = v[i];
	changing->n = n;
}

/* Without a time, since one that is set anew begins anew. */
static bool says_the_same(
	struct command *command, const struct policy_list *list, struct changing *changing)
{
	struct showing now = {0};
	collect_list(command->control, list, &now);
	if (changing->n)
		sort_elems(changing);
	bool same = !now.failed && now.n == changing->n;
	if (same && now.n)
		qsort(now.v, now.n, sizeof(*now.v), compare_entries);
	for (size_t i = 0; same && i < now.n; i++)
		same = !now.v[i].end_ms && compare_elems(&now.v[i].elem, &changing->elems[i]) == 0;
	free(now.v);
	return same;
}

/* The elements in place of all there are. */
static void set_list(
	struct command *command, const struct policy_list *list, struct changing *changing)
{
	if (says_the_same(command, list, changing)) {
		command_done(command, OUTCOME_UNCHANGED, "nothing changes");
		return;
	}
	changing->entries = calloc(changing->n ? changing->n : 1, sizeof(*changing->entries));
	if (!changing->entries) {
		command_done(command, OUTCOME_REFUSED, "out of memory");
		return;
	}
	for (size_t i = 0; i < changing->n; i++)
		changing->entries[i].elem = changing->elems[i];
	command_log(command);
	gather_init(&changing->gather, on_changed);
	list_change_set(command->control, list->name.text, changing->entries, changing->n,
		&changing->gather);
	gather_end(&changing->gather, 0, NULL);
}

static void run_clear(struct command *command)
{
	const struct policy_list *list = find_dynamic(command);
	struct changing *changing = list ? new_changing(command) : NULL;
	if (changing)
		set_list(command, list, changing);
}

/* Nobody empties a list by a file that is empty. false: ended. */
static bool may_set(
	struct command *command, const struct policy_list *list, const struct changing *changing)
{
	size_t before = lists_count(command->control->lists, list->name.text);
	if (changing->n || !before || command_given(command, "--allow-empty"))
		return true;
	command_done(command, OUTCOME_EMPTY,
		"list %s would be empty, of %zu elements; if that is wanted, say --allow-empty, "
		"or list clear",
		list->name.text, before);
	return false;
}

static void run_replace(struct command *command)
{
	const struct policy_list *list = find_dynamic(command);
	struct changing *changing = list ? new_changing(command) : NULL;
	if (changing && take_elements(command, changing))
		set_list(command, list, changing);
}

static void show_change(struct command *command, const char *change, const struct policy_elem *elem)
{
	char text[PREFIX_TEXT_SIZE];
	command_row(command, json_pack("{s:s, s:s}", "change", change, "element",
				     language_format_elem(elem, text)));
}

/* What an import would change, in order. */
static void show_difference(
	struct command *command, const struct policy_list *list, struct changing *changing)
{
	struct showing now = {0};
	collect_list(command->control, list, &now);
	struct policy_elem *old = calloc(now.n ? now.n : 1, sizeof(*old));
	if (!old || now.failed) {
		free(old);
		free(now.v);
		command_done(command, OUTCOME_REFUSED, "out of memory");
		return;
	}
	for (size_t i = 0; i < now.n; i++)
		old[i] = now.v[i].elem;
	qsort(old, now.n, sizeof(*old), compare_elems);
	if (changing->n)
		sort_elems(changing);
	for (size_t i = 0, j = 0; i < now.n || j < changing->n;) {
		int order = i == now.n         ? 1
			    : j == changing->n ? -1
					       : compare_elems(&old[i], &changing->elems[j]);
		if (order < 0)
			show_change(command, "remove", &old[i]);
		else if (order > 0)
			show_change(command, "add", &changing->elems[j]);
		i += order <= 0;
		j += order >= 0;
	}
	free(old);
	free(now.v);
	command_unchanged(command);
	command_ok(command);
}

static void run_import(struct command *command)
{
	const char *file = command_value(command, "FILE|-");
	const struct policy_list *list = find_dynamic(command);
	struct changing *changing = list ? new_changing(command) : NULL;
	unsigned line, column;
	char *word = NULL;
	if (!changing) /* the command has ended */
		return;
	file = strcmp(file, "-") ? file : "<standard input>";
	if (language_parse_list(command->intake.body ? command->intake.body : "",
		    command->intake.body_len, &changing->elems, &changing->n, &line, &column,
		    &word) < 0) {
		changing->elems = NULL;
		command_place(command, file, line, column, "address, network or MAC", NULL);
		command_done(command, OUTCOME_SYNTAX,
			"%s:%u:%u: error: \"%s\" is no address, network or MAC; nothing has "
			"changed",
			file, line, column, word ? word : "");
		free(word);
		return;
	}
	if (command_given(command, "--dry-run"))
		show_difference(command, list, changing);
	else if (may_set(command, list, changing))
		set_list(command, list, changing);
}

/* ---- reload: the running policy again, one file read anew ---- */

static void on_reloaded(void *context, enum outcome outcome, const char *text)
{
	struct command *command = context;
	if (outcome != OUTCOME_DONE)
		command_done(command, outcome, "%s", text);
	else
		command_ok(command);
}

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
	char *running = source_running(control, &running_len);
	text = policy ? source_settle(control, running, running_len, policy, &texts, &len) : NULL;
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
					    .done = on_reloaded,
					    .context = command});
}

static void run_reload(struct command *command)
{
	if (find_list(command))
		command_when_free(command, run_reload_now);
}

static const struct command_verb verbs[] = {
	{"create", command_edit},
	{"delete", command_edit},
	{"show", run_show},
	{"add", run_add},
	{"remove", run_remove},
	{"clear", run_clear},
	{"replace", run_replace},
	{"import", run_import},
	{"export", run_export},
	{"reload", run_reload},
	{NULL, NULL},
};

const struct command_noun command_list = {"list", verbs};
