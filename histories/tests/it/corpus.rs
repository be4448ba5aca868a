//! The project's own corpus of histories: all of it loads, and its tables are complete.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use tribunal_histories::BuildOptions;
use tribunal_histories::format::load;

#[test]
fn every_history_of_the_corpus_loads_and_is_listed() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus");
    let read = |name: &str| fs::read_to_string(folder.join(name)).unwrap();
    let (table, readme) = (read("EXPECTED.tsv"), read("README.md"));
    let mut listed = BTreeSet::new();
    for row in table.lines().skip(1) {
        let columns: Vec<&str> = row.split('\t').collect();
        let [file, model, _initial, verdict] = columns[..] else {
            panic!("{row}");
        };
        assert!(file.starts_with(model), "{row}");
        assert!(matches!(verdict, "valid" | "invalid"), "{row}");
        assert!(
            readme.contains(&format!("| `{file}` |")),
            "{file} is not in README.md"
        );
        let loaded = load(&folder.join(file), None, BuildOptions::default());
        let loaded = loaded.unwrap_or_else(|error| panic!("{file}: {error}"));
        assert_eq!(loaded.truncated.is_some(), file.contains("torn"), "{file}");
        assert!(
            loaded.history.statistics().operations.total() >= 2,
            "{file}"
        );
        listed.insert(file.to_owned());
    }
    let found: BTreeSet<String> = fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name != "EXPECTED.tsv" && name != "README.md")
        .collect();
    assert_eq!(listed, found);
}
