//! `TestState`: one state, alone or out of a whole machine.

use crate::check::{self, Context};
use crate::compile::{Compilation, compile};
use crate::diagnostic::Report;
use crate::lower;
use crate::node::{Member, Node, NodeKind, Span};
use crate::options::CompileOptions;
use crate::outline::Outline;
use crate::program::StateId;
use crate::read;

/// The state that a test runs.
#[derive(Clone, Debug)]
pub struct CompiledState {
    pub compilation: Compilation,
    /// The state's place in the program; `None` when there is no program, or no state of the name in it.
    pub state: Option<StateId>,
}

/// Name of a state that stands alone: what AWS shows in the context object.
const ALONE: &str = "StateName";

/// Compiles `text` for a test. With a name, it is a whole machine and the state may be anywhere in it. Without one, it is
/// a single state: the states that it leads to are there as Succeed states, so that their names can be read, or, when
/// the text is a whole machine, its first state.
pub fn compile_state(text: &str, state_name: Option<&str>, options: &CompileOptions) -> CompiledState {
    let node = match read::read(text, options.format) {
        Ok(node) => node,
        Err(diagnostic) => {
            return CompiledState { compilation: Compilation::refused(*diagnostic), state: None };
        }
    };
    let whole = node.has("States") && !node.has("Type");
    if state_name.is_some() || whole {
        let compilation = compile(text, options);
        let state = compilation.program.as_ref().and_then(|program| match state_name {
            Some(name) => {
                let at = program.states.iter().position(|state| &*state.name == name)?;
                Some(StateId(u32::try_from(at).ok()?))
            }
            None => program.flows.first().map(|flow| flow.start_at),
        });
        return CompiledState { compilation, state };
    }
    single(&node, options)
}

fn single(node: &Node, options: &CompileOptions) -> CompiledState {
    let machine = around(node);
    let outline = Outline::new(&machine);
    let mut report = Report::default();
    check::check_state(&Context { outline: &outline, options, alone: true }, &mut report);
    let compilation = Compilation::finish(report, || lower::single_state(&outline, options), |_, _| {});
    let state = compilation.program.is_some().then_some(StateId(0));
    CompiledState { compilation, state }
}

/// A machine that is only this state.
fn around(state: &Node) -> Node {
    let member = |key: &str, value: Node| Member { key: key.into(), key_span: Span::default(), value };
    let object = |members| Node { span: state.span, kind: NodeKind::Object(members) };
    let start = Node { span: state.span, kind: NodeKind::String(ALONE.into()) };
    let states = object(vec![member(ALONE, state.clone())]);
    object(vec![member("StartAt", start), member("States", states)])
}
