"""Multicast goes where somebody listens: real joins, on one host and across two.

    ca, cx, cq --- blue === a ---- 192.0.2.0/24 ---- b === blue --- cb, cy
    cq asks for members (IGMP, MLD); cb sends; cx and cy never join
"""
import subprocess
import sys
import time

from lib import capture, must, scene, tshark, until

NET = """
weft: 1
networks:
  blue: {subnets: [198.51.100.0/24, "2001:db8:1::/64"], vni: 100}
hosts:
  a:
    underlay: {address: 192.0.2.1}
    ports:
      ca: {type: veth, network: blue, namespace: @ca@, addresses: [198.51.100.1/24, "2001:db8:1::1/64"]}
      cx: {type: veth, network: blue, namespace: @cx@, addresses: [198.51.100.2/24, "2001:db8:1::2/64"]}
      cq: {type: veth, network: blue, namespace: @cq@, addresses: [198.51.100.3/24, "2001:db8:1::3/64"]}
  b:
    underlay: {address: 192.0.2.2}
    ports:
      cb: {type: veth, network: blue, namespace: @cb@, addresses: [198.51.100.4/24, "2001:db8:1::4/64"]}
      cy: {type: veth, network: blue, namespace: @cy@, addresses: [198.51.100.5/24, "2001:db8:1::5/64"]}
"""
GROUP4, GROUP6 = "233.252.0.1", "ff3e::8000:1"
SETTLE_S = 21  # MCAST_SETTLE_MS and a second

# General queries of IGMPv2 and MLDv1 with a response time of one second.
QUERIER = """
import socket, struct, time
def ones(b):
    b += b"\\0" * (len(b) % 2)
    n = sum(struct.unpack(">%dH" % (len(b) // 2), b))
    while n >> 16: n = (n & 0xffff) + (n >> 16)
    return ~n & 0xffff
s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
s.bind(("eth0", 0))
mac = s.getsockname()[4]
igmp = struct.pack(">BBHI", 0x11, 10, 0, 0)
igmp = igmp[:2] + struct.pack(">H", ones(igmp)) + igmp[4:]
ip = struct.pack(">BBHHHBBH4s4sI", 0x46, 0xc0, 32, 1, 0, 1, 2, 0,
                 socket.inet_aton("198.51.100.3"),
                 socket.inet_aton("224.0.0.1"), 0x94040000)
ip = ip[:10] + struct.pack(">H", ones(ip)) + ip[12:]
four = bytes.fromhex("01005e000001") + mac + b"\\x08\\x00" + ip + igmp
src = b"\\xfe\\x80" + bytes(6) + bytes([mac[0] ^ 2]) + mac[1:3] + b"\\xff\\xfe" + mac[3:]
dst = socket.inet_pton(socket.AF_INET6, "ff02::1")
mld = struct.pack(">BBHHH16s", 130, 0, 0, 1000, 0, bytes(16))
mld = mld[:2] + struct.pack(">H", ones(
    src + dst + struct.pack(">II", len(mld), 58) + mld)) + mld[4:]
six = (bytes.fromhex("333300000001") + mac + b"\\x86\\xdd" +
       struct.pack(">IHBB", 6 << 28, 8 + len(mld), 0, 1) + src + dst +
       bytes.fromhex("3a00050200000100") + mld)
while True:
    s.send(four); s.send(six)
    time.sleep(2)
"""
# Joins both groups and counts what arrives for them; one line a second.
MEMBER = """
import select, socket, struct, sys, time
socks = []
for family, group, option in ((socket.AF_INET, %r, socket.IP_ADD_MEMBERSHIP),
                              (socket.AF_INET6, %r, socket.IPV6_JOIN_GROUP)):
    s = socket.socket(family, socket.SOCK_DGRAM)
    if family == socket.AF_INET6:
        s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    s.bind((group if family == socket.AF_INET else "::", 5000))
    index = socket.if_nametoindex("eth0")
    if family == socket.AF_INET:
        s.setsockopt(socket.IPPROTO_IP, option, socket.inet_aton(group) +
                     bytes(4) + struct.pack("I", index))
    else:
        s.setsockopt(socket.IPPROTO_IPV6, option,
                     socket.inet_pton(family, group) + struct.pack("I", index))
    socks.append(s)
print("ready", flush=True)
got = [0, 0]
while min(got) < 5:
    for s in select.select(socks, [], [])[0]:
        s.recv(2000)
        got[socks.index(s)] += 1
print("heard", flush=True)
""" % (GROUP4, GROUP6)
SEND = """
import socket, struct, time
four = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
six = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
four.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, 8)
four.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, bytes(8) +
                struct.pack("I", socket.if_nametoindex("eth0")))
six.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_HOPS, 8)
for i in range(40):
    four.sendto(b"weft-multicast", (%r, 5000))
    six.sendto(b"weft-multicast", (%r, 5000, 0, socket.if_nametoindex("eth0")))
    time.sleep(0.02)
""" % (GROUP4, GROUP6)
# How many frames with the mark come in by eth0 until told to stop.
COUNTER = """
import signal, socket, sys
s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
s.bind(("eth0", 3))
n = 0
def end(*_):
    print(n, flush=True)
    sys.exit(0)
signal.signal(signal.SIGTERM, end)
print("ready", flush=True)
while True:
    frame, at = s.recvfrom(65536)
    n += at[2] != socket.PACKET_OUTGOING and b"weft-multicast" in frame
"""


def start(ns, code):
    p = ns.popen(sys.executable, "-c", code, stdout=subprocess.PIPE,
                 stderr=subprocess.STDOUT)
    said = p.stdout.readline()
    must(said == b"ready\n", "a listener starts: %s" % said)
    return p


def hears(s, sender, listeners):
    """How many frames of 80 each listener's wire carried."""
    counters = [start(n, COUNTER) for n in listeners]
    sender.python(SEND)
    time.sleep(0.3)
    for c in counters:
        c.terminate()
    return [int(c.stdout.read()) for c in counters]


@scene
def groups_go_to_those_who_joined_across_hosts_too(s):
    a, b = s.host("a", False), s.host("b", False)
    s.link(a, "u0", b, "u0")
    for h, address in ((a, "192.0.2.1/24"), (b, "192.0.2.2/24")):
        h.ip("addr", "add", address, "dev", "u0")
        h.start()
    ca, cx, cq, cb, cy = (s.netns(n) for n in ("ca", "cx", "cq", "cb", "cy"))
    for h in (a, b):
        h.apply(NET)
    ca.must_reach("198.51.100.4")
    cy.must_reach("2001:db8:1::1")
    # Nobody asks for members yet: flooded, on both hosts.
    flooded = hears(s, cb, (ca, cx, cy))
    must(flooded == [80, 80, 80], "flooded while no querier is known: %s" %
         flooded)
    cq.popen(sys.executable, "-c", QUERIER)
    member = start(ca, MEMBER)
    time.sleep(SETTLE_S)
    heard = hears(s, cb, (ca, cx, cy, cq))
    must(heard == [80, 0, 0, 80],
         "the member and the querier hear it, others do not: %s" % heard)
    must(member.wait(10) == 0 and b"heard" in member.stdout.read(),
         "the member's sockets got both families")
    # It left: its wire falls silent (the querier asks every two seconds).
    until("who left hears nothing", lambda: hears(s, cb, (ca,)) == [0], 30)
    # A member on the sender's own host: the other host is not bothered but for
    # the querier there.
    member = start(cy, MEMBER)
    until("a new member hears at once", lambda: hears(s, cb, (cy,)) == [80])
    must(member.wait(10) == 0, "and its sockets do")

    # Once it left, nothing crosses to a host where nobody listens.
    def crossed():
        end = capture(b, "u0", "udp port 4789")
        cx.python(SEND)
        return len(tshark(end(), "udp.dstport == 5000", "frame.number"))
    until("nothing crosses for nobody", lambda: crossed() == 0, 30)


@scene
def the_last_advertisement_takes_the_router_away(s):
    h, c1 = s.host("h"), s.netns("c1")
    net = """
weft: 1
networks: {blue: {subnets: ["2001:db8:1::/64"]}}
routers:
  r1: {networks: {blue: {addresses: ["2001:db8:1::ff/64"], advertise: %s}}}
ports:
  c1: {type: veth, network: blue, namespace: @c1@, addresses: ["2001:db8:1::1/64"]}
"""
    h.apply(net % "false")
    c1.run("sysctl", "-q", "-w", "net.ipv6.conf.eth0.accept_ra=2")
    end = capture(c1, "eth0", "icmp6 and ip6[40] == 134")
    h.apply(net % "true")

    def route():
        return "default" in c1.ip("-6", "route", "show", "proto",
                                  "ra").stdout
    until("a default route", route)
    h.apply(net % "false")
    until("no default route any more", lambda: not route())
    rows = [line.split("\t") for line in tshark(
        end(), "icmpv6.type == 134", "icmpv6.nd.ra.router_lifetime",
        "icmpv6.checksum.status", "_ws.malformed", "icmpv6.opt.prefix")]
    must(len(rows) >= 2 and rows[0][0] == "1800" and rows[-1][0] == "0" and
         all(r[1:] == ["1", "", "2001:db8:1::"] for r in rows),
         "tshark reads: lifetime, good checksum, not malformed, prefix: %s" %
         rows)
