"""New names in the bases of minified JavaScript, for reader.py: docs/format.md, New names."""
import re
from reader_deflate import check

KEYWORDS = {b"NaN", b"as", b"do", b"for", b"get", b"if", b"in", b"is", b"let", b"new", b"of", b"set", b"try", b"var"}
WORD = re.compile(rb"[A-Za-z0-9_$\x80-\xff]+")
NAME = re.compile(rb"[A-Za-z_$][A-Za-z0-9_$]{0,2}")


def number(data, at):
    value = 0
    for shift in range(0, 63, 7):
        byte, at = data[at], at + 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value, at
    raise ValueError("a number is too long")


def renames(data):
    """The list: how many names come before each, and the new name."""
    count, at = number(data, 0)
    check(count <= (len(data) - at) // 2, "the number of renames")
    gaps = []
    for _ in range(count):
        gap, at = number(data, at)
        gaps.append(gap)
    names = re.findall(rb"[\x00-\x7f]*[\x80-\xff]", data[at:])
    check(len(names) == count and sum(map(len, names)) == len(data) - at, "the names")
    names = [bytes(letter & 127 for letter in name) for name in names]
    check(all(NAME.fullmatch(name) for name in names), "a name")
    return list(zip(gaps, names))


def names_in(line):
    """Where the names of a long line are. `line` has what comes before it and one byte behind it, too."""
    text, begin, end = line
    for found in WORD.finditer(text, begin, end):
        word, last, after = found.group(), text[max(found.start() - 1, 0):found.start()], text[found.end():found.end() + 1]
        if not NAME.fullmatch(word) or word in KEYWORDS:
            continue
        if last == b"." and text[max(found.start() - 3, 0):found.start()] != b"...":
            continue
        if last in (b'"', b"'") and last == after or last in (b"{", b",") and after == b":":
            continue
        yield found.start(), found.end(), word


def apply(base, listed):
    """The bases with their new names."""
    out, done, passed, left, last, begin = [], 0, 0, iter(listed), {}, 0
    following = next(left, None)
    while begin < len(base):
        end = (base.find(b"\n", begin) + 1) or len(base)
        for at, behind, name in names_in((base, begin, end)) if end - begin >= 256 else ():
            if following and following[0] == passed:
                last[name], following, passed = following[1], next(left, None), 0
            else:
                passed += 1
            out += [base[done:at], last.get(name, name)]
            done = behind
        begin = end
    out = b"".join(out + [base[done:]])
    check(following is None and len(out) <= 64 << 20, "renames that are for nothing")
    return out
