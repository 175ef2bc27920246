/* SPDX-License-Identifier: Apache-2.0 */
/* Capture files of others, read: pcapng and the older pcap.
 *
 * What      walks the packets of a file that lies in memory: bytes, length on the
 *           wire, link type, time.
 * Why so    a packet that somebody captured can be asked about (explain --pcap).
 *           A file comes from anywhere: every length in it is checked, and memory
 *           is only read.
 * Invariant F1 a frame lies inside the file; len <= PCAP_FILE_MAX_PACKET. F2 each
 *           step goes forwards, so a file of n bytes ends after at most n steps.
 * Bounds    PCAP_FILE_INTERFACES interfaces of a section are known apart; what
 *           comes on a later one is passed over.
 * Threads   a value.
 * Refs      draft-ietf-opsawg-pcapng (2024); draft-ietf-opsawg-pcap (2024). */
#ifndef PACKET_PCAP_FILE_H
#define PACKET_PCAP_FILE_H

#include "base/err.h"
#include "packet/cursor.h"

#define PCAP_FILE_INTERFACES 256u
#define PCAP_FILE_MAX_PACKET 262144u

/* One file being read; the members are its own. */
struct pcap_file {
	struct cursor in;
	bool is_ng,
		swapped; /* swapped: of the other byte order than this one */
	uint32_t link_type, snap_len; /* pcap */
	uint32_t time_unit;           /* pcap: ns a unit of the fraction */
	uint32_t n_interfaces;
	struct pcap_file_interface {
		uint32_t link_type, snap_len;
		uint64_t units; /* a second has so many */
	} interfaces[PCAP_FILE_INTERFACES];
};

struct pcap_frame {
	const uint8_t *bytes;
	uint32_t len, wire_len;
	uint32_t link_type; /* as PCAPNG_LINK_* */
	uint32_t interface;
	uint64_t time_ns; /* since 1970; 0: not said */
};

/* Reads the head. -EINVAL with a sentence when it is no capture file. The bytes
 * must outlive `f`. */
int pcap_file_decode(struct pcap_file *f, const void *bytes, size_t len,
		     struct err *e) MUST_CHECK;
/* 1 and the next packet, 0 at the end, -EINVAL with a sentence. */
int pcap_file_next(struct pcap_file *f, struct pcap_frame *out,
		   struct err *e) MUST_CHECK;

#endif
