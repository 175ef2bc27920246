"""Kinds of ports beside veth: the bridge's own device, patch, tap, the command."""
import json
import os
import time

from lib import WEFT, must, run, scene, transfer, until

READER = """
import fcntl, os, struct, sys, time
fd = os.open("/dev/net/tun", os.O_RDWR)
fcntl.ioctl(fd, 0x400454CA, struct.pack("16sH22x", sys.argv[1].encode(), 0x1002))
print("ready", flush=True)
want = bytes.fromhex(sys.argv[2])
while True:
    frame = os.read(fd, 65536)
    if want in frame:
        print("heard", flush=True)
        break
"""


@scene
def the_bridge_has_a_device_of_its_own_with_addresses(s):
    h, c1 = s.host("h"), s.netns("c1")
    h.apply("""
weft: 1
bridges:
  br0: {host: {addresses: [198.51.100.254/24, "2001:db8::ff/64"]}}
ports:
  c1: {type: veth, bridge: br0, namespace: @c1@, addresses: [198.51.100.1/24, "2001:db8::1/64"]}
""")
    c1.must_reach("198.51.100.254")
    h.must_reach("2001:db8::1")
    transfer(c1, h, "198.51.100.254")
    transfer(h, c1, "198.51.100.1", port=5002)


@scene
def a_patch_joins_two_bridges(s):
    h, c1, c2 = s.host("h"), s.netns("c1"), s.netns("c2")
    h.apply("""
weft: 1
bridges: {br0: , br1: }
ports:
  c1: {type: veth, bridge: br0, namespace: @c1@, addresses: [198.51.100.1/24]}
  c2: {type: veth, bridge: br1, namespace: @c2@, addresses: [198.51.100.2/24]}
  p0: {type: patch, bridge: br0, peer: p1}
  p1: {type: patch, bridge: br1, peer: p0}
""")
    c1.must_reach("198.51.100.2")
    transfer(c1, c2, "198.51.100.2")


@scene
def a_tap_is_made_with_its_owner_and_found_when_others_made_it(s):
    h, c1 = s.host("h"), s.netns("c1")
    h.apply("""
weft: 1
networks: {blue: {subnets: [198.51.100.0/24]}}
ports:
  c1: {type: veth, network: blue, namespace: @c1@, addresses: [198.51.100.1/24]}
  t1: {type: tap, network: blue, owner: nobody}
  t2: {type: tap, network: blue, create: false}
""")
    must("user nobody" in h.ip("-d", "tuntap", "show").stdout or
         "user 65534" in h.ip("-d", "tuntap", "show").stdout, "owner")
    must(h.port("t2")["state"] == "absent", "t2 waits for its device")
    h.ip("tuntap", "add", "t2", "mode", "tap")
    h.ip("link", "set", "t2", "up")
    until("t2 is attached", lambda: h.port("t2")["state"] != "absent")
    for t in ("t1", "t2"):
        reader = h.popen("python3", "-c", READER, t, "c6336463", stdout=-1)
        reader.stdout.readline()
        c1.run("arping", "-c", "3", "-w", "2", "-I", "eth0", "198.51.100.99",
               check=False)
        must(reader.wait(10) == 0 and b"heard" in reader.stdout.read(),
             t + " hears the broadcast")
    h.apply("weft: 1\n")
    left = h.ip("-br", "link").stdout
    must("t1" not in left and "t2" in left, "only what weft made is gone")


@scene
def a_static_station_cannot_be_taken_over(s):
    h, c1, c2 = s.host("h"), s.netns("c1"), s.netns("c2")
    h.apply("""
weft: 1
bridges:
  br0: {static_macs: [{mac: 02:00:00:00:00:01, port: c1}]}
ports:
  c1: {type: veth, bridge: br0, namespace: @c1@, mac: 02:00:00:00:00:01, addresses: [198.51.100.1/24]}
  c2: {type: veth, bridge: br0, namespace: @c2@, addresses: [198.51.100.2/24]}
""")
    c2.must_reach("198.51.100.1")
    c2.python("""
import socket
s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
s.bind(("eth0", 0))
for _ in range(20):
    s.send(b"\\xff" * 6 + bytes.fromhex("020000000001") + b"\\x88\\xb6" + bytes(46))
""")
    until("the lies are counted", lambda: h.drops("c2", "mac-static") >= 20)
    c2.must_reach("198.51.100.1")


@scene
def a_flood_of_new_flows_leaves_the_others_alone(s):
    h = s.host("h")
    c1, c2, c3 = (s.netns(n) for n in ("c1", "c2", "c3"))
    h.apply("""
weft: 1
networks: {blue: {subnets: [198.51.100.0/24]}, green: {subnets: [203.0.113.0/24]}}
routers:
  r1: {networks: {blue: {addresses: [198.51.100.254/24]}, green: {addresses: [203.0.113.254/24]}}}
ports:
  c1: {type: veth, network: blue, namespace: @c1@, addresses: [198.51.100.1/24]}
  c2: {type: veth, network: green, namespace: @c2@, addresses: [203.0.113.2/24]}
  c3: {type: veth, network: blue, namespace: @c3@, addresses: [198.51.100.3/24]}
""")
    c1.must_reach("203.0.113.2")
    c3.must_reach("198.51.100.254")
    flooder = c3.popen("python3", "-c", """
import os, socket, time
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.setblocking(False)
end = time.time() + 3
while time.time() < end:
    for i in range(64):
        a = os.urandom(2)
        try:
            s.sendto(b"x", ("203.0.%d.%d" % (a[0], a[1]), 1 + a[1]))
        except OSError:
            pass
""")
    time.sleep(0.5)
    out = c1.run("ping", "-q", "-i", "0.01", "-c", "150", "203.0.113.2",
                 check=False).stdout
    flooder.wait(20)
    must(" 0% packet loss" in out, "the neighbour loses nothing: " + out)


@scene
def the_command_shows_plans_and_explains(s):
    h, c1, c2 = s.host("h"), s.netns("c1"), s.netns("c2")
    path = os.path.join(h.folder, "net.yaml")
    with open(path, "w") as f:
        f.write(s.names("""weft: 1
networks:
  blue: {subnets: [198.51.100.0/24]}
  green: {subnets: [203.0.113.0/24]}
routers:
  r1: {networks: {blue: {addresses: [198.51.100.254/24]}, green: {addresses: [203.0.113.254/24]}}}
ports:
  web: {type: veth, network: blue, namespace: @c1@, addresses: [198.51.100.1/24]}
  db: {type: veth, network: green, namespace: @c2@, addresses: [203.0.113.2/24]}
"""))

    def weft(*words, status=0):
        p = run(WEFT, "--run", os.path.join(h.folder, "run"), *words,
                check=False)
        must(p.returncode == status, "weft %s: status %d: %s" %
             (" ".join(words), p.returncode, p.stdout))
        return p.stdout
    must("web" in weft("plan", path, status=2), "the plan names the port")
    weft("apply", path)
    must("nothing" in weft("plan", path).lower() or not weft(
        "plan", path).strip(), "nothing is left to do")
    c1.must_reach("203.0.113.2")
    said = weft("explain", "web", "->", "db:80")
    for word in ("web", "r1", "green", "db"):
        must(word in said, "explain tells of %s: %s" % (word, said))
    told = json.loads(weft("--json", "explain", "web", "->", "db:80"))
    must(told["drop"] is None and told["steps"], "and as JSON")
    must("r1" in weft(), "the screen shows the router")
    for kind in ("ports", "networks", "bridges", "routers", "neighbours",
                 "macs", "flows", "tunnels", "drops"):
        weft("show", kind)
        json.loads(weft("--json", "show", kind))
    weft("port", "add", "x1", "type=tap", "network=blue")
    must(h.port("x1"), "a port by command")
    weft("port", "del", "x1")
    must(not h.port("x1"), "and gone")
    weft("nonsense", status=64)
    weft("down")
