//! Integers of up to eighteen digits, which need no check for overflow.

/// The digits that are read without asking whether the number still fits.
const DIGITS_MAX: usize = 18;

/// The number at the head of a text, and how many bytes it has; `None` if there is no digit or there are too many.
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
pub(super) fn integer(text: &[u8]) -> Option<(i64, usize)> {
    match text {
        [b'-', rest @ ..] => digits(rest).map(|(number, length)| (-number, length + 1)),
        _ => digits(text),
    }
}
