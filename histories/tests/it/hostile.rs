//! Malformed input: every reader ends with an error or with events, and never panics.

use proptest::prelude::*;
use tribunal_histories::format::read_history;
use tribunal_histories::{BuildOptions, Format, LoadError};

/// A good history in each format, to be damaged.
const GOOD: [&str; 4] = [
    "{\"tribunal\":\"history\",\"version\":1}\n\
     {\"time\":12,\"process\":0,\"type\":\"invoke\",\"f\":\"write\",\"key\":\"x\",\"value\":[1,2.5,{\"a\":null}]}\n\
     {\"time\":19,\"process\":0,\"type\":\"info\",\"f\":\"write\",\"key\":\"x\",\"error\":\"\\u00e9\"}\n",
    "; good\n[{:process 0, :type :invoke, :f :write, :value #{1 2.5M \"\\u00e9\\n\" \\a}}\n\
     #_ ignored #op{:process 0, :type :ok, :f :write, :value (1N -2/3 {:a nil})}]\n",
    "[{\"process\": 0, \"type\": \"invoke\",\n \"f\": \"write\", \"value\": [1, \"]}\\\"\"]},\n\
     {\"process\": 0, \"type\": \"ok\", \"f\": \"write\", \"value\": {\"a\": 1e3}}]\n",
    "INFO  jepsen.core - hello\nINFO  jepsen.util - 0\t:invoke\t:write\t[1 \"a\"]\n\
     INFO  jepsen.util - 0\t:info\t:write\t:timed-out\nINFO  jepsen.util - :nemesis\t:info\t:start\t#<x>\n",
];

/// Reads with every reader, and with the one that the content suggests.
fn read_all_ways(bytes: &[u8]) {
    let formats = Format::ALL.into_iter().map(Some).chain([None]);
    for format in formats {
        if let Err(error) = read_history(bytes, format, BuildOptions::default()) {
            assert!(!error.is_io(), "{error}");
            assert!(!error.to_string().is_empty());
        }
    }
}

#[test]
fn the_good_histories_are_good_and_their_formats_known() {
    for (text, format) in GOOD.into_iter().zip(Format::ALL) {
        let loaded = read_history(text.as_bytes(), None, BuildOptions::default()).unwrap();
        assert_eq!((loaded.format, loaded.truncated), (format, None));
    }
}

/// Only the native form survives being cut, and then says so.
#[test]
fn a_history_that_is_cut_in_the_middle_gives_no_verdict() {
    for (text, format) in GOOD.into_iter().zip(Format::ALL) {
        let last_event = text.trim_end().rfind('\n').unwrap() + 5;
        let cut = &text.as_bytes()[..last_event];
        let loaded = read_history(cut, Some(format), BuildOptions::default());
        match loaded {
            Ok(loaded) => {
                assert_eq!(format, Format::Jsonl);
                let truncation = loaded.truncated.unwrap();
                assert_eq!((truncation.line, truncation.events), (3, 1));
            }
            Err(error) => {
                assert_ne!(format, Format::Jsonl);
                assert!(error.to_string().contains("cut off"), "{error}");
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn random_bytes(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        read_all_ways(&bytes);
    }

    /// The alphabet of the formats gets further into the readers than random bytes do.
    #[test]
    fn random_punctuation(text in "[\\[\\](){}#_:;,\"\\\\ \n\t0-9a-fu\\-+/.NMn]{0,80}") {
        read_all_ways(text.as_bytes());
    }

    #[test]
    fn damaged_histories(
        which in 0..GOOD.len(),
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0..3_u8), 1..6),
        cut in any::<prop::sample::Index>(),
        is_cut in any::<bool>(),
    ) {
        let mut bytes = GOOD[which].as_bytes().to_vec();
        for (place, byte, how) in damage {
            let place = place.index(bytes.len());
            match how {
                0 => bytes[place] = byte,
                1 => bytes.insert(place, byte),
                _ if bytes.len() > 1 => { bytes.remove(place); }
                _ => {}
            }
        }
        if is_cut {
            bytes.truncate(cut.index(bytes.len()));
        }
        read_all_ways(&bytes);
    }
}

/// A reader that fails is not bad content.
#[test]
fn errors_of_the_file_system_are_told_apart() {
    let here = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    for path in [here.join("no such file"), here.to_owned()] {
        let error =
            tribunal_histories::format::load(&path, None, BuildOptions::default()).unwrap_err();
        assert!(error.is_io(), "{error}");
    }
    let empty = read_history(&b""[..], None, BuildOptions::default()).unwrap_err();
    assert!(matches!(empty, LoadError::NotGuessed(_)) && !empty.is_io());
}
