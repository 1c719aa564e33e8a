/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns what our table is called, and the forms of its rule that asks the queue. */
#ifndef POSTERN_KERNEL_RULES_NFTABLES_TABLE_NAME_H
#define POSTERN_KERNEL_RULES_NFTABLES_TABLE_NAME_H

#define TABLE_NAME "postern"

enum table_queue {
	TABLE_QUEUE_NONE,   /* nothing was programmed yet */
	TABLE_QUEUE_NATIVE, /* nft `queue` */
	TABLE_QUEUE_COMPAT, /* the xtables target NFQUEUE through nft_compat */
};

#endif
