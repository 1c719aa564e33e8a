/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/language/language.h"

#include "lib/language/grammar.h"
#include "lib/language/lexer.h"
#include "lib/policy/decide/summary.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct language *language_begin(
	const struct language_world *world, struct language_diagnosis *diagnosis)
{
	static const struct language_world nothing_known;
	struct language *l = calloc(1, sizeof(*l));

	*diagnosis = (struct language_diagnosis){0};
	if (l)
		l->policy = policy_new();
	if (!l || !l->policy) {
		free(l);
		language_diagnosis_add(
			diagnosis, LANGUAGE_ERROR, NULL, NULL, "error: out of memory");
		diagnosis->errors = 1;
		return NULL;
	}
	l->world = world ? world : &nothing_known;
	l->diagnosis = diagnosis;
	return l;
}

size_t language_add_source(
	struct language *l, const char *name, const char *text, size_t len, bool taken)
{
	struct language_source **slot = NULL;
	struct language_source *source = calloc(1, sizeof(*source));

	if (l->sources.n >= UINT16_MAX) {
		struct language_span span = {.place.file = 0};
		language_error(l, &span, "too many files");
	} else if (!source) {
		language_out_of_memory(l);
	} else {
		slot = language_push(l, &l->sources, sizeof(struct language_source *));
	}
	if (!slot) {
		free(source);
		if (taken)
			free((char *)text);
		return SIZE_MAX;
	}
	source->name = language_copy(l, name, strlen(name)).text;
	source->text = text;
	source->len = len;
	source->taken = taken ? (char *)text : NULL;
	*slot = source;
	return l->sources.n - 1;
}

/* Where the scanner stands, which an include interrupts. */
struct scanner_state {
	void *scanner;
	size_t source, offset, next_offset;
	uint32_t line, column;
	unsigned braces;
	struct language_token token;
	struct language_span span;
	int last;
	bool again;
};

static void exchange_scanner(struct language *l, struct scanner_state *state)
{
	struct scanner_state now = {l->scanner, l->source, l->offset, l->next_offset, l->line,
		l->column, l->braces, l->token, l->span, l->last, l->again};

	l->scanner = state->scanner;
	l->source = state->source;
	l->offset = state->offset;
	l->next_offset = state->next_offset;
	l->line = state->line;
	l->column = state->column;
	l->braces = state->braces;
	l->token = state->token;
	l->span = state->span;
	l->last = state->last;
	l->again = state->again;
	*state = now;
}

static void read_statements(struct language *l, size_t i)
{
	struct language_source *source = language_source_at(l, i);
	size_t mark = language_mark(source->text, source->len);
	struct scanner_state state = {.source = i, .next_offset = mark, .line = 1, .column = 1};

	exchange_scanner(l, &state);
	l->chain[l->depth++] = i;
	if (source->len > INT_MAX / 4) {
		struct language_span span = {.place.file = (uint16_t)i};
		language_error(l, &span, "the text is too long");
	} else if (language_scan_open(l, source->text + mark, source->len - mark) < 0) {
		language_out_of_memory(l);
	} else {
		if (grammar_parse(l) == 2)
			language_out_of_memory(l);
		language_scan_close(l);
	}
	l->depth--;
	exchange_scanner(l, &state);
}

void language_read_source(struct language *l, const char *name, const char *text, size_t len)
{
	size_t i = language_add_source(l, name, text, len, false);

	if (i != SIZE_MAX)
		read_statements(l, i);
}

/* a.conf -> b.conf -> a.conf */
static void say_cycle(
	struct language *l, const struct language_span *span, const char *path, unsigned from)
{
	char text[1024];
	size_t n = 0;

	for (unsigned i = from; i < l->depth && n < sizeof(text) - 300; i++) {
		char quoted[LANGUAGE_QUOTE_SIZE];
		const char *name = language_source_at(l, l->chain[i])->name;
		n += (size_t)snprintf(text + n, sizeof(text) - n, "%s -> ",
			language_quote(name, strlen(name), quoted));
	}
	language_error(l, span, "files include each other: %s%s", text, path);
}

const char *language_read_error(int error)
{
	return error == -EINVAL ? "it is no regular file, expected one with text"
				: strerror(-error);
}

void language_include(
	struct language *l, const struct language_span *span, const struct policy_string *name)
{
	const char *path = language_resolve_path(l, name);
	char quoted[LANGUAGE_QUOTE_SIZE];
	char *text = NULL;
	size_t len = 0;

	if (!path || l->stopped)
		return;
	language_quote(path, strlen(path), quoted);
	for (unsigned i = 0; i < l->depth; i++) {
		if (strcmp(language_source_at(l, l->chain[i])->name, path) == 0) {
			say_cycle(l, span, quoted, i);
			return;
		}
	}
	if (l->depth > LANGUAGE_DEPTH_MAX) {
		language_error(
			l, span, "files include each other more than %d deep", LANGUAGE_DEPTH_MAX);
		return;
	}
	if (++l->includes > LANGUAGE_INCLUDES_MAX) {
		if (l->includes == LANGUAGE_INCLUDES_MAX + 1)
			language_error(
				l, span, "more than %d files are included", LANGUAGE_INCLUDES_MAX);
		return;
	}
	if (!l->world->read) {
		language_error(l, span, "no files can be included here");
		return;
	}
	int error = l->world->read(l->world->context, path, &text, &len);
	if (error < 0) {
		language_error(
			l, span, "cannot read \"%s\": %s", quoted, language_read_error(error));
		return;
	}
	size_t i = language_add_source(l, path, text, len, true);
	if (i != SIZE_MAX)
		read_statements(l, i);
}

static void keep_arrays(struct language *l)
{
	struct policy *policy = l->policy;

	policy->zones = language_keep(l, &l->zones, sizeof(*policy->zones));
	policy->listeners = language_keep(l, &l->listeners, sizeof(*policy->listeners));
	policy->domains = language_keep(l, &l->domains, sizeof(*policy->domains));
	policy->servers = language_keep(l, &l->servers, sizeof(*policy->servers));
	policy->devices = language_keep(l, &l->devices, sizeof(*policy->devices));
	policy->rules = language_keep(l, &l->rules, sizeof(*policy->rules));
	policy->lists = language_keep(l, &l->lists, sizeof(*policy->lists));
	policy->certificates = language_keep(l, &l->certificates, sizeof(*policy->certificates));
	policy->auths = language_keep(l, &l->auths, sizeof(*policy->auths));
	policy->scans = language_keep(l, &l->scans, sizeof(*policy->scans));
	policy->radiuses = language_keep(l, &l->radiuses, sizeof(*policy->radiuses));
	policy->portals = language_keep(l, &l->portals, sizeof(*policy->portals));
	policy->files = language_alloc(l, l->sources.n, sizeof(*policy->files));
	if (l->out_of_memory)
		return;
	policy->nzones = l->zones.n;
	policy->nlisteners = l->listeners.n;
	policy->ndomains = l->domains.n;
	policy->nservers = l->servers.n;
	policy->ndevices = l->devices.n;
	policy->nrules = l->rules.n;
	policy->nlists = l->lists.n;
	policy->ncertificates = l->certificates.n;
	policy->nauths = l->auths.n;
	policy->nscans = l->scans.n;
	policy->nradiuses = l->radiuses.n;
	policy->nportals = l->portals.n;
	policy->nfiles = l->sources.n;
	for (size_t i = 0; i < policy->nfiles; i++)
		policy->files[i] = language_source_at(l, i)->name;
}

static void fini(struct language *l)
{
	struct language_vector *vectors[] = {&l->items, &l->interfaces, &l->limits, &l->hosts,
		&l->host_spans, &l->host_tls_notes, &l->zones, &l->listeners, &l->lists,
		&l->domains, &l->certificates, &l->auths, &l->auth_notes, &l->scans, &l->scan_notes,
		&l->radiuses, &l->radius_notes, &l->radius_sources, &l->radius_zones, &l->portals,
		&l->portal_notes, &l->radius_source_notes, &l->radius_zone_notes, &l->servers,
		&l->devices, &l->rules, &l->zone_notes, &l->listener_notes, &l->list_notes,
		&l->domain_notes, &l->certificate_notes, &l->server_notes, &l->device_notes,
		&l->rule_notes, &l->sources};

	for (size_t i = 0; i < l->sources.n; i++) {
		struct language_source *source = language_source_at(l, i);
		free(source->lines);
		free(source->taken);
		free(source);
	}
	for (size_t i = 0; i < sizeof(vectors) / sizeof(*vectors); i++)
		language_vector_fini(vectors[i]);
	free(l);
}

struct policy *language_finish(struct language *l)
{
	struct policy *policy = l->policy;
	size_t syntax_errors = l->syntax_errors;

	if (!l->out_of_memory)
		keep_arrays(l);
	if (!l->out_of_memory && syntax_errors == 0)
		language_check(l);
	if (l->out_of_memory || syntax_errors > 0 || l->diagnosis->errors > 0) {
		if (l->diagnosis->errors == 0)
			language_out_of_memory(l);
		policy_unref(policy);
		policy = NULL;
	}
	if (policy) /* without them the rules are only walked more slowly */
		policy->summaries = decide_summarize(policy);
	language_diagnosis_sort(l->diagnosis);
	fini(l);
	return policy;
}

struct policy *language_parse(const char *file, const char *text, size_t len,
	const struct language_world *world, struct language_diagnosis *diagnosis)
{
	struct language *l = language_begin(world, diagnosis);

	if (!l)
		return NULL;
	language_read_source(l, file, text, len);
	return language_finish(l);
}
