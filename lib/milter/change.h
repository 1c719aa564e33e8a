/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns what a filter wants changed in a message's header. */
#ifndef POSTERN_LIB_MILTER_CHANGE_H
#define POSTERN_LIB_MILTER_CHANGE_H

#include <stdbool.h>
#include <stdint.h>

enum milter_change_kind {
	MILTER_CHANGE_ADD,    /* at the end of the header */
	MILTER_CHANGE_INSERT, /* so that it is number `index`, from 0 */
	MILTER_CHANGE_SET,    /* number `index` of its name, from 1; "": it goes */
};

struct milter_change {
	uint8_t kind; /* enum milter_change_kind */
	bool leadspc; /* the value has what comes behind the colon; else that is one space */
	uint32_t index;
	const char *name;  /* of a header field (RFC 5322 2.2) */
	const char *value; /* any bytes; a LF folds */
};

#endif
