/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whatever name or user is announced: one line stays one line, and no header grows too long. */
#include "lib/smtp/proxy.h"
#include "lib/smtp/xclient.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Cuts the next string out of the input, at a NUL. */
static const char *take_text(const uint8_t **data, size_t *size, char *text, size_t room)
{
	size_t n = 0;
	while (*size && n + 1 < room && **data) {
		text[n++] = (char)**data;
		(*data)++;
		(*size)--;
	}
	if (*size) {
		(*data)++;
		(*size)--;
	}
	text[n] = '\0';
	return text;
}

static void check_commands(const struct xclient_commands *commands)
{
	const char *at = commands->text;
	for (size_t i = 0; i < commands->n; at += commands->len[i++]) {
		size_t len = commands->len[i];
		if (len < 10 || len > XCLIENT_LINE_MAX || memcmp(at, "XCLIENT ", 8) != 0)
			abort();
		for (size_t c = 0; c + 2 < len; c++)
			if ((unsigned char)at[c] < ' ' || (unsigned char)at[c] > '~')
				abort();
		if (at[len - 2] != '\r' || at[len - 1] != '\n')
			abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char login[128], name[300], reverse[300], offer[600];
	struct endpoint client = {.addr = {.family = ADDR_IP4}}, original = client;
	if (size < 40)
		return 0;
	client.addr.family = original.addr.family = data[0] & 1 ? ADDR_IP4 : ADDR_IP6;
	size_t bytes = data[0] & 1 ? 4 : 16;
	memcpy(client.addr.bytes, data + 1, bytes);
	memcpy(original.addr.bytes, data + 17, bytes);
	client.port = original.port = (uint16_t)(data[33] << 8 | data[34]);
	data += 35;
	size -= 35;
	struct xclient_identity identity = {.client = client, .original = original};
	identity.login = take_text(&data, &size, login, sizeof(login));
	identity.name = take_text(&data, &size, name, sizeof(name));
	identity.reverse_name = take_text(&data, &size, reverse, sizeof(reverse));
	take_text(&data, &size, offer, sizeof(offer));

	struct xclient_commands commands;
	unsigned all = XCLIENT_NAME | XCLIENT_REVERSE_NAME | XCLIENT_ADDR | XCLIENT_PORT |
		       XCLIENT_LOGIN | XCLIENT_DESTADDR | XCLIENT_DESTPORT;
	if (xclient_encode(&identity, all, &commands) == 0)
		check_commands(&commands);
	if (xclient_encode(&identity, xclient_offered(offer, strlen(offer)), &commands) == 0)
		check_commands(&commands);

	char v1[PROXY_V1_SIZE];
	uint8_t v2[PROXY_V2_SIZE];
	if (proxy_encode_v1(&client, &original, v1) != strlen(v1))
		abort();
	size_t len = proxy_encode_v2(&client, &original, "f-7k3q9", login, v2);
	if (len < 16 || ((size_t)v2[14] << 8 | v2[15]) + 16 != len)
		abort();
	return 0;
}
