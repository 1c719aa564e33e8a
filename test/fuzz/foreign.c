/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Another program's rules, as the kernel tells them, are read without a word that is not one. */
#include "daemon/control/doctor/foreign/foreign.h"
#include "daemon/control/control.h"
#include "daemon/control/doctor/foreign/marked.h"
#include "daemon/control/kernel/interfaces.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A fact is words with one blank between, of printable bytes, and begins with a known one. */
static void check(void *context, const char *text)
{
	static const char *const first[] = {"chain ", "iptables-nft ", "accepts ", "takes ",
		"closes ", "jumps ", "picks ", "marks ", "marks-unread "};
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
	const struct foreign_forwarded flows = {.zone = "eth0",
		.server = "lo",
		.host = {.addr = {.family = ADDR_IP4, .bytes = {203, 0, 113, 10}}, .port = 25}};
	struct foreign_chains *chains = foreign_chains_new(&dump);
	struct foreign_marked *marked =
		chains ? foreign_marked_new(chains, 0xf0000000, 0x0fff0000) : NULL;

	if (marked) {
		foreign_marked_follow(marked, &flows, 25);
		foreign_marked_tell(marked, check, NULL);
	}
	foreign_marked_free(marked);
	foreign_chains_free(chains);
	foreign_tell(&dump, 0xf0000000, 25, false, check, NULL);
	foreign_tell(&dump, 0xf0000000, 587, false, check, "587:");
	return 0;
}
