/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns which policy the daemon starts with.
 *
 *	choose	the one that ran last (or that a confirm goes back to, when its time is over); the
 *		file's where none ever ran. What was applied once is not refused here for an error
 *		that only this version, or this machine's present addresses, find: it is said
 *	posture	its closed zones are closed before anything else is tried
 *	plan	the kernel takes it; else the newest of the history that it takes becomes the
 *		running one. Where it takes none and holds a plan already (an upgrade, a control
 *that died), that plan goes on, and so does control file	one that was changed meanwhile is
 *applied as by SIGHUP, and refused as there
 */
#ifndef POSTERN_DAEMON_CONTROL_POLICY_START_H
#define POSTERN_DAEMON_CONTROL_POLICY_START_H

#include <stdbool.h>

struct control;
struct policy_start;

struct policy_start *policy_start_new(struct control *control);
void policy_start_free(struct policy_start *start);

/* Sets the running policy; waits for the disk. 0, or -errno after saying why there is none. */
int policy_start_choose(struct policy_start *start);
/* The channel to the keeper is open, and nothing else was tried. */
void policy_start_posture(struct policy_start *start);
/* All parts are there. done: false: there is no policy to run with, which was said. */
void policy_start_run(struct policy_start *start, void (*done)(struct control *control, bool runs));

#endif
