/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/smtp/spool/spool.h"

#include "daemon/base/loop.h"
#include "daemon/control/store/spool_files.h"
#include "daemon/process/child.h"
#include "lib/ipc/flow.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static char folder[] = "/tmp/postern-spool-XXXXXX";
static struct child child; /* without a control: files come as the test gives them */
static struct spool spool;
static unsigned ready;

static void on_ready(void *owner)
{
	++*(unsigned *)owner;
}

static int set_up(void **state)
{
	(void)state;
	memset(&spool, 0, sizeof(spool));
	ready = 0;
	spool_files_init(&spool.files, &child, 64);
	child.loop = loop_new();
	assert_non_null(child.loop);
	assert_int_equal(spool_init(&spool, child.loop, on_ready), 0);
	return 0;
}

static int take_down(void **state)
{
	(void)state;
	worker_settle(spool.worker);
	assert_int_equal(pool_taken(&spool.texts), 0);
	assert_int_equal(pool_taken(&spool.pieces), 0);
	assert_int_equal(spool.beyond, 0);
	assert_int_equal(spool.files.used, 0);
	for (unsigned i = 0; i < spool.files.n; i++) {
		struct stat st;
		assert_int_equal(fstat(spool.files.fds[i], &st), 0);
		assert_int_equal(st.st_size, 0); /* nothing of a text is left */
		assert_int_equal(st.st_nlink, 0);
	}
	spool_fini(&spool);
	loop_free(child.loop);
	return 0;
}

static void put_file(int fd)
{
	struct ipc_spool_file ipc;

	ipc_init(&ipc, IPC_SPOOL_FILE, sizeof(ipc));
	ipc.status = fd < 0 ? fd : 0;
	spool_files_put(&spool.files, &ipc, fd);
	spool_on_file(&spool);
}

static void give_files(unsigned n)
{
	while (n-- > 0) {
		int fd = spool_file_open(folder);
		assert_true(fd >= 0);
		put_file(fd);
	}
}

static char byte_at(unsigned text, size_t at)
{
	return (char)((at * 7 + at / 4099 * 13 + text * 31) & 0xff);
}

static void put(struct spool_text *text, unsigned number, size_t at, size_t len)
{
	static char bytes[65536];

	for (size_t i = 0; i < len; i++)
		bytes[i] = byte_at(number, at + i);
	spool_put(text, bytes, len);
}

/* As a client is read: as much as there is room for, and the thread has its time where there is
 * none. */
static void put_all(struct spool_text *text, unsigned number, size_t from, size_t to)
{
	for (size_t at = from, n; at < to; at += n) {
		if (spool_room(text) < 4096) {
			spool_make_room(text);
			worker_settle(spool.worker);
			assert_true(spool_room(text) >= 4096);
		}
		n = 1 + at * 17 % 65536;
		n = n < to - at ? n : to - at;
		n = n < spool_room(text) ? n : spool_room(text);
		put(text, number, at, n);
	}
	assert_true(spool_bytes(text) == to);
}

static void expect_all(struct spool_text *text, unsigned number, size_t from, size_t to)
{
	const char *bytes;
	size_t at = from;
	int n;

	while ((n = spool_peek(text, &bytes)) != 0) {
		if (n == -EAGAIN) {
			worker_settle(spool.worker);
			continue;
		}
		assert_true(n > 0);
		size_t used = 1 + at % (size_t)n;
		for (size_t i = 0; i < used; i++)
			if (bytes[i] != byte_at(number, at + i))
				fail_msg("byte %zu of text %u is another", at + i, number);
		spool_took(text, used);
		at += used;
	}
	assert_int_equal(at, to);
}

static void test_up_to_a_mebibyte_is_in_memory(void **state)
{
	static const size_t sizes[] = {
		0, 1, 16383, 16384, 16385, 100000, SPOOL_MEMORY_BYTES - 1, SPOOL_MEMORY_BYTES};

	(void)state;
	give_files(1);
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		struct spool_text *text = spool_begin(&spool, &ready);
		for (size_t at = 0; at < sizes[i]; at += 65536) {
			size_t left = sizes[i] - at;
			put(text, 1, at, left < 65536 ? left : 65536);
		}
		assert_int_equal(pool_taken(&spool.pieces),
			(sizes[i] + SPOOL_PIECE_BYTES - 1) / SPOOL_PIECE_BYTES);
		if (sizes[i] + SPOOL_PIECE_BYTES < SPOOL_MEMORY_BYTES)
			assert_int_equal(spool.files.used, 0);
		expect_all(text, 1, 0, sizes[i]);
		spool_free(text);
		worker_settle(spool.worker);
	}
}

static void test_what_is_longer_goes_to_a_file(void **state)
{
	struct spool_text *text = spool_begin(&spool, &ready);

	(void)state;
	give_files(1);
	put_all(text, 1, 0, 5000001);
	assert_true(pool_taken(&spool.pieces) <= SPOOL_TEXT_PIECES);
	assert_int_equal(spool.files.used, 1);
	assert_true(ready > 0);
	/* passed over, across all of the file's part and into it */
	spool_took(text, 70001);
	expect_all(text, 1, 70001, 5000001);
	assert_true(pool_taken(&spool.pieces) <= SPOOL_TEXT_PIECES + 1);
	spool_free(text);
	worker_settle(spool.worker);
	assert_int_equal(spool.files.n, 1);
	/* the file is another's, and shows nothing of it */
	text = spool_begin(&spool, &ready);
	put_all(text, 2, 0, 2000000);
	expect_all(text, 2, 0, 2000000);
	spool_free(text);
}

static void test_a_text_waits_for_a_file(void **state)
{
	struct spool_text *first = spool_begin(&spool, &ready);
	struct spool_text *second = spool_begin(&spool, &ready);
	unsigned woken[2] = {0};
	struct spool_text *gone = spool_begin(&spool, woken);

	(void)state;
	put_all(first, 1, 0, SPOOL_MEMORY_BYTES);
	put_all(second, 2, 0, SPOOL_MEMORY_BYTES);
	put_all(gone, 3, 0, SPOOL_MEMORY_BYTES);
	assert_int_equal(spool_room(first), 0);
	worker_settle(spool.worker);
	assert_int_equal(ready, 0);
	spool_free(gone);
	give_files(1);
	worker_settle(spool.worker);
	assert_int_equal(ready, 1);
	assert_true(spool_room(first) > 0);
	assert_int_equal(spool_room(second), 0);
	/* and may have another's, when that is empty */
	spool_free(first);
	worker_settle(spool.worker);
	assert_int_equal(ready, 2);
	put_all(second, 2, SPOOL_MEMORY_BYTES, 3000000);
	expect_all(second, 2, 0, 3000000);
	spool_free(second);
	assert_int_equal(woken[0], 0);
}

static void test_no_more_files_than_its_share(void **state)
{
	struct spool_text *texts[2] = {spool_begin(&spool, &ready), spool_begin(&spool, &ready)};

	(void)state;
	spool.files.share = 1;
	give_files(2);
	put_all(texts[0], 0, 0, SPOOL_MEMORY_BYTES);
	put_all(texts[1], 1, 0, SPOOL_MEMORY_BYTES);
	worker_settle(spool.worker);
	assert_int_equal(spool.files.used, 1);
	assert_int_equal(spool_room(texts[1]), 0);
	spool_free(texts[0]);
	worker_settle(spool.worker);
	assert_true(spool_room(texts[1]) > 0);
	spool_free(texts[1]);
}

/* Takes all, keeps nothing, and holds nothing that others could have. */
static void expect_failed(struct spool_text *text, int error)
{
	const char *bytes;

	assert_int_equal(spool_error(text), error);
	assert_int_equal(spool_peek(text, &bytes), error);
	assert_int_equal(pool_taken(&spool.pieces), 0);
	assert_true(spool_room(text) >= 65536);
	put(text, 1, 0, 65536);
	assert_int_equal(pool_taken(&spool.pieces), 0);
}

static void test_a_full_disk_fails_the_text_alone(void **state)
{
	struct spool_text *text = spool_begin(&spool, &ready);
	int full = open("/dev/full", O_RDWR | O_CLOEXEC);

	(void)state;
	assert_true(full >= 0);
	put_file(full);
	put_all(text, 1, 0, SPOOL_MEMORY_BYTES);
	worker_settle(spool.worker);
	assert_int_equal(ready, 1);
	expect_failed(text, -ENOSPC);
	spool_free(text);
	worker_settle(spool.worker);
	assert_int_equal(spool.files.n, 0); /* what cannot be emptied is closed */
	give_files(1);
	text = spool_begin(&spool, &ready);
	put_all(text, 1, 0, 2000000);
	expect_all(text, 1, 0, 2000000);
	spool_free(text);
}

static void test_a_file_that_lost_its_bytes_is_told(void **state)
{
	struct spool_text *text = spool_begin(&spool, &ready);
	const char *bytes;

	(void)state;
	give_files(1);
	int fd = spool.files.fds[0];
	put_all(text, 1, 0, 2000000);
	assert_int_equal(ftruncate(fd, 5), 0);
	assert_int_equal(spool_peek(text, &bytes), -EAGAIN);
	worker_settle(spool.worker);
	assert_int_equal(spool_peek(text, &bytes), -EIO);
	spool_free(text);
}

static void test_without_a_file_no_new_text_begins_on_a_full_disk(void **state)
{
	(void)state;
	assert_int_equal(spool_may_begin(&spool), 0);
	put_file(-ENOSPC);
	spool.files.looked_ms = 0;
	assert_int_equal(spool_may_begin(&spool), -ENOSPC);
	spool.files.looked_ms = 0;
	put_file(-EACCES); /* what has nothing to do with room: small texts need none */
	assert_int_equal(spool_may_begin(&spool), 0);
}

/* While the thread has it. */
static void test_a_text_may_be_over_at_any_time(void **state)
{
	const char *bytes;

	(void)state;
	give_files(2);
	for (unsigned i = 0; i < 3; i++) {
		struct spool_text *text = spool_begin(&spool, &ready);
		int fd = spool.files.fds[spool.files.n - 1];
		put_all(text, 1, 0, SPOOL_MEMORY_BYTES - 1);
		if (i > 0)
			put_all(text, 1, SPOOL_MEMORY_BYTES - 1, 2000000);
		if (i == 2) {
			worker_settle(spool.worker);
			/* what is not in memory is the thread's to read */
			assert_int_equal(ftruncate(fd, 0), 0);
			assert_int_equal(spool_peek(text, &bytes), -EAGAIN);
		}
		unsigned before = ready;
		spool_free(text);
		worker_settle(spool.worker);
		assert_int_equal(ready, before);
		assert_int_equal(pool_taken(&spool.pieces), 0);
	}
	assert_int_equal(spool.files.n, 2);
}

/* Whatever the others have, each goes on with what it is sure of. */
static void test_memory_is_bounded_and_nobody_waits_for_it(void **state)
{
	static struct spool_text *texts[SPOOL_TEXTS];
	enum { MANY = 120, BYTES = 1200000 };

	(void)state;
	spool.files.share = MANY;
	for (unsigned i = 0; i < MANY; i++) {
		texts[i] = spool_begin(&spool, &ready);
		assert_non_null(texts[i]);
	}
	for (size_t at = 0; at < BYTES; at += 100000)
		for (unsigned i = 0; i < MANY; i++) {
			give_files(spool.files.n == 0);
			put_all(texts[i], i, at, at + 100000);
			assert_true(pool_taken(&spool.pieces) <= SPOOL_PIECES);
		}
	/* as many as there are sure pieces for, and no more */
	unsigned n = MANY;
	while (n < SPOOL_TEXTS && (texts[n] = spool_begin(&spool, &ready)))
		put_all(texts[n++], 0, 0, 40000);
	assert_true(pool_taken(&spool.pieces) + n <= SPOOL_PIECES);
	while (n > MANY)
		spool_free(texts[--n]);
	for (unsigned i = 0; i < MANY; i++) {
		expect_all(texts[i], i, 0, BYTES);
		spool_free(texts[i]);
	}
	worker_settle(spool.worker);
	for (n = 0; n < SPOOL_TEXTS; n++) {
		assert_int_equal(spool_may_begin(&spool), 0);
		assert_non_null(texts[n] = spool_begin(&spool, &ready));
	}
	assert_int_equal(spool_may_begin(&spool), -EAGAIN);
	assert_null(spool_begin(&spool, &ready));
	while (n > 0)
		spool_free(texts[--n]);
}

static void test_a_file_has_no_name(void **state)
{
	int fds[2] = {spool_file_open(folder), spool_file_open(folder)};
	DIR *dir = opendir(folder);
	unsigned names = 0;

	(void)state;
	assert_true(fds[0] >= 0 && fds[1] >= 0);
	assert_non_null(dir);
	for (const struct dirent *at; (at = readdir(dir));)
		names += at->d_name[0] != '.' || strlen(at->d_name) > 2;
	assert_int_equal(names, 0);
	closedir(dir);
	close(fds[0]);
	close(fds[1]);
	assert_int_equal(spool_file_open("/nonexistent/folder"), -ENOENT);
	/* where the file system has none without a name; nobody but root gets as far as that */
	assert_int_equal(spool_file_open("/proc"), geteuid() == 0 ? -ENOENT : -EACCES);
}

static int remove_folder(void **state)
{
	(void)state;
	return rmdir(folder); /* fails where something was left */
}

int main(void)
{
#define WITH_SPOOL(test) cmocka_unit_test_setup_teardown(test, set_up, take_down)
	const struct CMUnitTest tests[] = {
		WITH_SPOOL(test_up_to_a_mebibyte_is_in_memory),
		WITH_SPOOL(test_what_is_longer_goes_to_a_file),
		WITH_SPOOL(test_a_text_waits_for_a_file),
		WITH_SPOOL(test_no_more_files_than_its_share),
		WITH_SPOOL(test_a_full_disk_fails_the_text_alone),
		WITH_SPOOL(test_a_file_that_lost_its_bytes_is_told),
		WITH_SPOOL(test_without_a_file_no_new_text_begins_on_a_full_disk),
		WITH_SPOOL(test_a_text_may_be_over_at_any_time),
		WITH_SPOOL(test_memory_is_bounded_and_nobody_waits_for_it),
		cmocka_unit_test(test_a_file_has_no_name),
	};

	if (!mkdtemp(folder))
		return 1;
	return cmocka_run_group_tests(tests, NULL, remove_folder);
}
