#include "lib/terminal.h"

#include "lib/text.h"

#include <stdlib.h>

#define PIECE 1024

struct stream {
	FILE *out;
	struct text_pieces pieces;
};

static ssize_t write_escaped(void *cookie, const char *bytes, size_t len)
{
	struct stream *stream = cookie;
	char text[TEXT_ESCAPED_MAX(PIECE)];

	for (size_t at = 0; at < len;) {
		size_t n = len - at < PIECE ? len - at : PIECE;
		size_t shown = text_escape(&stream->pieces, bytes + at, n, text);
		if (fwrite(text, 1, shown, stream->out) != shown)
			return (ssize_t)at; /* fewer than wanted: an error to stdio */
		at += n;
	}
	return (ssize_t)len;
}

static int close_stream(void *cookie)
{
	struct stream *stream = cookie;
	char text[TEXT_ESCAPED_MAX(0)];
	size_t shown = text_escape(&stream->pieces, NULL, 0, text);
	int status = fwrite(text, 1, shown, stream->out) == shown ? 0 : EOF;

	if (fclose(stream->out) != 0)
		status = EOF;
	free(stream);
	return status;
}

FILE *terminal_stream(FILE *out)
{
	const cookie_io_functions_t face = {.write = write_escaped, .close = close_stream};
	struct stream *stream = calloc(1, sizeof(*stream));
	FILE *file = stream ? fopencookie(stream, "w", face) : NULL;

	if (!file) {
		free(stream);
		return NULL;
	}
	stream->out = out;
	setvbuf(out, NULL, _IONBF,
		0); /* one buffer is enough, and none is left behind at the end */
	return file;
}

void terminal_guard(bool out_is_terminal)
{
	FILE *err = terminal_stream(stderr);
	FILE *out = out_is_terminal ? terminal_stream(stdout) : NULL;

	if (err) {
		setvbuf(err, NULL, _IONBF, 0);
		stderr = err;
	}
	if (out) {
		setvbuf(out, NULL, _IOLBF, BUFSIZ);
		stdout = out;
	}
}
