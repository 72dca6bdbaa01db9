//! The data that an `ItemReader` would have read, given as text: JSON, JSON lines, or CSV.
//!
//! Left out: Parquet and manifests, which are not text or name other files.

use stepwright_asl::program::ItemReader;
use stepwright_value::{Document, Object, Value, read as read_json};

/// The document that `text` is in the reader's `InputType`; the error is a sentence.
pub(crate) fn read(reader: &ItemReader, text: &str) -> Result<Document, String> {
    let setting = |name: &str| reader.config.get(name).and_then(Value::as_str);
    match setting("InputType").unwrap_or("JSON") {
        "JSONL" => json_lines(text),
        "CSV" => {
            let delimiter = match setting("CSVDelimiter").unwrap_or("COMMA") {
                "PIPE" => '|',
                "SEMICOLON" => ';',
                "SPACE" => ' ',
                "TAB" => '\t',
                _ => ',',
            };
            let headers = reader.config.get("CSVHeaders").and_then(Value::as_array);
            let headers = headers.map(|names| {
                names.iter().map(|name| name.as_str().unwrap_or_default().to_owned()).collect::<Vec<_>>()
            });
            Ok(csv(text, delimiter, headers).into())
        }
        _ => Document::parse(text).map_err(|error| format!("The data is not JSON: {error}")),
    }
}

fn json_lines(text: &str) -> Result<Document, String> {
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    let items = lines.map(|(index, line)| {
        read_json(line).map_err(|error| format!("Line {} of the data is not JSON: {error}", index + 1))
    });
    Ok(Value::from(items.collect::<Result<Vec<_>, _>>()?).into())
}

/// Each row as an object of texts. Without `headers` the first row names the columns.
fn csv(text: &str, delimiter: char, headers: Option<Vec<String>>) -> Value {
    let mut rows = rows(text, delimiter).into_iter();
    let headers = match headers {
        Some(headers) => headers,
        None => rows.next().unwrap_or_default(),
    };
    let items = rows.map(|row| {
        let mut object = Object::with_capacity(headers.len());
        let mut cells = row.into_iter();
        for header in &headers {
            object.insert(header.as_str(), cells.next().unwrap_or_default());
        }
        Value::from(object)
    });
    Value::from_iter(items)
}

/// RFC 4180: quoted cells may hold delimiters, line breaks and doubled quotes. Empty lines are no rows.
fn rows(text: &str, delimiter: char) -> Vec<Vec<String>> {
    let mut rows = Vec::new();
    let (mut row, mut cell, mut quoted) = (Vec::new(), String::new(), false);
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '"' if quoted && characters.peek() == Some(&'"') => {
                characters.next();
                cell.push('"');
            }
            '"' if quoted => quoted = false,
            '"' if cell.is_empty() => quoted = true,
            _ if quoted => cell.push(character),
            '\r' if characters.peek() == Some(&'\n') => {}
            '\n' => {
                row.push(std::mem::take(&mut cell));
                rows.push(std::mem::take(&mut row));
            }
            _ if character == delimiter => row.push(std::mem::take(&mut cell)),
            _ => cell.push(character),
        }
    }
    row.push(cell);
    rows.push(row);
    rows.retain(|row| row.len() > 1 || row.iter().any(|cell| !cell.is_empty()));
    rows
}

/// What the JSON Pointer (RFC 6901) points at.
pub(crate) fn at_pointer<'v>(value: &'v Value, pointer: &str) -> Option<&'v Value> {
    pointer.split('/').skip(1).try_fold(value, |value, part| {
        let part = part.replace("~1", "/").replace("~0", "~");
        match value {
            Value::Array(items) => items.get(part.parse::<usize>().ok()?),
            _ => value.get(&part),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn csv_rows() {
        let cases = [
            ("a,b\n1,2\n", ',', None, r#"[{"a":"1","b":"2"}]"#),
            ("a|b\r\n\r\n\"x|\"\"y\"\"\"|\r\n", '|', None, r#"[{"a":"x|\"y\"","b":""}]"#),
            (
                "1,2\n3",
                ',',
                Some(vec!["c".to_owned(), "d".to_owned()]),
                r#"[{"c":"1","d":"2"},{"c":"3","d":""}]"#,
            ),
            ("", ',', None, "[]"),
        ];
        for (text, delimiter, headers, expected) in cases {
            assert_eq!(csv(text, delimiter, headers).to_json(), expected, "{text}");
        }
    }

    #[test]
    fn lines_of_json() {
        assert_eq!(
            json_lines("1\n\n{\"a\":2}\n").map(|it| it.text().to_owned()),
            Ok(r#"[1,{"a":2}]"#.to_owned())
        );
        assert!(json_lines("1\n{").is_err_and(|reason| reason.starts_with("Line 2")));
    }
}
