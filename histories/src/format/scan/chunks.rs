//! Chunks: a file in pieces that end where an event seems to end.

use std::collections::VecDeque;
use std::io::{self, BufRead, Read};
use std::sync::Arc;

use memchr::{memrchr, memrchr_iter};

use super::super::limits::EVENT_BYTES_MAX;

/// Finds the last place in a text at which an event seems to have ended.
pub(super) type LastEnd = fn(&[u8]) -> Option<usize>;

/// Events end with their lines.
pub(super) fn line_end(text: &[u8]) -> Option<usize> {
    memrchr(b'\n', text).map(|end| end + 1)
}

/// An event ends with its line where the next line begins like one.
pub(super) fn form_end(text: &[u8]) -> Option<usize> {
    memrchr_iter(b'\n', text).map(|end| end + 1).find(|end| {
        let next = text.get(*end..).unwrap_or_default();
        matches!(next, [b'{' | b'#', ..] | [b' ', b'{' | b'#', ..])
    })
}

/// Cuts an input into chunks.
pub(super) struct Chunks<R> {
    input: R,
    /// What has been read and is in no chunk yet.
    carried: Vec<u8>,
    last_end: LastEnd,
    chunk_bytes: usize,
    state: State,
}

enum State {
    Reading,
    /// All has been read.
    Ended,
    /// An event is longer than any reader takes.
    GivenUp,
    /// The file system refused.
    Failed(io::Error),
}

impl<R: BufRead> Chunks<R> {
    /// The chunks of an input, of about so many bytes.
    pub(super) fn new(input: R, last_end: LastEnd, chunk_bytes: usize) -> Self {
        Self {
            input,
            carried: Vec::new(),
            last_end,
            chunk_bytes,
            state: State::Reading,
        }
    }

    /// The next chunk. There is none at the end, and none where chunks cannot be cut: [`Chunks::into_rest`] has what
    /// follows.
    pub(super) fn next(&mut self) -> Option<Vec<u8>> {
        while let State::Reading = self.state {
            // An event of many chunks is found in steps that double, so that its bytes are not looked at too often.
            let wanted = self.chunk_bytes.max(self.carried.len());
            self.carried.reserve_exact(wanted);
            let mut limited = self.input.by_ref().take(wanted as u64);
            match limited.read_to_end(&mut self.carried) {
                Ok(taken) if taken < wanted => {
                    self.state = State::Ended;
                    break;
                }
                Ok(_) => {}
                Err(error) => self.state = State::Failed(error),
            }
            if let Some(end) = (self.last_end)(&self.carried) {
                let rest = self.carried.split_off(end);
                return Some(std::mem::replace(&mut self.carried, rest));
            }
            if self.carried.len() > EVENT_BYTES_MAX {
                self.state = State::GivenUp;
            }
        }
        let last = matches!(self.state, State::Ended) && !self.carried.is_empty();
        last.then(|| std::mem::take(&mut self.carried))
    }

    /// What follows the chunks, after these pieces of some that are to be read again.
    pub(super) fn into_rest(self, mut pieces: VecDeque<Piece>) -> Rest<R> {
        pieces.push_back(Piece {
            bytes: Arc::new(self.carried),
            taken: 0,
        });
        let failed = match self.state {
            State::Failed(error) => Some(error),
            State::Reading | State::Ended | State::GivenUp => None,
        };
        Rest {
            pieces,
            failed,
            input: self.input,
        }
    }
}

/// Bytes of which some have been taken.
pub(super) struct Piece {
    pub(super) bytes: Arc<Vec<u8>>,
    pub(super) taken: usize,
}

/// The rest of an input: pieces that had been read already, and what has not been.
pub(super) struct Rest<R> {
    pieces: VecDeque<Piece>,
    failed: Option<io::Error>,
    input: R,
}

impl<R: BufRead> Read for Rest<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let taken = self.fill_buf()?.read(into)?;
        self.consume(taken);
        Ok(taken)
    }
}

impl<R: BufRead> BufRead for Rest<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        let used_up = |piece: &Piece| piece.taken == piece.bytes.len();
        while self.pieces.front().is_some_and(used_up) {
            self.pieces.pop_front();
        }
        if let Some(piece) = self.pieces.front() {
            return Ok(&piece.bytes[piece.taken..]);
        }
        match self.failed.take() {
            Some(error) => Err(error),
            None => self.input.fill_buf(),
        }
    }

    fn consume(&mut self, taken: usize) {
        match self.pieces.front_mut() {
            Some(piece) => piece.taken += taken,
            None => self.input.consume(taken),
        }
    }
}
