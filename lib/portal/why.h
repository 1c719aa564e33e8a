/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns which plain words a guest reads of how his mail ended. */
#ifndef POSTERN_LIB_PORTAL_WHY_H
#define POSTERN_LIB_PORTAL_WHY_H

#include "lib/portal/texts.h"
#include "lib/record/ending.h"
#include "lib/record/message_ending.h"

enum portal_mood {
	PORTAL_MOOD_GOOD,
	PORTAL_MOOD_DOUBT,
	PORTAL_MOOD_BAD,
};

/* Of a flow that is not read: nobody knows what of it was mail. */
enum portal_text portal_why_of_flow(enum ending ending);
enum portal_text portal_why_of_message(enum message_ending ending);
enum portal_mood portal_why_mood(enum portal_text why);

#endif
