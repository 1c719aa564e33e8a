/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns one command line: its noun and verb, what is looked at before control is asked, and the few
 * verbs that posternctl does by itself. */
#ifndef POSTERN_TOOLS_POSTERNCTL_NOUN_H
#define POSTERN_TOOLS_POSTERNCTL_NOUN_H

#include "tools/posternctl/call.h"

/* A verb for which more is done than asking. words are those that control gets, given the same by
 * the table. Returns the exit status. */
typedef int noun_own(struct call *call, const struct verb *verb, const struct verb_words *given,
	const char *const *words, size_t nwords);
noun_own policy_check, policy_edit, policy_save, server_test, auth_password, auth_test, bypass_run,
	doctor_run, queue_show, queue_hold, queue_release, queue_delete, queue_flush;

/* Carries out one command line. Exit status. */
int noun_run(struct call *call, const char *const *words, size_t nwords);

#endif
