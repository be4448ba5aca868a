//! Quantities as people write and read them: durations, sizes in memory, large counts.

use std::time::Duration;

/// Why a text is not a quantity.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not {what}: a number and one of {units}, as in {example}")]
pub(crate) struct NotAQuantity {
    text: String,
    what: &'static str,
    units: String,
    example: &'static str,
}

/// A duration: `500ms`, `60s`, `10m`, `5h`.
///
/// # Errors
/// When the text is none.
pub(crate) fn duration(text: &str) -> Result<Duration, NotAQuantity> {
    const UNITS: [(&str, u64); 4] = [("ms", 1), ("s", 1_000), ("m", 60_000), ("h", 3_600_000)];
    scaled(text, &UNITS)
        .map(Duration::from_millis)
        .ok_or_else(|| not_a(text, "a duration", &UNITS, "60s"))
}

/// A size in bytes: `64KiB`, `512MiB`, `2GiB`.
///
/// # Errors
/// When the text is none, or more than this machine can address.
pub(crate) fn bytes(text: &str) -> Result<usize, NotAQuantity> {
    const UNITS: [(&str, u64); 3] = [("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30)];
    scaled(text, &UNITS)
        .and_then(|bytes| usize::try_from(bytes).ok())
        .ok_or_else(|| not_a(text, "a size in memory", &UNITS, "2GiB"))
}

fn scaled(text: &str, units: &[(&str, u64)]) -> Option<u64> {
    let digits = text.find(|letter: char| !letter.is_ascii_digit())?;
    let (number, unit) = text.split_at(digits);
    let (_, scale) = units.iter().find(|(name, _)| *name == unit)?;
    number.parse::<u64>().ok()?.checked_mul(*scale)
}

fn not_a(
    text: &str,
    what: &'static str,
    units: &[(&str, u64)],
    example: &'static str,
) -> NotAQuantity {
    let units: Vec<_> = units.iter().map(|(name, _)| *name).collect();
    NotAQuantity {
        text: text.to_owned(),
        what,
        units: units.join(", "),
        example,
    }
}

/// A large count with commas: `1,234,567`.
pub(crate) fn grouped(count: u64) -> String {
    let digits = count.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A count and its noun: `1 key`, `3 keys`.
pub(crate) fn counted(count: u64, noun: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{} {noun}{plural}", grouped(count))
}

/// A size in memory: `2 GiB`, `1,500 MiB`.
pub(crate) fn size(bytes: u64) -> String {
    let gib = bytes >> 30;
    if gib > 0 && bytes.is_multiple_of(1 << 30) {
        format!("{} GiB", grouped(gib))
    } else {
        format!("{} MiB", grouped(bytes >> 20))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantities_are_read() {
        assert_eq!(duration("500ms"), Ok(Duration::from_millis(500)));
        assert_eq!(duration("10m"), Ok(Duration::from_secs(600)));
        assert_eq!(bytes("2GiB"), Ok(2 << 30));
        assert_eq!(bytes("64KiB"), Ok(65_536));
    }

    #[test]
    fn what_is_no_quantity_is_refused() {
        for text in [
            "",
            "s",
            "60",
            "1.5s",
            "-1s",
            "60 s",
            "99999999999999999999s",
        ] {
            assert!(duration(text).is_err(), "{text}");
        }
        assert_eq!(
            bytes("2GB").unwrap_err().to_string(),
            "`2GB` is not a size in memory: a number and one of KiB, MiB, GiB, as in 2GiB"
        );
    }

    #[test]
    fn quantities_are_written() {
        let counts = [0, 999, 1_000, 1_234_567].map(grouped);
        assert_eq!(counts, ["0", "999", "1,000", "1,234,567"]);
        assert_eq!(counted(1, "key"), "1 key");
        assert_eq!(counted(2_000, "key"), "2,000 keys");
        assert_eq!(size(2 << 30), "2 GiB");
        assert_eq!(size(1_500 << 20), "1,500 MiB");
    }
}
