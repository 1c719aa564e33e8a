/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/milter/edit.h"

#include <assert.h>
#include <string.h>

#define NONE UINT16_MAX
#define LAST UINT32_MAX /* behind all fields of the client */

/* What is to be written before anything more is read. */
enum step {
	STEP_READ,   /* nothing */
	STEP_PLACED, /* what comes before the field at hand, or before the header's end */
	STEP_LINE,   /* the field's line, as far as it was held */
	STEP_INSTEAD,
	STEP_BREAK, /* an empty line between header and body, where the client had none */
	STEP_REST,  /* the line that ended the header, as far as it was held */
	STEP_BODY,
};

static char lower(char c)
{
	return (char)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
}

/* FNV-1a */
static uint32_t hash_of(const char *name, size_t len)
{
	uint32_t hash = 2166136261u;

	for (size_t i = 0; i < len; i++)
		hash = (hash ^ (unsigned char)lower(name[i])) * 16777619u;
	return hash;
}

static bool is_named(
	const struct milter_edit_item *item, uint32_t hash, const char *name, size_t len)
{
	if (item->hash != hash || strlen(item->name) != len)
		return false;
	for (size_t i = 0; i < len; i++)
		if (lower(item->name[i]) != lower(name[i]))
			return false;
	return true;
}

static bool is_same_name(const struct milter_edit_item *a, const struct milter_edit_item *b)
{
	return is_named(a, b->hash, b->name, strlen(b->name));
}

void milter_edit_init(struct milter_edit *edit)
{
	edit->n = edit->placed = edit->cursor = 0;
	edit->over = edit->last = false;
	edit->ends = true;
	edit->keeps = true;
	edit->field = edit->offset = 0;
	edit->instead = NONE;
	edit->step = STEP_READ;
	edit->fields = (struct milter_fields){0};
	for (unsigned i = 0; i < MILTER_EDIT_BUCKETS; i++)
		edit->buckets[i] = NONE;
}

/* The first change of fields of this name. */
static uint16_t find(const struct milter_edit *edit, const char *name, size_t len)
{
	uint32_t hash = hash_of(name, len);
	uint16_t at = edit->buckets[hash % MILTER_EDIT_BUCKETS];

	while (at != NONE && !is_named(&edit->items[at], hash, name, len))
		at = edit->items[at].next;
	return at;
}

/* Among those of its name, in the order in which they were told. */
static void join(struct milter_edit *edit, uint16_t i)
{
	struct milter_edit_item *item = &edit->items[i];
	uint16_t first = find(edit, item->name, strlen(item->name));

	if (first == NONE) {
		uint16_t *bucket = &edit->buckets[item->hash % MILTER_EDIT_BUCKETS];
		item->next = *bucket;
		*bucket = i;
		return;
	}
	while (edit->items[first].same != NONE)
		first = edit->items[first].same;
	edit->items[first].same = i;
}

bool milter_edit_add(struct milter_edit *edit, unsigned scan, const struct milter_change *change)
{
	if (edit->n == MILTER_EDIT_MAX)
		return false;
	uint16_t i = edit->n++;
	edit->items[i] = (struct milter_edit_item){
		.name = change->name,
		.value = change->value,
		.index = change->index,
		.hash = hash_of(change->name, strlen(change->name)),
		.scan = (uint16_t)scan,
		.next = NONE,
		.same = NONE,
		.kind = change->kind,
		.leadspc = change->leadspc,
	};
	if (change->kind == MILTER_CHANGE_SET)
		join(edit, i);
	return true;
}

bool milter_edit_count(struct milter_edit *edit, const char *bytes, size_t len)
{
	size_t used;

	for (;;) {
		enum milter_fields_piece piece =
			milter_fields_read(&edit->fields, bytes, len, &used);
		bytes += used;
		len -= used;
		if (piece == MILTER_FIELDS_OVER)
			return false;
		if (piece == MILTER_FIELDS_MORE)
			return true;
		if (piece != MILTER_FIELDS_NAME)
			continue;
		uint16_t first = find(edit, edit->fields.line, edit->fields.name_len);
		if (first != NONE)
			edit->items[first].counted++;
	}
}

/* ---- where each goes ---- */

static void place(struct milter_edit *edit, uint16_t i, uint16_t at, uint32_t before)
{
	memmove(&edit->order[at + 1], &edit->order[at],
		(size_t)(edit->placed - at) * sizeof(*edit->order));
	edit->order[at] = i;
	edit->placed++;
	edit->items[i].before = before;
	edit->items[i].added = true;
}

/* So that it is number `index` of what its filter knows of: the client's fields and its own
 * insertions. What others inserted stays where it is, before it if it is so already. */
static void place_inserted(struct milter_edit *edit, uint16_t i)
{
	struct milter_edit_item *item = &edit->items[i];
	uint32_t own = 0;
	uint16_t at = 0;

	/* behind the last insertion of its own that is in front of it */
	for (uint16_t o = 0; o < edit->placed; o++) {
		const struct milter_edit_item *other = &edit->items[edit->order[o]];
		if (other->before == LAST)
			break;
		if (other->scan != item->scan)
			continue;
		if (other->before + own >= item->index)
			break;
		own++;
		at = (uint16_t)(o + 1);
	}
	/* and, if it is not right behind that one, behind what comes before the field in front */
	uint32_t before = item->index - own;
	while (at < edit->placed && edit->items[edit->order[at]].before < before)
		at++;
	place(edit, i, at, before);
}

/* The number-th field of that name that was added up to now. */
static uint16_t find_added(const struct milter_edit *edit, uint16_t i, uint32_t number)
{
	for (uint16_t o = 0; o < i; o++) {
		const struct milter_edit_item *other = &edit->items[o];
		if (other->added && is_same_name(other, &edit->items[i]) && --number == 0)
			return o;
	}
	return NONE;
}

static void place_set(struct milter_edit *edit, uint16_t i)
{
	struct milter_edit_item *item = &edit->items[i];
	uint16_t first = find(edit, item->name, strlen(item->name));
	uint32_t counted = edit->items[first].counted;

	if (item->index == 0) /* as sendmail reads it */
		item->index = 1;
	if (item->index <= counted)
		return; /* found when the field goes by */
	uint16_t at = find_added(edit, i, item->index - counted);
	if (at != NONE) {
		edit->items[at].value = item->value;
		edit->items[at].leadspc = item->leadspc;
		edit->items[at].gone = item->value[0] == '\0';
	} else if (item->value[0]) {
		place(edit, i, edit->placed, LAST);
	}
}

void milter_edit_place(struct milter_edit *edit)
{
	for (uint16_t i = 0; i < edit->n; i++) {
		switch ((enum milter_change_kind)edit->items[i].kind) {
		case MILTER_CHANGE_ADD:
			place(edit, i, edit->placed, LAST);
			break;
		case MILTER_CHANGE_INSERT:
			place_inserted(edit, i);
			break;
		case MILTER_CHANGE_SET:
			place_set(edit, i);
			break;
		}
	}
	edit->fields = (struct milter_fields){0};
}

/* ---- written ---- */

/* What is written of something from `skip` on. */
struct window {
	char *out;
	size_t room, len;
	size_t skip;
	bool full;
};

static void put(struct window *window, const char *bytes, size_t len)
{
	if (window->skip >= len) {
		window->skip -= len;
		return;
	}
	bytes += window->skip;
	len -= window->skip;
	window->skip = 0;
	size_t fits = window->room - window->len;
	size_t n = len < fits ? len : fits;
	memcpy(window->out + window->len, bytes, n);
	window->len += n;
	window->full |= n < len;
}

/* A line of its own, whatever the filter wrote: what follows a line end goes on with the field, so
 * that no value becomes a field of its own, or the end of the header. */
static void put_value(struct window *window, const char *value)
{
	static const char ends[] = "\r\n";

	while (!window->full) {
		size_t line = strcspn(value, ends);
		put(window, value, line);
		value += line;
		/* lines with nothing on them are none */
		const char *next = value;
		while (*next) {
			const char *start = next + strspn(next, ends);
			const char *text = start + strspn(start, " \t");
			next = start;
			if (text == start || (*text && !strchr(ends, *text)))
				break;
			next = text;
		}
		if (*next == '\0')
			return;
		put(window, "\r\n", 2);
		if (*next != ' ' && *next != '\t')
			put(window, "\t", 1);
		value = next;
	}
}

/* A piece is written from `offset` on; true: all of it. */
static bool wrote(struct milter_edit *edit, struct window *window, size_t before)
{
	edit->offset = window->full ? edit->offset + (uint32_t)(window->len - before) : 0;
	return !window->full;
}

static bool write_bytes(
	struct milter_edit *edit, struct window *window, const char *bytes, size_t len)
{
	size_t before = window->len;

	window->skip = edit->offset;
	put(window, bytes, len);
	return wrote(edit, window, before);
}

static bool write_item(struct milter_edit *edit, struct window *window, uint16_t i)
{
	const struct milter_edit_item *item = &edit->items[i];
	size_t before = window->len;

	window->skip = edit->offset;
	if (!edit->ends) /* of a text whose last line has no end */
		put(window, "\r\n", 2);
	put(window, item->name, strlen(item->name));
	put(window, ": ", item->leadspc ? 1 : 2);
	put_value(window, item->value);
	put(window, "\r\n", 2);
	if (!wrote(edit, window, before))
		return false;
	edit->ends = true;
	return true;
}

static bool write_placed(struct milter_edit *edit, struct window *window, uint32_t before)
{
	while (edit->cursor < edit->placed) {
		uint16_t i = edit->order[edit->cursor];
		if (edit->items[i].before > before)
			return true;
		if (!edit->items[i].gone && !write_item(edit, window, i))
			return false;
		edit->cursor++;
	}
	return true;
}

/* What becomes of the field whose name is known. */
static void judge(struct milter_edit *edit)
{
	uint16_t at = find(edit, edit->fields.line, edit->fields.name_len);

	edit->keeps = true;
	edit->instead = NONE;
	if (at == NONE)
		return;
	uint32_t number = ++edit->items[at].seen;
	for (; at != NONE; at = edit->items[at].same) {
		if (edit->items[at].added || edit->items[at].index != number)
			continue;
		edit->keeps = false;
		edit->instead = edit->items[at].value[0] ? at : NONE;
	}
}

/* Writes what is due before more is read; false: it needs more room. */
static bool write_due(struct milter_edit *edit, struct window *window)
{
	const struct milter_fields *fields = &edit->fields;

	for (;;) {
		switch ((enum step)edit->step) {
		case STEP_READ:
		case STEP_BODY:
			return true;
		case STEP_PLACED:
			if (!write_placed(edit, window, edit->last ? LAST : edit->field))
				return false;
			edit->step = edit->last    ? STEP_BREAK
				     : edit->keeps ? STEP_LINE
						   : STEP_INSTEAD;
			edit->field += !edit->last;
			break;
		case STEP_LINE:
			if (!write_bytes(edit, window, fields->line, fields->line_len))
				return false;
			edit->ends = false;
			edit->step = STEP_READ;
			break;
		case STEP_INSTEAD:
			if (edit->instead != NONE && !write_item(edit, window, edit->instead))
				return false;
			edit->step = STEP_READ;
			break;
		case STEP_BREAK:
			if (!fields->empty && fields->line_len > 0 &&
				!write_bytes(edit, window, "\r\n", 2))
				return false;
			edit->step = STEP_REST;
			break;
		case STEP_REST:
			if (!write_bytes(edit, window, fields->line, fields->line_len))
				return false;
			edit->step = STEP_BODY;
			edit->over = true;
			break;
		}
	}
}

/* Reads one piece. */
static void step(struct milter_edit *edit, enum milter_fields_piece piece)
{
	switch (piece) {
	case MILTER_FIELDS_NAME:
		judge(edit);
		edit->step = STEP_PLACED;
		break;
	case MILTER_FIELDS_OVER:
		edit->last = true;
		edit->step = STEP_PLACED;
		break;
	case MILTER_FIELDS_MORE:
	case MILTER_FIELDS_VALUE:
	case MILTER_FIELDS_END:
		break;
	}
}

/* Of a value that goes by; there is room. */
static void pass(struct milter_edit *edit, struct window *window, const char *bytes, size_t len)
{
	if (!edit->keeps || len == 0)
		return;
	put(window, bytes, len);
	edit->ends = bytes[len - 1] == '\n';
}

size_t milter_edit_write(struct milter_edit *edit, const char *bytes, size_t len, char *out,
	size_t room, size_t *written)
{
	struct window window = {.out = out, .room = room};
	size_t all = 0, used;

	while (write_due(edit, &window) && !edit->over) {
		size_t span = len - all, fits = room - window.len;
		if (span > fits)
			span = fits;
		if (span == 0)
			break;
		enum milter_fields_piece piece =
			milter_fields_read(&edit->fields, bytes + all, span, &used);
		if (piece == MILTER_FIELDS_VALUE)
			pass(edit, &window, bytes + all, used);
		step(edit, piece);
		all += used;
	}
	*written = window.len;
	return all;
}

bool milter_edit_finish(struct milter_edit *edit, char *out, size_t room, size_t *written)
{
	struct window window = {.out = out, .room = room};

	while (write_due(edit, &window) && !edit->over)
		step(edit, milter_fields_end(&edit->fields));
	*written = window.len;
	return edit->over;
}
