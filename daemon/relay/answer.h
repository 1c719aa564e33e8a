/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns verdict `answer` and every refusal of Postern's own: greets with the refusal, answers QUIT
 * with 221 and anything else with 503, and ends. */
#ifndef POSTERN_DAEMON_RELAY_ANSWER_H
#define POSTERN_DAEMON_RELAY_ANSWER_H

#include "daemon/relay/flow.h"

#define ANSWER_MS 30000
/* So many are talked with at once; who comes beyond gets the refusal and the end in one. */
#define ANSWERS_MAX 512

/* The flow gets this refusal and nothing else; a server's side is closed. enhanced may be NULL. */
void answer_begin(struct flow *flow, enum ending ending, unsigned code, const char *enhanced,
	const char *text);
/* The same, but nothing is heard: said, closed, gone within seconds. For what may come in floods.
 */
void answer_short(struct flow *flow, enum ending ending);
void answer_run(struct flow *flow);
void answer_on_deadline(struct flow *flow);

#endif
