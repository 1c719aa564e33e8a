/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who has a port that we want. The kernel tells everybody the address and the user of each socket
 * that listens; which process it is, it tells nobody but that user and root. */
#include "daemon/keeper/keeper.h"

#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define LISTENS 0x0a /* TCP_LISTEN, include/net/tcp_states.h */
#define BOUND   0x07 /* TCP_CLOSE, which a UDP socket is in that is not connected */

struct socket_line {
	struct endpoint at;
	unsigned uid;
};

/* "  0: 0100007F:0019 00000000:0000 0A 00000000:00000000 00:00000000 00000000  105 ...": addresses
 * are words of the machine's order. */
static bool read_line(const char *line, bool ip6, struct socket_line *socket)
{
	unsigned words[4] = {0}, port, state;
	int n = 0;

	bool read = ip6 ? sscanf(line, " %*u: %8x%8x%8x%8x:%4x %*[0-9A-Fa-f]:%*x %2x%n", &words[0],
				  &words[1], &words[2], &words[3], &port, &state, &n) == 6
			: sscanf(line, " %*u: %8x:%4x %*8x:%*4x %2x%n", &words[0], &port, &state,
				  &n) == 3;
	if (!read || (state != LISTENS && state != BOUND) ||
		sscanf(line + n, " %*8x:%*8x %*2x:%*8x %*8x %u", &socket->uid) != 1)
		return false;
	socket->at = (struct endpoint){.port = (uint16_t)port};
	socket->at.addr.family = ip6 ? ADDR_IP6 : ADDR_IP4;
	memcpy(socket->at.addr.bytes, words, ip6 ? 16 : 4);
	return true;
}

/* An IPv6 socket at :: may take IPv4 as well: it says so to nobody. */
static bool takes(const struct socket_line *socket, const struct endpoint *at)
{
	if (socket->at.port != at->port)
		return false;
	return addr_is_unspecified(&socket->at.addr) || addr_equal(&socket->at.addr, &at->addr) ||
	       (addr_is_unspecified(&at->addr) && socket->at.addr.family == at->addr.family);
}

static bool find(const char *path, bool ip6, const struct endpoint *at, struct socket_line *socket)
{
	FILE *file = fopen(path, "re");
	char line[512];
	bool found = false;

	while (file && !found && fgets(line, sizeof(line), file))
		found = read_line(line, ip6, socket) && takes(socket, at);
	if (file)
		fclose(file);
	return found;
}

/* A port 25 of root's is most often a mail server that nobody wanted: the queue's package brings
 * Debian's Postfix along, which starts one of its own. */
static bool is_mail_server(const struct socket_line *socket)
{
	return socket->uid == 0 && socket->at.port == 25;
}

const char *keeper_taken_by(const struct endpoint *at, bool datagrams, char *text)
{
	const bool ip6 = at->addr.family == ADDR_IP6;
	char address[ADDR_TEXT_SIZE], user[32] = "of root";
	struct socket_line socket;

	const char *v4 = datagrams ? "/proc/net/udp" : "/proc/net/tcp";
	const char *v6 = datagrams ? "/proc/net/udp6" : "/proc/net/tcp6";
	if (!find(v4, false, ip6 ? &(struct endpoint){0} : at, &socket) &&
		!find(v6, true, at, &socket)) {
		snprintf(text, IPC_TEXT_SIZE, "another program");
		return text;
	}
	if (socket.uid == getuid())
		snprintf(user, sizeof(user), "of our own user");
	else if (socket.uid)
		snprintf(user, sizeof(user), "of uid %u", socket.uid);
	snprintf(text, IPC_TEXT_SIZE,
		"a program %s, which listens at %s port %u (\"ss -l%cnp sport = :%u\" names it%s)",
		user, addr_format(&socket.at.addr, address), socket.at.port, datagrams ? 'u' : 't',
		socket.at.port,
		is_mail_server(&socket) ? "; a Postfix beside the queue: \"systemctl disable "
					  "--now postfix\""
					: "");
	return text;
}
