/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns changes of blocks: in force, in the relays, on disk, out of the kernel's cache; what the
 * client has running ends. */
#ifndef POSTERN_DAEMON_CONTROL_SESSION_BLOCK_CHANGE_H
#define POSTERN_DAEMON_CONTROL_SESSION_BLOCK_CHANGE_H

#include "daemon/control/peers/question.h"
#include "lib/ipc/replica.h"
#include "lib/policy/block.h"

#include <jansson.h>

struct control;

/* In place of the block of the same subject. Parts of the gather, which may be NULL. 0, -ENOSPC
 * (BLOCKS_MAX are there) or -ENOMEM: nothing has changed. */
int block_change_put(struct control *control, const struct block *block, struct gather *gather);
/* By the subject. Parts of the gather. 0 or -ENOENT. */
int block_change_del(struct control *control, const struct block *subject, struct gather *gather);
/* A limit with `{ block D }` was passed, as a relay tells. */
void block_change_by_limit(struct control *control, const struct ipc_block *ipc);
/* Removes blocks when their time is over; call when the table was filled by others. */
void block_change_arm(struct control *control);
void block_change_disarm(struct control *control);
/* As `block show` has it. */
json_t *block_row(const struct control *control, const struct block *block);
/* Its times as relays know them. */
void block_change_for_relays(const struct control *control, struct block *block);

#endif
