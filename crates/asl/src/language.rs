//! The language as data: every field that a definition may have. For documents, editors and their tests; the compiler
//! itself reads `fields`.

use crate::fields::{Holder, Only, StateType, operator_names};

/// A field of the language.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LanguageField {
    /// What it stands in: `Machine`, `Task`, `Retrier`, `Choice rule`.
    pub holder: &'static str,
    pub name: String,
    /// Whether states that use JSONPath may have it.
    pub json_path: bool,
    /// Whether states that use JSONata may have it.
    pub jsonata: bool,
    /// Whether its holder cannot be without it. Of exclusive fields (`Next` and `End`), none is.
    pub required: bool,
}

/// What the fields stand in, with the name for people.
const HOLDERS: [(Holder, &str); 22] = [
    (Holder::Machine, "State machine"),
    (Holder::Branch, "Branch"),
    (Holder::Processor, "ItemProcessor"),
    (Holder::ProcessorConfig, "ProcessorConfig"),
    (Holder::State(StateType::Task), "Task"),
    (Holder::State(StateType::Pass), "Pass"),
    (Holder::State(StateType::Choice), "Choice"),
    (Holder::State(StateType::Wait), "Wait"),
    (Holder::State(StateType::Succeed), "Succeed"),
    (Holder::State(StateType::Fail), "Fail"),
    (Holder::State(StateType::Parallel), "Parallel"),
    (Holder::State(StateType::Map), "Map"),
    (Holder::Retrier, "Retrier"),
    (Holder::Catcher, "Catcher"),
    (Holder::ChoiceRule, "Choice rule"),
    (Holder::NestedRule, "Rule within And, Or, Not"),
    (Holder::Credentials, "Credentials"),
    (Holder::ItemReader, "ItemReader"),
    (Holder::ReaderConfig, "ReaderConfig"),
    (Holder::ItemBatcher, "ItemBatcher"),
    (Holder::ResultWriter, "ResultWriter"),
    (Holder::WriterConfig, "WriterConfig"),
];

/// All fields, grouped by what they stand in; the comparison operators of Choice are in [`operators`].
pub fn fields() -> Vec<LanguageField> {
    let mut all = vec![];
    for (holder, holder_name) in HOLDERS {
        for field in holder.tables().iter().flat_map(|table| table.iter()) {
            all.push(LanguageField {
                holder: holder_name,
                name: field.name.to_owned(),
                json_path: field.only != Only::Jsonata,
                jsonata: field.only != Only::JsonPath,
                required: (holder.is_state() && field.name == "Type")
                    || holder.required().contains(&field.name),
            });
        }
    }
    all
}

/// The comparison operators of a Choice rule.
pub fn operators() -> Vec<LanguageField> {
    let listed = |name| LanguageField {
        holder: "Choice operator",
        name,
        json_path: true,
        jsonata: false,
        required: false,
    };
    operator_names().map(listed).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_field_is_listed_once() {
        assert_eq!(operators().len(), 39);
        let fields = fields();
        for (at, field) in fields.iter().enumerate() {
            let again = fields[at + 1..]
                .iter()
                .find(|other| (other.holder, &other.name) == (field.holder, &field.name));
            assert_eq!(again, None);
        }
        let task = fields.iter().find(|field| (field.holder, &*field.name) == ("Task", "Resource"));
        assert!(task.is_some_and(|field| field.required && field.json_path && field.jsonata));
    }
}
