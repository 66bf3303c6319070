#!/usr/bin/env python3
"""Both parity codes as docs/format.md describes them, without a library: computes the lost shards of a group or stripe from the rest.

    codes.py codes.json     loses shards of every group in that file, brings them back and compares
"""
import json, sys

CANTOR = [0x0001, 0xACCA, 0x3C0E, 0x163E, 0xC582, 0xED2E, 0x914C, 0x4012, 0x6C98, 0x10D8, 0x6A72, 0xB900, 0xFDB8, 0xFB34,
          0xFF38, 0x991E]


class Field:
    """GF(2^bits) by tables of powers of x; `basis` gives the polynomial that each bit of a number stands for."""

    def __init__(self, bits, polynomial, basis):
        self.order = (1 << bits) - 1
        powers, logs, state = [], {}, 1
        for power in range(self.order):
            powers.append(state)
            logs[state] = power
            state <<= 1
            state ^= polynomial if state >> bits else 0
        meaning = [0] * (1 << bits)
        for bit, value in enumerate(basis):
            for low in range(1 << bit):
                meaning[low | 1 << bit] = meaning[low] ^ value
        number = {value: at for at, value in enumerate(meaning)}
        self.log = [logs.get(value) for value in meaning]
        self.exp = [number[value] for value in powers]

    def times(self, a, b):
        return self.exp[(self.log[a] + self.log[b]) % self.order] if a and b else 0

    def over(self, a, b):
        return self.exp[(self.log[a] - self.log[b]) % self.order] if a else 0


GF8 = Field(8, 0x11D, [1 << bit for bit in range(8)])
GF16 = Field(16, 0x1002D, CANTOR)


def above(count):
    return 1 << (count - 1).bit_length()


def layout(codec, data, parity):
    """The points of the data shards and of the parity shards, the points that are zero, and how many points settle the polynomial."""
    if codec == "gf8":
        return range(data), range(data, data + parity), [], data
    high = above(data) > above(parity) or (above(data) == above(parity) and data <= parity)
    first, second = (parity, data) if high else (data, parity)
    start = above(first)
    total = above(start + second)
    here, there = range(first), range(start, start + second)
    if high:
        return there, here, list(range(start + second, total)), total - start
    return here, there, list(range(first, start)), start


def elements(codec, shard):
    if codec == "gf8":
        return list(shard)
    halves = [(shard[at:at + 32], shard[at + 32:at + 64]) for at in range(0, len(shard), 64)]
    return [low | high << 8 for lows, highs in halves for low, high in zip(lows, highs)]


def shard_of(codec, values):
    if codec == "gf8":
        return bytes(values)
    cut = [values[at:at + 32] for at in range(0, len(values), 32)]
    return b"".join(bytes(value & 255 for value in part) + bytes(value >> 8 for value in part) for part in cut)


def restore(codec, data, parity, shards):
    """All shards, of a list with None for what is lost: data first, then parity."""
    field = GF8 if codec == "gf8" else GF16
    data_points, parity_points, zeros, needed = layout(codec, data, parity)
    points = list(data_points) + list(parity_points)
    width = len(elements(codec, next(shard for shard in shards if shard is not None)))
    known = {point: elements(codec, shard) for point, shard in zip(points, shards) if shard is not None}
    known.update({point: [0] * width for point in zeros})
    known = dict(list(known.items())[:needed])
    if len(known) < needed:
        raise ValueError("too little is left")

    def value_at(point):
        sums = [0] * width
        for one, values in known.items():
            factor = 1  # Lagrange; minus is exclusive or
            for other in known:
                if other != one:
                    factor = field.times(factor, field.over(point ^ other, one ^ other))
            sums = [total ^ field.times(factor, value) for total, value in zip(sums, values)]
        return sums

    return [shard if shard is not None else shard_of(codec, value_at(point)) for point, shard in zip(points, shards)]


def main(path):
    for group in json.load(open(path)):
        codec, data, parity = group["codec"], group["data"], group["parity"]
        shards = [bytes.fromhex(shard) for shard in group["shards"]]
        for first in range(len(shards) - parity + 1):
            left = [None if first <= at < first + parity else shard for at, shard in enumerate(shards)]
            if restore(codec, data, parity, left) != shards:
                sys.exit(f"{codec} {data} + {parity}: shards {first} to {first + parity - 1} came back wrong")
        print(f"{codec} {data} + {parity}: any {parity} in a row come back")


if __name__ == "__main__":
    main(sys.argv[1])
