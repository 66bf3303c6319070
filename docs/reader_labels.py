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
        runs, end, moved = [], 0, 0
        for gap, count in zip(gaps, counts):
            first, moved = end + gap, moved + n.signed()
            check(count and 0 < first <= first + count <= ADDRESSES and 0 < first + moved <= first + moved + count <= ADDRESSES, "a run")
            runs.append((first, first + moved, count))
            end = first + count
        self.by_new, self.by_old = runs, sorted((old, new, count) for new, old, count in runs)
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
            check(kind < 8, "a segment of a newer kind")
            ahead = n.signed() if kind in (2, 3, 4, 5, 7) else 0
            last += ahead if kind in (2, 3, 4, 7) else 0
            bases.append(address + ahead if kind == 5 else last)
        last = 0
        for kind in kinds:
            last += n.signed() if kind == 3 else 0
            names.append(last)
        return list(zip(places, lengths, kinds, own, bases, names))

    def new_of(self, old):
        return moved(self.by_old, old)

    def old_of(self, new):
        return moved(self.by_new, new)

    def label_old(self, base):
        def change(field, value):
            target = value + field.base & MASK
            label = target ^ field.jump
            if field.form in ("s", "p") or field.is_near(value) or not 0 < target < ADDRESSES or not field.holds(label):
                return value
            return label
        return changed_fields(base, self.old, change)

    def undo_new(self, plain):
        def change(field, found):
            if field.place in self.exceptions or field.is_near(found):
                return found
            value = self.value(field, found)
            return found if value is None or not field.holds(value) else value
        return changed_fields(plain, self.new, change)

    def value(self, field, found):
        if field.form == "p":
            label, value = field.page
            new, first = self.new_of(label - label % 4096 + found), value + field.page_base & MASK
            is_there = new is not None and self.new_of(label) == first and new // 4096 == first // 4096
            return new % 4096 if is_there else None
        if field.form == "s":
            own = self.old_of(field.base)
            target = None if own is None else self.new_of(found + own & MASK)
        else:
            label = found ^ field.jump
            target, other = self.new_of(label), label ^ field.mark
            if target is None and (self.new_of(other) is not None if field.form == "a" else 0 < other < ADDRESSES):
                target = other
        return None if target is None else target - field.base & MASK


def moved(runs, address):
    """Where the runs (first address, first one there, how many) map an address to."""
    at = bisect.bisect_right(runs, (address, ADDRESSES, 0)) - 1
    if at >= 0 and address < runs[at][0] + runs[at][2]:
        return runs[at][1] + address - runs[at][0]
    return None


class Field:
    """Its place, what its value counts from, and its form: a(ddress), d(istance), j(ump), s(hort distance), p(lace in a page)."""

    def __init__(self, place, base, form, bits=32, unit=1, page=None):
        self.place, self.form, self.bits, self.unit = place, form, bits, unit
        self.base = base & MASK
        self.page, self.page_base = page, base
        self.mark = MASK & -1 << bits - 1
        self.jump = 1 << bits - 2 if form == "j" else 0

    def is_near(self, value):
        return self.form in ("j", "s") and value + NEAR & MASK < 2 * NEAR

    def holds(self, value):
        return value + (1 << self.bits - 1) & MASK < 1 << self.bits and value % self.unit == 0


def changed_fields(data, segments, change):
    """Gives each field and its value to `change`, and puts what that returns in its place."""
    data = bytearray(data)
    for place, length, kind, own, base, names in segments:
        end = place + length

        def word(at):
            return int.from_bytes(data[at:at + 4], "little")

        def put(at, value):
            data[at:at + 4] = (value & MASK).to_bytes(4, "little")

        def field(at, base, form, sign=1):
            put(at, change(Field(at, base, form), word(at) * sign & MASK) * sign)

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
        elif kind == 6:
            arm64(place, end, own, word, put, change)
        else:
            step = {2: 24, 3: 24, 4: 8, 5: 4, 7: 24}[kind]
            for at in range(place, end - step + 1, step):
                if kind in (2, 7):
                    address(at)
                    if word(at + 8) in ((8, 37) if kind == 2 else (1027, 1032)):
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


def arm64(place, end, own, word, put, change):
    def part(x, low, bits):
        return x >> low & (1 << bits) - 1

    def signed(value, bits):
        return (value ^ 1 << bits - 1) - (1 << bits - 1)

    def with_part(x, low, bits, value):
        mask = (1 << bits) - 1
        return x & ~(mask << low) | (value & mask) << low

    def with_address(x, value):
        return with_part(with_part(x, 5, 19, value >> 2), 29, 2, value)

    pages = {}
    for at in range(place, end - 3, 4):
        x, here = word(at), own + at - place
        if x & 0x9F000000 == 0x90000000:
            pages[x & 31] = (at, None, here & ~4095)
            continue
        if x & 0x7C000000 == 0x14000000:
            field = Field(at, here, "d" if x >> 31 else "j", 28, 4)
            put(at, with_part(x, 0, 26, change(field, signed(part(x, 0, 26), 26) * 4 & MASK) >> 2))
        elif x & 0x9F000000 == 0x10000000:
            value = signed(part(x, 5, 19) << 2 | part(x, 29, 2), 21) & MASK
            put(at, with_address(x, change(Field(at, here, "s", 21), value)))
        elif x & 0xFF000010 == 0x54000000 or x & 0x7E000000 == 0x34000000 or x & 0x3B000000 == 0x18000000:
            put(at, with_part(x, 5, 19, change(Field(at, here, "s", 21, 4), signed(part(x, 5, 19), 19) * 4 & MASK) >> 2))
        elif x & 0xFFC00000 == 0x91000000 or x & 0x3B000000 == 0x39000000:
            unit = 1 if x & 0x3B000000 == 0x11000000 else 16 if x & 0xC4800000 == 0x04800000 else 1 << (x >> 30)
            register = part(x, 5, 5)
            first, used, base = pages.get(register, (None, None, 0))
            low = part(x, 10, 12) * unit
            if low > 4095:
                pages.pop(register, None)
            elif used:
                put(at, with_part(x, 10, 12, change(Field(at, base, "p", 32, unit, used), low) // unit))
            elif first is not None:
                page = signed(part(word(first), 5, 19) << 2 | part(word(first), 29, 2), 21)
                pages.pop(register)
                if -1 << 19 <= page < 1 << 19:
                    given = page * 4096 + low & MASK
                    made = change(Field(at, base, "d", 32, unit), given)
                    put(first, with_address(word(first), made >> 12 | (0 if made < 1 << 31 else 1 << 20)))
                    put(at, with_part(x, 10, 12, made % 4096 // unit))
                    pages[register] = (first, (given, made), base)
        if not x & 1 << 26:
            pages.pop(x & 31, None)
            if x & 0x3E400000 == 0x28400000:
                pages.pop(part(x, 10, 5), None)
        if x & 0xFFBFFC1F == 0xD61F0000:
            pages.clear()


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
