//! Writes the corpus of the target `segment` anew, from executions of the definitions in the corpus.

use std::path::Path;
use std::sync::Arc;

use stepwright_asl::{CompileOptions, compile};
use stepwright_fuzz::targets::execution::identity;
use stepwright_machine::{BehaviourFlags, Execution, Input, codec};
use stepwright_value::Document;

fn main() -> std::io::Result<()> {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus");
    std::fs::create_dir_all(corpus.join("segment"))?;
    for entry in std::fs::read_dir(corpus.join("definition"))? {
        let path = entry?.path();
        let text = std::fs::read_to_string(&path)?;
        let Some(program) = compile(&text, &CompileOptions::default()).program else { continue };
        let Ok(input) = Document::parse(r#"{"n":1,"s":"x","a":[1,2]}"#) else { continue };
        let mut execution = Execution::new(program, Arc::new(identity(input)), BehaviourFlags::CURRENT);
        let Ok(step) = execution.step(Input::Start, 1_730_000_000_000, &mut || 7) else { continue };
        let name = path.file_stem().unwrap_or_default();
        std::fs::write(corpus.join("segment").join(name), codec::encode_segment(&step.events))?;
    }
    Ok(())
}
