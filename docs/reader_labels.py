"""Labels in frames of machine code, for reader.py: docs/format.md, Labels."""
import bisect
from reader_deflate import check

ADDRESSES, NEAR, MASK = 1 << 30, 1 << 15, (1 << 32) - 1

# What follows an opcode of one byte, and one behind 0f, by the letters of the document.
ONE = ("mmmmbz--mmmmbz-2" "mmmmbz--mmmmbz--" "mmmmbzp-mmmmbzp-" "mmmmbzp-mmmmbzp-" "rrrrrrrrrrrrrrrr" "................"
       "--VmppppzZbB...." "bbbbbbbbbbbbbbbb" "BZ-Bmmmmmmmmmmmq" "..........-....." "oooo....bz......" "bbbbbbbbvvvvvvvv"
       "BBw.xyBZe.w..b-." "mmmm---.mmmmmmmm" "bbbbbbbbcj-b...." "p.pp..gG......mm")
TWO = ("mmmm-.....-.-m.B" "mmmmmmmmmmmmmmmm" "mmmm----mmmmmmmm" "......-.3-A-----" "mmmmmmmmmmmmmmmm" "mmmmmmmmmmmmmmmm"
       "mmmmmmmmmmmmmmmm" "BBBBmmm.mm--mmmm" "jjjjjjjjjjjjjjjj" "mmmmmmmmmmmmmmmm" "...mBm--...mBmmm" "mmmmmmmmmmBmmmmm"
       "mmBmBBBm........" "mmmmmmmmmmmmmmmm" "mmmmmmmmmmmmmmmm" "mmmmmmmmmmmmmmmm")


class Numbers:
    """Varints, one behind the other."""

    def __init__(self, data):
        self.data, self.at = data, 0

    def next(self):
        value = 0
        for shift in range(0, 63, 7):
            byte, self.at = self.data[self.at], self.at + 1
            value |= (byte & 127) << shift
            if byte < 128:
                return value
        raise ValueError("a number is too long")

    def signed(self):
        value = self.next()
        return value >> 1 ^ -(value & 1)


class Tables:
    def __init__(self, data, old_bytes, new_bytes):
        n = Numbers(data)
        self.old, self.new = self.segments(n, old_bytes), self.segments(n, new_bytes)
        gaps = [n.next() for _ in range(n.next())]
        counts = [n.next() for _ in gaps]
        self.runs, end, moved = [], 0, 0
        for gap, count in zip(gaps, counts):
            first, moved = end + gap, moved + n.signed()
            check(count and 0 < first <= first + count <= ADDRESSES and 0 < first + moved <= first + moved + count <= ADDRESSES, "a run")
            self.runs.append((first, first + moved, count))
            end = first + count
        self.by_old = sorted((old, new, count) for new, old, count in self.runs)
        check(all(one[0] + one[2] <= two[0] for one, two in zip(self.by_old, self.by_old[1:])), "runs that overlap")
        self.exceptions, last = set(), 0
        for _ in range(n.next()):
            last += n.next()
            self.exceptions.add(last)
        check(n.at == len(data), "bytes behind the tables")

    @staticmethod
    def segments(n, within):
        gaps = [n.next() for _ in range(n.next())]
        lengths, kinds = [n.next() for _ in gaps], [n.next() for _ in gaps]
        places, end = [], 0
        for gap, length in zip(gaps, lengths):
            places.append(end + gap)
            end += gap + length
            check(length and end <= within, "a segment")
        own, last, moved = [], 0, 0
        for place in places:
            moved += n.signed()
            own.append(moved + place & MASK)
        bases, names = [], []
        for kind, address in zip(kinds, own):
            check(kind < 6, "a segment of a newer kind")
            ahead = n.signed() if kind > 1 else 0
            last += ahead if kind in (2, 3, 4) else 0
            bases.append(address + ahead if kind == 5 else last)
        last = 0
        for kind in kinds:
            last += n.signed() if kind == 3 else 0
            names.append(last)
        return list(zip(places, lengths, kinds, own, bases, names))

    def new_of(self, old):
        at = bisect.bisect_right(self.by_old, (old, ADDRESSES, 0)) - 1
        if at >= 0 and old < self.by_old[at][0] + self.by_old[at][2]:
            return self.by_old[at][1] + old - self.by_old[at][0]
        return None

    def label_old(self, base):
        def change(place, value, base, form):
            target = value + base & MASK
            if form == "j" and is_near(value) or not 0 < target < ADDRESSES:
                return value
            return target ^ (ADDRESSES if form == "j" else 0)
        return changed_fields(base, self.old, change)

    def undo_new(self, plain):
        def change(place, value, base, form):
            if place in self.exceptions or form == "j" and is_near(value):
                return value
            label = value ^ (ADDRESSES if form == "j" else 0)
            target, other = self.new_of(label), label ^ 1 << 31
            if target is None:
                if not (self.new_of(other) is not None if form == "a" else 0 < other < ADDRESSES):
                    return value
                target = other
            return target - base & MASK
        return changed_fields(plain, self.new, change)


def is_near(value):
    return value + NEAR & MASK < 2 * NEAR


def changed_fields(data, segments, change):
    """Gives each field to `change`: its place, value, what it counts from, and whether it is an address, distance or jump."""
    data = bytearray(data)
    for place, length, kind, own, base, names in segments:
        end = place + length

        def word(at):
            return int.from_bytes(data[at:at + 4], "little")

        def field(at, base, form, sign=1):
            value = change(at, word(at) * sign & MASK, base & MASK, form) * sign & MASK
            data[at:at + 4] = value.to_bytes(4, "little")

        def address(at):
            if word(at) and not word(at + 4):
                field(at, base, "a")

        if kind == 0:
            code(bytes(data[place:end]), lambda at, behind, form: field(place + at, own + behind, form))
        elif kind == 1:
            at = place
            while at + 8 <= end:
                entry = word(at)
                behind = at + 4 + entry
                if entry and behind > end:
                    break
                if entry >= 13 and word(at + 4):
                    field(at + 4, own + at + 4 - place, "d", -1)
                    field(at + 8, own + at + 8 - place, "d")
                    if data[at + 16] == 4 and entry >= 17 and word(at + 17):
                        field(at + 17, own + at + 17 - place, "d")
                at = behind
        else:
            step = {2: 24, 3: 24, 4: 8, 5: 4}[kind]
            for at in range(place, end - step + 1, step):
                if kind == 2:
                    address(at)
                    if word(at + 8) in (8, 37):
                        address(at + 16)
                elif kind == 3:
                    if word(at):
                        field(at, names, "d")
                    if data[at + 6:at + 8] != b"\0\0" and data[at + 4] & 15 != 6:
                        address(at + 8)
                elif kind == 4:
                    address(at)
                else:
                    field(at, base, "d")
    return bytes(data)


def code(data, found):
    """Calls `found` for each distance: its place, the end of its instruction, and j for a jump."""
    at = 0
    while at < len(data):
        try:
            length, field, form = instruction(data, at)
        except IndexError:
            return
        if length is None:
            at += 1
            continue
        if at + length > len(data):
            return
        if field is not None:
            found(field, at + length, form)
        at += length


def instruction(data, begin):
    """Length, place of the distance, and its form; no length for an unknown one. IndexError when the bytes end."""
    unknown, at, short, small, wide = (None, None, None), begin, False, False, False
    while True:
        byte = data[at]
        letter, at = ONE[byte], at + 1
        if letter == "p":
            short, small, wide = short or byte == 0x66, small or byte == 0x67, False
        elif letter == "r":
            wide = byte & 8 != 0
        else:
            break
        if at - begin == 15:
            return unknown
    if letter == "2":
        letter, at = TWO[data[at]], at + 1
        if letter in "3A":
            letter, at = {"3": "m", "A": "B"}[letter], at + (data[at] >= 0)
    elif letter in "xyV" or letter == "q" and data[at] & 31 > 7:
        first = 1 if letter == "y" else data[at] & (7 if letter == "V" else 31)
        if first not in {"x": (1, 2, 3), "y": (1,), "V": (1, 2, 3, 5, 6), "q": (8, 9, 10)}[letter]:
            return unknown
        at += {"y": 1, "x": 2, "q": 2, "V": 3}[letter]
        opcode, at = data[at], at + 1
        is_long = first in (3, 8) or first == 1 and (0x70 <= opcode <= 0x73 or opcode in (0xC2, 0xC4, 0xC5, 0xC6))
        letter = "B" if is_long else "Z" if first == 10 else "." if first == 1 and opcode == 0x77 else "m"
    register, more, relative = 0, 0, False
    if letter in "mBZgGq":
        operand, at = data[at], at + 1
        mode, register, low = operand >> 6, operand >> 3 & 7, operand & 7
        relative = mode == 0 and low == 5
        if mode != 3:
            if low == 4:
                low, at = data[at] & 7, at + 1
            more = (4 if low == 5 else 0, 1, 4)[mode]
    z = 2 if short and not wide else 4
    if letter == "-" or letter == "q" and register:
        return unknown
    value = {".": 0, "m": 0, "q": 0, "b": 1, "B": 1, "w": 2, "e": 3, "z": z, "Z": z, "v": 8 if wide else z, "o": 4 if small else 8,
             "c": 4, "j": 4, "g": 1 if register < 2 else 0, "G": z if register < 2 else 0}[letter]
    length = at + more + value - begin
    if length > 15:
        return unknown
    return length, at if letter in "cj" or relative else None, letter if letter == "j" else "d"
