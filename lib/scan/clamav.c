/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/scan/clamav.h"

#include "lib/base/text.h"

#include <assert.h>
#include <string.h>

/* What clamd finds where it did not look: with AlertExceedsMax yes. */
#define LIMITS "Heuristics.Limits.Exceeded"
/* What it says of a text beyond its StreamMaxLength. */
#define SIZE "INSTREAM size limit exceeded"

void clamav_head(uint8_t head[static CLAMAV_HEAD_BYTES], size_t len)
{
	assert(len <= CLAMAV_CHUNK_MAX);
	head[0] = (uint8_t)(len >> 24);
	head[1] = (uint8_t)(len >> 16);
	head[2] = (uint8_t)(len >> 8);
	head[3] = (uint8_t)len;
}

void clamav_end(uint8_t head[static CLAMAV_HEAD_BYTES])
{
	clamav_head(head, 0);
}

/* ---- an answer ---- */

static enum clamav_verdict judge(
	struct clamav_answer *answer, enum clamav_verdict verdict, const char *name, size_t len)
{
	if (len > sizeof(answer->name) - 1)
		len = sizeof(answer->name) - 1;
	memcpy(answer->name, name, len);
	answer->name[len] = '\0';
	text_blank(answer->name);
	answer->verdict = (uint8_t)verdict;
	return verdict;
}

static enum clamav_verdict judge_nonsense(struct clamav_answer *answer)
{
	return judge(answer, CLAMAV_NONSENSE, answer->text, answer->n);
}

/* MORE: it is not whole. Its NUL or line end is where it ends; nothing may come behind. */
static enum clamav_verdict take(struct clamav_answer *answer, const void *bytes, size_t len)
{
	const char *from = bytes;

	if (answer->verdict != CLAMAV_MORE)
		return len > 0 ? judge_nonsense(answer) : (enum clamav_verdict)answer->verdict;
	for (size_t i = 0; i < len; i++) {
		if (from[i] == '\0' || from[i] == '\n')
			return i + 1 == len && answer->n > 0 ? CLAMAV_OK : judge_nonsense(answer);
		if (answer->n == CLAMAV_ANSWER_MAX - 1)
			return judge_nonsense(answer);
		answer->text[answer->n++] = from[i];
	}
	return CLAMAV_MORE;
}

static bool ends_in(const struct clamav_answer *answer, size_t from, const char *word)
{
	size_t len = strlen(word);

	return answer->n >= from + len && memcmp(answer->text + answer->n - len, word, len) == 0;
}

enum clamav_verdict clamav_read(
	struct clamav_answer *answer, const void *bytes, size_t len, bool ended)
{
	static const char stream[] = "stream: ";
	size_t prefix = sizeof(stream) - 1;

	enum clamav_verdict verdict = take(answer, bytes, len);
	if (verdict != CLAMAV_OK || answer->verdict != CLAMAV_MORE)
		return verdict;
	const char *text = answer->text;
	if (ends_in(answer, 1, " ERROR")) {
		size_t words = answer->n - strlen(" ERROR");
		bool large = words >= strlen(SIZE) && memcmp(text, SIZE, strlen(SIZE)) == 0;
		return judge(answer, large ? CLAMAV_TOO_LARGE : CLAMAV_ERROR, text, words);
	}
	if (answer->n < prefix || memcmp(text, stream, prefix) != 0)
		return judge_nonsense(answer);
	text += prefix;
	if (answer->n == prefix + 2 && memcmp(text, "OK", 2) == 0)
		return ended ? judge(answer, CLAMAV_OK, "", 0) : judge_nonsense(answer);
	if (!ends_in(answer, prefix + 1, " FOUND"))
		return judge_nonsense(answer);
	size_t name = answer->n - prefix - strlen(" FOUND");
	bool limits = name >= strlen(LIMITS) && memcmp(text, LIMITS, strlen(LIMITS)) == 0;
	return judge(answer, limits ? CLAMAV_TOO_LARGE : CLAMAV_FOUND, text, name);
}

enum clamav_verdict clamav_closed(struct clamav_answer *answer)
{
	if (answer->verdict == CLAMAV_MORE)
		judge_nonsense(answer);
	return (enum clamav_verdict)answer->verdict;
}

/* ---- the two commands ---- */

static enum clamav_verdict read_words(
	struct clamav_answer *answer, const void *bytes, size_t len, const char *begin, bool all)
{
	size_t n = strlen(begin);

	enum clamav_verdict verdict = take(answer, bytes, len);
	if (verdict != CLAMAV_OK || answer->verdict != CLAMAV_MORE)
		return verdict;
	if (answer->n < n || memcmp(answer->text, begin, n) != 0 || (all && answer->n != n))
		return judge_nonsense(answer);
	return judge(answer, CLAMAV_OK, answer->text, answer->n);
}

enum clamav_verdict clamav_read_ping(struct clamav_answer *answer, const void *bytes, size_t len)
{
	return read_words(answer, bytes, len, "PONG", true);
}

enum clamav_verdict clamav_read_version(struct clamav_answer *answer, const void *bytes, size_t len)
{
	return read_words(answer, bytes, len, "ClamAV ", false);
}
