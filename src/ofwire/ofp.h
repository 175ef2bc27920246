/* SPDX-License-Identifier: Apache-2.0 */
/* The numbers of OpenFlow that more than one message needs.
 *
 * What      versions, reserved ports, groups, tables, buffers, and the dialect:
 *           how one peer is spoken to.
 * Why so    above this room a port is 32 bits and a constant has one value; the
 *           16-bit ports of 1.0 exist on the wire only.
 * Threads   constants.
 * Refs      OpenFlow 1.0.0, 1.1.0, 1.2, 1.3.5, 1.4.1, 1.5.1. */
#ifndef OFWIRE_OFP_H
#define OFWIRE_OFP_H

#include "base/defs.h"

enum of_version {
	OF10 = 1,
	OF11,
	OF12,
	OF13,
	OF14,
	OF15,
};
#define OF_VERSION_MIN OF10
#define OF_VERSION_MAX OF15

/* How a peer is spoken to. The Nicira forms matter to 1.0 alone. */
struct of_dialect {
	uint8_t version; /* enum of_version */
	bool nxm;      /* 1.0: flows as NXT_FLOW_MOD and NXST_FLOW have them */
	bool table_id; /* 1.0: the high byte of a command is the table */
};

#define OF_PORT_MAX 0xffffff00u
#define OF_PORT_UNSET 0xfffffff7u /* actset_output without an output */
#define OF_PORT_IN_PORT 0xfffffff8u
#define OF_PORT_TABLE 0xfffffff9u
#define OF_PORT_NORMAL 0xfffffffau
#define OF_PORT_FLOOD 0xfffffffbu
#define OF_PORT_ALL 0xfffffffcu
#define OF_PORT_CONTROLLER 0xfffffffdu
#define OF_PORT_LOCAL 0xfffffffeu
#define OF_PORT_NONE 0xffffffffu /* ANY from 1.1 on */

#define OF_GROUP_MAX 0xffffff00u
#define OF_GROUP_ALL 0xfffffffcu
#define OF_GROUP_ANY 0xffffffffu

#define OF_METER_MAX 0xffff0000u
#define OF_METER_SLOWPATH 0xfffffffdu
#define OF_METER_CONTROLLER 0xfffffffeu
#define OF_METER_ALL 0xffffffffu

#define OF_QUEUE_ALL 0xffffffffu
#define OF_TABLE_ALL 0xffu
#define OF_BUFFER_NONE 0xffffffffu
#define OF_LEN_NO_BUFFER 0xffffu /* OFPCML_NO_BUFFER: the whole packet */
#define OF_MESSAGE_MAX 0xffffu

#define OF_VENDOR_NICIRA 0x00002320u
#define OF_VENDOR_ONF 0x4f4e4600u
#define OF_VENDOR_NSH 0x005ad650u /* experimenter of the NSH fields */
#define OF_VENDOR_INTEL 0x0000aa01u

/* "OpenFlow13", or NULL. */
const char *of_version_name(unsigned version);
/* By that name, "1.3" or "OpenFlow1.3"; 0 when it is none. */
unsigned of_version_by_name(const char *name);

/* Ports of 1.0 <-> ours. A port that 16 bits cannot say becomes NONE. */
static inline uint32_t of_port_from_16(uint16_t port)
{
	return port >= 0xff00u ? port | 0xffff0000u : port;
}

static inline uint16_t of_port_to_16(uint32_t port)
{
	return port < 0xff00u || port >= 0xffffff00u ? (uint16_t)port : 0xffffu;
}

#endif
