/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/record/login_ending.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#define LOGIN_ENDING_NAME(id, name, meaning) [LOGIN_ENDING_##id] = name,

const char *const login_ending_names[] = {LOGIN_ENDING_TABLE(LOGIN_ENDING_NAME)};
static_assert(sizeof(login_ending_names) / sizeof(*login_ending_names) == LOGIN_ENDINGS,
	"a name for each");

int login_ending_parse(const char *name, enum login_ending *ending)
{
	for (unsigned i = 0; i < LOGIN_ENDINGS; i++)
		if (strcmp(name, login_ending_names[i]) == 0) {
			*ending = i;
			return 0;
		}
	return -EINVAL;
}
