//! What scanners look for at the head of a text.

/// The digits that are read without asking whether the number still fits.
const DIGITS_MAX: usize = 18;

/// What follows this beginning, if the text has it. Its length is known when this is compiled, so that it is compared
/// without a loop.
#[inline]
pub(super) fn past<'a, const N: usize>(text: &'a [u8], beginning: &[u8; N]) -> Option<&'a [u8]> {
    let (head, rest) = text.split_first_chunk::<N>()?;
    (head == beginning).then_some(rest)
}

/// The number at the head of a text, and how many bytes it has; `None` if there is no digit or there are more than
/// are sure to fit.
#[inline]
pub(super) fn digits(text: &[u8]) -> Option<(i64, usize)> {
    let mut number = 0;
    let mut length = 0;
    while let Some(digit) = text.get(length).map(|byte| byte.wrapping_sub(b'0')) {
        if digit > 9 {
            break;
        }
        if length == DIGITS_MAX {
            return None;
        }
        number = number * 10 + i64::from(digit);
        length += 1;
    }
    (length > 0).then_some((number, length))
}

/// The same with a sign before it, if there is a minus.
#[inline]
pub(super) fn integer(text: &[u8]) -> Option<(i64, usize)> {
    match text {
        [b'-', rest @ ..] => digits(rest).map(|(number, length)| (-number, length + 1)),
        _ => digits(text),
    }
}
