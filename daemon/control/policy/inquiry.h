/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns the inquiries: in each of them every host is asked anew what it offers to the gateway,
 * before its first flow. Every apply begins one, and so does one that changes nothing: whoever has
 * put another server behind the same address applies the same file again. */
#ifndef POSTERN_DAEMON_CONTROL_POLICY_INQUIRY_H
#define POSTERN_DAEMON_CONTROL_POLICY_INQUIRY_H

#include "daemon/control/peers/question.h"

struct control;

/* The next one's number, never 0: also not one of a control before. To be told with a policy. */
void inquiry_next(struct control *control);
/* The next one, under the policy in force. The gather ends when every process with flows knows. */
void inquiry_begin(struct control *control, struct gather *gather);

#endif
