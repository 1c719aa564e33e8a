/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Clients by the thousand need no sockets: each is one IPv6 SYN with a MAC and an address of its
 * own, and what is measured is the time to its SYN+ACK. The answers come to this interface because
 * the gateway has a route for all these addresses over it. */
#include "load.h"

#include <arpa/inet.h>
#include <errno.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/ip6.h>
#include <netinet/tcp.h>
#include <netpacket/packet.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PORT_FROM  20000
#define GIVE_UP_NS 2000000000ull

struct frame {
	struct ether_header ether;
	struct ip6_hdr ip;
	struct tcphdr tcp;
} __attribute__((packed));

struct first {
	int fd;
	struct frame frame; /* as all of them begin */
	uint32_t start, count;
	uint64_t *sent_ns, *took_ns;
	uint32_t answered;
};

static uint32_t sum(const void *bytes, size_t len, uint32_t so_far)
{
	const uint8_t *p = bytes;
	for (size_t i = 0; i + 1 < len; i += 2)
		so_far += (uint32_t)p[i] << 8 | p[i + 1];
	return so_far;
}

/* Over the pseudo header, too (RFC 8200, 8.1). */
static uint16_t checksum(const struct frame *frame)
{
	uint32_t total = sum(&frame->ip.ip6_src, 32, sizeof(frame->tcp) + IPPROTO_TCP);
	total = sum(&frame->tcp, sizeof(frame->tcp), total);
	while (total >> 16)
		total = (total & 0xffff) + (total >> 16);
	return htons((uint16_t)~total);
}

static void put_number(uint8_t *to, uint32_t number)
{
	number = htonl(number);
	memcpy(to, &number, sizeof(number));
}

/* Client number i: MAC 02:bb:NUMBER, address 2001:db8:1:1::NUMBER. */
static void send_syn(struct first *first, uint32_t i, bool reset)
{
	struct frame frame = first->frame;
	uint32_t number = first->start + i;

	put_number(frame.ether.ether_shost + 2, number);
	put_number(frame.ip.ip6_src.s6_addr + 12, number);
	frame.tcp.th_sport = htons((uint16_t)(PORT_FROM + number % 40000));
	frame.tcp.th_seq = htonl(reset ? 1 : 0);
	frame.tcp.th_flags = reset ? TH_RST : TH_SYN;
	frame.tcp.th_sum = checksum(&frame);
	if (!reset)
		first->sent_ns[i] = load_now_ns();
	if (send(first->fd, &frame, sizeof(frame), 0) < 0 && errno != ENOBUFS)
		load_fail("send");
}

static void hear(struct first *first)
{
	struct frame frame;
	uint32_t number;

	while (recv(first->fd, &frame, sizeof(frame), MSG_DONTWAIT) >= (ssize_t)sizeof(frame)) {
		if (frame.ip.ip6_nxt != IPPROTO_TCP || frame.tcp.th_flags != (TH_SYN | TH_ACK) ||
			memcmp(frame.ip.ip6_dst.s6_addr, &first->frame.ip.ip6_src, 12) != 0)
			continue;
		memcpy(&number, frame.ip.ip6_dst.s6_addr + 12, sizeof(number));
		number = ntohl(number) - first->start;
		if (number >= first->count || first->took_ns[number])
			continue;
		first->took_ns[number] = load_now_ns() - first->sent_ns[number];
		first->answered++;
		send_syn(first, number, true); /* nothing is left half open */
	}
}

static void open_link(struct first *first, const char *interface)
{
	struct sockaddr_ll link = {.sll_family = AF_PACKET,
		.sll_protocol = htons(ETH_P_IPV6),
		.sll_ifindex = (int)if_nametoindex(interface)};
	int room = 8 << 20;

	first->fd = socket(AF_PACKET, SOCK_RAW, htons(ETH_P_IPV6));
	if (first->fd < 0)
		load_fail("packet socket");
	setsockopt(first->fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof(room));
	setsockopt(first->fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &(int){1}, sizeof(int));
	if (bind(first->fd, (struct sockaddr *)&link, sizeof(link)) < 0)
		load_fail(interface);
}

static void fill_frame(struct frame *frame, const char *gateway_mac, const char *destination)
{
	unsigned mac[6];

	if (sscanf(gateway_mac, "%x:%x:%x:%x:%x:%x", mac, mac + 1, mac + 2, mac + 3, mac + 4,
		    mac + 5) != 6)
		load_fail(gateway_mac);
	for (int i = 0; i < 6; i++)
		frame->ether.ether_dhost[i] = (uint8_t)mac[i];
	frame->ether.ether_shost[0] = 0x02;
	frame->ether.ether_shost[1] = 0xbb;
	frame->ether.ether_type = htons(ETHERTYPE_IPV6);
	frame->ip.ip6_vfc = 6 << 4;
	frame->ip.ip6_plen = htons(sizeof(frame->tcp));
	frame->ip.ip6_nxt = IPPROTO_TCP;
	frame->ip.ip6_hlim = 64;
	inet_pton(AF_INET6, "2001:db8:1:1::", &frame->ip.ip6_src);
	if (inet_pton(AF_INET6, destination, &frame->ip.ip6_dst) != 1)
		load_fail(destination);
	frame->tcp.th_dport = htons(25);
	frame->tcp.th_off = sizeof(frame->tcp) / 4;
	frame->tcp.th_win = htons(65535);
}

static void tell(struct first *first)
{
	size_t n = 0;
	for (uint32_t i = 0; i < first->count; i++)
		if (first->took_ns[i])
			first->took_ns[n++] = first->took_ns[i];
	load_print_times(first->took_ns, n);
}

int load_first(char **words)
{
	struct first first = {.start = (uint32_t)strtoul(words[3], NULL, 10),
		.count = (uint32_t)strtoul(words[4], NULL, 10)};
	double rate = atof(words[5]);

	open_link(&first, words[0]);
	fill_frame(&first.frame, words[1], words[2]);
	first.sent_ns = calloc(first.count, sizeof(*first.sent_ns));
	first.took_ns = calloc(first.count, sizeof(*first.took_ns));
	uint64_t began_ns = load_now_ns(), last_ns = 0;
	for (uint32_t sent = 0; first.answered < first.count;) {
		uint64_t now_ns = load_now_ns();
		struct pollfd wait = {.fd = first.fd, .events = POLLIN};
		if (sent < first.count && (double)(now_ns - began_ns) / 1e9 * rate >= sent) {
			send_syn(&first, sent++, false);
			last_ns = now_ns;
		} else if (sent == first.count && now_ns - last_ns > GIVE_UP_NS) {
			break;
		}
		double due_ns = sent / rate * 1e9 - (double)(load_now_ns() - began_ns);
		struct timespec until = {.tv_nsec = due_ns <= 0         ? 0
						    : due_ns < 50000000 ? (long)due_ns
									: 50000000};
		if (sent == first.count)
			until.tv_nsec = 50000000;
		if (ppoll(&wait, 1, &until, NULL) > 0)
			hear(&first);
	}
	tell(&first);
	return 0;
}
