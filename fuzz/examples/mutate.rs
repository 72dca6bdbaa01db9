//! Tries the corpus and seeded changes of it on one target: `mutate TARGET --seconds N --seed S [--trace]`. Needs no nightly
//! compiler, and sees no coverage.

use std::panic::catch_unwind;
use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use stepwright_fuzz::mutation::{Mutation, words};
use stepwright_fuzz::targets;
use stepwright_fuzz::watch::Watch;

struct Options {
    target: String,
    seconds: f64,
    seed: u64,
    trace: bool,
}

fn main() -> ExitCode {
    let Some(options) = options() else {
        eprintln!("usage: mutate TARGET [--seconds N] [--seed S] [--trace]");
        return ExitCode::from(2);
    };
    let Some((_, target)) = targets::ALL.iter().find(|(name, _)| *name == options.target) else {
        let names: Vec<&str> = targets::ALL.iter().map(|(name, _)| *name).collect();
        eprintln!("the targets are {}", names.join(", "));
        return ExitCode::from(2);
    };
    // Deep recursion is to be bounded by the code, not by a generous stack.
    let thread = std::thread::Builder::new().stack_size(8 << 20).spawn({
        let target = *target;
        move || run(target, &options)
    });
    match thread.map(std::thread::JoinHandle::join) {
        Ok(Ok(true)) => ExitCode::SUCCESS,
        _ => ExitCode::FAILURE,
    }
}

fn options() -> Option<Options> {
    let mut arguments = std::env::args().skip(1);
    let mut options = Options { target: arguments.next()?, seconds: 5.0, seed: 1, trace: false };
    while let Some(name) = arguments.next() {
        match name.as_str() {
            "--seconds" => options.seconds = arguments.next()?.parse().ok()?,
            "--seed" => options.seed = arguments.next()?.parse().ok()?,
            "--trace" => options.trace = true,
            _ => return None,
        }
    }
    Some(options)
}

/// Whether nothing was found.
fn run(target: fn(&[u8]), options: &Options) -> bool {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let inputs = targets::corpus(&options.target);
    let corpus = files(&root.join("corpus").join(inputs));
    let dictionary = root.join("dictionaries").join(format!("{inputs}.dict"));
    let words = words(&std::fs::read_to_string(dictionary).unwrap_or_default());
    let watch = Watch::begin(&root.join("artifacts").join(&options.target));
    let sound = |input: &[u8]| {
        watch.trying(input, options.trace);
        let sound = catch_unwind(|| target(input)).is_ok();
        watch.tried();
        if !sound {
            eprintln!("{}: {}", options.target, watch.keep("panic", input));
        }
        sound
    };
    for input in &corpus {
        if !sound(input) {
            return false;
        }
    }
    let mut mutation = Mutation::new(&corpus, &words, options.seed);
    let (begun, time) = (Instant::now(), Duration::from_secs_f64(options.seconds));
    let mut tried = 0_u64;
    while begun.elapsed() < time {
        if !sound(&mutation.input()) {
            return false;
        }
        tried += 1;
    }
    println!("{}: {} files, {tried} changes of them, seed {}", options.target, corpus.len(), options.seed);
    true
}

/// The files of a directory, in the order of their names.
fn files(directory: &Path) -> Vec<Vec<u8>> {
    let entries = std::fs::read_dir(directory).into_iter().flatten().flatten();
    let mut paths: Vec<_> = entries.map(|entry| entry.path()).collect();
    paths.sort();
    paths.iter().filter_map(|path| std::fs::read(path).ok()).collect()
}
