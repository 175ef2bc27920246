/* SPDX-License-Identifier: Apache-2.0 */
/* A capture file of any bytes: read to its end without leaving it. */
#include "packet/pcap_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pcap_file f;
	struct pcap_frame p;
	struct err e = ERR_INIT;
	size_t n = 0;
	int rc = pcap_file_decode(&f, data, size, &e);

	while (!rc && (rc = pcap_file_next(&f, &p, &e)) == 1) {
		must(p.bytes >= data && p.bytes + p.len <= data + size);
		must(p.len <= PCAP_FILE_MAX_PACKET && p.len <= p.wire_len);
		must(++n <= size);
		rc = 0;
	}
	must((rc < 0) == err_is_set(&e));
	err_fini(&e);
	return 0;
}
