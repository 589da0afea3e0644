/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/flow.h"

#include "base/macros.h"
#include "base/parse.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

/* TCP_NEW_SYN_RECV of include/net/tcp_states.h: a request socket. It has no bit of its own in a dump. */
#define KERNEL_NEW_SYN_RECV 12

static const struct {
	const char *name;
	const char *title;
	unsigned kernel; /* include/net/tcp_states.h */
} states[] = {
	[TW_STATE_LISTEN] = { "listen", "LISTEN", 10 },
	[TW_STATE_SYN_SENT] = { "syn-sent", "SYN-SENT", 2 },
	[TW_STATE_SYN_RECV] = { "syn-recv", "SYN-RECV", 3 },
	[TW_STATE_ESTABLISHED] = { "established", "ESTABLISHED", 1 },
	[TW_STATE_FIN_WAIT_1] = { "fin-wait-1", "FIN-WAIT-1", 4 },
	[TW_STATE_FIN_WAIT_2] = { "fin-wait-2", "FIN-WAIT-2", 5 },
	[TW_STATE_CLOSE_WAIT] = { "close-wait", "CLOSE-WAIT", 8 },
	[TW_STATE_LAST_ACK] = { "last-ack", "LAST-ACK", 9 },
	[TW_STATE_CLOSING] = { "closing", "CLOSING", 11 },
	[TW_STATE_TIME_WAIT] = { "time-wait", "TIME-WAIT", 6 },
	[TW_STATE_BOUND] = { "bound", "BOUND", 13 },
};
_Static_assert(TW_ARRAY_SIZE(states) == TW_STATE_COUNT, "each state has its row");

const char *tw_state_name(enum tw_state state)
{
	return states[state].name;
}

const char *tw_state_title(enum tw_state state)
{
	return states[state].title;
}

bool tw_state_from_kernel(unsigned number, enum tw_state *ret)
{
	/* The same the other way round: it is asked for once a socket. 0: none; else the state and 1. */
	static const uint8_t by_kernel[] = {
		[1] = 1 + TW_STATE_ESTABLISHED,
		[2] = 1 + TW_STATE_SYN_SENT,
		[3] = 1 + TW_STATE_SYN_RECV,
		[4] = 1 + TW_STATE_FIN_WAIT_1,
		[5] = 1 + TW_STATE_FIN_WAIT_2,
		[6] = 1 + TW_STATE_TIME_WAIT,
		[8] = 1 + TW_STATE_CLOSE_WAIT,
		[9] = 1 + TW_STATE_LAST_ACK,
		[10] = 1 + TW_STATE_LISTEN,
		[11] = 1 + TW_STATE_CLOSING,
		[KERNEL_NEW_SYN_RECV] = 1 + TW_STATE_SYN_RECV,
		[13] = 1 + TW_STATE_BOUND,
	};

	if (number >= TW_ARRAY_SIZE(by_kernel) || by_kernel[number] == 0)
		return false;
	*ret = (enum tw_state)(by_kernel[number] - 1);
	return true;
}

uint32_t tw_state_kernel_bit(enum tw_state state)
{
	return UINT32_C(1) << states[state].kernel;
}

/* What stands before an IPv4 address in its IPv6 form: ::ffff:0:0/96 (RFC 4291, 2.5.5.2). */
static const uint8_t mapped_prefix[12] = { [10] = 0xff, [11] = 0xff };

static const uint8_t *ipv4_of(const struct tw_address *address)
{
	return address->bytes + sizeof(mapped_prefix);
}

struct tw_address tw_address_from_ipv4(const void *bytes4)
{
	struct tw_address address;

	memcpy(address.bytes, mapped_prefix, sizeof(mapped_prefix));
	memcpy(address.bytes + sizeof(mapped_prefix), bytes4, 4);
	return address;
}

bool tw_address_is_ipv4(const struct tw_address *address)
{
	return memcmp(address->bytes, mapped_prefix, sizeof(mapped_prefix)) == 0;
}

bool tw_address_is_loopback(const struct tw_address *address)
{
	static const uint8_t loopback6[16] = { [15] = 1 };

	if (tw_address_is_ipv4(address))
		return ipv4_of(address)[0] == 127;
	return memcmp(address->bytes, loopback6, sizeof(loopback6)) == 0;
}

bool tw_address_is_any(const struct tw_address *address)
{
	static const uint8_t any[16];
	size_t skipped = tw_address_is_ipv4(address) ? sizeof(mapped_prefix) : 0;

	return memcmp(address->bytes + skipped, any, sizeof(any) - skipped) == 0;
}

bool tw_address_equal(const struct tw_address *a, const struct tw_address *b)
{
	return memcmp(a->bytes, b->bytes, sizeof(a->bytes)) == 0;
}

void tw_address_add(struct tw_text *text, const struct tw_address *address)
{
	char out[INET6_ADDRSTRLEN];
	const char *written;

	if (tw_address_is_ipv4(address))
		written = inet_ntop(AF_INET, ipv4_of(address), out, sizeof(out));
	else
		written = inet_ntop(AF_INET6, address->bytes, out, sizeof(out));
	/* It fails for an unknown family or too little room alone; neither can be. */
	if (written)
		tw_text_add(text, written);
}

void tw_endpoint_add(struct tw_text *text, const struct tw_address *address, uint16_t port)
{
	bool bracketed = !tw_address_is_ipv4(address);

	if (bracketed)
		tw_text_add_char(text, '[');
	tw_address_add(text, address);
	if (bracketed)
		tw_text_add_char(text, ']');
	tw_text_addf(text, ":%u", (unsigned)port);
}

void tw_destination_add(struct tw_text *text, const struct tw_destination *destination)
{
	tw_address_add(text, &destination->source);
	tw_text_add(text, " -> ");
	tw_endpoint_add(text, &destination->destination, destination->port);
}

int tw_address_parse(const char *text, size_t length, struct tw_address *ret)
{
	char copy[INET6_ADDRSTRLEN];
	uint8_t bytes[16];

	/* A NUL inside would end the address early for inet_pton(). */
	if (length == 0 || memchr(text, '\0', length) || !tw_text_copy_bytes(copy, sizeof(copy), text, length))
		return -EINVAL;

	if (inet_pton(AF_INET, copy, bytes) == 1)
		*ret = tw_address_from_ipv4(bytes);
	else if (inet_pton(AF_INET6, copy, bytes) == 1)
		memcpy(ret->bytes, bytes, sizeof(bytes));
	else
		return -EINVAL;
	return 0;
}

int tw_port_parse(const char *text, size_t length, uint16_t *ret)
{
	uint64_t port;

	if (tw_parse_u64(text, length, &port) < 0 || port == 0 || port > UINT16_MAX)
		return -EINVAL;
	*ret = (uint16_t)port;
	return 0;
}

/* What divides the address from its port; NULL where the text is an address alone. */
static const char *find_port_colon(const char *text, size_t length)
{
	const char *last = memrchr(text, ':', length);

	if (!last)
		return NULL;
	if (text[0] == '[')
		return last > text && last[-1] == ']' ? last : NULL;
	/* More than one colon without brackets is an IPv6 address, which takes no port. */
	return memchr(text, ':', length) == last ? last : NULL;
}

int tw_endpoint_parse(const char *text, size_t length, struct tw_address *ret_address, uint16_t *ret_port)
{
	const char *colon = length > 0 ? find_port_colon(text, length) : NULL;
	size_t address_length = colon ? (size_t)(colon - text) : length;
	struct tw_address address;
	uint16_t port = 0;

	if (colon && tw_port_parse(colon + 1, length - address_length - 1, &port) < 0)
		return -EINVAL;
	if (address_length >= 2 && text[0] == '[' && text[address_length - 1] == ']') {
		text++;
		address_length -= 2;
		/* Brackets are for IPv6 alone. */
		if (!memchr(text, ':', address_length))
			return -EINVAL;
	}
	if (tw_address_parse(text, address_length, &address) < 0)
		return -EINVAL;

	*ret_address = address;
	*ret_port = port;
	return 0;
}
