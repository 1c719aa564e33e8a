/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns folders that tests keep files in, for as long as they run. */
#ifndef POSTERN_TEST_CONTROL_FOLDER_H
#define POSTERN_TEST_CONTROL_FOLDER_H

#define FOLDER_SIZE 64

/* One of its own, empty. 0 or -1, as cmocka's fixtures have it. */
int folder_make(char path[static FOLDER_SIZE]);
/* With all that is in it. */
int folder_remove(const char *path);

#endif
