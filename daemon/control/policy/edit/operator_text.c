/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/control/policy/edit/operator_text.h"

#include "daemon/control/control.h"
#include "daemon/control/policy/history/store.h"
#include "daemon/control/policy/parse.h"

#include <stdlib.h>
#include <string.h>

/* What is kept must say what runs, whatever it looks like: it is parsed, not believed. */
static bool says(struct control *control, const char *text, size_t len, struct policy_texts *texts,
	const char *canonical, size_t canonical_len)
{
	struct language_diagnosis diagnosis;
	size_t said_len = 0;
	struct policy *policy = policy_parse_text(
		control, control->start.options.config, text, len, texts, &diagnosis);
	char *said = policy ? language_print(policy, LANGUAGE_PRINT_CANONICAL, &said_len) : NULL;
	bool same = said && said_len == canonical_len && memcmp(said, canonical, said_len) == 0;
	language_diagnosis_fini(&diagnosis);
	policy_unref(policy);
	free(said);
	return same;
}

char *operator_text_running(struct control *control, size_t *len)
{
	struct policy_record record;
	if (policy_store_load(control->history, control->policy_number, &record))
		return NULL;
	char *text = record.source;
	*len = record.source_len;
	record.source = NULL;
	policy_record_fini(&record);
	return text;
}

char *operator_text_settle(struct control *control, const char *text, size_t text_len,
	const struct policy *after, struct policy_texts *texts, size_t *len)
{
	size_t canonical_len;
	char *canonical = language_print(after, LANGUAGE_PRINT_CANONICAL, &canonical_len);
	char *own =
		canonical && text && says(control, text, text_len, texts, canonical, canonical_len)
			? malloc(text_len + 1)
			: NULL;
	*len = own ? text_len : canonical_len;
	if (!own)
		return canonical;
	memcpy(own, text, text_len);
	own[text_len] = '\0';
	free(canonical);
	return own;
}

bool operator_text_holds(struct control *control, const struct policy_record *record)
{
	struct policy_texts texts = {.replay = true};
	bool same = true;
	for (size_t i = 0; same && i < record->texts.n; i++)
		same = policy_texts_add(&texts, record->texts.v[i].path, record->texts.v[i].text,
			       record->texts.v[i].len) == 0;
	same = same && says(control, record->source, record->source_len, &texts, record->canonical,
			       record->canonical_len);
	policy_texts_fini(&texts);
	return same;
}
