//! The write-ahead log: the file that a node's durable state is rebuilt from.
//!
//! The file begins with [`MAGIC`]; then come records, each a length, a checksum and a write in JSON. Opening a
//! log reads records up to the first that is torn or does not have its checksum, cuts the file there, and applies
//! what it read. A process that was killed can only have torn the end, and nothing behind a torn record was ever
//! said to be on the disk: [`append`](WriteAheadLog::append) returns after `fsync`.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use serde::Serialize;
use tribunal_protocols::Durable;

/// How every log begins: what it is, and the version of its format.
pub const MAGIC: &[u8; 16] = b"tribunal wal v1\n";

/// A record's length and its checksum, both least significant byte first.
const HEAD: usize = 8;

/// The log cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum WalError {
    /// The file system refused.
    #[error("cannot use the write-ahead log {}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file is something else. It is left as it is.
    #[error("{} is not a write-ahead log of this version; give the node another data directory", path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
    },
}

/// What a log held when it was opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recovered<D> {
    /// The durable state: all its writes, applied in order.
    pub durable: D,
    /// How many writes they were.
    pub records: usize,
    /// How many bytes at the end were no whole record and have been cut off.
    pub cut_bytes: usize,
}

/// An open log, at its end.
#[derive(Debug)]
pub struct WriteAheadLog {
    file: File,
}

impl WriteAheadLog {
    /// Opens the log at `path`, or creates it, and recovers the state that it holds.
    ///
    /// # Errors
    /// If the file cannot be read and written, or is not a log.
    pub fn open<D: Durable>(path: &Path) -> Result<(Self, Recovered<D>), WalError> {
        let failed = |source| WalError::Io {
            path: path.to_owned(),
            source,
        };
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(path)
            .map_err(failed)?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).map_err(failed)?;
        if bytes.len() < MAGIC.len() && MAGIC.starts_with(&bytes) {
            // New, or its creator was killed before it wrote anything else.
            start(&mut file, path).map_err(failed)?;
            bytes = MAGIC.to_vec();
        }
        let Some(records) = bytes.strip_prefix(MAGIC) else {
            return Err(WalError::Foreign {
                path: path.to_owned(),
            });
        };
        let (recovered, whole) = recover(records);
        let end = (MAGIC.len() + whole) as u64;
        if recovered.cut_bytes > 0 {
            file.set_len(end).map_err(failed)?;
            file.sync_all().map_err(failed)?;
        }
        file.seek(SeekFrom::Start(end)).map_err(failed)?;
        Ok((Self { file }, recovered))
    }

    /// Appends records, made by [`record`], and returns when they are on the disk.
    ///
    /// # Errors
    /// If the file system refuses. The end of the log is then unknown and nothing more may be appended: open it
    /// again.
    pub fn append(&mut self, records: &[u8]) -> io::Result<()> {
        self.file.write_all(records)?;
        self.file.sync_data()
    }
}

/// Writes the beginning of a log, and brings the file's name to the disk too.
fn start(file: &mut File, path: &Path) -> io::Result<()> {
    file.set_len(0)?;
    file.seek(SeekFrom::Start(0))?;
    file.write_all(MAGIC)?;
    file.sync_all()?;
    match path.parent() {
        Some(directory) if !directory.as_os_str().is_empty() => File::open(directory)?.sync_all(),
        _ => File::open(".")?.sync_all(),
    }
}

/// Applies the whole records at the beginning of `bytes`; says how many bytes they are.
fn recover<D: Durable>(bytes: &[u8]) -> (Recovered<D>, usize) {
    let mut recovered = Recovered {
        durable: D::default(),
        records: 0,
        cut_bytes: 0,
    };
    let mut rest = bytes;
    while let Some((write, behind)) = first_record::<D::Write>(rest) {
        recovered.durable.apply(&write);
        recovered.records += 1;
        rest = behind;
    }
    recovered.cut_bytes = rest.len();
    (recovered, bytes.len() - rest.len())
}

fn first_record<W: serde::de::DeserializeOwned>(bytes: &[u8]) -> Option<(W, &[u8])> {
    let (length, rest) = bytes.split_first_chunk()?;
    let (checksum, rest) = rest.split_first_chunk()?;
    let (body, rest) = rest.split_at_checked(u32::from_le_bytes(*length) as usize)?;
    if crc32(body) != u32::from_le_bytes(*checksum) {
        return None;
    }
    Some((serde_json::from_slice(body).ok()?, rest))
}

/// The record of a write.
///
/// # Errors
/// If the write has no form in JSON or is longer than 4 GiB.
pub fn record<W: Serialize>(write: &W) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; HEAD];
    serde_json::to_writer(&mut bytes, write)?;
    let length = u32::try_from(bytes.len() - HEAD).map_err(io::Error::other)?;
    let checksum = crc32(&bytes[HEAD..]);
    bytes[..4].copy_from_slice(&length.to_le_bytes());
    bytes[4..HEAD].copy_from_slice(&checksum.to_le_bytes());
    Ok(bytes)
}

/// CRC-32 of IEEE 802.3, as zlib computes it.
fn crc32(bytes: &[u8]) -> u32 {
    const TABLE: [u32; 256] = {
        let mut table = [0; 256];
        let mut byte = 0;
        while byte < 256 {
            let mut remainder = byte as u32;
            let mut bit = 0;
            while bit < 8 {
                remainder = (remainder >> 1) ^ (0xedb8_8320 * (remainder & 1));
                bit += 1;
            }
            table[byte] = remainder;
            byte += 1;
        }
        table
    };
    !bytes.iter().fold(!0, |crc, byte| {
        (crc >> 8) ^ TABLE[(crc as u8 ^ byte) as usize]
    })
}

#[cfg(test)]
mod tests {
    use tribunal_protocols::raft::HardState;
    use tribunal_protocols::raft::log::Write as RaftWrite;

    use super::*;

    fn vote(term: u64) -> RaftWrite {
        RaftWrite::Vote {
            term,
            voted_for: None,
        }
    }

    fn open(path: &Path) -> (WriteAheadLog, Recovered<HardState>) {
        WriteAheadLog::open(path).unwrap()
    }

    /// A log of the votes of terms 1 to 3, and the lengths of the file after each.
    fn three_votes(path: &Path) -> Vec<u64> {
        let (mut log, empty) = open(path);
        assert_eq!(empty.durable, HardState::default());
        let lengths = (1..=3).map(|term| {
            log.append(&record(&vote(term)).unwrap()).unwrap();
            path.metadata().unwrap().len()
        });
        lengths.collect()
    }

    #[test]
    fn the_checksum_is_the_one_everybody_uses() {
        assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
        assert_eq!(crc32(b""), 0);
    }

    #[test]
    fn what_was_appended_is_recovered() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("wal");
        three_votes(&path);
        let (_, recovered) = open(&path);
        assert_eq!(recovered.durable.term, 3);
        assert_eq!((recovered.records, recovered.cut_bytes), (3, 0));
    }

    #[test]
    fn a_torn_end_is_cut_off_wherever_it_was_torn() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("wal");
        let lengths = three_votes(&path);
        let whole = std::fs::read(&path).unwrap();
        let within_magic = [0, 5, MAGIC.len()].into_iter();
        for length in within_magic.chain((MAGIC.len()..whole.len()).step_by(5)) {
            std::fs::write(&path, &whole[..length]).unwrap();
            let kept = lengths.iter().filter(|end| **end <= length as u64).count();
            let (mut log, recovered) = open(&path);
            assert_eq!(recovered.records, kept, "{length} bytes");
            log.append(&record(&vote(9)).unwrap()).unwrap();
            let (_, recovered) = open(&path);
            assert_eq!((recovered.records, recovered.cut_bytes), (kept + 1, 0));
            assert_eq!(recovered.durable.term, 9);
        }
    }

    #[test]
    fn a_corrupt_record_ends_the_log() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("wal");
        let lengths = three_votes(&path);
        let whole = std::fs::read(&path).unwrap();
        for place in lengths[0]..lengths[1] {
            let mut bytes = whole.clone();
            bytes[usize::try_from(place).unwrap()] ^= 0x40;
            std::fs::write(&path, &bytes).unwrap();
            let (_, recovered) = open(&path);
            assert_eq!(recovered.durable.term, 1, "byte {place} flipped");
            assert_eq!(recovered.cut_bytes as u64, lengths[2] - lengths[0]);
            assert_eq!(path.metadata().unwrap().len(), lengths[0]);
        }
    }

    #[test]
    fn a_file_that_is_no_log_is_left_alone() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("wal");
        std::fs::write(&path, "my diary, not for anyone").unwrap();
        let refused = WriteAheadLog::open::<HardState>(&path).unwrap_err();
        assert!(refused.to_string().contains("is not a write-ahead log"));
        assert_eq!(std::fs::read(&path).unwrap(), b"my diary, not for anyone");
    }
}
