/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns one question: which ports do zones have? */
#ifndef POSTERN_DAEMON_CONTROL_DOCTOR_ZONE_PORT_H
#define POSTERN_DAEMON_CONTROL_DOCTOR_ZONE_PORT_H

#include <stdint.h>

struct policy;

/* The next greater one; begin with 0. 0: there is none. */
uint16_t zone_port_after(const struct policy *policy, uint16_t port);

#endif
