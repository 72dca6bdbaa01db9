//! The compiler, on YAML; see [`super::definition`].

use stepwright_asl::Format;

pub fn run(data: &[u8]) {
    super::definition::check(data, Format::Yaml);
}
