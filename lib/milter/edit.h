/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns a message's header as its scans want it changed, written while it goes by.
 *
 * Theory of operation. All filters saw the header as the client sent it, so each one's numbers
 * count in that, whatever another made of it: an insertion's the client's fields and the filter's
 * own insertions; a change's the client's fields of that name, and behind these the ones that were
 * added by whomever. A change of a field that is not there adds it, as with sendmail and Postfix.
 * What is told later wins.
 *
 * The changes are known when the text is whole, so its header is read twice from wherever it is
 * kept, in spans of any cut: counted, then written. However large it is, no more of it is held than
 * the name of one field, so there is no bound of its size.
 *
 *     milter_edit_init()
 *     milter_edit_add()     each change of each scan, scans in the order of the policy
 *     milter_edit_count()   the text from its beginning, until it wants no more, or the text's end
 *     milter_edit_place()
 *     milter_edit_write()   the text from its beginning, until `over`: the rest goes as it is
 *     milter_edit_finish()  where the text ended before that
 *
 * With n 0 nothing of that need be done. */
#ifndef POSTERN_LIB_MILTER_EDIT_H
#define POSTERN_LIB_MILTER_EDIT_H

#include "lib/milter/change.h"
#include "lib/milter/fields.h"

#define MILTER_EDIT_MAX     1000 /* changes of all scans of one message */
#define MILTER_EDIT_BUCKETS 64

struct milter_edit_item {
	const char *name, *value;
	uint32_t index;   /* SET: number of its name, from 1 */
	uint32_t before;  /* else, and where a SET adds: the client's field that it comes before */
	uint32_t hash;    /* of the name in lower case */
	uint32_t counted; /* with the first SET of a name: the client's fields of it, */
	uint32_t seen;    /* and how many of them went by */
	uint16_t scan;
	uint16_t next; /* of the bucket's first SETs */
	uint16_t same; /* SET: the next of that name */
	uint8_t kind;  /* enum milter_change_kind */
	bool leadspc;
	bool added; /* it is written as a field of its own */
	bool gone;
};

/* Holds pointers to the texts of the changes. */
struct milter_edit {
	uint16_t n; /* changes */
	bool over;  /* behind milter_edit_write(): the header is written */
	/* private */
	struct milter_fields fields;
	uint16_t buckets[MILTER_EDIT_BUCKETS];
	uint16_t placed;
	uint16_t order[MILTER_EDIT_MAX]; /* of what is added, in the order of the header */
	struct milter_edit_item items[MILTER_EDIT_MAX];
	uint16_t cursor; /* in `order`: what is written next */
	uint16_t instead;
	uint8_t step;
	bool keeps;      /* the field that goes by stays */
	bool ends;       /* what was written ends a line */
	bool last;       /* the client's fields are over */
	uint32_t field;  /* of the client: number of the next one, from 0 */
	uint32_t offset; /* in what is being written */
};
_Static_assert(sizeof(struct milter_edit) <= 65536, "one a message, while it is written");

void milter_edit_init(struct milter_edit *edit);
/* Borrows the texts. False: there are too many changes. */
bool milter_edit_add(struct milter_edit *edit, unsigned scan, const struct milter_change *change);
/* False: the header is over. */
bool milter_edit_count(struct milter_edit *edit, const char *bytes, size_t len);
void milter_edit_place(struct milter_edit *edit);
/* Returns how many of the bytes were read; *written of the room are for the server: text with CRLF,
 * dots not stuffed. Fewer than all were read for want of room, or because it is over. */
size_t milter_edit_write(struct milter_edit *edit, const char *bytes, size_t len, char *out,
	size_t room, size_t *written);
/* False: there is more, for more room. */
bool milter_edit_finish(struct milter_edit *edit, char *out, size_t room, size_t *written);

#endif
