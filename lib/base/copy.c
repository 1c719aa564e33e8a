/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/base/copy.h"

#include <string.h>

void copy_text(char *to, size_t room, const char *text)
{
	size_t len = strnlen(text, room - 1);

	memcpy(to, text, len);
	memset(to + len, 0, room - len);
}
