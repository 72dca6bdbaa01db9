//! The table of the language is not stale.

use std::process::Command;

#[test]
fn the_table_is_what_the_compiler_knows() {
    let output =
        Command::new(env!("CARGO_BIN_EXE_xtask")).args(["language", "--check"]).output().expect("xtask");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}
