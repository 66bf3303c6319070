"""The plain text of the golden streams: made of numbers alone, the same on every machine."""

WORDS = """accept address append archive batch block body bound buffer bundle byte carry catalog check chunk class close code
count create damage data decode delete depth digest disc empty encode entry error extent file filter find flag folder format frame
header heal index input item layer length limit line list map match media member name offset open output pack page parity path piece
place plain plan prefix print queue range read recipe record release remove repair report request reset result return root scan
section seek segment select send shard side size slot sort source spare state store stream stripe sum table tail task text token
total tree type unit update value verify version volume wait walk window word work write""".split()


class Numbers:
    """A linear congruential generator: its upper 32 bits."""

    def __init__(self, seed):
        self.state = seed

    def below(self, limit):
        self.state = (self.state * 6364136223846793005 + 1442695040888963407) % 2**64
        return (self.state >> 32) * limit >> 32

    def word(self):
        # The smaller of two: some words come often, others seldom.
        return WORDS[min(self.below(len(WORDS)), self.below(len(WORDS)))]


def source(numbers):
    a, b, c = numbers.word(), numbers.word(), numbers.word()
    kind = ["&[u8]", "u64", "&Path", "usize"][numbers.below(4)]
    lines = [f"/// Returns the {a} of a {b}, or an error that names the {c}.",
             f"pub fn {a}_{b}({c}: {kind}, options: &{b.title()}Options) -> Result<{a.title()}, {b.title()}Error> {{"]
    for _ in range(2 + numbers.below(5)):
        d, e = numbers.word(), numbers.word()
        lines.append([f"    let {d} = {e}.{a}({c})?;",
                      f"    if {d}.len() > {1 << numbers.below(16)} {{\n        return Err({b.title()}Error::{e.title()}({c}.len()));\n    }}",
                      f"    for {d} in {e}.iter().filter(|{d}| {d}.{a}() != {numbers.below(100)}) {{\n        {b}.push({d}.clone());\n    }}",
                      f"    debug_assert!({d}.is_empty(), \"{d} of {e}\");"][numbers.below(4)])
    return ("\n".join(lines) + f"\n    Ok({a.title()} {{ {b}, {c} }})\n}}\n\n").encode()


def log_lines(numbers, second):
    name = numbers.word()
    lines = []
    for _ in range(6):
        second += 1 + numbers.below(9)
        lines.append(f"2024-03-{1 + second // 86400 % 28:02} {second // 3600 % 24:02}:{second // 60 % 60:02}:{second % 60:02}.{numbers.below(1000):03} "
                     f"INFO  [{name}-{numbers.below(4)}] {numbers.word()} {numbers.word()}: {numbers.below(5000)} bytes")
    return ("\n".join(lines) + "\n").encode(), second


def table(numbers, address):
    rows = bytearray()
    for _ in range(24):
        address += 16 * (1 + numbers.below(6))
        rows += address.to_bytes(8, "little") + numbers.below(3).to_bytes(4, "little") + (0x10 + numbers.below(5)).to_bytes(4, "little")
        rows += bytes(8)
    return bytes(rows), address


def noise(numbers, length):
    return bytes(numbers.below(256) for _ in range(length))


def plain(length=290_000, seed=20240311):
    """Source-like text, log lines, tables of records, pieces that come again about 32 KiB later, runs, and noise."""
    numbers, out, second, address = Numbers(seed), bytearray(), 3600, 0x400000
    while len(out) < length:
        if len(out) < length // 2 <= len(out) + 2000:
            out += noise(numbers, 2500) + bytes(7000) + b" " * 1500 + b"ab" * 700
        turn = numbers.below(28)
        if turn < 4:
            out += source(numbers)
        elif turn < 6:
            lines, second = log_lines(numbers, second)
            out += lines
        elif turn < 9:
            rows, address = table(numbers, address)
            out += rows
        elif turn < 10:
            out += "".join(f"{numbers.below(2**32):08x}" for _ in range(8)).encode() + b"\n"
        else:
            # What writers differ in most: matches at the far end of the window, and just beyond it.
            distance = [32768, 32506, 32700, 4096, 9000][numbers.below(5)] + numbers.below(500) - 250
            take = 40 + numbers.below(1600)
            if len(out) > distance:
                at = len(out) - distance
                out += out[at:at + take]
    return bytes(out[:length])


def long_plain():
    """A little over 1 MiB: the text once before and once around the end of the first MiB, and a run between."""
    text = plain()
    return text[:100_000] + bytes((1 << 20) - 100_000 - 60_000) + text[100_000:220_000]
