//! The compiler, on JSON: a program exactly when there is no error, and findings that point into the text.

use stepwright_asl::{
    Compilation, CompileOptions, Format, MachineType, Severity, Substitutions, compile, compile_state,
};

pub fn run(data: &[u8]) {
    check(data, Format::Json);
}

pub(super) fn check(data: &[u8], format: Format) {
    let Some(text) = super::text(data, 1 << 16) else { return };
    for (machine_type, substitutions) in
        [(MachineType::Standard, Substitutions::None), (MachineType::Express, Substitutions::Allow)]
    {
        let options = CompileOptions { machine_type, format, substitutions };
        sound(text, &compile(text, &options));
        sound(text, &compile_state(text, None, &options).compilation);
    }
}

fn sound(text: &str, compilation: &Compilation) {
    let refused = compilation.diagnostics.iter().any(|it| it.severity == Severity::Error);
    assert_eq!(refused, compilation.program.is_none(), "{:?}", compilation.diagnostics);
    for diagnostic in &compilation.diagnostics {
        assert!(text.get(diagnostic.span.clone()).is_some(), "{diagnostic:?} is not in the text");
    }
    // AWS's words for it.
    let _ = compilation.aws_error();
}
