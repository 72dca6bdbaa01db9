//! `stepwright explain`: the page of a diagnostic's code.

use anyhow::anyhow;

use crate::cli::Explain;
use crate::exit::{Exit, Failure, OrExit};

pub fn run(arguments: &Explain) -> Result<Exit, Failure> {
    let Some(code) = &arguments.code else {
        for (code, title) in stepwright_asl::codes() {
            println!("{code}  {title}");
        }
        return Ok(Exit::Success);
    };
    let page = stepwright_asl::explain(&code.to_uppercase());
    let page = page
        .ok_or_else(|| anyhow!("there is no code {code:?}; `stepwright explain` lists them all"))
        .or_exit(Exit::Usage)?;
    println!("{page}");
    Ok(Exit::Success)
}
