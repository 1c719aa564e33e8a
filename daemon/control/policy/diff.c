/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/control/policy/diff.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define CONTEXT   3
#define CELLS_MAX (16u << 20) /* of the table of common lengths; beyond, all between is changed */

struct line {
	const char *text;
	size_t len;
};

struct side {
	struct line *v;
	size_t n;
};

struct output {
	char *text;
	size_t len, room;
	bool failed;
};

static bool split(struct side *side, const char *text, size_t len)
{
	size_t room = 1;
	for (size_t i = 0; i < len; i++)
		room += text[i] == '\n';
	side->v = calloc(room, sizeof(*side->v));
	if (!side->v)
		return false;
	for (size_t at = 0; at < len;) {
		const char *newline = memchr(text + at, '\n', len - at);
		size_t n = newline ? (size_t)(newline - text) - at : len - at;
		side->v[side->n++] = (struct line){text + at, n};
		at += n + 1;
	}
	return true;
}

static bool same(const struct line *a, const struct line *b)
{
	return a->len == b->len && memcmp(a->text, b->text, a->len) == 0;
}

static void put(struct output *output, char mark, const struct line *line)
{
	size_t need = line->len + 3;
	if (output->room - output->len < need) {
		size_t room = 2 * (output->room + need);
		char *text = realloc(output->text, room);
		if (!text) {
			output->failed = true;
			return;
		}
		output->text = text;
		output->room = room;
	}
	output->text[output->len++] = mark;
	memcpy(output->text + output->len, line->text, line->len);
	output->len += line->len;
	output->text[output->len++] = '\n';
	output->text[output->len] = '\0';
}

/* One mark a line of the joined text: ' ', '-', '+'. */
struct step {
	char mark;
	const struct line *line;
};

static size_t add_all(struct step *steps, char mark, const struct line *lines, size_t n)
{
	for (size_t i = 0; i < n; i++)
		steps[i] = (struct step){mark, &lines[i]};
	return n;
}

/* The middle parts, where both sides differ at both ends: the longest common subsequence. */
static size_t walk(
	const struct line *a, size_t n, const struct line *b, size_t m, struct step *steps)
{
	size_t cells = (n + 1) * (m + 1), i = 0, j = 0, at = 0;
	uint32_t *common = cells / (n + 1) == m + 1 && cells <= CELLS_MAX
				   ? calloc(cells, sizeof(*common))
				   : NULL;
	if (!common) {
		at = add_all(steps, '-', a, n);
		return at + add_all(steps + at, '+', b, m);
	}
#define COMMON(x, y) common[(x) * (m + 1) + (y)]
	for (i = n; i-- > 0;) {
		for (j = m; j-- > 0;) {
			uint32_t down = COMMON(i + 1, j), right = COMMON(i, j + 1);
			COMMON(i, j) = same(&a[i], &b[j]) ? COMMON(i + 1, j + 1) + 1
				       : down >= right    ? down
							  : right;
		}
	}
	for (i = 0, j = 0; i < n || j < m;) {
		if (i < n && j < m && same(&a[i], &b[j])) {
			steps[at++] = (struct step){' ', &a[i++]};
			j++;
		} else if (i < n && (j == m || COMMON(i + 1, j) >= COMMON(i, j + 1))) {
			steps[at++] = (struct step){'-', &a[i++]};
		} else {
			steps[at++] = (struct step){'+', &b[j++]};
		}
	}
#undef COMMON
	free(common);
	return at;
}

static bool near_change(const struct step *steps, size_t n, size_t at)
{
	size_t first = at < CONTEXT ? 0 : at - CONTEXT;
	for (size_t i = first; i < n && i <= at + CONTEXT; i++)
		if (steps[i].mark != ' ')
			return true;
	return false;
}

static char *print(const struct step *steps, size_t n)
{
	static const struct line gap = {"", 0};
	struct output output = {.text = calloc(1, 64), .room = 64};
	bool gone = false;
	if (!output.text)
		return NULL;
	for (size_t i = 0; i < n; i++) {
		bool wanted = near_change(steps, n, i);
		if (wanted && gone && output.len)
			put(&output, '@', &gap);
		if (wanted)
			put(&output, steps[i].mark, steps[i].line);
		gone = !wanted;
	}
	if (output.failed) {
		free(output.text);
		return NULL;
	}
	return output.text;
}

char *diff_lines(const char *a, size_t a_len, const char *b, size_t b_len)
{
	struct side from = {0}, to = {0};
	char *text = NULL;
	struct step *steps = NULL;
	if (!split(&from, a, a_len) || !split(&to, b, b_len))
		goto done;
	steps = calloc(from.n + to.n + 1, sizeof(*steps));
	if (!steps)
		goto done;
	size_t head = 0, tail = 0, least = from.n < to.n ? from.n : to.n;
	while (head < least && same(&from.v[head], &to.v[head]))
		head++;
	while (tail < least - head && same(&from.v[from.n - 1 - tail], &to.v[to.n - 1 - tail]))
		tail++;
	size_t n = add_all(steps, ' ', from.v, head);
	n += walk(from.v + head, from.n - head - tail, to.v + head, to.n - head - tail, steps + n);
	n += add_all(steps + n, ' ', from.v + from.n - tail, tail);
	text = print(steps, n);
done:
	free(steps);
	free(from.v);
	free(to.v);
	return text;
}
