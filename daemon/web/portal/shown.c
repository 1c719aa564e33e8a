/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/web/portal/shown.h"

#include "daemon/tls/credentials.h"
#include "lib/tls/certificate.h"

#include <gnutls/x509.h>
#include <stdlib.h>
#include <string.h>

#define SNI_SIZE 256

struct one {
	gnutls_pcert_st chain[CERTIFICATE_CHAIN_MAX];
	unsigned n;
	gnutls_x509_crt_t own; /* the first of them */
	gnutls_privkey_t key;
};

struct shown {
	struct one *v;
	size_t n;
};

struct shown *shown_new(void)
{
	return calloc(1, sizeof(struct shown));
}

static void free_one(struct one *one)
{
	for (unsigned i = 0; i < one->n; i++)
		gnutls_pcert_deinit(&one->chain[i]);
	if (one->own)
		gnutls_x509_crt_deinit(one->own);
	if (one->key)
		gnutls_privkey_deinit(one->key);
}

void shown_free(struct shown *shown)
{
	if (!shown)
		return;
	for (size_t i = 0; i < shown->n; i++)
		free_one(&shown->v[i]);
	free(shown->v);
	free(shown);
}

size_t shown_count(const struct shown *shown)
{
	return shown->n;
}

/* GnuTLS counts in unsigned; files are far smaller. */
static gnutls_datum_t datum_of(const uint8_t *bytes, size_t len)
{
	return (gnutls_datum_t){.data = (unsigned char *)(uintptr_t)bytes, .size = (unsigned)len};
}

static int read_one(struct one *one, const struct tls_credential *credential)
{
	const gnutls_datum_t chain = datum_of(credential->bytes, credential->len);
	const gnutls_datum_t key = datum_of(credential->key, credential->key_len);
	unsigned n = CERTIFICATE_CHAIN_MAX;

	int error =
		gnutls_pcert_list_import_x509_raw(one->chain, &n, &chain, GNUTLS_X509_FMT_PEM, 0);
	one->n = error < 0 ? 0 : n;
	if (error >= 0)
		error = gnutls_x509_crt_init(&one->own);
	if (error >= 0)
		error = gnutls_x509_crt_import(one->own, &chain, GNUTLS_X509_FMT_PEM);
	if (error >= 0)
		error = gnutls_privkey_init(&one->key);
	if (error >= 0)
		error = gnutls_privkey_import_x509_raw(
			one->key, &key, GNUTLS_X509_FMT_PEM, NULL, 0);
	return error < 0 ? error : 0;
}

int shown_add(struct shown *shown, const struct tls_credential *credential)
{
	struct one *v = realloc(shown->v, (shown->n + 1) * sizeof(*v));

	if (!v)
		return GNUTLS_E_MEMORY_ERROR;
	shown->v = v;
	struct one *one = &v[shown->n];
	memset(one, 0, sizeof(*one));
	int error = read_one(one, credential);
	if (error)
		free_one(one);
	else
		shown->n++;
	return error;
}

/* ---- chosen ---- */

static shown_who *ask_who;

void shown_ask(shown_who *who)
{
	ask_who = who;
}

static bool can(const struct one *one, const gnutls_pk_algorithm_t *kinds, int nkinds)
{
	const int kind = gnutls_privkey_get_pk_algorithm(one->key, NULL);

	for (int i = 0; i < nkinds; i++)
		if ((int)kinds[i] == kind)
			return true;
	return nkinds == 0; /* TLS 1.3 says it otherwise, and GnuTLS looks */
}

static const struct one *choose(
	const struct shown *shown, const char *name, const gnutls_pk_algorithm_t *kinds, int nkinds)
{
	const struct one *first = NULL;

	for (size_t i = 0; i < shown->n; i++) {
		const struct one *one = &shown->v[i];
		if (!can(one, kinds, nkinds))
			continue;
		if (*name && gnutls_x509_crt_check_hostname(one->own, name))
			return one;
		if (!first)
			first = one;
	}
	return first ? first : shown->n ? &shown->v[0] : NULL;
}

int shown_choose(gnutls_session_t session, const gnutls_datum_t *authorities, int nauthorities,
	const gnutls_pk_algorithm_t *kinds, int nkinds, gnutls_pcert_st **chain,
	unsigned int *chain_len, gnutls_privkey_t *key)
{
	const struct shown *shown = ask_who ? ask_who(gnutls_transport_get_int(session)) : NULL;
	char name[SNI_SIZE];
	size_t len = sizeof(name);
	unsigned type;

	(void)authorities;
	(void)nauthorities;
	if (gnutls_server_name_get(session, name, &len, &type, 0) < 0 || type != GNUTLS_NAME_DNS)
		name[0] = '\0';
	const struct one *one = shown ? choose(shown, name, kinds, nkinds) : NULL;
	if (!one)
		return -1;
	*chain = (gnutls_pcert_st *)(uintptr_t)one->chain;
	*chain_len = one->n;
	*key = one->key;
	return 0;
}
