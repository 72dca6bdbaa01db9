//! Fields that an object does not have: misspelt ones, and ones that belong elsewhere.

use crate::check::Site;
use crate::codes;
use crate::diagnostic::{Diagnostic, Report};
use crate::fields::Holder;
use crate::spelling;

pub(crate) fn check(site: &Site<'_>, report: &mut Report) {
    // Without a known type nobody can say what belongs; AWS complains of the credentials' missing role only.
    if matches!(site.holder, Holder::UnknownState | Holder::Credentials) {
        return;
    }
    for member in site.node.members() {
        if site.holder.field(&member.key).is_some() {
            continue;
        }
        let message = format!("Field '{}' is not supported", member.key);
        let mut diagnostic =
            Diagnostic::new(&codes::UNSUPPORTED_FIELD, message, site.at.to_string(), member.key_span);
        let names = site.holder.field_names();
        if let Some(name) = spelling::closest(&member.key, names.iter().map(String::as_str)) {
            diagnostic =
                diagnostic.help(format!("Did you mean {name}?")).fix(member.key_span, format!("\"{name}\""));
        }
        report.push(diagnostic);
    }
}
