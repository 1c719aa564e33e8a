/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/radius/md5.h"

#include <openssl/evp.h>
#include <stdlib.h>

struct md5 {
	EVP_MD *method;
	EVP_MD_CTX *context;
};

struct md5 *md5_new(void)
{
	struct md5 *md5 = calloc(1, sizeof(*md5));

	if (!md5)
		return NULL;
	md5->method = EVP_MD_fetch(NULL, "MD5", NULL);
	md5->context = EVP_MD_CTX_new();
	if (md5->method && md5->context && EVP_DigestInit_ex2(md5->context, md5->method, NULL) == 1)
		return md5;
	md5_free(md5);
	return NULL;
}

void md5_free(struct md5 *md5)
{
	if (!md5)
		return;
	EVP_MD_CTX_free(md5->context);
	EVP_MD_free(md5->method);
	free(md5);
}

static bool sum_up(void *context, const struct radius_octets *pieces, size_t n,
	uint8_t sum[static RADIUS_MD5_SIZE])
{
	struct md5 *md5 = context;
	bool done = EVP_DigestInit_ex2(md5->context, md5->method, NULL) == 1;

	for (size_t i = 0; done && i < n; i++)
		done = EVP_DigestUpdate(md5->context, pieces[i].bytes, pieces[i].len) == 1;
	return done && EVP_DigestFinal_ex(md5->context, sum, NULL) == 1;
}

struct radius_digest md5_digest(struct md5 *md5)
{
	return (struct radius_digest){.md5 = sum_up, .context = md5};
}
