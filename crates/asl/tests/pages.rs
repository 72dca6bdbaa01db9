//! Every code has a page and every page a code, and the examples in the pages do what the pages say.

use std::path::Path;

use stepwright_asl::{CompileOptions, Format, MachineType, Severity, codes, diagnose, explain};

struct Example<'p> {
    bad: bool,
    options: CompileOptions,
    text: &'p str,
}

/// The code blocks that are marked `bad` or `good`.
fn examples(page: &str) -> Vec<Example<'_>> {
    let blocks = page.split("\n```").skip(1).step_by(2);
    blocks
        .filter_map(|block| {
            let (info, text) = block.split_once('\n')?;
            let marks: Vec<&str> = info.split_whitespace().collect();
            let options = CompileOptions {
                format: if marks.contains(&"yaml") { Format::Yaml } else { Format::Json },
                machine_type: match marks.contains(&"express") {
                    true => MachineType::Express,
                    false => MachineType::Standard,
                },
                ..CompileOptions::default()
            };
            let bad = marks.contains(&"bad");
            (bad || marks.contains(&"good")).then_some(Example { bad, options, text })
        })
        .collect()
}

#[test]
fn pages_and_codes() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/diagnostics");
    let mut pages: Vec<String> = std::fs::read_dir(folder)
        .expect("the folder of pages")
        .filter_map(|entry| entry.expect("an entry").file_name().into_string().ok())
        .filter_map(|name| name.strip_suffix(".md").map(str::to_owned))
        .filter(|name| name != "README")
        .collect();
    pages.sort();
    let mut known: Vec<&str> = codes::ALL.iter().map(|code| code.id).collect();
    known.sort_unstable();
    assert_eq!(pages, known);
    for code in codes::ALL {
        assert!(
            explain(code.id).is_some_and(|page| page.starts_with(&format!("# {}: ", code.id))),
            "{}",
            code.id
        );
        assert_eq!(code.severity == Severity::Error, code.id.starts_with("SW0"), "{}", code.id);
    }
    assert_eq!(explain("SW9999"), None);
}

#[test]
fn examples_do_what_their_pages_say() {
    // What cannot be shown in a page: text that is too long or too deep, and gaps that are not known.
    let without = ["SW0003", "SW0004", "SW0006"];
    for code in codes::ALL {
        let examples = examples(code.page);
        if without.contains(&code.id) {
            continue;
        }
        assert_eq!(examples.iter().filter(|example| example.bad).count(), 1, "{}", code.id);
        assert_eq!(examples.iter().filter(|example| !example.bad).count(), 1, "{}", code.id);
        for example in examples {
            let found = diagnose(example.text, &example.options).diagnostics;
            let has = found.iter().any(|diagnostic| diagnostic.code == code.id);
            assert_eq!(has, example.bad, "{}: {}\n{found:?}", code.id, example.text);
            assert!(example.bad || found.is_empty(), "{}: {found:?}", code.id);
        }
    }
}
