/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/control/credential/read.h"

#include "lib/auth/user_file.h"
#include "lib/portal/files.h"
#include "lib/portal/texts.h"

#include <openssl/crypto.h>

#include <crypt.h>
#include <errno.h>
#include <malloc.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- nothing stays ---- */

static void *give(size_t size, const char *file, int line)
{
	(void)file;
	(void)line;
	return malloc(size);
}

static void take_back(void *bytes, const char *file, int line)
{
	(void)file;
	(void)line;
	if (bytes)
		explicit_bzero(bytes, malloc_usable_size(bytes));
	free(bytes);
}

static void *give_more(void *bytes, size_t size, const char *file, int line)
{
	size_t had = bytes ? malloc_usable_size(bytes) : 0;

	if (bytes && size <= had && size > 0)
		return bytes;
	void *more = size ? malloc(size) : NULL;
	if (bytes && more)
		memcpy(more, bytes, had < size ? had : size);
	if (more || !size)
		take_back(bytes, file, line);
	return more;
}

bool credential_read_init(void)
{
	return CRYPTO_set_mem_functions(give, give_more, take_back) == 1 &&
	       OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, NULL) == 1;
}

/* What was on the stack while a key was read. */
static __attribute__((noinline)) void wipe_stack(void)
{
	char below[32768];

	explicit_bzero(below, sizeof(below));
}

void credential_read_wipe(struct credential_read *read)
{
	secret_file_wipe(&read->file);
	secret_file_wipe(&read->key);
	wipe_stack();
}

/* ---- what is wrong ---- */

static void refuse(struct credential_read *read, const struct credential *credential,
	const char *path, const char *format, ...) __attribute__((format(printf, 4, 5)));

static void refuse(struct credential_read *read, const struct credential *credential,
	const char *path, const char *format, ...)
{
	char title[CREDENTIAL_TITLE_SIZE], why[FILE_WHY_SIZE];
	va_list args;

	va_start(args, format);
	vsnprintf(why, sizeof(why), format, args);
	va_end(args);
	read->verdict.bad = true;
	read->verdict.bad_key = path == credential->key;
	snprintf(read->verdict.text, sizeof(read->verdict.text), "%s: %.200s: %.480s",
		credential_title(credential, title), path, why);
}

/* Warns only of the first. */
static void warn(struct credential_read *read, const struct credential *credential,
	const char *path, const char *text)
{
	char title[CREDENTIAL_TITLE_SIZE];

	if (read->verdict.warning[0])
		return;
	read->verdict.warned_of_key = path == credential->key;
	snprintf(read->verdict.warning, sizeof(read->verdict.warning), "%s: %.200s: %s",
		credential_title(credential, title), path, text);
}

static const char *expected_of(const struct credential *credential, const char *path)
{
	switch (credential->kind) {
	case CREDENTIAL_CERTIFICATE:
		return path == credential->key ? "a PEM file with the certificate's private key"
					       : "a PEM file with the certificate and its chain";
	case CREDENTIAL_TRUST:
		return strcmp(path, CREDENTIAL_TRUST_FILE) == 0
			       ? "what Debian's package ca-certificates keeps there, or `ca` with "
				 "another file"
			       : "a PEM file with the certificates of who may sign";
	case CREDENTIAL_USERS:
		return "a file with a line for each user, as `posternctl auth password` makes it";
	case CREDENTIAL_TERMS:
		return "a text file in UTF-8: the terms that guests accept";
	case CREDENTIAL_LOGO:
		return "a picture: PNG, JPEG, GIF or WebP";
	case CREDENTIAL_TEXTS:
		return "a file with lines KEY TEXT";
	case CREDENTIAL_OWN:
	case CREDENTIAL_SECRET:
		break;
	}
	return "a file with one line: the secret";
}

static bool take_file(struct credential_read *read, const struct credential *credential,
	const char *user, const char *path, size_t max, struct secret_file *file)
{
	char why[FILE_WHY_SIZE];

	int error = strlen(path) < CREDENTIAL_PATH_SIZE ? secret_file_read(path, max, file)
							: -ENAMETOOLONG;
	if (!error)
		return true;
	read->denied = error == -EACCES;
	refuse(read, credential, path, "%s",
		secret_file_why(path, max, error, user, expected_of(credential, path), why));
	return false;
}

/* What only we should know. */
static void look_at_mode(struct credential_read *read, const struct credential *credential,
	const char *path, const struct secret_file *file)
{
	char text[300];

	if (!(file->mode & 0007))
		return;
	snprintf(text, sizeof(text),
		"everybody on this machine can %s it; type: chmod o-rwx %.200s",
		file->mode & 0004 ? "read" : "change", path);
	warn(read, credential, path, text);
}

static void read_certificate(struct credential_read *read, const struct credential *credential,
	const char *user, int64_t now_s)
{
	struct certificate_fault fault;

	if (!take_file(read, credential, user, credential->file, CERTIFICATE_CHAIN_BYTES_MAX,
		    &read->file) ||
		!take_file(read, credential, user, credential->key, CERTIFICATE_KEY_BYTES_MAX,
			&read->key))
		return;
	const struct certificate_bytes bytes = {
		read->file.bytes, read->key.bytes, read->file.len, read->key.len};
	bool good = certificate_judge(&bytes, now_s, &read->facts, &fault);
	read->usable = good || fault.of_time;
	if (!good)
		refuse(read, credential,
			fault.file == CERTIFICATE_FILE_KEY ? credential->key : credential->file,
			"%s", fault.text);
	look_at_mode(read, credential, credential->key, &read->key);
}

static void read_trust(
	struct credential_read *read, const struct credential *credential, const char *user)
{
	struct certificate_fault fault;

	if (!take_file(read, credential, user, credential->file, CERTIFICATE_TRUST_BYTES_MAX,
		    &read->file))
		return;
	read->usable =
		certificate_judge_trust(read->file.bytes, read->file.len, &read->trusted, &fault);
	if (!read->usable)
		refuse(read, credential, credential->file, "%s", fault.text);
}

/* One line; what ends it is not the secret's. */
static void read_secret(
	struct credential_read *read, const struct credential *credential, const char *user)
{
	struct secret_file *file = &read->file;

	if (!take_file(read, credential, user, credential->file, CREDENTIAL_SECRET_BYTES_MAX, file))
		return;
	size_t len = file->len;
	len -= len && file->bytes[len - 1] == '\n';
	len -= len && file->bytes[len - 1] == '\r';
	for (size_t i = 0; i < len; i++)
		if (file->bytes[i] < 0x20 || file->bytes[i] == 0x7f) {
			refuse(read, credential, credential->file,
				file->bytes[i] == '\n' ? "it has several lines, expected one: the "
							 "secret"
						       : "it holds a control character, expected "
							 "one line of text: the secret");
			return;
		}
	if (!len) {
		refuse(read, credential, credential->file,
			"it is empty, expected one line: the secret");
		return;
	}
	explicit_bzero(file->bytes + len, file->len - len);
	file->len = len;
	read->usable = true;
	look_at_mode(read, credential, credential->file, file);
	if (credential->radiuses && len < CREDENTIAL_RADIUS_LEAST)
		warn(read, credential, credential->file,
			"it has fewer than 16 characters: who sees one packet can guess it; "
			"type: openssl rand -hex 16");
}

/* One by no method that crypt(3) has, as of htpasswd, would be wrong with whatever password. */
static bool has_method(const struct user_file_entry *entry)
{
	char hash[USER_FILE_HASH_SIZE];

	memcpy(hash, entry->hash, entry->hash_len);
	hash[entry->hash_len] = '\0';
	int verdict = crypt_checksalt(hash);
	explicit_bzero(hash, sizeof(hash));
	return verdict != CRYPT_SALT_INVALID && verdict != CRYPT_SALT_METHOD_DISABLED;
}

static const char *check_users(const char *text, size_t len, size_t *line)
{
	const char *expected = user_file_check(text, len, line);
	struct user_file_entry entry;

	if (expected)
		return expected;
	for (*line = 0; user_file_take(&text, &len, line, &entry);)
		if (!has_method(&entry))
			return "a hash by a method of this machine's crypt(5), as `posternctl auth "
			       "password` makes it";
	return NULL;
}

static void read_users(
	struct credential_read *read, const struct credential *credential, const char *user)
{
	struct secret_file *file = &read->file;
	size_t line;

	if (!take_file(read, credential, user, credential->file, USER_FILE_BYTES_MAX, file))
		return;
	const char *expected = check_users((const char *)file->bytes, file->len, &line);
	read->usable = !expected;
	if (expected)
		refuse(read, credential, credential->file, "line %zu: expected %s", line, expected);
	look_at_mode(read, credential, credential->file, file);
}

static void read_terms(
	struct credential_read *read, const struct credential *credential, const char *user)
{
	struct secret_file *file = &read->file;
	size_t line;

	if (!take_file(read, credential, user, credential->file, PORTAL_TERMS_MAX, file))
		return;
	const char *wrong = portal_terms_check((const char *)file->bytes, file->len, &line);
	read->usable = !wrong;
	if (wrong && line)
		refuse(read, credential, credential->file, "line %zu: %s", line, wrong);
	else if (wrong)
		refuse(read, credential, credential->file, "%s", wrong);
}

static void read_logo(
	struct credential_read *read, const struct credential *credential, const char *user)
{
	if (!take_file(read, credential, user, credential->file, PORTAL_LOGO_MAX, &read->file))
		return;
	const char *wrong = portal_logo_check(read->file.bytes, read->file.len);
	read->usable = !wrong;
	if (wrong)
		refuse(read, credential, credential->file, "%s", wrong);
}

static void read_texts(
	struct credential_read *read, const struct credential *credential, const char *user)
{
	struct secret_file *file = &read->file;
	struct portal_texts texts;
	char error[PORTAL_ERROR_SIZE];
	size_t line;

	if (!take_file(read, credential, user, credential->file, PORTAL_TEXTS_FILE_MAX, file))
		return;
	read->usable =
		portal_texts_parse((const char *)file->bytes, file->len, &texts, error, &line) == 0;
	if (!read->usable && line)
		refuse(read, credential, credential->file, "line %zu: %s", line, error);
	else if (!read->usable)
		refuse(read, credential, credential->file, "%s", error);
}

void credential_read(const struct credential *credential, const char *user, int64_t now_s,
	struct credential_read *read)
{
	memset(read, 0, sizeof(*read));
	switch (credential->kind) {
	case CREDENTIAL_CERTIFICATE:
		read_certificate(read, credential, user, now_s);
		break;
	case CREDENTIAL_TRUST:
		read_trust(read, credential, user);
		break;
	case CREDENTIAL_SECRET:
		read_secret(read, credential, user);
		break;
	case CREDENTIAL_USERS:
		read_users(read, credential, user);
		break;
	case CREDENTIAL_OWN: /* made where the state folder is known */
		read->usable = true;
		break;
	case CREDENTIAL_TERMS:
		read_terms(read, credential, user);
		break;
	case CREDENTIAL_LOGO:
		read_logo(read, credential, user);
		break;
	case CREDENTIAL_TEXTS:
		read_texts(read, credential, user);
		break;
	}
	if (!read->usable)
		credential_read_wipe(read);
	else
		wipe_stack();
}
