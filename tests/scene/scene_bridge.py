"""The bridge, on one host.

        host
    c1 ---+
    c2 ---+--- blue 198.51.100.0/24 (documentation addresses, RFC 5737)
    c3 ---+
"""
import time

from lib import RpcError, must, run, scene, transfer, until

BLUE = """
weft: 1
networks:
  blue: {subnets: [198.51.100.0/24, "2001:db8:1::/64"]}
ports:
  c1: {type: veth, network: blue, namespace: @c1@, addresses: [198.51.100.1/24, "2001:db8:1::1/64"]}
  c2: {type: veth, network: blue, namespace: @c2@, addresses: [198.51.100.2/24, "2001:db8:1::2/64"]}
"""
C3 = """
  c3: {type: veth, network: blue, namespace: @c3@, addresses: [198.51.100.3/24]}
"""


def two(s, more=""):
    h, c1, c2 = s.host("h"), s.netns("c1"), s.netns("c2")
    h.apply(BLUE + more)
    return h, c1, c2


@scene
def containers_on_one_network_talk_v4_and_v6(s):
    h, c1, c2 = two(s)
    c1.must_reach("198.51.100.2")
    c2.must_reach("2001:db8:1::1")
    transfer(c1, c2, "198.51.100.2")
    transfer(c2, c1, "2001:db8:1::1")
    macs = {m["port"] for m in h.show("macs")}
    must({"c1", "c2"} <= macs, "both stations are learned, not " + str(macs))


@scene
def the_offloads_of_the_user_stay_as_they_were(s):
    h, c1, c2 = two(s)
    c1.must_reach("198.51.100.2")
    for c in (c1, c2):
        said = c.run("ethtool", "-k", "eth0").stdout
        for feature in ("tx-checksumming", "tcp-segmentation-offload"):
            must(feature + ": on" in said, "%s is on in %s" %
                 (feature, c.name))
    for port in ("c1", "c2"):
        must(not h.port(port)["drops"].get("malformed"), "no frame of a "
             "healthy kernel is called malformed")


@scene
def an_applied_file_applied_again_changes_nothing(s):
    h, c1, c2 = two(s)
    c1.must_reach("198.51.100.2")
    before = c1.ip("link", "show", "eth0").stdout
    must(h.apply(BLUE)["changes"] == [], "no changes are listed")
    must(c1.ip("link", "show", "eth0").stdout == before, "same device")
    c1.must_reach("198.51.100.2")


@scene
def a_port_comes_and_goes_and_the_others_do_not_feel_it(s):
    h, c1, c2 = two(s)
    c3 = s.netns("c3")
    c1.must_reach("198.51.100.2")
    pings = c1.popen("ping", "-q", "-i", "0.01", "-c", "300", "198.51.100.2",
                     stdout=-1)
    for _ in range(3):
        h.apply(BLUE + C3)
        c1.must_reach("198.51.100.3")
        h.apply(BLUE)
        c1.must_not_reach("198.51.100.3")
    out = pings.communicate(timeout=30)[0].decode()
    must(" 0% packet loss" in out, "c1 to c2 lost nothing: " + out)
    must("eth0" not in c3.ip("link").stdout, "the far end is gone")


@scene
def a_namespace_deleted_and_made_again_is_attached_again(s):
    h, c1, c2 = two(s)
    c1.must_reach("198.51.100.2")
    c2.delete()
    h.port_is("c2", "absent")
    must("namespace" in h.port("c2")["missing"] or "gone" in
         h.port("c2")["missing"], "it says what is missing: " +
         h.port("c2")["missing"])
    c2.make()
    h.port_is("c2", "up")
    c1.must_reach("198.51.100.2")


@scene
def a_device_deleted_in_the_middle_of_a_burst_harms_nobody(s):
    h, c1, c2 = two(s)
    c3 = s.netns("c3")
    h.apply(BLUE + C3)
    c1.must_reach("198.51.100.3")
    flood = c1.popen("ping", "-f", "-q", "-w", "3", "198.51.100.3")
    time.sleep(0.5)
    c3.ip("link", "del", "eth0")
    flood.wait(10)
    c1.must_reach("198.51.100.2")
    must(h.is_up(), "the daemon lives")


@scene
def vlans_of_a_trunk_are_kept_apart(s):
    h = s.host("h")
    spaces = {n: s.netns(n) for n in ("a10", "b10", "a20", "t")}
    h.apply("""
weft: 1
bridges: {br0: }
ports:
  a10: {type: veth, bridge: br0, namespace: @a10@, vlan: {access: 10}, addresses: [198.51.100.1/24]}
  b10: {type: veth, bridge: br0, namespace: @b10@, vlan: {access: 10}, addresses: [198.51.100.2/24]}
  a20: {type: veth, bridge: br0, namespace: @a20@, vlan: {access: 20}, addresses: [198.51.100.3/24]}
  t: {type: veth, bridge: br0, namespace: @t@, vlan: {trunk: [10, 20]}}
""")
    a, b, c, t = (spaces[n] for n in ("a10", "b10", "a20", "t"))
    a.must_reach("198.51.100.2")
    a.must_not_reach("198.51.100.3")
    watch = t.popen("tcpdump", "-l", "-e", "-n", "-i", "eth0", "arp",
                    stdout=-1)
    time.sleep(0.7)
    a.run("arping", "-c", "2", "-w", "1", "-I", "eth0", "198.51.100.77",
          check=False)
    c.run("arping", "-c", "2", "-w", "1", "-I", "eth0", "198.51.100.88",
          check=False)
    time.sleep(0.3)
    watch.terminate()
    out = watch.communicate(timeout=10)[0].decode()
    must("vlan 10" in out and "198.51.100.77" in out,
         "the trunk hears VLAN 10 tagged: " + out)
    must("vlan 20" in out, "and VLAN 20: " + out)


@scene
def isolated_ports_reach_others_but_not_each_other(s):
    h, c1, c2, c3 = s.host("h"), s.netns("c1"), s.netns("c2"), s.netns("c3")
    h.apply((BLUE + C3).replace("2001:db8:1::1/64\"]", "2001:db8:1::1/64\"], "
                                "isolated: true").replace(
        "2001:db8:1::2/64\"]", "2001:db8:1::2/64\"], isolated: true"))
    c1.must_reach("198.51.100.3")
    c1.must_not_reach("198.51.100.2")


@scene
def a_loop_is_cut_within_a_second_and_opened_when_it_is_gone(s):
    h, c1, c2 = s.host("h"), s.netns("c1"), s.netns("c2")
    # Two more ports joined by a cable: what leaves by one comes in by the other.
    run("ip", "-n", h.name, "link", "add", "la", "type", "veth", "peer", "name",
        "lb")
    for d in ("la", "lb"):
        h.ip("link", "set", d, "up")
    h.apply(BLUE + """
  la: {type: veth, network: blue, device: la, create: false}
  lb: {type: veth, network: blue, device: lb, create: false}
""")
    until("one of the two is blocked", lambda: "blocked" in
          (h.port("la")["state"], h.port("lb")["state"]), 3)
    must({h.port("la")["state"], h.port("lb")["state"]} != {"blocked"},
         "only one of them")
    must("brings back" in h.said(), "the log says why")
    c1.must_reach("198.51.100.2")
    h.ip("link", "del", "la")


@scene
def a_flood_of_macs_from_one_port_leaves_the_others_alone(s):
    h, c1, c2 = s.host("h"), s.netns("c1"), s.netns("c2")
    c3 = s.netns("c3")
    h.apply(BLUE + C3)
    c1.must_reach("198.51.100.2")
    flooder = c3.popen("python3", "-c", """
import os, socket, time
s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
s.bind(("eth0", 0))
end = time.time() + 3
while time.time() < end:
    for _ in range(64):
        s.send(b"\\x02" + os.urandom(5) + b"\\x02" + os.urandom(5) +
               b"\\x88\\xb6" + bytes(46))
""")
    time.sleep(0.5)
    out = c1.run("ping", "-q", "-i", "0.01", "-c", "150", "198.51.100.2",
                 check=False).stdout
    flooder.wait(20)
    must(" 0% packet loss" in out, "the neighbour loses nothing: " + out)
    known = {m["port"] for m in h.show("macs")}
    must({"c1", "c2"} <= known, "the quiet stations are still known")


@scene
def a_rule_of_the_file_drops_what_it_says(s):
    h, c1, c2 = s.host("h"), s.netns("c1"), s.netns("c2")
    h.apply("""
weft: 1
bridges:
  br0:
    rules: ["priority=100,icmp actions=drop"]
ports:
  c1: {type: veth, bridge: br0, namespace: @c1@, addresses: [198.51.100.1/24]}
  c2: {type: veth, bridge: br0, namespace: @c2@, addresses: [198.51.100.2/24]}
""")
    c1.must_not_reach("198.51.100.2")
    transfer(c1, c2, "198.51.100.2", 4)
    must(h.drops("c1", "rule") >= 3, "the drops are counted with the reason")


@scene(long=True)
def a_thousand_ports_in_one_apply_take_less_than_five_seconds(s):
    h = s.host("h")
    s.netns("far")
    ports = "".join("  p%d: {type: veth, network: blue, namespace: @far@, "
                    "device: f%d}\n" % (i, i) for i in range(1000))
    began = time.monotonic()
    try:
        h.apply("weft: 1\nnetworks: {blue: {subnets: [10.0.0.0/16]}}\n"
                "ports:\n" + ports)
    except RpcError as e:
        must(False, str(e))
    took = time.monotonic() - began
    must(len(h.show("ports")) == 1000, "all are there")
    must(took < 5, "took %.1f s" % took)
    began = time.monotonic()
    h.rpc("down")
    must(time.monotonic() - began < 10, "and go in good time")
