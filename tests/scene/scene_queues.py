"""TAPs with several queues, each held by a program of its own or by one.

    c1 --- blue --- t1: two queues, one program
"""
import subprocess
import sys

from lib import must, scene

NET = """
weft: 1
networks: {blue: {subnets: [198.51.100.0/24]}}
ports:
  c1: {type: veth, network: blue, namespace: @c1@, addresses: [198.51.100.1/24]}
  t1: {type: tap, network: blue, queues: 2}
"""
# Opens both queues of the TAP argv[1], sends 50 frames by each (numbered by queue),
# then counts the UDP datagrams that come by each until both had ten.
GUEST = """
import fcntl, os, select, struct, sys
def queue(name):
    fd = os.open("/dev/net/tun", os.O_RDWR)
    # IFF_TAP, IFF_NO_PI, IFF_MULTI_QUEUE
    fcntl.ioctl(fd, 0x400454CA, struct.pack("16sH22x", name, 0x1102))
    return fd
fds = [queue(sys.argv[1].encode()) for _ in range(2)]
print("ready", flush=True)
sys.stdin.readline()
for n, fd in enumerate(fds):
    for i in range(50):
        os.write(fd, b"\\xff" * 6 + bytes([2, 0, 0, 0, 7, n]) + b"\\x88\\xb6" +
                 b"weft-queue-%d" % n + bytes(40))
print("sent", flush=True)
got = [0, 0]
while min(got) < 10:
    for fd in select.select(fds, [], [])[0]:
        frame = os.read(fd, 65536)
        got[fds.index(fd)] += b"weft-datagram" in frame
print("heard", flush=True)
sys.stdin.readline()
"""
LISTEN = """
import socket, time
s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(0x88b6))
s.bind(("eth0", 0x88b6))
s.settimeout(10)
print("ready", flush=True)
got = [0, 0]
while min(got) < 50:
    frame = s.recv(2000)
    at = frame.find(b"weft-queue-")
    if at > 0: got[frame[at + 11] - 48] += 1
print("heard", flush=True)
"""
TALK = """
import socket, sys
for port in range(1000, 1400):
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.sendto(b"weft-datagram", ("198.51.100.9", port))
    s.close()
"""


def guest(h):
    p = h.popen(sys.executable, "-u", "-c", GUEST, "t1", stdin=subprocess.PIPE,
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    line = p.stdout.readline()
    must(line == b"ready\n", "both queues open: %s" % line)
    return p


def go(p):
    p.stdin.write(b"\n")
    p.stdin.flush()


@scene
def both_queues_of_a_tap_carry_frames_both_ways(s):
    h, c1 = s.host("h"), s.netns("c1")
    h.apply(NET)
    for life in range(2):  # the second guest finds all as the first did
        p = guest(h)
        h.port_is("t1", "up")
        listener = c1.popen(sys.executable, "-u", "-c", LISTEN,
                            stdout=subprocess.PIPE)
        listener.stdout.readline()
        go(p)
        must(listener.wait(15) == 0 and b"heard" in listener.stdout.read(),
             "what left by either queue arrives")
        c1.ip("neigh", "replace", "198.51.100.9", "lladdr",
              "02:00:00:00:07:00", "dev", "eth0")
        p.stdout.readline()
        c1.python(TALK)
        line = p.stdout.readline()
        must(line == b"heard\n", "both queues are given frames: %s" % line)
        go(p)
        must(p.wait(10) == 0, "the guest ends")
        h.port_is("t1", "down")
