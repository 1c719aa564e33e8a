/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns policies that tests write as text: what is wrong with one fails the test, in its words. */
#ifndef POSTERN_TEST_POLICY_TEXT_H
#define POSTERN_TEST_POLICY_TEXT_H

#include "lib/language/language.h"

/* world: NULL: nothing is known of it. The caller's reference. */
struct policy *policy_of_text(const char *text, const struct language_world *world);

#endif
