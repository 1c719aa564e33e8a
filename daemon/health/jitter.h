/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns the chance by which times are spread, so that what began together does not stay so. */
#ifndef POSTERN_DAEMON_HEALTH_JITTER_H
#define POSTERN_DAEMON_HEALTH_JITTER_H

#include <stdint.h>

/* Evenly from 0 to below; 0 when below is 0. */
uint64_t jitter_below(uint64_t below);
/* A time within a tenth of it, before or behind. */
uint64_t jitter_around(uint64_t ms);

#endif
