"""What weft puts on the underlay, judged by somebody else: tshark.

    ca --- blue === a ---- 192.0.2.0/24 ---- b === blue --- cb
    ga --- green ==      (no offloads here)    == green --- gb      r1 on both
"""
from lib import capture, must, scene, transfer, tshark
from scene_overlay import V4, V6, hosts


def judge(s, addresses, talk):
    a, b, stations = hosts(s, addresses)
    # As on a real wire: packets whole, sums finished.
    for h in (a, b):
        h.run("ethtool", "-K", "u0", "tx", "off", "gso", "off", "tso", "off",
              "gro", "off")
    stations[0].must_reach("198.51.100.2")
    end = capture(b, "u0", "udp port 4789")
    talk(*stations)
    return end()


def sound(path):
    total = tshark(path, "vxlan", "vxlan.vni")
    must(len(total) > 100, "there is something to judge: %d" % len(total))
    bad = ("_ws.malformed || ip.checksum.status == 0 || "
           "tcp.checksum.status == 0 || udp.checksum.status == 0 || "
           "icmp.checksum.status == 0 || icmpv6.checksum.status == 0")
    wrong = tshark(path, bad, "frame.number", "_ws.col.Info")
    must(not wrong, "tshark finds faults: %s" % wrong[:5])
    inside = tshark(path, "tcp.checksum.status == 1", "frame.number")
    must(inside, "and it did look at the sums inside")
    flags = set(tshark(path, "vxlan", "vxlan.flags"))
    must(flags == {"0x0800"}, "only the flag of the VNI: %s" % flags)
    return set(total)


def talk(ca, ga, cb, gb):
    transfer(ca, cb, "198.51.100.2", 2)
    transfer(cb, ca, "2001:db8:1::1", 2)
    transfer(ga, cb, "198.51.100.2", 1)
    for size in ("0", "56", "1400", "3000"):
        ca.ping("198.51.100.2", 1, extra=("-s", size))
        ca.ping("2001:db8:1::2", 1, extra=("-s", size))
    ga.ping("203.0.113.2")


@scene
def tshark_finds_no_fault_with_vxlan_over_ipv4(s):
    path = judge(s, V4, talk)
    vnis = sound(path)
    must(vnis == {"100", "200"}, "both networks, by their numbers: %s" % vnis)
    ttl = tshark(path, "vxlan && !(ip.ttl >= 1)", "frame.number")
    must(not ttl, "a time to live on each")


@scene
def tshark_finds_no_fault_with_vxlan_over_ipv6(s):
    path = judge(s, V6, talk)
    must(sound(path) == {"100", "200"}, "both networks, by their numbers")
