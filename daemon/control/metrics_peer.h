/* Owns the metrics process as control sees it: whether there is to be one, where it listens, and
 * the pages that it asks for. */
#ifndef POSTERN_METRICS_PEER_H
#define POSTERN_METRICS_PEER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct control;
struct metrics_peer;

struct metrics_peer *metrics_peer_new(struct control *control);
/* Hangs up, and forgets its own questions. */
void metrics_peer_close(struct metrics_peer *peer);
void metrics_peer_free(struct metrics_peer *peer);
/* It started: it is told where to listen. fd is taken over. */
void metrics_peer_add(struct metrics_peer *peer, uint32_t generation, int fd);
void metrics_peer_gone(struct metrics_peer *peer, uint32_t generation);
/* Another policy is in force, or the first one. */
void metrics_peer_follow(struct metrics_peer *peer);
/* Nothing happens while none runs: a new one is told at its start. */
void metrics_peer_send(struct metrics_peer *peer, const void *message);
bool metrics_peer_runs(const struct metrics_peer *peer);
/* Why nobody can scrape, in words; false: the policy wants no metrics, or all is well. */
bool metrics_peer_trouble(const struct metrics_peer *peer, char *text, size_t size);

#endif
