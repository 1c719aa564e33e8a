/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns reading a hosts file (hosts(5)): names that DNS is not asked for. */
#ifndef POSTERN_LIB_DNS_HOSTS_H
#define POSTERN_LIB_DNS_HOSTS_H

#include "lib/base/addr.h"

/* Calls on_name for each name of each line; what is no host name or address is left out. */
void hosts_read(const char *text, size_t len,
	void (*on_name)(void *context, const char *name, const struct addr *addr), void *context);

#endif
