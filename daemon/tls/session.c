/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/tls/session.h"

#include "daemon/tls/parts.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/* Records that bring no bytes of their own, in one call. Nobody sends so many; who does wants the
 * process for itself. */
#define RECORDS_MAX 64

const char *const tls_failure_names[TLS_FAILURES] = {
#define TLS_FAILURE_NAME(id, name, meaning) name,
	TLS_FAILURE_TABLE(TLS_FAILURE_NAME)
#undef TLS_FAILURE_NAME
};

/* ---- what the library calls ---- */

/* Data of a session's own would be two more pieces of memory for each. */
static struct tls_session *session_of(const SSL *ssl)
{
	return (void *)BIO_get_callback_arg(SSL_get_rbio(ssl));
}

/* A file of revocations that is old still says who was revoked, and who has none is none. */
static bool is_of_the_list(int error)
{
	return error == X509_V_ERR_UNABLE_TO_GET_CRL || error == X509_V_ERR_CRL_HAS_EXPIRED ||
	       error == X509_V_ERR_CRL_NOT_YET_VALID;
}

/* The handshake goes on, so that words can be said instead of an alert that nobody shows. Later
 * errors are consequences of the first. */
int tls_session_on_verify(int good, X509_STORE_CTX *store)
{
	SSL *ssl = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx());
	struct tls_session *session = session_of(ssl);
	int error = X509_STORE_CTX_get_error(store);

	if (!good && session->verify_error == X509_V_OK && !is_of_the_list(error))
		session->verify_error = error;
	return 1;
}

/* Of the peer's certificates only its own is asked for later; each of the others would take four
 * KiB as long as the session lives. */
static void forget_issuers(X509_STORE_CTX *store)
{
	STACK_OF(X509) *shown = X509_STORE_CTX_get0_untrusted(store);

	while (sk_X509_num(shown) > 1)
		X509_free(sk_X509_pop(shown));
	X509_STORE_CTX_set0_verified_chain(store, NULL);
}

int tls_session_on_chain(X509_STORE_CTX *store, void *argument)
{
	const struct tls_context *context = argument;
	bool good = !context->judges || X509_verify_cert(store) > 0;

	forget_issuers(store);
	return good;
}

void tls_session_on_record(
	int writes, int version, int type, const void *bytes, size_t len, SSL *ssl, void *argument)
{
	struct tls_session *session = argument;

	(void)version, (void)bytes, (void)len, (void)ssl;
	if (!writes && type == SSL3_RT_HEADER)
		session->records++;
}

/* Before each read of the socket, and behind it. */
static long on_bio(BIO *bio, int operation, const char *bytes, size_t len, int argi, long argl,
	int result, size_t *done)
{
	struct tls_session *session = (void *)BIO_get_callback_arg(bio);

	(void)bytes, (void)argi, (void)argl;
	if (operation == (BIO_CB_READ | BIO_CB_RETURN))
		session->drained = result > 0 && *done < len;
	return operation == BIO_CB_READ && session->records > RECORDS_MAX ? -1 : result;
}

/* ---- begin and end ---- */

static struct tls_session *new_session(struct tls_context *context, int fd)
{
	struct tls_session *session = calloc(1, sizeof(*session));

	ERR_clear_error();
	if (!session)
		return NULL;
	session->why = "";
	session->context = tls_context_hold(context);
	session->ssl = SSL_new(context->ctx);
	if (!session->ssl || SSL_set_fd(session->ssl, fd) != 1) {
		tls_free(session);
		return NULL;
	}
	SSL_set_msg_callback_arg(session->ssl, session);
	BIO_set_callback_ex(SSL_get_rbio(session->ssl), on_bio);
	BIO_set_callback_arg(SSL_get_rbio(session->ssl), (char *)session);
	return session;
}

struct tls_session *tls_accept(struct tls_context *context, int fd)
{
	struct tls_session *session = new_session(context, fd);

	if (session)
		SSL_set_accept_state(session->ssl);
	return session;
}

/* False: no memory. */
static bool want_names(struct tls_session *session, const char *server_name)
{
	const struct tls_context *context = session->context;

	SSL_set_hostflags(session->ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
	if (context->nnames == 0)
		return !server_name || SSL_set1_host(session->ssl, server_name);
	for (size_t i = 0; i < context->nnames; i++) {
		char name[TLS_NAME_SIZE];
		if (!SSL_add1_host(session->ssl, tls_name_of_host(context->names[i], name)))
			return false;
	}
	return true;
}

struct tls_session *tls_connect(struct tls_context *context, int fd, const char *server_name)
{
	struct tls_session *session = new_session(context, fd);
	char name[TLS_NAME_SIZE];

	if (!session)
		return NULL;
	if (server_name)
		server_name = tls_name_of_host(server_name, name);
	SSL_set_connect_state(session->ssl);
	if ((server_name && !SSL_set_tlsext_host_name(session->ssl, server_name)) ||
		(context->verifies && !want_names(session, server_name))) {
		tls_free(session);
		return NULL;
	}
	/* without a name any certificate of anybody would do */
	if (context->verifies && context->nnames == 0 && !server_name)
		session->reason = TLS_REASON_NAME;
	return session;
}

struct tls_session *tls_connect_address(
	struct tls_context *context, int fd, const struct addr *address)
{
	struct tls_session *session = tls_connect(context, fd, NULL);
	bool named = context->nnames > 0;

	if (!session || named || !context->verifies)
		return session;
	session->reason = TLS_REASON_NONE; /* the address stands for the name */
	if (!X509_VERIFY_PARAM_set1_ip(
		    SSL_get0_param(session->ssl), address->bytes, addr_bits(address) / 8)) {
		tls_free(session);
		return NULL;
	}
	return session;
}

void tls_free(struct tls_session *session)
{
	if (!session)
		return;
	SSL_free(session->ssl);
	tls_context_free(session->context);
	free(session);
}

/* ---- what went wrong ---- */

static const struct {
	int reason;
	enum tls_failure failure;
} failures[] = {
	{SSL_R_UNSUPPORTED_PROTOCOL, TLS_FAILURE_VERSION},
	{SSL_R_WRONG_SSL_VERSION, TLS_FAILURE_VERSION},
	{SSL_R_VERSION_TOO_LOW, TLS_FAILURE_VERSION},
	{SSL_R_TLSV1_ALERT_PROTOCOL_VERSION, TLS_FAILURE_VERSION},
	{SSL_R_NO_SHARED_CIPHER, TLS_FAILURE_CIPHER},
	{SSL_R_NO_SUITABLE_KEY_SHARE, TLS_FAILURE_CIPHER},
	{SSL_R_NO_SUITABLE_SIGNATURE_ALGORITHM, TLS_FAILURE_CIPHER},
	{SSL_R_NO_SHARED_SIGNATURE_ALGORITHMS, TLS_FAILURE_CIPHER},
	{SSL_R_SSLV3_ALERT_HANDSHAKE_FAILURE, TLS_FAILURE_CIPHER},
	{SSL_R_TLSV1_ALERT_INSUFFICIENT_SECURITY, TLS_FAILURE_CIPHER},
	{SSL_R_TLSV1_ALERT_UNKNOWN_CA, TLS_FAILURE_DISTRUST},
	{SSL_R_SSLV3_ALERT_BAD_CERTIFICATE, TLS_FAILURE_DISTRUST},
	{SSL_R_SSLV3_ALERT_CERTIFICATE_EXPIRED, TLS_FAILURE_DISTRUST},
	{SSL_R_SSLV3_ALERT_CERTIFICATE_REVOKED, TLS_FAILURE_DISTRUST},
	{SSL_R_SSLV3_ALERT_CERTIFICATE_UNKNOWN, TLS_FAILURE_DISTRUST},
	{SSL_R_SSLV3_ALERT_UNSUPPORTED_CERTIFICATE, TLS_FAILURE_DISTRUST},
	{SSL_R_TLSV1_ALERT_ACCESS_DENIED, TLS_FAILURE_DISTRUST},
};

static enum tls_failure failure_of(unsigned long error)
{
	if (ERR_GET_LIB(error) == ERR_LIB_SYS || ERR_GET_REASON(error) == ERR_R_MALLOC_FAILURE)
		return TLS_FAILURE_INTERNAL;
	for (size_t i = 0; i < sizeof(failures) / sizeof(failures[0]); i++)
		if (ERR_GET_REASON(error) == failures[i].reason)
			return failures[i].failure;
	return TLS_FAILURE_PROTOCOL;
}

static void set_failure(struct tls_session *session, enum tls_failure failure, const char *why)
{
	session->over = true;
	session->failure = (uint8_t)failure;
	session->why = why;
}

/* What stopped a call. 0: it is to be made again when the socket is as tls_wants() says; -errno
 * else, -ECONNRESET for an end that was not said. */
static int stopped(struct tls_session *session, int result, int error)
{
	unsigned long first;
	const char *words;

	switch (SSL_get_error(session->ssl, result)) {
	case SSL_ERROR_WANT_READ:
		session->wants = TLS_WANTS_READ;
		return 0;
	case SSL_ERROR_WANT_WRITE:
		session->wants = TLS_WANTS_WRITE;
		return 0;
	case SSL_ERROR_ZERO_RETURN:
		set_failure(session, TLS_FAILURE_CLOSED, "closed");
		return -ECONNRESET;
	case SSL_ERROR_SYSCALL:
		if (session->records > RECORDS_MAX) {
			set_failure(session, TLS_FAILURE_PROTOCOL, "too many empty records");
			return -EPROTO;
		}
		set_failure(session, TLS_FAILURE_CLOSED, error ? strerrordesc_np(error) : "closed");
		return error ? -error : -ECONNRESET;
	default:
		break;
	}
	first = ERR_peek_error();
	words = ERR_reason_error_string(first);
	set_failure(session, failure_of(first), words ? words : "failed");
	return -EPROTO;
}

/* The library's errors are of the thread, and so of all sessions: each call begins with none. */
static void begin(struct tls_session *session)
{
	ERR_clear_error();
	session->records = 0;
	session->drained = false;
	errno = 0;
}

/* ---- the handshake ---- */

static bool is_pinned(const struct tls_context *context, const struct tls_facts *facts)
{
	for (size_t i = 0; i < context->npins; i++)
		if (memcmp(facts->key, context->pins[i], sizeof(facts->key)) == 0)
			return true;
	return false;
}

static const char *const words_of_reason[TLS_REASONS] = {
#define WORDS_OF_REASON(id, name, words) "its certificate " words,
	TLS_REASON_TABLE(WORDS_OF_REASON)
#undef WORDS_OF_REASON
};

/* What is no good is not spoken with, where the context says so. With a pin alone it does not
 * matter who signed what, or until when. */
static enum tls_step judge(struct tls_session *session)
{
	const struct tls_context *context = session->context;
	struct tls_facts facts;

	if (!context->verifies && context->npins == 0)
		return TLS_DONE;
	tls_facts(session, &facts);
	if (context->npins > 0 && !is_pinned(context, &facts))
		session->reason = TLS_REASON_PIN;
	enum tls_reason reason = session->reason     ? (enum tls_reason)session->reason
				 : context->verifies ? (enum tls_reason)facts.reason
						     : TLS_REASON_NONE;
	if (reason == TLS_REASON_NONE)
		return TLS_DONE;
	tls_close(session);
	set_failure(session, TLS_FAILURE_CERTIFICATE, words_of_reason[reason]);
	return TLS_FAILED;
}

enum tls_step tls_handshake(struct tls_session *session)
{
	if (session->over)
		return TLS_FAILED;
	begin(session);
	int result = SSL_do_handshake(session->ssl);
	if (result == 1)
		return judge(session);
	return stopped(session, result, errno) == 0 ? (enum tls_step)session->wants : TLS_FAILED;
}

/* ---- bytes ---- */

ssize_t tls_read(struct tls_session *session, void *bytes, size_t len)
{
	size_t done;

	if (session->over)
		return -ECONNRESET;
	begin(session);
	int result = SSL_read_ex(session->ssl, bytes, len, &done);
	if (result == 1)
		return (ssize_t)done;
	if (SSL_get_error(session->ssl, result) == SSL_ERROR_ZERO_RETURN)
		return 0;
	int error = stopped(session, result, errno);
	return error ? error : -EAGAIN;
}

/* One record after the other, as long as the socket takes them. */
ssize_t tls_write(struct tls_session *session, const void *bytes, size_t len)
{
	size_t done = 0, some;

	if (session->over)
		return -ECONNRESET;
	while (done < len) {
		begin(session);
		int result =
			SSL_write_ex(session->ssl, (const char *)bytes + done, len - done, &some);
		if (result != 1) {
			int error = stopped(session, result, errno);
			session->unfinished = error == 0;
			return error ? error : done > 0 ? (ssize_t)done : -EAGAIN;
		}
		session->unfinished = false;
		done += some;
	}
	return (ssize_t)done;
}

enum tls_step tls_wants(const struct tls_session *session)
{
	return (enum tls_step)session->wants;
}

bool tls_holds(const struct tls_session *session)
{
	return SSL_has_pending(session->ssl) == 1;
}

bool tls_drained(const struct tls_session *session)
{
	return session->drained && !tls_holds(session);
}

void tls_write_last(const struct tls_session *session)
{
	setsockopt(SSL_get_fd(session->ssl), IPPROTO_TCP, TCP_CORK, &(int){1}, sizeof(int));
}

void tls_close(struct tls_session *session)
{
	if (session->over || session->unfinished || !SSL_is_init_finished(session->ssl))
		return;
	begin(session);
	SSL_shutdown(session->ssl);
	session->over = true;
}

enum tls_failure tls_failure(const struct tls_session *session)
{
	return (enum tls_failure)session->failure;
}

const char *tls_why(const struct tls_session *session)
{
	return session->why;
}
