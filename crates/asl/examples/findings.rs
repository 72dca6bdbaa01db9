//! Prints what there is to say about definition files: `cargo run -p stepwright-asl --example findings -- FILE…`.

use stepwright_asl::{CompileOptions, Format, Substitutions, compile};

fn main() -> std::io::Result<()> {
    let options = CompileOptions {
        format: Format::Detect,
        substitutions: Substitutions::Allow,
        ..CompileOptions::default()
    };
    for file in std::env::args().skip(1) {
        for diagnostic in compile(&std::fs::read_to_string(&file)?, &options).diagnostics {
            let help = diagnostic.help.unwrap_or_default();
            println!("{file}: {} {} at {} ({help})", diagnostic.code, diagnostic.message, diagnostic.pointer);
        }
    }
    Ok(())
}
