/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Replays a corpus through one fuzz target: every file of every folder given is fed to it once. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int replay_file(const char *path)
{
	FILE *file = fopen(path, "rb");
	if (!file)
		return -1;
	static uint8_t data[1 << 22];
	size_t size = fread(data, 1, sizeof(data), file);
	fclose(file);
	/* an exact copy, so that the sanitizer sees a read behind the end */
	uint8_t *copy = malloc(size ? size : 1);
	if (!copy)
		return -1;
	memcpy(copy, data, size);
	LLVMFuzzerTestOneInput(copy, size);
	free(copy);
	return 0;
}

int main(int argc, char **argv)
{
	unsigned files = 0;
	for (int i = 1; i < argc; i++) {
		DIR *dir = opendir(argv[i]);
		if (!dir) {
			fprintf(stderr, "replay: no corpus folder %s\n", argv[i]);
			return 1;
		}
		for (struct dirent *entry; (entry = readdir(dir));) {
			char path[4096];
			if (entry->d_name[0] == '.')
				continue;
			snprintf(path, sizeof(path), "%s/%s", argv[i], entry->d_name);
			if (replay_file(path) == 0)
				files++;
		}
		closedir(dir);
	}
	printf("%u inputs replayed\n", files);
	return files ? 0 : 1;
}
