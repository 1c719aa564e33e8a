/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Another program's rules, as the kernel tells them, are read without a word that is not one. */
#include "daemon/control/doctor/foreign/foreign.h"
#include "daemon/control/control.h"
#include "daemon/control/kernel/interfaces.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A fact is words with one blank between, of printable bytes, and begins with a known one. */
static void check(void *context, const char *text)
{
	static const char *const first[] = {
		"chain ", "iptables-nft ", "accepts ", "takes ", "closes ", "jumps ", "picks "};
	size_t i = 0;

	/* the port in front of what is told of another than 25 */
	if (context && strncmp(text, context, strlen(context)) == 0)
		text += strlen(context);
	while (i < sizeof(first) / sizeof(first[0]) && strncmp(text, first[i], strlen(first[i])))
		i++;
	if (i == sizeof(first) / sizeof(first[0]))
		abort();
	for (const char *p = text; *p; p++)
		if ((unsigned char)*p < ' ' || *p == 0x7f || (*p == ' ' && p[1] == ' '))
			abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct control_link links[] = {
		{.ifindex = 1, .name = "lo"}, {.ifindex = 2, .name = "eth0"}};
	const struct foreign_dump dump = {data, size, links, 2};

	foreign_tell(&dump, 0xf0000000, 25, false, check, NULL);
	foreign_tell(&dump, 0xf0000000, 587, false, check, "587:");
	return 0;
}
