/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a client calls itself, as its name is kept and as the Received line tells it. */
#include "lib/smtp/name.h"
#include "lib/smtp/text/header.h"
#include "lib/smtp/text/received.h"

#include <assert.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_name(const char *bytes, size_t len)
{
	char name[SMTP_NAME_SIZE], again[SMTP_NAME_SIZE];
	size_t n = smtp_name_parse(bytes, len, name);

	assert(n == strlen(name) && n < SMTP_NAME_SIZE);
	for (size_t i = 0; i < n; i++)
		assert(name[i] > ' ' && name[i] <= '~');
	if (n > 0 && name[n - 1] != '.') {
		assert(smtp_name_parse(name, n, again) == n);
		assert(strcmp(name, again) == 0);
	}
}

/* One field; and outside of it nothing that a reader of Received lines takes apart by. */
static void check_line(const char *line, size_t len)
{
	struct smtp_header header = {0};
	unsigned opens = 0, closes = 0, semicolons = 0;

	assert(len > 2 && memcmp(line + len - 2, "\r\n", 2) == 0);
	for (size_t i = 0; i < len; i++) {
		opens += line[i] == '(';
		closes += line[i] == ')';
		semicolons += line[i] == ';';
		if (line[i] == '\n') {
			smtp_header_line(&header);
			assert(line[i - 1] == '\r' && (i + 1 == len || line[i + 1] == '\t'));
		} else if (line[i] != '\r') {
			assert(line[i] == '\t' || (line[i] >= ' ' && line[i] <= '~'));
			smtp_header_byte(&header, (unsigned char)line[i]);
		}
	}
	assert(header.received == 1 && !header.over);
	assert(opens == 1 && closes == 1 && semicolons == 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char helo[1024], name[1024], line[SMTP_RECEIVED_MAX];
	size_t n = size < sizeof(helo) - 1 ? size : sizeof(helo) - 1;
	struct smtp_received received = {.helo = helo, .name = name, .gateway = "gw.example.net"};

	memcpy(helo, data, n);
	helo[n] = '\0';
	memcpy(name, data + n / 2, n - n / 2);
	name[n - n / 2] = '\0';
	check_name((const char *)data, size);
	received.with = n & 0xf;
	received.client.family = n % 2 ? ADDR_IP4 : ADDR_IP6;
	for (size_t i = 0; i < 8 && i < size; i++)
		received.time_s = (received.time_s << 7) | data[i];
	received.offset_min = (int)(n % 2879) - 1439;
	size_t len = smtp_received_format(&received, line);
	assert(len <= sizeof(line));
	check_line(line, len);
	return 0;
}
