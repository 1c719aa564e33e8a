/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/control/trouble/trouble.h"

#include "daemon/control/control.h"
#include "daemon/control/policy/history/texts.h"
#include "daemon/control/store/disk.h"
#include "lib/language/language.h"
#include "lib/policy/element.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Reading a file at each `status` is quick, understanding a long one is not: what it came to holds
 * while file and policy are the same. */
struct control_list_file {
	uint64_t hash, policy_number;
	char list[POLICY_NAME_SIZE];
	char text[512]; /* what is wrong; empty: nothing */
};

static bool same_elems(const struct policy_elems *a, const struct language_listing *b)
{
	if (a->n != b->n)
		return false;
	for (size_t i = 0; i < a->n; i++)
		if (element_compare(&a->v[i], &b->elems[i]) != 0)
			return false;
	return true;
}

static void judge(const struct policy_list *list, const char *bytes, size_t len,
	struct control_list_file *file)
{
	struct language_listing listing;
	char bad[LANGUAGE_BAD_SIZE], more[32] = "";
	file->text[0] = '\0';
	int error = language_parse_list(list->holds, bytes, len, &listing);
	if (listing.nbad > 1)
		snprintf(more, sizeof(more), ", and %zu more", listing.nbad - 1);
	if (listing.nbad)
		snprintf(file->text, sizeof(file->text), "%.460s%s",
			language_format_bad(list->path.text, &listing.bad[0], bad), more);
	else if (!error && !same_elems(&list->elems, &listing))
		snprintf(file->text, sizeof(file->text), "%.300s has changed", list->path.text);
	language_listing_fini(&listing);
}

static struct control_list_file *file_of(struct control *control, const struct policy_list *list)
{
	for (size_t i = 0; i < control->nlist_files; i++)
		if (strcmp(control->list_files[i].list, list->name.text) == 0)
			return &control->list_files[i];
	struct control_list_file *files = realloc(
		control->list_files, (control->nlist_files + 1) * sizeof(*control->list_files));
	if (!files)
		return NULL;
	control->list_files = files;
	struct control_list_file *file = &files[control->nlist_files++];
	*file = (struct control_list_file){.hash = 0};
	snprintf(file->list, sizeof(file->list), "%s", list->name.text);
	return file;
}

static void look_at_list(struct control *control, const struct policy_list *list, json_t *troubles)
{
	struct control_list_file *file = file_of(control, list);
	char next[POLICY_NAME_SIZE + 32], *bytes;
	size_t len;
	snprintf(next, sizeof(next), "posternctl list reload %s", list->name.text);
	int error = disk_read(list->path.text, POLICY_TEXT_BYTES_MAX, &bytes, &len);
	if (error) {
		trouble_add(troubles, next, "list %s: %s: %s; its entries from before go on",
			list->name.text, list->path.text, strerror(-error));
		return;
	}
	uint64_t hash = policy_texts_hash(POLICY_TEXTS_HASH, bytes, len);
	if (file && (file->hash != hash || file->policy_number != control->policy_number)) {
		judge(list, bytes, len, file);
		file->hash = hash;
		file->policy_number = control->policy_number;
	}
	free(bytes);
	if (file && *file->text)
		trouble_add(troubles, next, "list %s: %s; its entries from before go on",
			list->name.text, file->text);
}

void trouble_of_lists(struct control *control, json_t *troubles)
{
	for (size_t i = 0; i < control->policy->nlists; i++)
		if (control->policy->lists[i].kind == POLICY_LIST_FILE)
			look_at_list(control, &control->policy->lists[i], troubles);
}
