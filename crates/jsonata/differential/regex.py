"""Generated regular expressions, answered by java.util.regex: the cases of src/regex/tests.rs.

    python3 regex.py --seed 1 --count 1000 > ../tests/regex.jsonl

Needs Java 17 or later; without it, says so and writes nothing.
"""

import argparse
import base64
import json
import pathlib
import random
import shutil
import subprocess
import sys

HERE = pathlib.Path(__file__).parent
CHARS = ["a", "b", "c", "A", "B", "z", "0", "1", "_", "-", " ", "é", "É", "ß", "𝄞", ",", "&"]
TEXT = CHARS + ["\n", "\r\n", "\r", "\u2028", "\u0085", "\t", "x", "a", "b", "a", "b", "ab", "aab", ".", "\\", "{", "]", "^", "\u00a0"]
ESCAPES = [
    *r"\d \D \w \W \s \S \h \H \v \V \t \n \r \f \a \e \. \\ \- \_ \x41 \x{61} \x{1D11E} \u0061 \uD834\uDD1E".split(),
    *r"\cA \0101 \07 \08 \p{L} \p{Lu} \P{Lu} \pL \PL \p{Alpha} \p{Lower} \p{Punct} \p{IsAlphabetic} \p{IsLatin}".split(),
    *r"\p{javaLowerCase} \p{IsLowercase} \p{sc=Greek} \p{gc=Nd} \p{Nope} \p{lu} \p{ASCII} \p{L1} \p{} \p{L".split(),
    *r"\q \y \_ \x4 \u12 \c \xZZ \x{} \x{110000} \p{XDigit} \p{Space} \p{IsWhite_Space} \p{LC} \p{IsL} \p{IsPunctuation}".split(),
]
ASSERTIONS = r"^ $ \A \z \Z \b \B \G".split()


class Generator:
    def __init__(self, rng):
        self.rng = rng
        self.groups = 0
        self.odd = rng.random() < 0.3

    def pick(self, choices):
        return self.rng.choice(choices)

    def alternatives(self, depth):
        count = 1 if self.rng.random() < 0.7 else self.rng.randint(2, 3)
        return "|".join(self.sequence(depth) for _ in range(count))

    def sequence(self, depth):
        return "".join(self.quantified(depth) for _ in range(self.rng.randint(1, 3)))

    def quantified(self, depth):
        term = self.term(depth)
        if self.rng.random() < 0.6:
            return term
        quantifiers = ["*", "+", "?", "{2}", "{1,}", "{0,2}", "{1,3}"]
        if self.odd:
            quantifiers += ["{,2}", "{", "{2,1}", "{1", "**", "{2}{2}", "+++", "{0}", "{99999999999}", "{a}"]
        return term + self.pick(quantifiers) + self.pick(["", "", "?", "+"])

    def term(self, depth):
        kind = self.rng.random()
        if depth > 0 and kind < 0.3:
            return self.group(depth - 1)
        if kind < 0.4:
            return self.char_class(2)
        if kind < 0.5:
            return self.escape()
        if kind < 0.58:
            return self.pick(ASSERTIONS)
        if kind < 0.64:
            return "."
        if kind < 0.69 and (self.groups or self.odd):
            return "\\" + str(self.rng.randint(1, max(1, self.groups) + (2 if self.odd else 0)))
        if kind < 0.71:
            return "\\Q" + self.pick(["a", "a.", "[b", "1", "*+", "a\\b"]) + self.pick(["\\E", "\\E", ""])
        if kind < 0.73:
            return r"\R"
        if kind < 0.75 and self.odd:
            return self.pick(["]", "}", "{", "(", ")", "[", "*", "\\E", "\\", "\\k<n>", "\\k", "(?", "(?<", "(?<1>a)", "(?<n", "(?z)", "(?-)"])
        if kind < 0.77:
            return self.pick(["(?i)", "(?s)", "(?m)", "(?x)", "(?d)", "(?u)", "(?iu)", "(?-i)", "(?U)", "(?i-s)", "(?x) # a\n"])
        return self.pick(CHARS[:8]) if self.rng.random() < 0.7 else self.pick(CHARS)

    def escape(self):
        return self.pick(ESCAPES if self.odd else ESCAPES[:36])

    def group(self, depth):
        opening = self.pick(["(", "(", "(", "(?:", "(?:", "(?>", "(?=", "(?!", "(?<=", "(?<!", "(?i:", "(?s-i:", "(?<n>"])
        if opening in ("(", "(?<n>"):
            self.groups += 1
        return opening + self.alternatives(depth) + ")"

    def char_class(self, depth):
        out = "[" + self.pick(["", "", "^"])
        for _ in range(self.rng.randint(1, 4)):
            kind = self.rng.random()
            if kind < 0.4:
                out += self.pick(CHARS)
            elif kind < 0.6:
                out += self.pick(["a-c", "A-Z", "0-9", "b-z", "é-ý", "z-a", "a-", "-"] if self.odd else ["a-c", "A-Z", "0-9", "b-z", "À-Ý"])
            elif kind < 0.8:
                out += self.escape()
            elif depth and kind < 0.9:
                out += self.char_class(depth - 1)
            elif kind < 0.95:
                out += "&&" + (self.char_class(depth - 1) if depth and self.rng.random() < 0.7 else "a-c")
            elif self.odd:
                out += self.pick(["[", "]", "&&", "&", "^", "\\b", "\\A", "\\", "&&&", "\\Qa-\\E", "a-\\d", "\\d-a", "\\v-z"])
        return out + "]"


def cases(seed, count):
    rng = random.Random(seed)
    for _ in range(count):
        generator = Generator(rng)
        pattern = generator.alternatives(3)
        text = "".join(rng.choice(TEXT) for _ in range(rng.randint(0, 9)))
        if "\\b" in pattern or "\\B" in pattern:
            # Which letters make words depends on Java's version.
            text = text.encode("ascii", "ignore").decode()
        flags = rng.choice(["", "", "", "i", "m", "im"])
        yield pattern, flags, text


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=int, default=1000)
    options = parser.parse_args()
    if not shutil.which("java"):
        sys.exit("Java is not installed")
    found = list(cases(options.seed, options.count))
    encode = lambda text: base64.b64encode(text.encode()).decode()
    lines = "".join(f"{encode(pattern)} {flags} {encode(text)}\n" for pattern, flags, text in found)
    answers = subprocess.run(
        ["java", "-Xss4m", HERE / "Regex.java"], input=lines, capture_output=True, text=True, check=True, timeout=300
    ).stdout.splitlines()
    for (pattern, flags, text), answer in zip(found, answers, strict=True):
        if answer == "skip":
            continue
        expect = answer
        if answer.startswith(("=", "~")):
            expect = [None if part == "~" else base64.b64decode(part[1:]).decode("utf-8", "replace") for part in answer.split(" ")]
        print(json.dumps({"pattern": pattern, "flags": flags, "text": text, "expect": expect}, ensure_ascii=False))


if __name__ == "__main__":
    main()
