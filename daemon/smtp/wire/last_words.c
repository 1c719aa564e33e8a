/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/smtp/wire/last_words.h"

#include "daemon/smtp/server.h"
#include "daemon/smtp/smtp.h"
#include "daemon/smtp/wire/client.h"
#include "daemon/smtp/wire/outgoing.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

/* For the client to take the last words and close; a RST before would take the words with it. */
#define LAST_MS        5000
#define LAST_BYTES_MAX 65536

void last_run(struct smtp_flow *flow)
{
	uint8_t *bytes = flow->smtp->table.read;
	size_t read_bytes = 0;
	ssize_t n = -1;

	outgoing_flush_client(flow);
	if (flow->client_lost) {
		smtp_flow_end(flow, (enum ending)flow->engine.ending, true);
		return;
	}
	if (!flow->to_client.piece && !flow->client_shut) {
		flow->client_shut = true;
		client_shut(flow);
	}
	while (flow->client_readable && !flow->client_ended && read_bytes < LAST_BYTES_MAX) {
		n = recv(flow->client.fd, bytes, SMTP_FLOW_READ_BYTES, MSG_DONTWAIT);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			flow->client_readable = false;
		else if (n <= 0)
			flow->client_ended = true;
		else
			read_bytes += (size_t)n;
	}
	if (read_bytes > 0 && engine_hears_passwords(&flow->engine))
		explicit_bzero(bytes, SMTP_FLOW_READ_BYTES);
	if ((flow->client_ended && flow->client_shut) || read_bytes >= LAST_BYTES_MAX)
		smtp_flow_end(flow, (enum ending)flow->engine.ending,
			read_bytes >= LAST_BYTES_MAX || (flow->client_ended && n < 0));
}

/* It said QUIT and its 221 went: nothing more is to come that a close could take that from it. In
 * TLS something is: that it ends, which a closed socket would answer with a RST. */
static bool is_parted(const struct smtp_flow *flow)
{
	return flow->engine.ending == ENDING_QUIT && !flow->to_client.piece && !flow->client_lost &&
	       !flow->client_readable && !flow->client_secured;
}

void last_begin(struct smtp_flow *flow)
{
	smtp_server_drop(flow);
	if (is_parted(flow)) {
		client_shut(flow);
		smtp_flow_end(flow, ENDING_QUIT, false);
		return;
	}
	flow->state = SMTP_FLOW_LAST;
	loop_timer_set(flow->smtp->loop, &flow->deadline, loop_now_ms(flow->smtp->loop) + LAST_MS);
	last_run(flow);
}
