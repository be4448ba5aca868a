//! Frames: a length and that many bytes of JSON, so that a stream of bytes becomes a stream of packets.
//!
//! The length is four bytes, the most significant first, and does not count itself. Whoever only forwards frames
//! need not know what is in them.

use std::io;

use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::io::{AsyncRead, AsyncReadExt};

/// The longest frame, in bytes. A longer one is taken for a stream that is not ours.
pub const LENGTH_MAX: usize = 64 << 20;

const PREFIX: usize = size_of::<u32>();

/// A stream did not hold frames, or no longer does.
#[derive(Debug, thiserror::Error)]
pub enum FrameError {
    /// The connection broke.
    #[error("the connection broke: {0}")]
    Broken(#[from] io::Error),
    /// The connection ended within a frame.
    #[error("the connection ended in the middle of a frame")]
    Torn,
    /// A frame says that it is longer than any.
    #[error("a frame says that it has {0} bytes; no frame has more than {LENGTH_MAX}")]
    TooLong(usize),
    /// The frame is whole and holds something else than is expected here.
    #[error("a frame does not hold a packet of this protocol: {0}")]
    Foreign(#[from] serde_json::Error),
}

/// One frame, with its length in front: what goes over the wire.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame(Vec<u8>);

impl Frame {
    /// The frame that holds `packet`.
    ///
    /// # Errors
    /// If `packet` has no form in JSON, or is too long for a frame.
    pub fn of<T: Serialize>(packet: &T) -> Result<Self, FrameError> {
        let mut bytes = vec![0; PREFIX];
        serde_json::to_writer(&mut bytes, packet)?;
        let length = bytes.len() - PREFIX;
        let prefix = u32::try_from(length).map_err(|_| FrameError::TooLong(length))?;
        if length > LENGTH_MAX {
            return Err(FrameError::TooLong(length));
        }
        bytes[..PREFIX].copy_from_slice(&prefix.to_be_bytes());
        Ok(Self(bytes))
    }

    /// What is in the frame.
    ///
    /// # Errors
    /// [`FrameError::Foreign`] if it is not a `T`.
    pub fn read<T: DeserializeOwned>(&self) -> Result<T, FrameError> {
        Ok(serde_json::from_slice(&self.0[PREFIX..])?)
    }

    /// All its bytes, the length first.
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }
}

/// Reads frames from a stream.
#[derive(Debug)]
pub struct FrameReader<R> {
    stream: R,
    /// What was read and is not yet a whole frame.
    buffer: Vec<u8>,
}

impl<R: AsyncRead + Unpin> FrameReader<R> {
    /// A reader at the beginning of a frame.
    pub fn new(stream: R) -> Self {
        Self {
            stream,
            buffer: Vec::new(),
        }
    }

    /// The next frame; `None` when the stream ends behind a whole one. A call that is cancelled loses nothing.
    ///
    /// # Errors
    /// When the stream breaks, ends within a frame, or announces a frame that is too long.
    pub async fn next(&mut self) -> Result<Option<Frame>, FrameError> {
        loop {
            if let Some(frame) = self.take()? {
                return Ok(Some(frame));
            }
            self.buffer.reserve(4096);
            if self.stream.read_buf(&mut self.buffer).await? == 0 {
                return if self.buffer.is_empty() {
                    Ok(None)
                } else {
                    Err(FrameError::Torn)
                };
            }
        }
    }

    fn take(&mut self) -> Result<Option<Frame>, FrameError> {
        let Some(prefix) = self.buffer.first_chunk() else {
            return Ok(None);
        };
        let length = u32::from_be_bytes(*prefix) as usize;
        if length > LENGTH_MAX {
            return Err(FrameError::TooLong(length));
        }
        if self.buffer.len() < PREFIX + length {
            return Ok(None);
        }
        let rest = self.buffer.split_off(PREFIX + length);
        Ok(Some(Frame(std::mem::replace(&mut self.buffer, rest))))
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncWriteExt;

    use super::*;

    #[tokio::test]
    async fn frames_come_out_as_they_went_in_however_the_bytes_arrive() {
        let packets = ["", "one", "a longer one with \"quotes\" and →"];
        let mut bytes = Vec::new();
        for packet in packets {
            bytes.extend_from_slice(Frame::of(&packet).unwrap().bytes());
        }
        for chunk in [1, 3, 7, bytes.len()] {
            let (mut near, far) = tokio::io::duplex(chunk);
            let mut reader = FrameReader::new(far);
            let write = async {
                near.write_all(&bytes).await.unwrap();
                drop(near);
            };
            let read = async {
                let mut read = Vec::new();
                while let Some(frame) = reader.next().await.unwrap() {
                    read.push(frame.read::<String>().unwrap());
                }
                read
            };
            assert_eq!(tokio::join!(write, read).1, packets);
        }
    }

    #[tokio::test]
    async fn what_is_not_a_frame_is_refused() {
        let whole = Frame::of(&7).unwrap();
        let torn = &whole.bytes()[..whole.bytes().len() - 1];
        assert!(matches!(
            FrameReader::new(torn).next().await,
            Err(FrameError::Torn)
        ));
        let http = &b"GET / HTTP/1.1\r\n"[..];
        assert!(matches!(
            FrameReader::new(http).next().await,
            Err(FrameError::TooLong(_))
        ));
        assert!(matches!(
            whole.read::<String>(),
            Err(FrameError::Foreign(_))
        ));
    }
}
