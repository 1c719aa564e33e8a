/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reading the files of certificates, trust stores and secrets: each that is none, by its reason. */
#include "daemon/control/credential/read.h"
#include "test/lib/control_folder.h"
#include "test/lib/tls_authority.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define NOW INT64_C(1800000000)

#define WISH(...) (&(struct tls_wish){.from_s = NOW, .plain = true, __VA_ARGS__})

static char folder[FOLDER_SIZE];
static struct tls_issued own, old;
static struct credential_read got;

static int set_up(void **state)
{
	(void)state;
	tls_issue(&own, WISH(.common = "mail", .begins_s = -9, .ends_s = 9));
	tls_issue(&old, WISH(.common = "old", .begins_s = -9, .ends_s = -1));
	return folder_make(folder);
}

static int tear_down(void **state)
{

	(void)state;
	tls_issued_free(&own);
	tls_issued_free(&old);
	return folder_remove(folder);
}

static const char *path_of(const char *name)
{
	static char paths[4][96];
	static unsigned at;
	char *path = paths[at++ % 4];

	snprintf(path, sizeof(paths[0]), "%s/%s", folder, name);
	return path;
}

static void write_file(const char *name, const void *bytes, size_t len, unsigned mode)
{
	int fd = open(path_of(name), O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, len), (ssize_t)len);
	assert_int_equal(fchmod(fd, mode), 0);
	close(fd);
}

static void write_text(const char *name, const char *text, unsigned mode)
{
	write_file(name, text, strlen(text), mode);
}

static void read_as(enum credential_kind kind, const char *file, const char *key)
{
	const struct credential credential = {.kind = kind,
		.name = kind == CREDENTIAL_CERTIFICATE ? "mail" : "",
		.file = path_of(file),
		.key = key ? path_of(key) : ""};

	credential_read(&credential, "postern", NOW, &got);
}

static void assert_refused(const char *words)
{
	assert_true(got.verdict.bad);
	assert_false(got.usable);
	assert_null(got.file.bytes);
	assert_null(got.key.bytes);
	if (!strstr(got.verdict.text, words))
		fail_msg("\"%s\" does not say \"%s\"", got.verdict.text, words);
}

static int wipe(void **state)
{
	(void)state;
	credential_read_wipe(&got);
	return 0;
}

static void a_good_one_is_there_to_be_handed_over(void **state)
{
	(void)state;
	write_text("mail.pem", own.chain.bytes, 0644);
	write_text("mail.key", own.key_text.bytes, 0640);
	read_as(CREDENTIAL_CERTIFICATE, "mail.pem", "mail.key");
	assert_false(got.verdict.bad);
	assert_true(got.usable);
	assert_string_equal(got.verdict.warning, "");
	assert_memory_equal(got.key.bytes, own.key_text.bytes, got.key.len);
	assert_string_equal(got.facts.subject, "CN=mail");
	/* where certbot's and others' links lead */
	assert_int_equal(symlink("mail.pem", path_of("link.pem")), 0);
	credential_read_wipe(&got);
	read_as(CREDENTIAL_CERTIFICATE, "link.pem", "mail.key");
	assert_true(got.usable);
}

static void what_others_may_read_is_a_warning(void **state)
{
	char words[160];

	(void)state;
	write_text("mail.pem", own.chain.bytes, 0644);
	write_text("mail.key", own.key_text.bytes, 0644);
	read_as(CREDENTIAL_CERTIFICATE, "mail.pem", "mail.key");
	assert_true(got.usable);
	assert_false(got.verdict.bad);
	snprintf(words, sizeof(words),
		"certificate mail: %s: everybody on this machine can read it; type: chmod o-rwx %s",
		path_of("mail.key"), path_of("mail.key"));
	assert_string_equal(got.verdict.warning, words);
	assert_true(got.verdict.warned_of_key);
}

static void out_of_its_time_is_bad_and_better_than_none(void **state)
{
	(void)state;
	write_text("old.pem", old.chain.bytes, 0644);
	write_text("old.key", old.key_text.bytes, 0600);
	read_as(CREDENTIAL_CERTIFICATE, "old.pem", "old.key");
	assert_true(got.verdict.bad);
	assert_true(got.usable);
	assert_non_null(got.key.bytes);
	assert_non_null(strstr(got.verdict.text, "expired on"));
}

static void what_is_no_file_is_refused(void **state)
{
	char text[CERTIFICATE_CHAIN_BYTES_MAX + 2], long_path[CREDENTIAL_PATH_SIZE + 1];

	(void)state;
	write_text("mail.pem", own.chain.bytes, 0644);
	read_as(CREDENTIAL_CERTIFICATE, "mail.pem", "none.key");
	assert_refused("none.key: No such file or directory, expected a PEM file with the "
		       "certificate's private key");
	assert_true(got.verdict.bad_key);
	read_as(CREDENTIAL_CERTIFICATE, "none.pem", "none.key");
	assert_refused("none.pem: No such file or directory, expected a PEM file with the "
		       "certificate and its chain");
	assert_false(got.verdict.bad_key);
	assert_int_equal(mkdir(path_of("folder"), 0700), 0);
	read_as(CREDENTIAL_CERTIFICATE, "mail.pem", "folder");
	assert_refused(
		"folder: it is a folder, expected a PEM file with the certificate's private key");
	assert_int_equal(mkfifo(path_of("fifo"), 0600), 0);
	read_as(CREDENTIAL_SECRET, "fifo", NULL);
	assert_refused("fifo: it is no regular file, expected a file with one line: the secret");
	memset(text, 'a', sizeof(text));
	write_file("large", text, sizeof(text), 0600);
	read_as(CREDENTIAL_CERTIFICATE, "large", "mail.pem");
	assert_refused("large: it is too large, expected at most 45056 bytes");
	memset(long_path, 'a', CREDENTIAL_PATH_SIZE);
	long_path[CREDENTIAL_PATH_SIZE] = '\0';
	credential_read(
		&(struct credential){
			.kind = CREDENTIAL_TRUST, .name = "", .file = long_path, .key = ""},
		"postern", NOW, &got);
	assert_refused(
		"File name too long, expected a PEM file with the certificates of who may sign");
}

static void each_file_is_named_in_its_fault(void **state)
{
	(void)state;
	write_text("mail.pem", own.chain.bytes, 0644);
	write_text("mail.key", own.key_text.bytes, 0600);
	write_text("old.key", old.key_text.bytes, 0600);
	read_as(CREDENTIAL_CERTIFICATE, "mail.pem", "old.key");
	assert_refused("old.key: the key is not that of certificate 1 (CN=mail)");
	assert_true(got.verdict.bad_key);
	read_as(CREDENTIAL_CERTIFICATE, "mail.key", "mail.key");
	assert_refused("mail.key: it holds a private key, expected a certificate");
	read_as(CREDENTIAL_TRUST, "mail.key", NULL);
	assert_refused("trust store: ");
	read_as(CREDENTIAL_TRUST, "mail.pem", NULL);
	assert_true(got.usable);
	assert_int_equal(got.trusted, 1);
}

static void a_secret_is_one_line(void **state)
{
	(void)state;
	write_text("secret", "sword fish\n", 0600);
	read_as(CREDENTIAL_SECRET, "secret", NULL);
	assert_true(got.usable);
	assert_int_equal(got.file.len, 10);
	assert_memory_equal(got.file.bytes, "sword fish", 10);
	credential_read_wipe(&got);
	write_text("secret", "sw\xc3\xb6rd\r\n", 0604);
	read_as(CREDENTIAL_SECRET, "secret", NULL);
	assert_int_equal(got.file.len, 6);
	assert_non_null(strstr(got.verdict.warning, "everybody on this machine can read it"));
	assert_false(got.verdict.warned_of_key);
	credential_read_wipe(&got);
	write_text("secret", "", 0600);
	read_as(CREDENTIAL_SECRET, "secret", NULL);
	assert_refused("it is empty");
	write_text("secret", "\n", 0600);
	read_as(CREDENTIAL_SECRET, "secret", NULL);
	assert_refused("it is empty");
	write_text("secret", "one\ntwo\n", 0600);
	read_as(CREDENTIAL_SECRET, "secret", NULL);
	assert_refused("it has several lines");
	write_file("secret", "a\0b", 3, 0600);
	read_as(CREDENTIAL_SECRET, "secret", NULL);
	assert_refused("it holds a control character");
}

static void users_have_hashes_that_can_be_checked(void **state)
{
	(void)state;
	write_text("users", "# staff\nanna:$y$j9T$x$x\nbert:$6$x$y234567:desk\n", 0600);
	read_as(CREDENTIAL_USERS, "users", NULL);
	assert_true(got.usable);
	credential_read_wipe(&got);
	write_text("users", "# staff\nanna:$y$j9T$x$x\nbert:$apr1$x$y234567:desk\n", 0600);
	read_as(CREDENTIAL_USERS, "users", NULL);
	assert_refused("line 3: expected a hash by a method of this machine's crypt(5)");
	write_text("users", "bert\n", 0600);
	read_as(CREDENTIAL_USERS, "users", NULL);
	assert_refused("line 1: expected USER:HASH");
}

static void a_stamp_tells_that_a_file_changed(void **state)
{
	struct file_stamp before, after;

	(void)state;
	write_text("mail.pem", own.chain.bytes, 0644);
	before = file_stamp_of(path_of("mail.pem"));
	after = file_stamp_of(path_of("mail.pem"));
	assert_true(file_stamp_same(&before, &after));
	write_text("new.pem", own.chain.bytes, 0644);
	assert_int_equal(rename(path_of("new.pem"), path_of("mail.pem")), 0);
	after = file_stamp_of(path_of("mail.pem"));
	assert_false(file_stamp_same(&before, &after));
	after = file_stamp_of(path_of("none"));
	assert_int_equal(after.inode, 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_teardown(name, wipe)
	const struct CMUnitTest tests[] = {
		TEST(a_good_one_is_there_to_be_handed_over),
		TEST(what_others_may_read_is_a_warning),
		TEST(out_of_its_time_is_bad_and_better_than_none),
		TEST(what_is_no_file_is_refused),
		TEST(each_file_is_named_in_its_fault),
		TEST(a_secret_is_one_line),
		TEST(users_have_hashes_that_can_be_checked),
		TEST(a_stamp_tells_that_a_file_changed),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
