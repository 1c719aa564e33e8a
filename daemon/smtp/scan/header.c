/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/smtp/scan/header.h"

#include "daemon/smtp/scan/scans.h"
#include "lib/milter/edit.h"

#include <stdlib.h>
#include <string.h>

#define GROW 4096

bool scan_header_begin(struct scans *scans)
{
	scan_header_free(scans->header);
	scans->header = calloc(1, sizeof(*scans->header));
	return scans->header != NULL;
}

void scan_header_free(struct scan_header *header)
{
	if (!header)
		return;
	free(header->bytes);
	free(header->front);
	free(header);
}

/* How many of the bytes are of the header, the empty line behind it among them. */
static size_t take_lines(struct scan_header *header, const char *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (bytes[i] == '\n' && header->line >= 1) { /* at the beginning, too */
			header->over = true;
			return i + 1;
		}
		if (bytes[i] == '\r')
			continue;
		header->line = bytes[i] == '\n';
	}
	return len;
}

/* The text begins as if behind a line's end. */
void scan_header_put(struct scan_header *header, const char *bytes, size_t len)
{
	if (header->over || header->too_large)
		return;
	if (header->len == 0)
		header->line = 1;
	size_t n = take_lines(header, bytes, len);
	if (header->len + n > SCAN_HEADER_MAX) {
		header->too_large = true;
		return;
	}
	if (header->len + n > header->room) {
		size_t room = 2 * header->room + n + GROW;
		char *more = realloc(header->bytes, room);
		if (!more) {
			header->too_large = true;
			return;
		}
		header->bytes = more;
		header->room = room;
	}
	memcpy(header->bytes + header->len, bytes, n);
	header->len += n;
}

/* False: there are too many. */
static bool add_changes(const struct scans *scans, struct milter_edit *edit)
{
	const struct scan_part *part;
	struct milter_change change;
	unsigned at = 0;

	milter_edit_init(edit);
	while ((part = scans_next(scans, scans->set, &at))) {
		size_t i = 0;
		if (!part->milter || part->verdict != SCAN_GO || !part->final)
			continue;
		while (milter_change(part->milter, &i, &change))
			if (!milter_edit_add(edit, at - 1, &change))
				return false;
	}
	return true;
}

/* Room for all that is added, and for what folds. */
static size_t room_of(const struct scans *scans, const struct scan_header *header)
{
	return 2 * header->len +
	       scans->flow->way.policy->nscans * 2 * (MILTER_CHANGES_BYTES + 4096) + 4096;
}

static void write_changed(
	struct milter_edit *edit, struct scan_header *header, size_t room, char *out)
{
	size_t at = 0, written;

	while (milter_edit_count(edit, header->bytes + at, header->len - at) && at < header->len)
		at = header->len;
	milter_edit_place(edit);
	for (at = 0; at < header->len && !edit->over;) {
		size_t used = milter_edit_write(edit, header->bytes + at, header->len - at,
			out + header->front_len, room - header->front_len, &written);
		header->front_len += written;
		at += used;
		if (used == 0 && written == 0)
			break;
	}
	header->instead_of = at;
	if (!edit->over) { /* the text has no more than this */
		milter_edit_finish(
			edit, out + header->front_len, room - header->front_len, &written);
		header->front_len += written;
	}
}

bool scan_header_change(struct scans *scans)
{
	struct scan_header *header = scans->header;
	struct milter_edit *edit;

	if (!header || header->front)
		return true;
	edit = malloc(sizeof(*edit));
	if (!edit || !add_changes(scans, edit)) {
		free(edit);
		return false;
	}
	if (edit->n == 0) {
		free(edit);
		return true;
	}
	const size_t room = room_of(scans, header);
	header->front = header->too_large ? NULL : malloc(room);
	if (header->front)
		write_changed(edit, header, room, header->front);
	free(edit);
	return header->front != NULL;
}
