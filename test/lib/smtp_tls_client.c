/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "test/lib/smtp_tls_client.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static SSL *new_client(int fd, const struct tls_issued *shown)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());

	assert_non_null(ctx);
	if (shown)
		assert_int_equal(
			SSL_CTX_use_cert_and_key(ctx, shown->certificate, shown->key, NULL, 1), 1);
	SSL *ssl = SSL_new(ctx);
	SSL_CTX_free(ctx);
	assert_true(ssl && SSL_set_fd(ssl, fd));
	return ssl;
}

SSL *smtp_tls_begin(int fd, const struct tls_issued *shown)
{
	SSL *ssl = new_client(fd, shown);

	if (smtp_tls_finish(ssl))
		return ssl;
	SSL_free(ssl);
	return NULL;
}

SSL *smtp_tls_open(int fd, const struct tls_issued *shown)
{
	SSL *ssl = new_client(fd, shown);
	int flags = fcntl(fd, F_GETFL);

	assert_int_equal(fcntl(fd, F_SETFL, flags | O_NONBLOCK), 0);
	assert_int_equal(SSL_get_error(ssl, SSL_connect(ssl)), SSL_ERROR_WANT_READ);
	assert_int_equal(fcntl(fd, F_SETFL, flags), 0);
	return ssl;
}

bool smtp_tls_finish(SSL *ssl)
{
	return SSL_connect(ssl) == 1;
}

void smtp_tls_say(SSL *ssl, const char *text)
{
	assert_int_equal(SSL_write(ssl, text, (int)strlen(text)), strlen(text));
}

static const char *hear_line(SSL *ssl)
{
	static char line[1100];
	size_t len = 0;

	while (len < sizeof(line) - 1 && (len == 0 || line[len - 1] != '\n')) {
		if (SSL_read(ssl, line + len, 1) != 1)
			fail_msg("the gateway closed behind \"%.*s\"", (int)len, line);
		len++;
	}
	line[len] = '\0';
	return line;
}

void smtp_tls_ask(SSL *ssl, const char *line, const char *reply)
{
	const char *heard;

	if (*line)
		smtp_tls_say(ssl, line);
	do
		heard = hear_line(ssl);
	while (strlen(heard) > 3 && heard[3] == '-');
	if (strncmp(heard, reply, strlen(reply)) != 0)
		fail_msg("\"%s\" to \"%s\", not \"%s\"", heard, line, reply);
}

void smtp_tls_hear_end(SSL *ssl)
{
	char byte;
	int n = SSL_read(ssl, &byte, 1);

	assert_true(n <= 0);
	assert_int_equal(SSL_get_error(ssl, n), SSL_ERROR_ZERO_RETURN);
}
