//! Repository tooling.

fn main() {}
