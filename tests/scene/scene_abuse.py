"""One port floods with all it has; the others notice nothing.

    c1 --- blue --+           c3 --- blue: ARP, stations, flows, groups, lies
                  r1
    c2 --- green -+
"""
import sys
import time

from lib import must, scene, transfer

NET = """
weft: 1
networks: {blue: {subnets: [198.51.100.0/24]}, green: {subnets: [203.0.113.0/24]}}
routers:
  r1: {networks: {blue: {addresses: [198.51.100.254/24]}, green: {addresses: [203.0.113.254/24]}}}
ports:
  c1: {type: veth, network: blue, namespace: @c1@, addresses: [198.51.100.1/24]}
  c2: {type: veth, network: green, namespace: @c2@, addresses: [203.0.113.2/24]}
  c3: {type: veth, network: blue, namespace: @c3@, addresses: [198.51.100.3/24]}
"""
# Four kinds of flood at once, for argv[1] seconds, as fast as they go.
FLOODER = """
import os, random, socket, struct, sys, time
s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
s.bind(("eth0", 0))
s.setblocking(False)
me = s.getsockname()[4]
router = bytes.fromhex(sys.argv[2].replace(":", ""))
def arp(i):
    who = struct.pack(">I", 0xc6336400 | i & 0xff)
    return (b"\\xff" * 6 + me + bytes.fromhex("08060001080006040001") + me +
            bytes([198, 51, 100, 3]) + bytes(6) + who)
def mac(i):
    return (b"\\x02\\xfe" + os.urandom(4) + b"\\x02" + os.urandom(5) +
            b"\\x88\\xb6" + bytes(46))
def flow(i):
    ip = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 46, i & 0xffff, 0, 64, 17, 0,
                     bytes([198, 51, 100, 3]),
                     bytes([203, 0, 113, random.randrange(3, 250)]))
    n = sum(struct.unpack(">10H", ip))
    n = (n & 0xffff) + (n >> 16)
    n = ~((n & 0xffff) + (n >> 16)) & 0xffff
    ip = ip[:10] + struct.pack(">H", n) + ip[12:]
    return (router + me + b"\\x08\\x00" + ip + os.urandom(4) +
            struct.pack(">HH", 26, 0) + bytes(18))
def ping(i):
    return flow(i)[:14 + 16] + bytes([198, 51, 100, 254]) + os.urandom(26)
kinds = (arp, mac, flow, ping)
end = time.time() + float(sys.argv[1])
i = 0
while time.time() < end:
    for _ in range(64):
        i += 1
        try:
            s.send(kinds[i % 4](i))
        except OSError:
            pass
print(i)
"""
FLOOD_S = 8


@scene
def a_port_that_floods_stops_nobody_elses_tcp(s):
    h = s.host("h")
    c1, c2, c3 = (s.netns(n) for n in ("c1", "c2", "c3"))
    h.apply(NET)
    c1.must_reach("203.0.113.2")
    c3.must_reach("198.51.100.254")
    router = c3.ip("neigh", "show", "198.51.100.254").stdout.split()[4]
    # Longer than all below takes on a busy machine; ended, then, by us.
    flooder = c3.popen(sys.executable, "-c", FLOODER, "120", router)
    began = time.monotonic()
    n = 0
    while time.monotonic() - began < FLOOD_S:
        transfer(c1, c2, "203.0.113.2", 8, 5001 + n)
        n += 1
    must(flooder.poll() is None, "the flood lasted as long")
    # While it does, stations that nobody knows yet are still found.
    c2.ip("neigh", "flush", "dev", "eth0")
    must(c2.ping("198.51.100.1", 3) == 1.0, "a neighbour is found meanwhile")
    flooder.terminate()
    flooder.wait(20)
    must(sum((h.port("c3")["drops"] or {}).values()) > 0,
         "what it sent too much of is counted as its own")
    must(h.drops("c1", "punt-quota") == 0 and h.drops("c2", "punt-quota") == 0,
         "and nothing of the others'")
    c3.must_reach("198.51.100.254")
    must(len(h.show("macs")) <= 2 * 8192, "each bridge keeps to its limit")
