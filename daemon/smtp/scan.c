#include "daemon/smtp/scan.h"

/* No rule has its messages scanned yet. */

enum scan_answer scan_on_recipient(
	struct smtp_flow *flow, const struct decide_reply *reply, struct smtp_refusal *refusal)
{
	(void)flow;
	(void)reply;
	(void)refusal;
	return SCAN_GO_ON;
}

enum scan_answer scan_on_data(
	struct smtp_flow *flow, struct engine_verdict *verdict, struct smtp_refusal *refusal)
{
	(void)flow;
	(void)verdict;
	(void)refusal;
	return SCAN_GO_ON;
}

void scan_text(struct smtp_flow *flow, const char *bytes, size_t len)
{
	(void)flow;
	(void)bytes;
	(void)len;
}

bool scan_is_full(const struct smtp_flow *flow)
{
	(void)flow;
	return false;
}

enum scan_answer scan_on_dot(struct smtp_flow *flow, struct smtp_refusal *refusal)
{
	(void)flow;
	(void)refusal;
	return SCAN_GO_ON;
}

size_t scan_front(const struct smtp_flow *flow, const char **bytes, uint64_t *instead_of)
{
	(void)flow;
	*bytes = "";
	*instead_of = 0;
	return 0;
}

void scan_message_over(struct smtp_flow *flow)
{
	(void)flow;
}

void scan_flow_over(struct smtp_flow *flow)
{
	(void)flow;
}
