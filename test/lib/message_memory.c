/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "test/lib/message_memory.h"

#include "lib/limit/limit.h"

#include <setjmp.h>
#include <stdarg.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

int make_limit(void)
{
	static const uint8_t secret[LIMIT_SECRET_SIZE] = {1};
	size_t bytes = limit_bytes(2, 4096);
	int fd = memfd_create("limit", MFD_CLOEXEC);
	assert_int_equal(ftruncate(fd, (off_t)bytes), 0);
	void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	assert_int_equal(limit_init(memory, bytes, 2, secret), 0);
	munmap(memory, bytes);
	return fd;
}

int make_message_limit(struct message_limit *limits)
{
	static const uint8_t secret[SIPHASH_SECRET_SIZE] = "0123456789abcde";
	const size_t bytes = 65536;
	int fd = memfd_create("message-limit", MFD_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, (off_t)bytes), 0);
	void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	assert_ptr_not_equal(memory, MAP_FAILED);
	assert_int_equal(message_limit_init(memory, bytes, secret), 0);
	assert_int_equal(message_limit_attach(limits, memory, bytes), 0);
	return fd;
}
