/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/base/terminal.h"

#include "lib/base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PIECE 1024

struct stream {
	FILE *out;
	int *error; /* the first one; NULL: nobody asks */
	struct text_pieces pieces;
};

static bool put(struct stream *stream, const char *text, size_t len)
{
	if (fwrite(text, 1, len, stream->out) == len)
		return true;
	if (stream->error && !*stream->error)
		*stream->error = errno;
	return false;
}

static ssize_t write_escaped(void *cookie, const char *bytes, size_t len)
{
	char text[TEXT_ESCAPED_MAX(PIECE)];
	struct stream *stream = cookie;

	for (size_t at = 0; at < len;) {
		size_t n = len - at < PIECE ? len - at : PIECE;
		size_t shown = text_escape(&stream->pieces, bytes + at, n, text);
		if (!put(stream, text, shown))
			return (ssize_t)at; /* fewer than wanted: an error to stdio */
		at += n;
	}
	return (ssize_t)len;
}

static ssize_t write_plain(void *cookie, const char *bytes, size_t len)
{
	return put(cookie, bytes, len) ? (ssize_t)len : 0;
}

static int close_stream(void *cookie)
{
	struct stream *stream = cookie;
	char text[TEXT_ESCAPED_MAX(0)];
	size_t shown = text_escape(&stream->pieces, NULL, 0, text);
	int status = put(stream, text, shown) ? 0 : EOF;

	free(stream);
	return status;
}

static FILE *open_stream(FILE *out, cookie_write_function_t *write_bytes, int *error)
{
	const cookie_io_functions_t face = {.write = write_bytes, .close = close_stream};
	struct stream *stream = calloc(1, sizeof(*stream));
	FILE *file = stream ? fopencookie(stream, "w", face) : NULL;

	if (!file) {
		free(stream);
		return NULL;
	}
	stream->out = out;
	stream->error = error;
	setvbuf(out, NULL, _IONBF, 0); /* one buffer is enough */
	return file;
}

FILE *terminal_stream(FILE *out)
{
	return open_stream(out, write_escaped, NULL);
}

/* Else the next file or socket that is opened would be standard output. What is written there
 * fails, as to a closed one. */
static void hold_closed(void)
{
	int fd = open("/dev/null", O_RDONLY);

	while (fd >= 0 && fd <= STDERR_FILENO)
		fd = open("/dev/null", O_RDONLY);
	if (fd >= 0)
		close(fd);
}

void terminal_guard(struct terminal *terminal, bool out_is_terminal)
{
	hold_closed();
	*terminal = (struct terminal){.out = stdout, .err = stderr};
	FILE *err = terminal_stream(stderr);
	FILE *out = open_stream(
		stdout, out_is_terminal ? write_escaped : write_plain, &terminal->error);

	if (err) {
		setvbuf(err, NULL, _IONBF, 0);
		stderr = err;
	}
	if (out) {
		setvbuf(out, NULL, out_is_terminal ? _IOLBF : _IOFBF, BUFSIZ);
		stdout = out;
	}
}

/* 0, or why not all that was written is out. */
static int close_out(struct terminal *terminal)
{
	if (stdout != terminal->out) {
		fclose(stdout);
		stdout = terminal->out;
	}
	/* a closed one is no loss where nothing was said */
	if (fclose(stdout) != 0 && errno != EBADF && !terminal->error)
		terminal->error = errno;
	return terminal->error;
}

int terminal_end(struct terminal *terminal, const char *program, int status)
{
	int error = close_out(terminal);

	if (error && error != EPIPE) /* who reads no more, need not be told */
		fprintf(stderr, "%s: cannot write: %s\n", program, strerror(error));
	if (stderr != terminal->err) {
		fclose(stderr);
		stderr = terminal->err;
	}
	return error && status == 0 ? 1 : status;
}
