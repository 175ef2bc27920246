/* SPDX-License-Identifier: Apache-2.0 */
/* Why a packet was dropped: one table of names, sentences, and nothing else.
 *
 * What      enum drop, its name for counters, its sentence for people.
 * Why so    every drop in weft has one of these; `weft drops`, explain, the
 *           counters and the tests all read the same table.
 * Threads   any. */
#ifndef PACKET_DROP_H
#define PACKET_DROP_H

/* X(ENUM, name, sentence) */
#define DROP_TABLE(X)                                                          \
	X(NONE, "none", "not dropped")                                         \
	X(TRUNCATED, "truncated", "a header ends before it should")            \
	X(MALFORMED, "malformed", "a header contradicts itself")               \
	X(POOL_EMPTY, "pool-empty", "no buffer was free")                      \
	X(RX_FULL, "rx-full", "it came faster than weft could take it")        \
	X(PORT_DOWN, "port-down", "the port or its device is down")            \
	X(NO_PORT, "no-port", "the port it should leave by does not exist")    \
	X(TX_FULL, "tx-full", "the receiver's queue is full")                  \
	X(TX_ERROR, "tx-error", "the kernel refused to send it")               \
	X(TOO_BIG, "too-big", "larger than the port's MTU")                    \
	X(NO_BRIDGE, "no-bridge", "its port belongs to no bridge")             \
	X(VLAN_INGRESS, "vlan-ingress",                                        \
	  "its VLAN is not allowed at this port")                              \
	X(VLAN_NONE, "vlan-none", "untagged at a port that takes tagged only") \
	X(RESERVED_MAC, "reserved-mac",                                        \
	  "addressed to a link-local group that bridges must not forward")     \
	X(SOURCE_MULTICAST, "source-multicast",                                \
	  "its source is a group address")                                     \
	X(SAME_PORT, "same-port", "its destination is where it came from")     \
	X(ISOLATED, "isolated", "both ports are isolated from each other")     \
	X(LOOP, "loop", "its port brings our own frames back")                 \
	X(STORM, "storm",                                                      \
	  "over the port's limit for broadcast, multicast or unknown frames")  \
	X(MAC_LIMIT, "mac-limit", "its port has as many stations as allowed")  \
	X(MAC_STATIC, "mac-static",                                            \
	  "its source address belongs to another port")                        \
	X(NO_MEMBERS, "no-members", "nobody else is in its network")           \
	X(NOT_A_PEER, "not-a-peer",                                            \
	  "the tunnel packet comes from no known peer")                        \
	X(NO_NETWORK, "no-network", "no network has this tunnel identifier")   \
	X(TUNNEL_LOOP, "tunnel-loop", "would go from one peer to another")     \
	X(NO_ROUTE, "no-route", "the router has no route to its destination")  \
	X(ROUTE_BLACKHOLE, "blackhole", "a route says so")                     \
	X(TTL, "ttl", "its time to live ran out")                              \
	X(MARTIAN, "martian", "an address that must not be routed")            \
	X(IP_HEADER, "ip-header", "its IP header is invalid")                  \
	X(IP_CSUM, "ip-checksum", "its IP header checksum is wrong")           \
	X(NEIGH_WAIT, "neighbour-queue",                                       \
	  "too many packets wait for this neighbour")                          \
	X(NEIGH_FAILED, "neighbour-failed", "the neighbour does not answer")   \
	X(NOT_FOR_ROUTER, "not-for-router",                                    \
	  "no service of the router listens there")                            \
	X(RULE, "rule", "a rule drops it")                                     \
	X(NO_RULE, "no-rule", "no rule of the table matches it")               \
	X(METER, "meter", "over its meter's rate")                             \
	X(PUNT_QUOTA, "punt-quota",                                            \
	  "too many packets of this port want the slow path")                  \
	X(ACTION, "action", "an action does not fit the packet")               \
	X(RECURSION, "recursion", "the pipeline went around too often")        \
	X(UNSUPPORTED, "unsupported", "something asked for is not supported")  \
	X(SHUTDOWN, "shutdown", "the daemon is going down")

enum drop {
#define X(id, name, sentence) DROP_##id,
	DROP_TABLE(X)
#undef X
		N_DROPS
};

const char *drop_name(enum drop d);
const char *drop_sentence(enum drop d);

#endif
