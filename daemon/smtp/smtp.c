/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/smtp/smtp.h"

const char *smtp_name(const struct smtp *smtp, const struct policy *policy)
{
	return policy && policy->hostname.len > 0 ? policy->hostname.text : smtp->child.machine;
}

void smtp_act(struct smtp_flow *flow)
{
	flow->smtp->table.face->act(flow);
}

struct engine_out *smtp_out(struct smtp_flow *flow)
{
	return flow->smtp->table.face->out(flow);
}

void smtp_run(struct smtp_flow *flow)
{
	flow->smtp->table.face->run(flow);
}
