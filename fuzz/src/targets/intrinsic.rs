//! Intrinsic functions and payload templates: the first line, evaluated on the JSON behind it.

use stepwright_jsonpath::{Intrinsic, Scope, Template};
use stepwright_value::Object;

pub fn run(data: &[u8]) {
    let Some(text) = super::text(data, 1 << 14) else { return };
    let (line, input) = super::line_and_value(text);
    let scope = Scope::of_input(&input);
    if let Ok(call) = Intrinsic::parse(line) {
        // White space behind it is not part of it.
        assert!(line.starts_with(call.text()) && line[call.text().len()..].trim().is_empty(), "{line:?}");
        let _ = call.evaluate(&scope, &mut || 3);
    }
    let template: Object = [("a.$", line)].into_iter().collect();
    if let Ok(template) = Template::compile(&template.into()) {
        let _ = template.evaluate(&scope, &mut || 3);
    }
}
