/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns which function carries out which verb: a new noun is one line here. */
#ifndef POSTERN_DAEMON_CONTROL_COMMANDS_NOUNS_H
#define POSTERN_DAEMON_CONTROL_COMMANDS_NOUNS_H

#include "daemon/control/request/command.h"

extern const struct command_noun *const command_nouns[]; /* NULL ends it */
extern const struct command_noun command_status, command_policy, command_rule, command_zone,
	command_server, command_certificate, command_auth, command_scan, command_radius,
	command_portal, command_listener, command_domain, command_device, command_list,
	command_session, command_client, command_flow, command_explain, command_audit,
	command_monitor, command_bypass, command_counters, command_log_noun, command_doctor,
	command_block, command_message;

/* What the control sockets bring is carried out: the verb is found, its words are read, it runs. */
extern const struct control_socket_face command_face;

#endif
