//! Numbers of which the least is wanted, when most are near each other.

/// A set of numbers below a bound: a bit for each.
#[derive(Debug)]
pub(super) struct Ready {
    words: Vec<u64>,
    /// There is none in the words before this.
    first: usize,
    len: usize,
}

impl Ready {
    /// No numbers; all that come will be less than this.
    pub(super) fn below(bound: usize) -> Self {
        Self {
            words: vec![0; bound.div_ceil(64)],
            first: 0,
            len: 0,
        }
    }

    /// Puts in a number that is not there.
    pub(super) fn insert(&mut self, number: u32) {
        let word = (number / 64) as usize;
        self.words[word] |= 1 << (number % 64);
        self.first = self.first.min(word);
        self.len += 1;
    }

    /// Takes out the least.
    pub(super) fn pop_first(&mut self) -> Option<u32> {
        self.len = self.len.checked_sub(1)?;
        while self.words[self.first] == 0 {
            self.first += 1;
        }
        let word = &mut self.words[self.first];
        let place = word.trailing_zeros();
        *word &= *word - 1;
        u32::try_from(self.first * 64)
            .ok()
            .map(|begin| begin + place)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_least_comes_out_first() {
        let mut ready = Ready::below(200);
        assert_eq!(ready.pop_first(), None);
        for number in [199, 64, 63, 130, 0] {
            ready.insert(number);
        }
        assert_eq!(ready.pop_first(), Some(0));
        assert_eq!(ready.pop_first(), Some(63));
        ready.insert(5);
        let rest: Vec<_> = std::iter::from_fn(|| ready.pop_first()).collect();
        assert_eq!(rest, [5, 64, 130, 199]);
    }
}
