"""The text of the golden zstd streams: long blocks of zeros and of words, and short ones of everything."""
import sys

sys.path.insert(0, "../deflate")
import text

numbers = text.Numbers(17)
words = text.plain()


def skewed(length, letters):
    return bytes(letters[min(numbers.below(len(letters)), numbers.below(len(letters)))] for _ in range(length))


# A block of zeros, one of words and zeros, and what `klauspost.go` flushes part by part, 64 bytes each.
parts = [bytes(140000), words[:15000], bytes(90000), words[9000:20000]]
for no in range(40):
    letters = bytes(128 + (no * 3 + of) % 96 for of in range(3))
    literals = 14 + numbers.below(20)
    at = numbers.below(14000)
    parts.append(skewed(literals, letters) + words[at:at + 64 - literals])
parts += [text.noise(numbers, 2500), skewed(6500, bytes(range(32, 112))), words[5000:6000], bytes(90), text.noise(numbers, 40)]
sys.stdout.buffer.write(b"".join(parts))
