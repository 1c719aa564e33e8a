/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A host's bytes in a probe's dialogue: whatever they are, it ends, and what is said back and kept
 * of it is bounded and fit for a log. */
#include "lib/smtp/probe/dialogue.h"

#include <assert.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_said(const struct dialogue *dialogue, const struct dialogue_setup *setup)
{
	assert(dialogue->out_len <= sizeof(dialogue->out));
	/* a header of version 2 is no text */
	if (dialogue->out_len == 0 || setup->announce == POLICY_ANNOUNCE_PROXY_V2)
		return;
	assert(memcmp(dialogue->out + dialogue->out_len - 2, "\r\n", 2) == 0);
	for (size_t i = 0; i + 2 < dialogue->out_len; i++)
		assert(dialogue->out[i] >= ' ' && dialogue->out[i] <= '~');
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct dialogue dialogue;
	struct dialogue_setup setup = {.hostname = "gw.example.net",
		.client = {{{192, 0, 2, 1}, ADDR_IP4}, 40025},
		.original = {{{192, 0, 2, 3}, ADDR_IP4}, 25}};

	if (size < 2)
		return 0;
	setup.announce = (enum policy_announce)(data[0] % 4);
	setup.login = data[0] & 4 ? "anna" : NULL;
	size_t step = data[1] % 61 + 1;
	dialogue_begin(&dialogue, &setup);
	check_said(&dialogue, &setup);
	for (size_t at = 2; at < size && dialogue.step != DIALOGUE_OVER; at += step) {
		dialogue_feed(&dialogue, data + at, size - at < step ? size - at : step, at);
		check_said(&dialogue, &setup);
	}
	if (data[0] & 8)
		dialogue_closed(&dialogue, "", size);
	else
		dialogue_late(&dialogue);
	assert(dialogue.step == DIALOGUE_OVER);
	assert(dialogue.outcome != TARGET_WORKED || (dialogue.greeted && !dialogue.text[0]));
	assert(strlen(dialogue.text) < sizeof(dialogue.text));
	for (const char *p = dialogue.text; *p; p++)
		assert(*p >= ' ' && *p <= '~');
	return 0;
}
