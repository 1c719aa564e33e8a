/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/posternctl/password.h"

#include "lib/base/text.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

/* How the terminal was, for who interrupts. */
static struct termios shown;

static void on_signal(int signal)
{
	tcsetattr(STDIN_FILENO, TCSAFLUSH, &shown);
	raise(signal); /* by default: SA_RESETHAND */
}

static const int ends[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};
#define ENDS (sizeof(ends) / sizeof(*ends))

/* One line, byte by byte: what stands behind it is not ours. */
static const char *read_line(char line[static PASSWORD_SIZE])
{
	size_t len = 0;
	char c;

	for (;;) {
		ssize_t n = read(STDIN_FILENO, &c, 1);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return strerror(errno);
		if (n == 0 || c == '\n')
			break;
		if (len == PASSWORD_SIZE - 1)
			return "a password has at most 512 bytes";
		line[len++] = c;
	}
	if (len > 0 && line[len - 1] == '\r')
		len--;
	line[len] = '\0';
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)line[i] < ' ' || line[i] == 0x7f)
			return "a password has no control characters";
	return len > 0 ? NULL : "no password was given";
}

static const char *read_hidden(char line[static PASSWORD_SIZE], const char *prompt)
{
	struct sigaction action = {.sa_handler = on_signal, .sa_flags = (int)SA_RESETHAND},
			 before[ENDS];
	struct termios hidden;

	if (tcgetattr(STDIN_FILENO, &shown) < 0)
		return strerror(errno);
	for (size_t i = 0; i < ENDS; i++)
		sigaction(ends[i], &action, &before[i]);
	hidden = shown;
	hidden.c_lflag &= ~(tcflag_t)ECHO;
	fputs(prompt, stderr);
	fflush(stderr);
	tcsetattr(STDIN_FILENO, TCSAFLUSH, &hidden);
	const char *wrong = read_line(line);
	tcsetattr(STDIN_FILENO, TCSAFLUSH, &shown);
	for (size_t i = 0; i < ENDS; i++)
		sigaction(ends[i], &before[i], NULL);
	fputc('\n', stderr);
	return wrong;
}

const char *password_read(char password[static PASSWORD_SIZE], const char *user, bool twice)
{
	char prompt[512], again[PASSWORD_SIZE];
	const char *wrong;

	if (!isatty(STDIN_FILENO))
		return read_line(password);
	snprintf(prompt, sizeof(prompt), "Password of %.400s: ", user);
	wrong = read_hidden(password, prompt);
	if (wrong || !twice)
		return wrong;
	wrong = read_hidden(again, "The same again: ");
	if (!wrong && strcmp(password, again) != 0)
		wrong = "the two are not the same";
	explicit_bzero(again, sizeof(again));
	return wrong;
}
