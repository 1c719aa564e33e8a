/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns one question: is this an address of the machine? */
#ifndef POSTERN_DAEMON_BASE_OWN_ADDRESS_H
#define POSTERN_DAEMON_BASE_OWN_ADDRESS_H

#include "lib/base/addr.h"

#include <stdbool.h>

/* Asked of the kernel anew each time, without privileges; nothing is sent. */
bool own_address(const struct addr *addr);

#endif
