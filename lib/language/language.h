/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns the language's front door: text to policy and back, and what is said about mistakes. */
#ifndef POSTERN_LIB_LANGUAGE_LANGUAGE_H
#define POSTERN_LIB_LANGUAGE_LANGUAGE_H

#include "lib/policy/policy.h"

struct credential;
struct credential_verdict;

enum language_severity {
	LANGUAGE_WARNING,
	LANGUAGE_FAULT, /* an error that `lenient` lets pass */
	LANGUAGE_ERROR,
};

/* One message. text is the whole of it, several lines: "file:line:column: error: what is wrong,
 * what was expected", the source line, a caret, near names. Owned by the diagnosis. */
struct language_message {
	enum language_severity severity;
	struct policy_place place;
	const char *text;
	const char *file;            /* that the place is in, as it is called in the text */
	const char *expected, *near; /* as the text says; NULL: it does not */
};

struct language_diagnosis {
	struct language_message *v;
	size_t n;
	size_t errors, warnings; /* faults are warnings here */
	struct arena *arena;
};

/* Reads a file for `include` and `list file`; lib opens nothing itself. On success *text is
 * malloc'ed and taken over. Returns 0 or -errno, -EINVAL for what is no file to be read whole. */
typedef int language_read(void *context, const char *path, char **text, size_t *len);
/* Such an error in words. */
const char *language_read_error(int error);

/* What the checker may know of the world; NULL members: not known, no check. */
struct language_world {
	language_read *read;
	void *context;
	/* 1 present with MAC, 0 present without MAC, -1 absent. Pattern may be a wildcard. */
	int (*interface)(void *context, const char *pattern);
	/* The listener's own port (steered to by TPROXY), refused as a zone's port. 0: unknown */
	uint16_t relay_port;
	/* As many paths in the kernel can be numbered. 0: unknown */
	uint16_t path_numbers;
	/* The text was checked when it was applied, by an earlier version or with other interfaces
	 * and addresses: what is wrong with it now is a fault, not an error, as long as it can run.
	 */
	bool lenient;
	/* Reads what is named by the policy and never becomes part of it (credential.h), and says
	 * what is wrong with it. */
	void (*credential)(void *context, const struct credential *credential,
		struct credential_verdict *verdict);
	/* Is this address one of ours? */
	bool (*own_address)(void *context, const struct addr *addr);
	/* The bridge that an interface is a port of; NULL: none. *port: it, as the pattern may be a
	 * wildcard. */
	const char *(*bridge)(void *context, const char *pattern, const char **port);
	/* The interface that leads to an address, and that of the default route; NULL: none. */
	const char *(*way)(void *context, const struct addr *addr);
	const char *(*uplink)(void *context, enum addr_family family);
};

/* Scan, parse, check. file is the name for messages. Returns a policy with one reference, or NULL
 * when diagnosis has errors; warnings may stand beside a policy. The diagnosis is always filled;
 * language_diagnosis_fini() it. At most 20 errors are kept. */
struct policy *language_parse(const char *file, const char *text, size_t len,
	const struct language_world *world, struct language_diagnosis *diagnosis);
void language_diagnosis_fini(struct language_diagnosis *diagnosis);
/* Why there is no policy: the first error, as warnings may stand in front of it. */
const char *language_first_error(const struct language_diagnosis *diagnosis);

/* Is the address a device's, in this zone? */
bool language_is_device(const struct policy *policy, size_t zone, const struct addr *addr);

enum language_print {
	LANGUAGE_PRINT_CANONICAL = 0,
	LANGUAGE_PRINT_FULL = 1 << 0, /* defaults too */
	LANGUAGE_PRINT_RESOLVED = 1
				  << 1, /* lists from files as inline lists: for other processes */
};

/* Canonical text, malloc'ed, NUL-terminated; NULL only when out of memory.
 * parse(print(p)) == p and print(parse(print(p))) == print(p), byte for byte. */
char *language_print(const struct policy *policy, enum language_print flags, size_t *len);
/* One statement alone, as `rule show`, `server show` and friends quote it. malloc'ed. */
char *language_print_rule(const struct policy *policy, size_t rule, enum language_print flags);
char *language_print_server(const struct policy *policy, size_t server, enum language_print flags);
char *language_print_zone(const struct policy *policy, size_t zone, enum language_print flags);
char *language_print_device(const struct policy *policy, size_t device, enum language_print flags);

char *language_print_one(const struct policy *policy, enum policy_kind kind, size_t i);

/* The kinds of statements that have a name, in the order of a printed policy. */
#define LANGUAGE_KINDS 12
const char *language_kind_word(enum policy_kind kind); /* "zone" */
bool language_kind_of(const char *word, enum policy_kind *kind);
size_t language_count(const struct policy *policy, enum policy_kind kind);
const char *language_name_at(const struct policy *policy, enum policy_kind kind, size_t i);
ptrdiff_t language_find(const struct policy *policy, enum policy_kind kind, const char *name);

/* Edits for the CLI: the old policy's canonical text with one statement put in, replaced, moved or
 * taken out, parsed and checked anew. `statement` is the whole of it, e.g. `rule x { ... }`.
 * kind: as language_kind_word() says it. Returns the new policy or NULL with errors.
 */
enum language_position {
	LANGUAGE_FIRST,
	LANGUAGE_LAST,
	LANGUAGE_BEFORE,
	LANGUAGE_AFTER,
};
struct policy *language_edit_add(const struct policy *policy, const char *kind,
	const char *statement, enum language_position position, const char *other,
	const struct language_world *world, struct language_diagnosis *diagnosis);
struct policy *language_edit_replace(const struct policy *policy, const char *kind,
	const char *name, const char *statement, const struct language_world *world,
	struct language_diagnosis *diagnosis);
struct policy *language_edit_delete(const struct policy *policy, const char *kind, const char *name,
	const struct language_world *world, struct language_diagnosis *diagnosis);
struct policy *language_edit_move(const struct policy *policy, const char *name,
	enum language_position position, const char *other, const struct language_world *world,
	struct language_diagnosis *diagnosis);
struct policy *language_edit_enable(const struct policy *policy, const char *name, bool enable,
	const struct language_world *world, struct language_diagnosis *diagnosis);
/* The same with a setting at the top, by its first word: `drain 60s` in its place; statement NULL
 * takes it out. */
struct policy *language_edit_top(const struct policy *policy, const char *head,
	const char *statement, const struct language_world *world,
	struct language_diagnosis *diagnosis);
/* The operator's own text after such an edit: one statement of this kind and name is put in,
 * replaced, moved or taken out, and all else stays as it was written, comments included. malloc'ed.
 * NULL: out of memory, or the statement does not stand in the text itself. It is for the caller to
 * make sure that the text says what `after` says, as it might not when the text takes other files
 * in. */
char *language_source_follow(const char *source, size_t len, const struct policy *before,
	const struct policy *after, const char *kind, const char *name, size_t *out_len);
/* An earlier enabled rule that takes every packet this rule could take, or -1. */
ptrdiff_t language_shadowed_by(const struct policy *policy, size_t rule);

/* DUR and SIZE, as the CLI takes them. 0 or -EINVAL. No time is longer than
 * 7101 weeks, whose seconds fit 32 bits. */
#define LANGUAGE_DURATION_MAX_MS ((uint64_t)UINT32_MAX * 1000)
int language_parse_duration(const char *text, uint64_t *ms);
const char *language_format_duration(uint64_t ms, char buf[static 32]);
const char *language_format_size(uint64_t bytes, char buf[static 32]); /* whole k at least */
/* A limit as it stands in a zone: "limit rate 20/minute per client { block 2h }". Returns buf. */
#define LANGUAGE_LIMIT_SIZE 96
const char *language_format_limit(
	const struct policy_limit *limit, char buf[static LANGUAGE_LIMIT_SIZE]);
/* Bytes of the mark that some editors put in front of UTF-8: 3 or 0. */
size_t language_mark(const char *text, size_t len);
/* An entry of a list file that is none; the word is borrowed from the text. */
struct language_bad {
	unsigned line, column; /* from 1 */
	const char *word;
	size_t len;
	const char *expected;
};
#define LANGUAGE_BAD_MAX 20
struct language_listing {
	struct policy_elem *elems; /* malloc'ed; their texts are borrowed */
	size_t n, room;
	unsigned heading; /* the line that was taken for one; 0: none */
	struct language_bad bad[LANGUAGE_BAD_MAX];
	size_t nbad;              /* all, also those that have no place in bad */
	struct language_bad wide; /* the first network with bits behind its length, and how many */
	size_t nwide;
};
/* A list file or import: delimiters are comma, semicolon, blank, tab and newline; fields may stand
 * in quotes; '#' to the end of the line is a comment; a mark of UTF-8 in front and a first line of
 * headings are read over. 0; -EINVAL: some entries are bad; -ENOMEM. Always to be fini'ed. */
int language_parse_list(enum policy_list_holds holds, const char *text, size_t len,
	struct language_listing *listing);
void language_listing_fini(struct language_listing *listing);
/* "FILE:LINE:COLUMN: error: "WORD" is no entry of this list, expected THIS", with the file's own
 * bytes, which are for a program to show. Returns buf. */
#define LANGUAGE_BAD_SIZE 640
const char *language_format_bad(
	const char *file, const struct language_bad *bad, char buf[static LANGUAGE_BAD_SIZE]);
#define LANGUAGE_NO_SUCH_SIZE 1024
/* "no such zone "gest"; zones: guest, staff", or of many names the nearest. */
void language_no_such_text(const struct policy *policy, enum policy_kind kind, const char *name,
	size_t len, char text[static LANGUAGE_NO_SUCH_SIZE]);
/* The nearest name of the policy, borrowed, or NULL. */
const char *language_near_name(
	const struct policy *policy, enum policy_kind kind, const char *name);
/* The nearest of names to a mistyped one, or NULL. */
const char *language_near(const char *word, const char *const *names, size_t n);

#endif
