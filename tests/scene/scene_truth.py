"""explain is never wrong: each packet is asked about, then sent, and compared.

The network, its stations and the packets are those of truth.py.
"""
import os
import time

import truth
from lib import scene


def compare(s, seed, n):
    world = truth.World(s, seed)
    packets = truth.Packets(world)
    try:
        for i in range(n):
            st, make = packets.draw()
            world.try_packet(st, make, check_drops=i % 8 == 0)
        world.must_be_over()
    except Exception as e:
        raise type(e)("seed %d, packet %d: %s\n%s" % (
            seed, world.compared, e, world.text)) from e


def seed_of():
    return int(os.environ.get("WEFT_SEED", time.time_ns() % 100000))


@scene
def packets_go_where_explain_says_on_two_hosts(s):
    compare(s, seed_of(), 400)
