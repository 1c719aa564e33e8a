/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns what a zone with `on-link-down end` does when a link of it goes down: the sessions of those
 * who were last seen there end. What happens while Postern does not run is not seen. */
#ifndef POSTERN_LINK_DOWN_H
#define POSTERN_LINK_DOWN_H

#include "lib/base/addr.h"

struct control;

/* The interface, by its name before, has gone down, or is no more. */
void link_down(struct control *control, const char *ifname);
/* Of a bridge: the port behind which a MAC was last seen has. */
void link_down_mac(struct control *control, const char *bridge, const struct mac *mac);

#endif
