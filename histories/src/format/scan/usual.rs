//! The spelling in which almost every line of a native history comes: all fields in the order in which we write them,
//! nothing between them, a process that has a number, and no error.
//!
//! Each field's name is compared at its place, digits and short names are taken eight bytes at once. What is spelled in
//! any other way is left to [`jsonl`](super::jsonl).

use super::block::BlockBuilder;
use super::jsonl;
use super::text::past;
use crate::event::{Event, FunctionId, Kind, Process};
use crate::value::ValueId;

/// Every byte of a word the same.
const fn each(byte: u8) -> u64 {
    u64::from_le_bytes([byte; 8])
}

/// The event on the line at the head of a text, and what follows the line.
#[inline]
pub(super) fn event<'a>(
    text: &'a [u8],
    builder: &mut BlockBuilder<'a>,
) -> Option<(Event, &'a [u8])> {
    let rest = past(text, b"{\"time\":")?;
    let (time_ns, rest) = digits(rest)?;
    let rest = past(rest, b",\"process\":")?;
    let (client, rest) = digits(rest)?;
    let rest = past(rest, b",\"type\":\"")?;
    let (kind, rest) = match rest.first()? {
        b'i' => (Kind::Invoke, past(rest, b"invoke\",\"f\":\"")?),
        b'o' => (Kind::Ok, past(rest, b"ok\",\"f\":\"")?),
        _ => return None,
    };
    let (function, rest) = function(rest, builder)?;
    let (key, rest) = match past(rest, b",\"key\":") {
        Some(rest) => value(rest, builder)?,
        None => (ValueId::NIL, rest),
    };
    let rest = past(rest, b",\"value\":")?;
    let (value, rest) = value(rest, builder)?;
    let rest = past(rest, b"}\n")?;
    let process = Process::Client(u32::try_from(client).ok()?);
    let event = Event::new(process, kind, function)
        .at(Some(time_ns))
        .with(key, value);
    Some((event, rest))
}

#[inline]
fn value<'a>(text: &'a [u8], builder: &mut BlockBuilder<'a>) -> Option<(ValueId, &'a [u8])> {
    if let Some(rest) = past(text, b"null") {
        return Some((ValueId::NIL, rest));
    }
    match digits(text) {
        // A fraction goes on where this ends.
        Some((number, rest)) if !matches!(rest, [b'.' | b'e' | b'E', ..]) => {
            Some((builder.int(i64::try_from(number).ok()?), rest))
        }
        _ => jsonl::value(text, builder),
    }
}

/// The name whose inside begins here; what follows its closing quote.
#[inline]
fn function<'a>(text: &'a [u8], builder: &mut BlockBuilder<'a>) -> Option<(FunctionId, &'a [u8])> {
    let word = u64::from_le_bytes(*text.first_chunk()?);
    let quotes = word ^ each(b'"');
    let quotes = quotes.wrapping_sub(each(1)) & !quotes & each(0x80);
    // The first byte that is found so is right, those after it need not be.
    let length = quotes.trailing_zeros() / 8;
    if length == 0 || length == 8 {
        return None;
    }
    let name = word & (u64::MAX >> (64 - 8 * length));
    let (inside, rest) = text.split_at(length as usize);
    Some((builder.short_function(name, inside)?, &rest[1..]))
}

/// The digits at the head of a text as JSON spells a number that is not negative, if they are not more than fit for sure.
#[inline]
fn digits(text: &[u8]) -> Option<(u64, &[u8])> {
    let (number, length) = eight(text)?;
    let rest = &text[length..];
    if length < 8 {
        let is_canonical = text[0] != b'0' || length == 1;
        return (is_canonical && length > 0).then_some((number, rest));
    }
    let (low, more) = eight(rest)?;
    const POWERS: [u64; 8] = [1, 10, 100, 1_000, 10_000, 100_000, 1_000_000, 10_000_000];
    let number = number * POWERS.get(more)? + low;
    (text[0] != b'0').then_some((number, &rest[more..]))
}

/// The number that the first digits of eight bytes spell, and how many they are.
#[inline]
fn eight(text: &[u8]) -> Option<(u64, usize)> {
    let digits = u64::from_le_bytes(*text.first_chunk()?) ^ each(b'0');
    // Beyond nine a byte's highest bit is set. What is carried over falsifies later bytes only.
    let others = (digits.wrapping_add(each(0x80 - 10)) | digits) & each(0x80);
    let length = others.trailing_zeros() / 8;
    if length == 0 {
        return Some((0, 0));
    }
    // The last digit in the highest byte, noughts before the first; then pairs, fours and all eight are joined.
    let digits = digits << (64 - 8 * length);
    let pairs = digits.wrapping_mul(10).wrapping_add(digits >> 8) & 0x00ff_00ff_00ff_00ff;
    let fours = pairs.wrapping_mul(100).wrapping_add(pairs >> 16) & 0x0000_ffff_0000_ffff;
    let number = fours.wrapping_mul(10_000).wrapping_add(fours >> 32) & 0xffff_ffff;
    Some((number, length as usize))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_are_read_as_they_are_written() {
        let mut number = 1_u64;
        while number < 1_000_000_000_000_000 {
            for number in [number - 1, number, number + 1, number * 9] {
                let text = format!("{number},\"process\":1}}");
                let (read, rest) = digits(text.as_bytes()).unwrap();
                assert_eq!((read, rest[0]), (number, b','), "{text}");
            }
            number *= 10;
        }
        for other in [
            "",
            "1",
            "-1234567",
            "01234567",
            "00,,,,,,,",
            ",1234567",
            "1234567890123456,,,,,,,,",
        ] {
            assert_eq!(digits(other.as_bytes()), None, "{other}");
        }
        for byte in (0..=u8::MAX).filter(|byte| !byte.is_ascii_digit()) {
            let text = [b'4', b'2', byte, b'7', 0xff, 0xff, b'1', b'2'];
            assert_eq!(digits(&text), Some((42, &text[2..])), "{byte}");
        }
    }
}
