"""The part of reader.py that reconstructs deflate streams from their plain bytes and recipes (docs/format.md, Deflate recipes)."""
import bisect, struct, zlib
from collections import defaultdict


class Unreadable(Exception):
    """The input is damaged, incomplete, or newer than this reader."""


class NotRemade(Exception):
    """A deflate stream whose writer this reader cannot predict."""


def check(good, what):
    if not good:
        raise Unreadable(what)


# ---- Tables of RFC 1951, writers

EXTRA = [0] * 8 + [1] * 4 + [2] * 4 + [3] * 4 + [4] * 4 + [5] * 4 + [0]
LENGTH = [3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227, 258]
DEXTRA = [0, 0] + [number // 2 for number in range(28)]
DISTANCE = [1, 2, 3, 4, 5, 7, 9, 13, 17, 25, 33, 49, 65, 97, 129, 193, 257, 385, 513, 769, 1025, 1537, 2049, 3073, 4097, 6145,
            8193, 12289, 16385, 24577]
ORDER = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15]
FIXED = [8] * 144 + [9] * 112 + [7] * 24 + [8] * 8, [5] * 30
KLAUSPOST = ("up to 1.12.1", "1.12.2", "1.14.2", "1.14.3", "1.15.0", "1.15.10", "1.15.11", "1.15.15", "1.18.0", "1.18.2",
             "of Go 1.27")
FURTHER = ("Chromium's zlib", "Chromium's zlib of Node.js up to 16", "miniz", "zlib-ng 2.2 or later", "zlib-ng 2.1",
           "zlib-ng 2.0", "zlib, Z_FILTERED", "zlib, Z_RLE", *(f"zlib, window of {bits} bits" for bits in range(9, 15)),
           *(f"zlib, memory level {level}" for level in range(1, 8)))


def length_code(token):
    length, _, odd = token
    return 284 - 257 if odd else max(i for i, base in enumerate(LENGTH) if base <= length)


def distance_code(distance):
    return max(i for i, base in enumerate(DISTANCE) if base <= distance)


def writer_name(number):
    if 1 <= number <= 9 or 21 <= number <= 29:
        return f"zlib, level {number % 20}"
    if 11 <= number <= 19:
        return f"Go's compress/flate, level {number - 10}"
    if 32 <= number <= 175:
        return f"klauspost/compress, level {(number - 32) // 16 + 1}, version {KLAUSPOST[min((number - 32) % 16, 10)]}"
    if 192 <= number <= 239:
        return f"libdeflate, level {(number - 192) % 16}, {('1.9 to 1.18', '1.19 on', '1.6 to 1.8')[(number - 192) // 16]}"
    if 256 <= number < 256 + 16 * len(FURTHER):
        return f"{FURTHER[(number - 256) // 16]}, level {number % 16}"
    return f"writer {number}"


class Coder:
    """The range coder. Chances are made when they are first met, by name."""

    def __init__(self, data, has_parts):
        self.data, self.at, self.has_parts, self.hash = data, 0, has_parts, 0
        self.part()

    def part(self):
        self.code = int.from_bytes(self.data[self.at:self.at + 4].ljust(4, b"\0"), "big")
        self.at, self.range = self.at + 4, 0xFFFFFFFF
        self.first, self.chances = self.at, defaultdict(lambda: [32768, 32768, 0])

    def behind(self, token):
        """Another part begins behind some tokens."""
        value = token if isinstance(token, int) else 256 + token[0]
        self.hash = (self.hash * 16 + value * 0x9E3779B1) & 0xFFFFFFFF
        taken = self.at - self.first
        if self.has_parts and taken >= 512 and taken << 32 - self.hash.bit_length() >= 1 << 23:
            self.part()
        return token

    def widen(self):
        while self.range < 1 << 24:
            byte = self.data[self.at] if self.at < len(self.data) else 0
            self.range, self.code, self.at = self.range << 8, self.code << 8 | byte, self.at + 1

    def bit(self, name):
        chance = self.chances[name]
        fast, slow, count = chance
        mean = min(max((fast + slow) >> 1, 24), 65512)
        rate = 131072 // (2 * count + 3) if self.has_parts else 0
        f, s = max(rate, 4096), max(rate, 512)
        share = (self.range >> 16) * mean + ((self.range & 0xFFFF) * mean >> 16)
        if self.code < share:
            self.range, bit = share, 0
            fast, slow = fast + ((65535 - fast) * f >> 16), slow + ((65535 - slow) * s >> 16)
        else:
            self.code, self.range, bit = self.code - share, self.range - share, 1
            fast, slow = fast - (fast * f >> 16), slow - (slow * s >> 16)
        chance[:] = fast, slow, min(count + 1, 127)
        self.widen()
        return bit

    def even(self, count):
        value = 0
        for _ in range(count):
            self.range >>= 1
            bit = self.code >= self.range
            self.code -= self.range if bit else 0
            value = value << 1 | bit
            self.widen()
        return value

    def tree(self, name, bits):
        node = 1
        for _ in range(bits):
            node = node << 1 | self.bit((name, node))
        return node - (1 << bits)

    def number(self, name):
        size = min(self.tree((name, "size"), 6), 32)
        first = min(size, 3)
        top = self.tree((name, size), 3) >> (3 - first)
        return (1 << size | top << (size - first) | self.even(size - first)) - 1

    def signed(self, name):
        number = self.number(name)
        return number // 2 if number % 2 == 0 else -(number + 1) // 2

    def bytes(self):
        count = self.number("bytes")
        check(count <= 65536, "a recipe's bytes")
        return bytes(self.tree("byte", 8) for _ in range(count))


class Bits:
    """Deflate's bits: lowest first."""

    def __init__(self):
        self.out, self.held, self.count = bytearray(), 0, 0

    def put(self, value, count):
        self.held |= value << self.count
        self.count += count
        while self.count >= 8:
            self.out.append(self.held & 255)
            self.held, self.count = self.held >> 8, self.count - 8

    def padding(self):
        return -self.count % 8


def canonical(lengths):
    """Code and length of each symbol, the bits reversed as deflate wants them."""
    code, codes = 0, {}
    for bits in range(1, 16):
        for symbol, length in enumerate(lengths):
            if length == bits:
                codes[symbol] = int(format(code, f"0{bits}b")[::-1], 2), bits
                code += 1
        code <<= 1
    return codes


def zlib_lengths(counts, most):
    """zlib's trees.c: a heap in which ties go to the flatter tree, overlong codes shortened afterwards."""
    heap, weight, depth = [None], {}, defaultdict(int)
    for symbol, count in enumerate(counts):
        if count:
            heap.append(symbol)
            weight[symbol] = count
    last = heap[-1] if len(heap) > 1 else -1
    while len(heap) < 3:
        symbol = last + 1 if last < 2 else 0
        last = symbol if last < 2 else last
        heap.append(symbol)
        weight[symbol] = 1

    def sift(place):
        node, key = heap[place], lambda x: (weight[x], depth[x])
        child = 2 * place
        while child < len(heap):
            if child + 1 < len(heap) and key(heap[child + 1]) <= key(heap[child]):
                child += 1
            if key(node) <= key(heap[child]):
                break
            heap[place], place, child = heap[child], child, 2 * child
        heap[place] = node

    for place in range((len(heap) - 1) // 2, 0, -1):
        sift(place)
    left, parent, node = [], {}, len(counts)
    while len(heap) > 2:
        one, heap[1] = heap[1], heap[-1]
        heap.pop()
        sift(1)
        other = heap[1]
        left += [one, other]
        weight[node], depth[node] = weight[one] + weight[other], max(depth[one], depth[other]) + 1
        parent[one] = parent[other] = heap[1] = node
        node += 1
        sift(1)
    bits, count, overflow = {heap[1]: 0}, [0] * (most + 2), 0
    for node in reversed(left):
        bits[node] = bits[parent[node]] + 1
        if bits[node] > most:
            bits[node], overflow = most, overflow + 1
        if node < len(counts):
            count[bits[node]] += 1
    shortened = overflow > 0
    while overflow > 0:
        at = max(b for b in range(1, most) if count[b])
        count[at] -= 1
        count[at + 1] += 2
        count[most] -= 1
        overflow -= 2
    leaves = iter([node for node in left if node < len(counts)])
    if shortened:
        for length in range(most, 0, -1):
            for _ in range(count[length]):
                bits[next(leaves)] = length
    return [bits.get(symbol, 0) for symbol in range(len(counts))]


def go_lengths(counts, most):
    """Go's: the best code of limited length by package-merge; of equal weights pairs go before symbols, symbols by count, then number."""
    leaves = sorted((count, symbol) for symbol, count in enumerate(counts) if count)
    lengths = [0] * len(counts)
    if len(leaves) <= 2:
        for _, symbol in leaves:
            lengths[symbol] = 1
        return lengths
    level = []
    for _ in range(min(most, len(leaves) - 1)):
        pairs = [(a[0] + b[0], 0, a[2] + b[2]) for a, b in zip(level[::2], level[1::2])]
        level = sorted(pairs + [(count, 1, (symbol,)) for count, symbol in leaves], key=lambda item: item[:2])
    uses = defaultdict(int)
    for _, _, symbols in level[:2 * len(leaves) - 2]:
        for symbol in symbols:
            uses[symbol] += 1
    # How many symbols have which length is what counts: the shortest go to the most frequent ones.
    for (_, symbol), length in zip(leaves, sorted(uses.values(), reverse=True)):
        lengths[symbol] = length
    return lengths


def run_ops(lengths):
    ops, at = [], 0
    while at < len(lengths):
        length, run = lengths[at], 1
        while at + run < len(lengths) and lengths[at + run] == length:
            run += 1
        at, left = at + run, run
        if length:
            ops.append((length, 0))
            left -= 1
        while left:
            symbol, least, most = ((18, 11, 138) if left >= 11 else (17, 3, 10) if left >= 3 else (0, 1, 1)) if not length else (
                (16, 3, 6) if left >= 3 else (length, 1, 1))
            count = min(left, most)
            ops.append((symbol, count - least))
            left -= count
    return ops


def cl_by(rule, ops):
    counts = [0] * 19
    for symbol, _ in ops:
        counts[symbol] += 1
    lengths = rule(counts, 7)
    return lengths, max([4] + [place + 1 for place, symbol in enumerate(ORDER) if lengths[symbol]])


def ruled_header(rule, tokens):
    lit, dist = [0] * 286, [0] * 30
    for token in tokens:
        if isinstance(token, int):
            lit[token] += 1
        else:
            lit[257 + length_code(token)] += 1
            dist[distance_code(token[1])] += 1
    lit[256] += 1
    make = zlib_lengths if rule == 0 else go_lengths
    if rule and not any(dist):
        dist[0] = 1
    lit, dist = make(lit, 15), make(dist, 15)
    lit = lit[:max([257] + [symbol + 1 for symbol, length in enumerate(lit) if length])]
    dist = dist[:max([1] + [symbol + 1 for symbol, length in enumerate(dist) if length])]
    ops = run_ops(lit + dist) if rule else run_ops(lit) + run_ops(dist)
    return lit, dist, ops, *cl_by(make, ops)


def zlib_settings(number):
    """zlib's level, memory level, bits of the window and strategy for a writer's number, or None for another writer."""
    row, level = divmod(number - 256, 16)
    if not 1 <= level <= 9 and number > 255:
        return None
    if 1 <= number <= 9 or 21 <= number <= 29:
        return number % 20, 8 if number < 10 else 9, 15, zlib.Z_DEFAULT_STRATEGY
    if row == 6 and level > 3:
        return level, 8, 15, zlib.Z_FILTERED
    if number == 369:
        return 6, 8, 15, zlib.Z_RLE
    if 8 <= row < 14:
        return level, 8, row + 1, zlib.Z_DEFAULT_STRATEGY
    return (level, row - 13, 15, zlib.Z_DEFAULT_STRATEGY) if 14 <= row < 21 else None


def zlib_tokens(text, settings, dictionary, flushes):
    """What zlib writes of a text, as tokens by place: its own output, read back. There are none where it stores bytes as they are."""
    level, memory, window, strategy = settings
    packer = zlib.compressobj(level, zlib.DEFLATED, -window, memory, strategy, *([dictionary] if dictionary else []))
    packed, at = b"", 0
    for flush in flushes:
        packed += packer.compress(text[at:flush]) + packer.flush(zlib.Z_SYNC_FLUSH)
        at = flush
    packed += packer.compress(text[at:]) + packer.flush()
    position, tokens, at = 0, {}, 0

    def take(count):
        nonlocal position
        value = 0
        for bit in range(count):
            value |= (packed[position >> 3] >> (position & 7) & 1) << bit
            position += 1
        return value

    def symbol(codes):
        code, bits = 0, 0
        while (code, bits) not in codes:
            code, bits = code | take(1) << bits, bits + 1
        return codes[code, bits]

    by_code = lambda lengths: {value: key for key, value in canonical(lengths).items()}
    last = 0
    while not last:
        last, kind = take(1), take(2)
        if kind == 0:
            position = (position + 7) & ~7
            count = take(16)
            take(16)
            at, position = at + count, position + 8 * count
            continue
        lit, dist = FIXED
        if kind == 2:
            lits, dists, cl = take(5) + 257, take(5) + 1, [0] * 19
            for place in ORDER[:take(4) + 4]:
                cl[place] = take(3)
            codes, lengths = by_code(cl), []
            while len(lengths) < lits + dists:
                op = symbol(codes)
                lengths += [op] if op < 16 else [lengths[-1]] * (3 + take(2)) if op == 16 else [0] * (
                    3 + take(3) if op == 17 else 11 + take(7))
            lit, dist = lengths[:lits], lengths[lits:]
        lit, dist = by_code(lit), by_code(dist)
        while (op := symbol(lit)) != 256:
            if op < 256:
                tokens[at] = op
                at += 1
                continue
            length = LENGTH[op - 257] + take(EXTRA[op - 257])
            code = symbol(dist)
            tokens[at] = length, DISTANCE[code] + take(DEXTRA[code]), False
            at += length
    return tokens


class Remaker:
    """Plain bytes and a recipe in, the very same stream out. A token is a byte's number, or (length, distance, odd)."""

    def __init__(self, recipe, plain):
        check(recipe[0] in (1, 2) and recipe[1] < 3, "a recipe of a newer version")
        self.wrapper, self.coder, self.plain, self.out = recipe[1], Coder(recipe[2:], recipe[0] == 2), plain, Bits()
        self.writer, self.chunk, self.dictionary = 6, None, 0
        self.at = self.last_kind = self.last_tokens = self.last_stored = self.last_rule = self.history = 0
        self.end_said, self.lengths = False, {}
        self.hashed, self.hashes, self.matches, self.token_history = 0, defaultdict(list), 0, 0

    def raw(self, data):
        check(self.out.count == 0, "bytes within a byte")
        self.out.out += data

    def stream(self):
        header, more = self.coder.bytes(), True
        while more:
            self.raw(header)
            self.member()
            more = self.coder.bit("member")
            if more and self.coder.bit("wrapper"):
                header = self.coder.bytes()
        check(self.at == len(self.plain) and not self.out.count, "the recipe ends before the text")
        return bytes(self.out.out)

    def member(self):
        self.begin = self.member_at = self.at
        self.end, self.end_said, self.foreseen, self.changed_at = len(self.plain), False, None, None
        self.open, last = None, 0
        while self.open or not last:
            if self.coder.bit("model"):
                self.change()
            if not self.end_said and self.coder.bit("end"):
                self.end_said, self.end, self.foreseen = True, self.at + self.coder.number("ahead"), None
            count, mixed = 1, True
            if self.is_piece() and not self.open:
                count = self.coder.number("segments")
                mixed = self.coder.bit("mixed")
            for _ in range(count):
                last = self.segment(mixed)
        text = self.plain[self.member_at:self.at]
        trailer = [struct.pack("<II", zlib.crc32(text), len(text) & 0xFFFFFFFF), struct.pack(">I", zlib.adler32(text)), b""]
        padding, trailer = 0, trailer[self.wrapper]
        if self.coder.bit("trailer"):
            said = self.coder.bytes()
            padding, trailer = said[0], said[1:]
        pad = self.out.padding()
        self.out.put(padding & (1 << pad) - 1, pad)
        self.raw(trailer)

    def change(self):
        self.writer, self.chunk, self.foreseen = self.coder.tree("byte", 8), None, None
        if self.writer in (253, 254):
            self.writer = 256 * (255 - self.writer) + self.coder.tree("byte", 8)
        cut = self.coder.tree("byte", 8)
        if cut:
            self.dictionary = (32768, 16384, 0, None)[cut - 1]
            self.chunk = self.coder.even(16) | self.coder.even(16) << 16
        if self.at > self.member_at:
            self.changed_at = self.at

    def is_piece(self):
        whole = self.chunk and self.dictionary is not None and self.chunk <= 2 << 20
        return whole and (self.at - self.member_at) % self.chunk == 0

    def span(self):
        """Where the chunk begins and ends in which the next byte lies (the member, without chunks)."""
        begin, end = self.member_at, self.end
        if self.chunk:
            begin += (self.at - begin) // self.chunk * self.chunk
            end = min(begin + self.chunk, end)
        if self.changed_at is not None:
            begin = max(begin, self.changed_at)
        return begin, end

    def foresee(self):
        """The token that the writer has at this place."""
        if self.writer == 0:
            return self.plain[self.at]
        settings = zlib_settings(self.writer)
        if settings is None:
            raise NotRemade(f"written by {writer_name(self.writer)}")
        begin, end = self.span()
        flushes = []
        if self.chunk and self.dictionary is None:
            begin, end = max(self.member_at, self.changed_at or 0), self.end
            first = self.member_at + ((begin - self.member_at) // self.chunk + 1) * self.chunk
            flushes = [place - begin for place in range(first, end, self.chunk)]
        if self.foreseen is None or self.foreseen[0] != (begin, end):
            before = self.dictionary if self.chunk and self.dictionary is not None else 32768 if begin > self.member_at else 0
            dictionary = self.plain[max(self.member_at, begin - before):begin]
            self.foreseen = (begin, end), zlib_tokens(self.plain[begin:end], settings, dictionary, flushes)
        token = self.foreseen[1].get(self.at - begin)
        if token is None:
            raise NotRemade(f"written nearly as by {writer_name(self.writer)}, in other blocks")
        return token

    def segment(self, mixed):
        coder, out = self.coder, self.out
        head = None
        if not self.open:
            last = coder.bit("last")
            self.last_kind = kind = coder.tree(("kind", self.last_kind), 2)
            check(kind < 3, "kind of a block")
            padding = coder.even(7) if kind == 0 and coder.bit("padding") else 0
            head = last, kind, padding
        stored = head is not None and head[1] == 0
        extent, number = coder.tree(("extent", self.last_kind), 2), 0
        if extent > 1:
            number = coder.number("windows" if extent == 2 else ("count", stored))
        begin, end = self.span()
        count, stop = None, None
        if extent == 0:
            count = self.last_stored if stored else self.last_tokens
        elif extent == 1:
            stop = end
        elif extent == 2:
            stop = begin + ((self.at - begin) // 65535 + 1 + number) * 65535
        else:
            count = number
        if stored:
            stop = self.at + count if stop is None else stop
            check(self.at <= stop <= min(self.end, self.at + 65535), "length of a stored block")
            if extent == 3 and stop > self.at:
                self.last_stored = stop - self.at
            out.put(last, 3)
            pad = out.padding()
            out.put(padding & (1 << pad) - 1, pad)
            self.raw(struct.pack("<HH", stop - self.at, stop - self.at ^ 0xFFFF) + self.plain[self.at:stop])
            self.at = stop
            return last
        continues = coder.bit("continues")
        tokens, missing = [], mixed and (self.writer == 255 or coder.bit("misses"))
        while len(tokens) < count if stop is None else self.at < min(stop, self.end):
            check(self.at < self.end, "length of a block")
            if self.writer == 255:
                token = coder.behind(self.unforeseen())
            else:
                token = self.foresee()
                if missing:
                    token = coder.behind(self.token(token))
            tokens.append(token)
            self.at += 1 if isinstance(token, int) else token[0]
        check(self.at <= self.end and (stop is None or self.at == min(stop, self.end)), "length of a block")
        if extent == 3 and not continues:
            self.last_tokens = len(tokens)
        if head:
            out.put(last | kind << 1, 3)
            codes = FIXED
            if kind == 2:
                if coder.bit("other rule"):
                    self.last_rule = coder.tree("rule", 4)
                codes = self.header(tokens)
            self.open = last, canonical(codes[0]), canonical(codes[1])
        last, lit, dist = self.open
        for token in tokens:
            if isinstance(token, int):
                out.put(*lit[token])
                continue
            code = length_code(token)
            out.put(*lit[257 + code])
            out.put(31 if token[2] else token[0] - LENGTH[code], EXTRA[code])
            code = distance_code(token[1])
            out.put(*dist[code])
            out.put(token[1] - DISTANCE[code], DEXTRA[code])
        if not continues:
            out.put(*lit[256])
            self.open = None
        return last

    def header(self, tokens):
        if self.last_rule in (0, 1):
            lit, dist, ops, cl, cl_count = ruled_header(self.last_rule, tokens)
        elif self.last_rule == 15:
            lit, dist, ops, cl, cl_count = self.written_out(ruled_header(0, tokens))
        else:
            raise NotRemade(f"has headers of rule {self.last_rule}")
        out = self.out
        out.put(len(lit) - 257 | len(dist) - 1 << 5 | cl_count - 4 << 10, 14)
        for symbol in ORDER[:cl_count]:
            out.put(cl[symbol], 3)
        codes = canonical(cl)
        for symbol, extra in ops:
            out.put(*codes[symbol])
            out.put(extra, {16: 2, 17: 3, 18: 7}.get(symbol, 0))
        return lit, dist

    def written_out(self, near):
        coder = self.coder
        lits, dists = coder.tree("lit count", 5) + 257, coder.tree("dist count", 5) + 1
        given = lambda count, near: [coder.tree(("length", near[i] if i < len(near) else 0), 4) for i in range(count)]
        lit = given(lits, near[0])
        dist = given(dists, near[1])
        if not coder.bit("one run"):
            ops = run_ops(lit + dist)
        elif not coder.bit("two runs"):
            ops = run_ops(lit) + run_ops(dist)
        else:
            ops = []
            for _ in range(coder.number("ops")):
                symbol = min(coder.tree("op", 5), 18)
                ops.append((symbol, coder.tree("op extra", 7) if symbol > 15 else 0))
        for rule, name in ((zlib_lengths, "cl as zlib"), (go_lengths, "cl as Go")):
            if not coder.bit(name):
                return lit, dist, ops, *cl_by(rule, ops)
        cl = [coder.tree("cl", 3) for _ in range(19)]
        return lit, dist, ops, cl, min(coder.tree("cl count", 4) + 4, 19)

    def token(self, foreseen):
        """A token where one was foreseen."""
        literal = isinstance(foreseen, int)
        context = 0 if literal else 1 + 2 * min(min(foreseen[0], 130).bit_length() - 1, 6) + (foreseen[1] <= 4096)
        missed = self.coder.bit(("missed", context, self.token_history))
        self.token_history = (self.token_history << 1 | missed) & 7
        if not missed:
            return foreseen
        # What zlib would write behind it, zlib alone knows when it is made to write this token: that is not done here.
        raise NotRemade(f"written nearly as by {writer_name(self.writer)}")

    def match(self, who):
        coder = self.coder
        slot = min(coder.tree((who, "slot"), 5), 29)
        distance = DISTANCE[slot] + coder.even(DEXTRA[slot])
        return self.form(who, min(coder.tree((who, "length"), 8) + 3, 258), distance)

    def form(self, who, length, distance):
        return length, distance, length == 258 and bool(self.coder.bit((who, "odd")))

    # Unknown writers
    def candidates(self, at, end):
        """Places within the window that match for longer than all newer ones: length and distance of each."""
        text, found, best, limit = self.plain, [], 2, min(258, end - at)
        hashed = lambda place: (int.from_bytes(text[place:place + 3], "little") * 0x9E3779B1 & 0xFFFFFFFF) >> 17
        while self.hashed <= at and self.hashed + 3 <= len(text):
            self.hashes[hashed(self.hashed)].append(self.hashed)
            self.hashed += 1
        if limit < 3:
            return found
        places = self.hashes[hashed(at)]
        newest = bisect.bisect_left(places, at)
        for place in reversed(places[max(newest - 128, 0):newest]):
            if at - place > min(32768, at - self.member_at):
                break
            length = 0
            while length < limit and text[place + length] == text[at + length]:
                length += 1
            if length > best:
                best = length
                found.append((length, at - place))
                if length == limit or len(found) == 24:
                    break
        return found

    def unforeseen(self):
        coder, (_, end) = self.coder, self.span()
        here = self.candidates(self.at, end)
        ahead = self.candidates(self.at + 1, end) if self.at + 1 < end else []
        length, distance = here[-1] if here else (0, 0)
        later = ahead[-1][0] if ahead else 0
        versus = 3 if later > length + 1 else 2 if later == length + 1 else 1 if later == length else 0
        kind = lambda n: n if n <= 10 else 11 if n <= 14 else 12 if n <= 22 else 13 if n <= 54 else 14 if n <= 257 else 15
        matched = coder.bit(("match", versus, kind(length), distance > 4096, len(here) > 4, self.matches))
        self.matches = (self.matches << 1 | matched) & 3
        if not matched:
            return self.plain[self.at]
        for back, (length, distance) in enumerate(reversed(here)):
            below = here[-2 - back][0] if back + 1 < len(here) else 0
            gain = min(length - below, 3)
            if not coder.bit(("taken", back, kind(length), distance > 4096, gain)):
                if not coder.bit(("shortened", kind(length))):
                    return self.form("unknown", length, distance)
                return max(length - coder.number("shorter") - 1, 3), distance, False
        return self.match("unknown")
