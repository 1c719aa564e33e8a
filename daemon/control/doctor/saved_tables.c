/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/control/doctor/saved_tables.h"

#include "daemon/control/store/disk.h"

#include <dirent.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FILE_MAX  (1 << 20)
#define FILES_MAX 64 /* in one folder */

/* A line that begins our table, and is no comment. */
static bool has_table(const char *text)
{
	static const char words[] = "table inet postern";

	for (const char *line = text; line; line = strchr(line, '\n')) {
		line += strspn(line, " \t\n");
		if (strncmp(line, words, sizeof(words) - 1) == 0 &&
			strchr(" \t{", line[sizeof(words) - 1]))
			return true;
	}
	return false;
}

static bool is_saved(const char *path)
{
	char *text;
	size_t len;

	if (disk_read(path, FILE_MAX, &text, &len))
		return false;
	bool found = has_table(text);
	free(text);
	return found;
}

static bool find_in(const char *folder, char *path, size_t size)
{
	DIR *dir = opendir(folder);
	bool found = false;
	unsigned n = 0;

	for (struct dirent *entry; dir && !found && n < FILES_MAX && (entry = readdir(dir)); n++) {
		int len = snprintf(path, size, "%s/%s", folder, entry->d_name);
		found = entry->d_name[0] != '.' && len > 0 && (size_t)len < size && is_saved(path);
	}
	if (dir)
		closedir(dir);
	return found;
}

const char *saved_find(char *path, size_t size)
{
	static const char *const files[] = {"/etc/nftables.conf", "/etc/sysconfig/nftables.conf"};
	static const char *const folders[] = {"/etc/nftables", "/etc/nftables.d"};

	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		if (is_saved(files[i]))
			return files[i];
	for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++)
		if (find_in(folders[i], path, size))
			return path;
	return NULL;
}
