//! A terminal of unlimited height, for tests: knows the few controls that the live view uses.

/// What a terminal shows.
pub struct TerminalModel {
    columns: usize,
    rows: Vec<Vec<char>>,
    row: usize,
    column: usize,
    cursor_is_visible: bool,
}

impl TerminalModel {
    pub fn new(columns: usize) -> TerminalModel {
        TerminalModel { columns, rows: vec![Vec::new()], row: 0, column: 0, cursor_is_visible: true }
    }

    pub fn cursor_is_visible(&self) -> bool {
        self.cursor_is_visible
    }

    /// The rows, without spaces at their ends and without empty rows at the end.
    pub fn text(&self) -> String {
        let rows: Vec<String> =
            self.rows.iter().map(|row| row.iter().collect::<String>().trim_end().to_owned()).collect();
        rows.join("\n").trim_end().to_owned()
    }

    /// Wraps rows that are too long now, as terminals do.
    pub fn resize(&mut self, columns: usize) {
        let at_end = self.row + 1 == self.rows.len();
        assert!(at_end, "the model wraps only with the cursor in the last row");
        self.columns = columns;
        let old = std::mem::take(&mut self.rows);
        for row in old {
            if row.is_empty() {
                self.rows.push(row);
            } else {
                self.rows.extend(row.chunks(columns).map(<[char]>::to_vec));
            }
        }
        self.row = self.rows.len() - 1;
    }

    pub fn feed(&mut self, text: &str) {
        let mut characters = text.chars();
        while let Some(character) = characters.next() {
            match character {
                '\r' => self.column = 0,
                '\n' => {
                    self.row += 1;
                    if self.row == self.rows.len() {
                        self.rows.push(Vec::new());
                    }
                }
                '\u{1b}' => {
                    assert_eq!(characters.next(), Some('['));
                    let mut parameter = String::new();
                    let last = loop {
                        match characters.next() {
                            Some(part @ ('0'..='9' | '?' | ';')) => parameter.push(part),
                            Some(last) => break last,
                            None => panic!("a control is cut short"),
                        }
                    };
                    self.control(&parameter, last);
                }
                other => self.put(other),
            }
        }
    }

    fn put(&mut self, character: char) {
        assert!(self.column < self.columns, "a row is wider than the terminal");
        let row = &mut self.rows[self.row];
        row.resize(row.len().max(self.column + 1), ' ');
        row[self.column] = character;
        self.column += 1;
    }

    fn control(&mut self, parameter: &str, last: char) {
        match (parameter, last) {
            (rows, 'A') => self.row = self.row.saturating_sub(rows.parse().expect("a number")),
            ("", 'K') => self.rows[self.row].truncate(self.column),
            ("", 'J') => {
                self.rows[self.row].truncate(self.column);
                self.rows.truncate(self.row + 1);
            }
            ("?25", 'l') => self.cursor_is_visible = false,
            ("?25", 'h') => self.cursor_is_visible = true,
            (_, 'm') => {}
            other => panic!("unknown control {other:?}"),
        }
    }
}
