//! Text in, program and findings out.

use std::sync::Arc;

use crate::check::{self, Context};
use crate::diagnostic::{Diagnostic, Report, Severity};
use crate::lower;
use crate::misplaced;
use crate::node::Node;
use crate::options::CompileOptions;
use crate::outline::Outline;
use crate::program::Program;
use crate::read::{self, Format};
use crate::rules;

/// What came of a definition.
#[derive(Clone, Debug)]
pub struct Compilation {
    /// There is one exactly when there is no error.
    pub program: Option<Arc<Program>>,
    /// In the order in which AWS gives its own.
    pub diagnostics: Vec<Diagnostic>,
}

impl Compilation {
    /// The message of the `InvalidDefinition` exception with which AWS refuses the definition; `None` when it takes it.
    pub fn aws_error(&self) -> Option<String> {
        let findings = self.aws_findings();
        (!findings.is_empty()).then(|| format!("Invalid State Machine Definition: '{findings}'"))
    }

    /// The errors in AWS's form, joined as AWS joins them; empty when there is none.
    pub fn aws_findings(&self) -> String {
        let errors = self.diagnostics.iter().filter(|diagnostic| diagnostic.severity == Severity::Error);
        errors.filter_map(Diagnostic::aws_text).collect::<Vec<_>>().join(", ")
    }

    pub(crate) fn refused(diagnostic: Diagnostic) -> Compilation {
        Compilation { program: None, diagnostics: vec![diagnostic] }
    }

    /// A compilation of what `lowered` makes, when there is no error before. `whole` looks at the program in the end.
    pub(crate) fn finish(
        mut report: Report,
        lowered: impl FnOnce() -> lower::Lowered<Program>,
        whole: impl FnOnce(&Program, &mut Report),
    ) -> Compilation {
        let mut program = None;
        if !report.has_errors() {
            match lowered() {
                Ok(lowered) => {
                    whole(&lowered, &mut report);
                    program = Some(Arc::new(lowered));
                }
                Err(diagnostic) => report.push(*diagnostic),
            }
        }
        Compilation { program, diagnostics: report.into_diagnostics() }
    }
}

/// The program of a definition that was accepted before, perhaps by an earlier version: it is lowered and not judged again, so
/// that a stricter rule does not strand the executions that run it.
///
/// The numbers of flows and states are part of stored events. They depend on the order of the text alone.
pub fn lower_accepted(text: &str, format: Format) -> Result<Arc<Program>, Box<Diagnostic>> {
    let node = read::read(text, format)?;
    let options = CompileOptions { format, ..CompileOptions::default() };
    lower::machine(&Outline::new(&node), &options).map(Arc::new)
}

/// Compiles a whole state machine, as AWS judges it.
pub fn compile(text: &str, options: &CompileOptions) -> Compilation {
    match read::read(text, options.format) {
        Ok(machine) => judge(&machine, Report::default(), options),
        Err(diagnostic) => Compilation::refused(*diagnostic),
    }
}

/// As [`compile`], for people: what stands in the wrong place is judged as if it stood in the right one, and what follows from
/// something that is reported is left out. There is a program exactly when [`compile`] makes one.
pub fn diagnose(text: &str, options: &CompileOptions) -> Compilation {
    let mut machine = match read::read(text, options.format) {
        Ok(machine) => machine,
        Err(diagnostic) => return Compilation::refused(*diagnostic),
    };
    let mut report = Report::default();
    misplaced::put_right(&mut machine, &mut report);
    let mut compilation = judge(&machine, report, options);
    compilation.diagnostics.retain(|diagnostic| !diagnostic.follows);
    compilation
}

fn judge(machine: &Node, mut report: Report, options: &CompileOptions) -> Compilation {
    let outline = Outline::new(machine);
    let context = Context { outline: &outline, options, alone: false };
    check::check(&context, &mut report);
    Compilation::finish(
        report,
        || lower::machine(&outline, options),
        |program, report| rules::warnings(&context, program, report),
    )
}
