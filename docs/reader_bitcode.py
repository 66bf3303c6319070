"""The part of reader.py that makes files of LLVM bitcode again from opened bitcode (docs/format.md, Opened bitcode)."""
from reader_deflate import check

MASK32, MASK64 = (1 << 32) - 1, (1 << 64) - 1
LETTERS = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._"
MODULE, CONSTANTS, FUNCTION, TYPES, SUMMARY, STRINGS = 8, 11, 12, 17, 20, 23

# Meanings of numbers by block and code: the first ones, and those that repeat behind them. One letter each, as in docs/format.md.
RECORDS = {
    (TYPES, 8): ("n", "p"), (TYPES, 11): ("pn", "p"), (TYPES, 12): ("pn", "p"),
    (TYPES, 18): ("p", "n"), (TYPES, 20): ("p", "n"), (TYPES, 21): ("p", "n"),
    (MODULE, 7): ("apt", "p"), (MODULE, 8): ("apt", "p"), (MODULE, 14): ("apt", "p"), (MODULE, 15): ("apt", "p"),
    (CONSTANTS, 1): ("t", "p"), (CONSTANTS, 7): ("", "c"), (CONSTANTS, 11): ("ptc", "p"),
    (SUMMARY, 1): ("vpppppp", "v"), (SUMMARY, 3): ("vpp", "v"), (SUMMARY, 4): ("jpppppppp", "e"), (SUMMARY, 6): ("jppp", "e"),
    (SUMMARY, 9): ("o", "p"), (SUMMARY, 16): ("ph", "p"),
}
for codes, meaning in [
    ((2, 9, 28), ("xb", "p")), ((7, 8, 29), ("xbx", "p")), ((46,), ("xxb", "p")), ((3, 20, 41), ("xt", "p")),
    ((6, 27, 44, 45, 59), ("xx", "p")), ((10, 26, 39, 56, 58), ("x", "p")), ((12,), ("tbp", "#p")), ((16,), ("t", "sp")),
    ((19,), ("tt#", "p")), ((23,), ("tbt", "p")), ((40,), ("tpp", "px")), ((43,), ("pt", "x")), ((55,), ("p", "x")),
    ((34,), ("pp", "x")), ((5,), ("pppp", "x")),
]:
    for number in codes:
        RECORDS[FUNCTION, number] = meaning
NO_VALUE = {1, 10, 11, 12, 15, 31, 33, 35, 36, 39, 44, 45, 48, 49, 55, 60}
GLOBALS = {7, 8, 14, 15}


def mix(hashed, number):
    product = ((hashed ^ number) * 0x9E3779B97F4A7C15) & MASK64
    return (product << 29 | product >> 35) & MASK64


def label(hashed):
    return max(hashed >> 20 & 0xFFFF, 1)


def unfolded(number):
    return (number >> 1 ^ -(number & 1)) & MASK64


class Opened:
    def __init__(self, data):
        self.data, self.at = data, 0

    def bytes(self, size):
        check(self.at + size <= len(self.data), "opened bitcode ends early")
        self.at += size
        return self.data[self.at - size:self.at]

    def byte(self):
        return self.bytes(1)[0]

    def number(self):
        number = 0
        for shift in range(0, 70, 7):
            byte = self.byte()
            number |= (byte & 0x7F) << shift
            if byte < 0x80:
                return number & MASK64
        check(False, "damaged number")

    def eight(self):
        return int.from_bytes(self.bytes(8), "big")


class Labels:
    def __init__(self):
        self.each, self.same = [], {}

    def push(self, new):
        self.same.setdefault(new, []).append(len(self.each))
        self.each.append(new)

    def get(self, number):
        return self.each[number] if number < len(self.each) else 0

    def take(self, opened):
        wanted = int.from_bytes(opened.bytes(2), "big")
        if wanted == 0:
            return opened.number()
        same = self.same.get(wanted, [])
        place = 0 if len(same) == 1 else opened.number()
        check(place < len(same), "unknown label")
        return same[place]


class Bits:
    def __init__(self, limit):
        self.out, self.rest, self.count, self.limit = bytearray(b"BC\xc0\xde"), 0, 0, limit

    def fixed(self, width, number):
        check(number >> width == 0, "number is too wide")
        self.rest |= number << self.count
        self.count += width
        while self.count >= 8:
            self.out.append(self.rest & 0xFF)
            self.rest >>= 8
            self.count -= 8
        check(len(self.out) <= self.limit, "bitcode is too long")

    def put(self, field, number):
        kind, width = field
        if kind == "fixed":
            self.fixed(width, number)
        elif kind == "letter":
            check(number < 256 and number in LETTERS, "no letter")
            self.fixed(6, LETTERS.index(number))
        else:
            more = 1 << width - 1
            while number >= more:
                self.fixed(width, number & more - 1 | more)
                number >>= width - 1
            self.fixed(width, number)

    def align(self):
        self.fixed(-(len(self.out) * 8 + self.count) % 32, 0)


class Closer:
    def __init__(self, data, limit):
        self.opened = Opened(data)
        self.strings = self.opened.bytes(self.opened.number())
        self.originals, entry = [], 0
        for _ in range(self.opened.number()):
            entry = entry + self.opened.number() & MASK64
            self.originals.append((entry, self.opened.eight()))
        self.original_of = dict(self.originals)
        self.originals_met, self.strings_met, self.shared = 0, False, {}
        self.bits = Bits(limit)
        self.new_module()

    def new_module(self):
        self.types, self.shapes, self.struct_name = Labels(), [], None
        self.values, self.constants, self.constant_type = Labels(), [], 0
        self.has_strings, self.next_name, self.bodies, self.bodies_met = False, 0, [], 0
        self.in_function, self.next_value, self.locals = False, 0, 0
        self.entries, self.entry = Labels(), 0

    def file(self):
        while self.opened.at < len(self.opened.data):
            check(self.plain(("fixed", 2)) == 1, "no block")
            self.block(0)
        return bytes(self.bits.out)

    def plain(self, field):
        number = self.opened.number()
        self.bits.put(field, number)
        return number

    def block(self, depth):
        check(depth < 16, "too deep")
        block, width = self.plain(("variable", 8)), self.plain(("variable", 4))
        check(2 <= width <= 32, "damaged width")
        self.bits.align()
        self.bits.fixed(32, 0)
        begin = len(self.bits.out)
        self.enter(block)
        abbreviations, set_block = list(self.shared.get(block, [])), None
        while (number := self.plain(("fixed", width))) != 0:
            if number == 1:
                self.block(depth + 1)
            elif number == 2:
                new = self.abbreviation()
                if block == 0:
                    self.shared.setdefault(set_block, []).append(new)
                else:
                    abbreviations.append(new)
            elif number == 3:
                code, count = self.plain(("variable", 6)), self.plain(("variable", 6))
                self.begin(block, code, count)
                for _ in range(count):
                    self.number(("variable", 6))
                if block == 0 and code == 1 and count:
                    set_block = self.first[0]
                self.end()
            else:
                check(number - 4 < len(abbreviations), "unknown abbreviation")
                self.abbreviated(block, abbreviations[number - 4])
        self.bits.align()
        if block == FUNCTION:
            self.in_function = False
        self.bits.out[begin - 4:begin] = ((len(self.bits.out) - begin) // 4).to_bytes(4, "little")

    def abbreviation(self):
        operands, count, element = [], self.plain(("variable", 5)), False
        check(count <= 64, "damaged abbreviation")
        for _ in range(count):
            if self.plain(("fixed", 1)):
                operands.append(("literal", self.plain(("variable", 8))))
                continue
            kind = self.plain(("fixed", 3))
            check(1 <= kind <= 5, "damaged abbreviation")
            if kind == 3:
                element = True
                continue
            if kind <= 2:
                width = self.plain(("variable", 5))
                operand = ("fixed" if kind == 1 or width == 0 else "variable", width)
            else:
                operand = ("letter", 6) if kind == 4 else ("blob", 0)
            operands.append(("array", operand) if element else operand)
        return operands

    def abbreviated(self, block, operands):
        kind, width = operands[0]
        code = width if kind == "literal" else self.plain(operands[0])
        rest = operands[1:]
        self.begin(block, code, 0 if rest and rest[-1][0] == "array" else len(rest))
        for operand in rest:
            if operand[0] == "literal":
                self.took(self.next_kind(), operand[1])
            elif operand[0] == "array":
                for _ in range(self.plain(("variable", 6))):
                    self.number(operand[1])
            elif operand[0] == "blob":
                size = self.plain(("variable", 6))
                self.bits.align()
                known = block == STRINGS and not self.strings_met
                check(not known or size == len(self.strings), "damaged names")
                self.bits.out += self.strings if known else self.opened.bytes(size)
                self.strings_met |= known
                self.bits.align()
            else:
                self.number(operand)
        self.end()

    def number(self, field):
        kind = self.next_kind()
        number = self.take(kind)
        self.bits.put(field, number)
        self.took(kind, number)

    # What numbers mean

    def enter(self, block):
        if block == MODULE:
            self.new_module()
        elif block == CONSTANTS and not self.in_function:
            self.next_value = len(self.values.each) + len(self.constants)
        elif block == FUNCTION:
            for new in self.constants:
                self.values.push(new)
            self.constants = []
            body = self.bodies[self.bodies_met] if self.bodies_met < len(self.bodies) else 0
            self.bodies_met += 1
            shape = self.shape(body)
            if shape[2] is None:
                shape = self.shape(shape[1])
            self.in_function, self.locals = True, shape[2] or 0
            self.next_value = len(self.values.each) + self.locals

    def shape(self, number):
        """Whether a type is void, what it gives or points at, and how many parameters it has."""
        return self.shapes[number] if number < len(self.shapes) else (False, 0, None)

    def begin(self, block, code, count):
        if block == MODULE and not self.has_strings and code != 1:
            block = None
        first, repeated = RECORDS.get((block, code), ("", "p"))
        if block == CONSTANTS and code in (12, 20, 24):
            first, repeated = ("t", "tc") if count % 2 else ("tp" if code == 24 else "", "tc")
        if (block, code, count) == (FUNCTION, 11, 3):
            first = "ppb"
        self.of, self.due, self.parameters, self.repeated, self.repeated_at = (block, code), list(first), 0, repeated, 0
        self.taken, self.first, self.void = 0, [0] * 5, False
        self.hash = mix(code, self.types.get(self.constant_type)) if block == CONSTANTS else code

    def next_kind(self):
        if self.due:
            return self.due.pop(0)
        if self.parameters:
            self.parameters -= 1
            return "b"
        self.repeated_at += 1
        return self.repeated[(self.repeated_at - 1) % len(self.repeated)]

    def took(self, kind, number):
        part = number
        if kind == "n" and number >= len(self.types.each):
            part = 1 << 16
        elif kind in "nt":
            part = self.types.get(number)
        elif kind in "cv":
            part = self.values.get(number)
        self.hash = mix(self.hash, part)
        if self.taken < 5:
            self.first[self.taken] = number
        self.taken += 1
        if kind == "x" and self.next_value - number & MASK32 >= self.next_value:
            self.due.insert(0, "t")
        if self.of in ((FUNCTION, 34), (FUNCTION, 5)):
            head, has_type, has_flags = (2, self.first[1] >> 15 & 1, self.first[1] >> 17 & 1)
            if self.of[1] == 5:
                head, has_type, has_flags = (4, self.first[1] >> 13 & 1, 0)
            if self.taken == head:
                self.due = ["p"] * has_flags + ["t"] * has_type + ["x"]
            elif kind == "t" and self.taken <= head + 2 and has_type:
                shape = self.shape(number)
                self.parameters, self.void = shape[2] or 0, self.shape(shape[1])[0]

    def end(self):
        block, code = self.of
        first = self.first
        if block == TYPES and code != 1:
            if code == 19:
                self.struct_name = self.hash
                return
            hashed = self.hash
            if code in (20, 6) and self.struct_name is not None:
                hashed, self.struct_name = self.struct_name, None
            self.shapes.append((True, 0, None) if code == 2 else (False, first[1], max(self.taken - 2, 0)) if code == 21 else (False, first[0], None))
            self.types.push(label(hashed))
        elif block == MODULE and code == 1:
            self.has_strings = first[0] >= 2
        elif block == MODULE and code in GLOBALS:
            begin, end = first[0], min(first[0] + first[1], MASK64)
            hashed = 55
            for byte in self.strings[begin:end] if end <= len(self.strings) else b"":
                hashed = mix(hashed, byte)
            self.values.push(label(hashed))
            self.next_name = end
            if code == 8 and first[4] == 0:
                self.bodies.append(first[2])
        elif block == CONSTANTS and code == 1:
            self.constant_type = first[0]
        elif block == CONSTANTS:
            self.next_value += 1
            if self.in_function:
                self.locals += 1
            else:
                self.constants.append(label(self.hash))
        elif block == FUNCTION:
            self.next_value += not self.void if code in (5, 34) else code not in NO_VALUE
        elif block == SUMMARY and code in (4, 6):
            self.entry = first[0]
        elif block == SUMMARY and code == 9:
            self.originals_met += 1
        elif block == SUMMARY and code == 16:
            if not self.entries.each and first[0] == 1:
                self.entries.push(1)
            if first[0] == len(self.entries.each):
                self.entries.push(label(mix(0, self.original_of.get(first[0], first[1]))))

    def take(self, kind):
        opened = self.opened
        if kind in "tve":
            return {"t": self.types, "v": self.values, "e": self.entries}[kind].take(opened)
        if kind == "a":
            return self.next_name + unfolded(opened.number()) & MASK64
        if kind == "j":
            return self.entry + unfolded(opened.number()) & MASK64
        if kind == "h":
            return opened.eight()
        if kind == "o":
            check(self.originals_met < len(self.originals), "original names end early")
            return self.originals[self.originals_met][1]
        if kind == "n":
            near = opened.byte()
            if near == 0xFF:
                return self.types.take(opened)
            if near == 0xFE:
                return len(self.types.each) + opened.number() & MASK64
            return len(self.types.each) - near & MASK64
        if kind == "c":
            back = opened.byte()
            if back == 0xFF:
                return self.values.take(opened)
            return self.next_value - unfolded(opened.number() if back == 0xFE else back) & MASK64
        if kind in "bx":
            return self.back()
        if kind in "#s":
            if opened.data[opened.at:opened.at + 1] == b"\xf3":
                opened.at += 1
                return opened.number()
            back = self.back()
            if kind == "#":
                return self.next_value - back & MASK32
            return (-back & MASK32) << 1 | 1 if back > MASK32 // 2 else back << 1
        return opened.number()

    def back(self):
        opened, values = self.opened, len(self.values.each)
        byte = opened.byte()
        if byte in (0xF1, 0xF3):
            return opened.number()
        if byte == 0xF2:
            return -opened.number() & MASK32
        if byte == 0xF0:
            value = self.values.take(opened)
        elif byte == 0xEF:
            value = values + opened.number() + 47
        elif 0xC0 <= byte < 0xEF:
            value = values + byte - 0xC0
        else:
            return byte
        return self.next_value - value & MASK32


def closed(opened, limit):
    """The file of bitcode of opened bitcode, of at most `limit` bytes."""
    return Closer(opened, limit).file()
