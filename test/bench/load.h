/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns what the bench's own load generator shares: addresses, clocks, and its words for a failure.
 * It is used only where smtp-source and smtp-sink cannot. */
#ifndef BENCH_LOAD_H
#define BENCH_LOAD_H

#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

struct load_place {
	struct sockaddr_storage address;
	socklen_t len;
};

uint64_t load_now_ns(void);
_Noreturn void load_fail(const char *what);
/* An address and a port, in numbers. */
struct load_place load_place_of(const char *address, const char *port);
/* A TCP socket; type_flags: SOCK_NONBLOCK or 0. */
int load_socket(const struct load_place *place, int type_flags);
/* It listens there, and its accepting does not wait. */
int load_listener(const struct load_place *place);
/* Prints {"n":, "p50":, "p99":, "p999":, "max":} in microseconds; sorts the values. */
void load_print_times(uint64_t *ns, size_t n);

/* load_first.c: SYNs of clients that were never seen, made by hand. */
int load_first(char **words);
/* load_pace.c: new connections at a steady rate. */
int load_pace(char **words);
/* load_tls.c */
int load_tls_send(char **words);
int load_tls_submit(char **words);
int load_tls_hold(char **words);
int load_tls_serve(char **words);
int load_tls_handshakes(char **words);

#endif
