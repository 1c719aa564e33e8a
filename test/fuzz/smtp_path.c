/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Paths of MAIL and RCPT: what is taken is written and read as the same, and no recipient has a
 * byte that routes. */
#include "lib/smtp/path.h"

#include <assert.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_recipient(const struct smtp_path *path)
{
	assert(!(path->flags & (SMTP_PATH_NULL | SMTP_PATH_LITERAL)));
	for (size_t i = 0; i < path->local_bytes; i++)
		assert(!memchr("@%!\"\\<>:", path->local[i], 8));
	assert(path->domain_bytes > 0 || smtp_path_is_postmaster(path));
}

/* One @ outside of quotes, printable, and one path. */
static void check_text(const char *text, size_t len)
{
	bool quoted = false;
	unsigned ats = 0;

	assert(text[0] == '<' && text[len - 1] == '>');
	for (size_t i = 1; i < len - 1; i++) {
		assert((unsigned char)text[i] >= ' ' && text[i] != 0x7f);
		if (text[i] == '"')
			quoted = !quoted;
		else if (quoted && text[i] == '\\')
			i++;
		else if (!quoted)
			assert(text[i] != ' ' && text[i] != '<' && text[i] != '>');
		if (!quoted && text[i] == '@')
			ats++;
	}
	assert(!quoted && ats <= 1);
}

static void read_as(unsigned way, const char *bytes, size_t size)
{
	struct smtp_path path, again, key, key_again;
	char text[SMTP_PATH_TEXT_MAX];
	size_t used;

	if (smtp_path_parse(&path, way, bytes, size, &used) != SMTP_PATH_GOOD)
		return;
	assert(used > 0 && used <= size && (used == size || bytes[used] == ' '));
	size_t len = smtp_path_format(&path, text);
	check_text(text, len);
	if (way & SMTP_PATH_RECIPIENT)
		check_recipient(&path);
	assert(smtp_path_parse(&again, way & SMTP_PATH_RECIPIENT, text, len, &used) ==
		SMTP_PATH_GOOD);
	assert(used == len);
	if (!smtp_path_needs_utf8(&path))
		path.flags &= (uint8_t)~SMTP_PATH_UTF8;
	assert(memcmp(&path, &again, sizeof(path)) == 0);
	smtp_path_key(&path, &key);
	smtp_path_key(&again, &key_again);
	assert(memcmp(&key, &key_again, sizeof(key)) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	for (unsigned way = 0; way < 4; way++)
		read_as(way, (const char *)data, size);
	return 0;
}
