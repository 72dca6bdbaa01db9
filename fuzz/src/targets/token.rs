//! Task tokens: a text that is a token gives one whose text names the same task.

use stepwright_machine::token::{TaskToken, hash};

pub fn run(data: &[u8]) {
    let Some(text) = super::text(data, 1 << 13) else { return };
    let _ = hash(text);
    let Some(token) = TaskToken::parse(text) else { return };
    let again = TaskToken::parse(&token.text());
    assert_eq!(again.map(|again| (again.task, again.locator)), Some((token.task, token.locator)));
}
