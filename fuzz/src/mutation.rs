//! Seeded changes of inputs: the same seed gives the same inputs, whatever the clock says.

/// Inputs made of a corpus and of words that mean something to the target.
pub struct Mutation<'a> {
    corpus: &'a [Vec<u8>],
    words: &'a [Vec<u8>],
    state: u64,
}

/// Longest input.
const BYTES_MAX: usize = 1 << 14;

impl<'a> Mutation<'a> {
    /// The corpus should not be empty.
    pub fn new(corpus: &'a [Vec<u8>], words: &'a [Vec<u8>], seed: u64) -> Mutation<'a> {
        Mutation { corpus, words, state: seed ^ 0x9E37_79B9_7F4A_7C15 }
    }

    /// SplitMix64.
    fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.state ^ (self.state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound.max(1) as u64) as usize
    }

    fn pick<'t>(&mut self, from: &'t [Vec<u8>]) -> &'t [u8] {
        let at = self.below(from.len());
        from.get(at).map_or(&[], Vec::as_slice)
    }

    /// The next input: one of the corpus with one to eight changes.
    pub fn input(&mut self) -> Vec<u8> {
        let mut input = self.pick(self.corpus).to_vec();
        for _ in 0..=self.below(8) {
            self.change(&mut input);
        }
        input.truncate(BYTES_MAX);
        input
    }

    fn change(&mut self, input: &mut Vec<u8>) {
        let at = self.below(input.len() + 1);
        let (start, end) = self.range(input.len());
        match self.below(10) {
            0 => drop(input.drain(start..end)),
            1 => {
                let copy = input[start..end].to_vec();
                input.splice(at..at, copy);
            }
            // Many of the same: what nests, nests deeply.
            2 => {
                let times = 1 + self.below(300);
                let copy = input[start..end.min(start + 16)].repeat(times);
                input.splice(at..at, copy);
            }
            3 | 4 => {
                let word = self.pick(self.words).to_vec();
                input.splice(at..at, word);
            }
            5 => {
                let word = self.pick(self.words).to_vec();
                input.splice(start..end.min(start + 12), word);
            }
            6 => {
                let other = self.pick(self.corpus);
                let (from, to) = self.range(other.len());
                input.splice(start..end, other[from..to].iter().copied());
            }
            7 => {
                if let Some(byte) = input.get_mut(at) {
                    *byte ^= 1 << (self.next() % 8);
                }
            }
            8 => {
                let byte = self.next() as u8;
                input.insert(at, byte);
            }
            _ => {
                const NUMBERS: [&str; 8] = [
                    "0",
                    "-1",
                    "1e400",
                    "9007199254740993",
                    "18446744073709551616",
                    "-0.0",
                    "2147483648",
                    "256",
                ];
                let number = NUMBERS[self.below(NUMBERS.len())];
                input.splice(at..at, number.bytes());
            }
        }
    }

    /// A short stretch within `len`.
    fn range(&mut self, len: usize) -> (usize, usize) {
        let start = self.below(len + 1);
        let longest = if self.next() % 4 == 0 { len } else { 32 };
        let end = (start + self.below(longest + 1)).min(len);
        (start, end)
    }
}

/// The words of a libFuzzer dictionary: one in double quotes a line, with `\\`, `\"` and `\xNN`.
pub fn words(dictionary: &str) -> Vec<Vec<u8>> {
    let quoted = dictionary.lines().filter_map(|line| line.trim().strip_prefix('"')?.strip_suffix('"'));
    quoted.map(unescaped).collect()
}

fn unescaped(text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        rest = tail;
        match (first, tail) {
            (b'\\', [b'x', hex @ ..]) => {
                let digits = hex.get(..2).and_then(|digits| std::str::from_utf8(digits).ok());
                bytes.extend(digits.and_then(|digits| u8::from_str_radix(digits, 16).ok()));
                rest = hex.get(2..).unwrap_or_default();
            }
            (b'\\', [escaped, behind @ ..]) => {
                bytes.push(*escaped);
                rest = behind;
            }
            _ => bytes.push(*first),
        }
    }
    bytes
}
