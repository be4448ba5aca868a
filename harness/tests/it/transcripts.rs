//! The sessions in `tests/cmd`: commands and what they print. `TRYCMD=overwrite` writes them anew.

#[test]
fn the_tool_answers_as_in_the_transcripts() {
    trycmd::TestCases::new().case("tests/cmd/*.trycmd");
}
