//! Inputs that nobody would write: those of a corpus, cut, repeated, crossed and spoilt by chance.

use fastrand::Rng;

/// No input is longer.
const LONGEST: usize = 8 << 10;

/// Bytes that mean something to one parser or another, and bytes that mean nothing to any.
const TELLING: &[u8] = b"\0\t\n\r \"#%&'()*+,-./0129:;<=>?@[\\]_`aefzAZ{|}~\x7f\x80\xc3\xe2\xf0\xff";

/// Numbers at which something ends.
const NUMBERS: [&str; 8] =
    ["-1", "0", "65536", "4294967296", "9223372036854775807", "18446744073709551616", "1e999", "0.0000001"];

pub(crate) struct Mutations {
    chance: Rng,
    corpus: Vec<Vec<u8>>,
}

impl Mutations {
    pub(crate) fn of(corpus: Vec<Vec<u8>>, seed: u64) -> Self {
        Self { chance: Rng::with_seed(seed), corpus }
    }

    /// The next input.
    pub(crate) fn next(&mut self) -> Vec<u8> {
        let mut input = self.one_of_the_corpus();
        for _ in 0..self.chance.usize(1..=6) {
            self.spoil(&mut input);
            input.truncate(LONGEST);
        }
        input
    }

    fn one_of_the_corpus(&mut self) -> Vec<u8> {
        self.corpus[self.chance.usize(..self.corpus.len())].clone()
    }

    fn spoil(&mut self, input: &mut Vec<u8>) {
        let chance = &mut self.chance;
        let at = chance.usize(..=input.len());
        let end = (at + chance.usize(0..=16)).min(input.len());
        match chance.u8(0..8) {
            0 if at < input.len() => input[at] ^= 1 << chance.u8(0..8),
            1 if at < input.len() => input[at] = TELLING[chance.usize(..TELLING.len())],
            2 => input.insert(at, TELLING[chance.usize(..TELLING.len())]),
            3 => drop(input.drain(at..end)),
            4 => {
                let again = input[at..end].repeat(chance.usize(1..=60));
                input.splice(at..at, again);
            }
            5 => {
                let other = self.one_of_the_corpus();
                let from = self.chance.usize(..=other.len());
                let to = (from + self.chance.usize(0..=40)).min(other.len());
                input.splice(at..at, other[from..to].iter().copied());
            }
            6 => {
                let other = self.one_of_the_corpus();
                input.truncate(at);
                input.extend_from_slice(&other[self.chance.usize(..=other.len())..]);
            }
            _ => {
                let digits = input[at..].iter().take_while(|byte| byte.is_ascii_digit()).count();
                let number = NUMBERS[chance.usize(..NUMBERS.len())];
                input.splice(at..at + digits, number.bytes());
            }
        }
    }
}
