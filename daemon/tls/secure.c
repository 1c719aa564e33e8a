/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/tls/secure.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

static enum tls_step fail(struct secure *secure, const char *why)
{
	snprintf(secure->seen.why, sizeof(secure->seen.why), "%s", why);
	return TLS_FAILED;
}

enum tls_step secure_shake(struct secure *secure, const struct secure_order *order, int fd)
{
	if (!order->context) {
		secure->seen.ours = true;
		return fail(secure, "there is no certificate, key or trust store for it");
	}
	if (!secure->session)
		secure->session = tls_connect(order->context, fd, order->name);
	if (!secure->session)
		return fail(secure, "no memory");
	enum tls_step step = tls_handshake(secure->session);
	if (step == TLS_DONE || step == TLS_FAILED)
		tls_see(secure->session, &secure->seen);
	return step == TLS_FAILED ? fail(secure, tls_why(secure->session)) : step;
}

ssize_t secure_hear(struct secure *secure, int fd, void *bytes, size_t len)
{
	if (secure->session)
		return tls_read(secure->session, bytes, len);
	ssize_t n = recv(fd, bytes, len, MSG_DONTWAIT);
	return n < 0 ? -errno : n;
}

ssize_t secure_say(struct secure *secure, int fd, const void *bytes, size_t len)
{
	if (secure->session)
		return tls_write(secure->session, bytes, len);
	ssize_t n = send(fd, bytes, len, MSG_NOSIGNAL | MSG_DONTWAIT);
	return n < 0 ? -errno : n;
}

bool secure_holds(const struct secure *secure)
{
	return secure->session && tls_holds(secure->session);
}

void secure_end(struct secure *secure)
{
	if (secure->session)
		tls_close(secure->session);
	tls_free(secure->session);
	memset(secure, 0, sizeof(*secure));
}
