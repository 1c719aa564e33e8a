/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "test/lib/control_folder.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int folder_make(char path[static FOLDER_SIZE])
{
	strcpy(path, "/tmp/postern-unit-XXXXXX");
	return mkdtemp(path) ? 0 : -1;
}

int folder_remove(const char *path)
{
	char command[4096];

	snprintf(command, sizeof(command), "rm -rf %s", path);
	return system(command) == 0 ? 0 : -1;
}
