/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/web/portal/gate.h"

#include <errno.h>
#include <gnutls/gnutls.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/uio.h>

#define DATA      23 /* the type of a record (RFC 8446, 5.1), of which alerts may be, too */
#define SMALL_MAX 64 /* an alert, or "HTTP/1.1 100 Continue"; pages and their fields are longer */

/* A client that waits for what it sent to be acknowledged before it sends a little more (Nagle) has
 * the end of its handshake on the way, which is answered by nothing: the kernel would hold its
 * acknowledgement back for 40 ms, and with it the request. */
static int on_finished(gnutls_session_t session, unsigned type, unsigned when, unsigned incoming,
	const gnutls_datum_t *message)
{
	gnutls_transport_ptr_t in, out;

	(void)type;
	(void)when;
	(void)message;
	if (!incoming)
		return 0;
	gnutls_transport_get_ptr2(session, &in, &out);
	struct visit *visit = out;
	visit->secured = true;
	setsockopt(visit->fd, IPPROTO_TCP, TCP_QUICKACK, &(int){1}, sizeof(int));
	return 0;
}

static bool is_ours(const struct visit *visit, const giovec_t *parts, int n)
{
	const uint8_t *type = n > 0 ? parts[0].iov_base : NULL;
	size_t len = 0;

	for (int i = 0; i < n; i++)
		len += parts[i].iov_len;
	return !visit->secured || visit->state == VISIT_SENDS || len <= SMALL_MAX || *type != DATA;
}

static ssize_t on_push(gnutls_transport_ptr_t out, const giovec_t *parts, int n)
{
	struct visit *visit = out;
	const struct msghdr message = {
		.msg_iov = (struct iovec *)(uintptr_t)parts, .msg_iovlen = (size_t)n};

	if (is_ours(visit, parts, n))
		return sendmsg(visit->fd, &message, MSG_NOSIGNAL);
	visit->service->portal->state.counts.refused_requests++;
	visit->service->portal->changed = true;
	errno = EPIPE;
	return -1;
}

void gate_put(struct visit *visit)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(visit->mhd, MHD_CONNECTION_INFO_GNUTLS_SESSION);
	gnutls_session_t session = info ? info->tls_session : NULL;

	if (!session)
		return;
	gnutls_transport_set_ptr2(session, (gnutls_transport_ptr_t)(intptr_t)visit->fd, visit);
	gnutls_transport_set_vec_push_function(session, on_push);
	gnutls_handshake_set_hook_function(
		session, GNUTLS_HANDSHAKE_FINISHED, GNUTLS_HOOK_POST, on_finished);
}
