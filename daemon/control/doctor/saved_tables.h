/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns the look for saved copies of our table among the files that nft loads at boot.
 *
 * Such a file cannot be loaded: while posternd runs the kernel lets nobody else make the table, and
 * an older nft cannot read what it prints of its flags. nft takes all or nothing: none of the
 * operator's own rules are loaded either. */
#ifndef POSTERN_DAEMON_CONTROL_DOCTOR_SAVED_TABLES_H
#define POSTERN_DAEMON_CONTROL_DOCTOR_SAVED_TABLES_H

#include <stddef.h>

/* The first such file's path; NULL: there is none that can be read. */
const char *saved_find(char *path, size_t size);

#endif
