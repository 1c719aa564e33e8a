/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns what has to hold between client, server and owner: by smtp_witness.c alone. */
#ifndef POSTERN_TEST_SMTP_WITNESS_RULES_H
#define POSTERN_TEST_SMTP_WITNESS_RULES_H

#include "test/lib/smtp_witness.h"

void smtp_witness_wrong(struct smtp_witness *witness, const char *rule);
/* Acts on an output as the owner does, and looks at each part of it. */
void smtp_witness_judge(struct smtp_witness *witness, const struct engine_out *out);
/* Looks at what the engine waits for, all inputs done. */
void smtp_witness_judge_state(struct smtp_witness *witness);

#endif
