//! Which fields there are: one table for every kind of object in a definition.
//!
//! Sources: Amazon States Language; Step Functions Developer Guide, pages of the state types. The order of the names in
//! the groups is that of AWS's messages.

/// A kind of object in a definition.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Holder {
    Machine,
    Branch,
    Processor,
    ProcessorConfig,
    State(StateType),
    /// A state whose `Type` is missing or unknown.
    UnknownState,
    Retrier,
    Catcher,
    /// An item of `Choices`.
    ChoiceRule,
    /// A rule within `And`, `Or` or `Not`.
    NestedRule,
    Credentials,
    ItemReader,
    ReaderConfig,
    ItemBatcher,
    ResultWriter,
    WriterConfig,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum StateType {
    Task,
    Wait,
    Pass,
    Succeed,
    Fail,
    Choice,
    Parallel,
    Map,
}

/// Where a field may stand.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Only {
    Both,
    JsonPath,
    Jsonata,
}

/// What a field holds.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) enum Shape {
    /// Any value, taken as it is.
    Any,
    Text,
    /// In JSONata, the string may be an expression.
    Expression,
    Boolean,
    /// In JSONata, or an expression.
    Integer {
        min: i64,
        max: i64,
    },
    /// A number that is never computed.
    FixedInteger {
        min: i64,
        max: i64,
    },
    /// In JSONata, or an expression.
    Decimal {
        min: f64,
        max: f64,
    },
    FixedDecimal {
        min: f64,
        max: f64,
    },
    OneOf(&'static [&'static str]),
    /// `InputPath`, `OutputPath`: any path, or null.
    Path,
    /// `ResultPath`: a reference path, or null.
    ResultPath,
    /// A path to one value.
    ReferencePath,
    /// As [`Shape::ReferencePath`]; the context object may be read too.
    ItemsPath,
    /// A path or an intrinsic function.
    PathOrIntrinsic,
    /// A point in time; in JSONata, or an expression.
    Timestamp,
    /// A payload template; in JSONata, any value with expressions.
    Template,
    /// A template that is an object: `Assign`.
    Assign,
    /// JSONata `Items`: an array or an object, or an expression.
    Items,
    /// JSONata: a boolean or an expression.
    Condition,
    Resource,
    /// `s3:getObject`, `s3:listObjectsV2`.
    ReaderResource,
    WriterResource,
    /// The name of a state of the same flow.
    Target,
    ErrorNames,
    TextList,
    States,
    Object(Holder),
    /// A list of objects; `true` when it may not be empty.
    List(Holder, bool),
    /// Choice operators.
    StringOperand,
    NumberOperand,
    BooleanOperand,
    TimestampOperand,
}

/// A field.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) struct Field {
    pub(crate) name: &'static str,
    pub(crate) only: Only,
    pub(crate) shape: Shape,
}

const fn both(name: &'static str, shape: Shape) -> Field {
    Field { name, only: Only::Both, shape }
}

const fn jsonpath(name: &'static str, shape: Shape) -> Field {
    Field { name, only: Only::JsonPath, shape }
}

const fn jsonata(name: &'static str, shape: Shape) -> Field {
    Field { name, only: Only::Jsonata, shape }
}

const SECONDS_MAX: i64 = 99_999_999;
const MAX_ITEMS_MAX: i64 = 100_000_000;
const BATCH_BYTES_MAX: i64 = 262_144;

pub(crate) const QUERY_LANGUAGES: &[&str] = &["JSONPath", "JSONata"];
pub(crate) const STATE_TYPES: &[&str] =
    &["Task", "Wait", "Pass", "Succeed", "Fail", "Choice", "Parallel", "Map"];

const COMMON: &[Field] = &[
    both("Type", Shape::OneOf(STATE_TYPES)),
    both("Comment", Shape::Text),
    both("QueryLanguage", Shape::OneOf(QUERY_LANGUAGES)),
];
const COMMENT: &[Field] = &[both("Comment", Shape::Text)];
const TRANSITION: &[Field] = &[both("Next", Shape::Target), both("End", Shape::Boolean)];
const FILTERS: &[Field] = &[
    jsonpath("InputPath", Shape::Path),
    jsonpath("OutputPath", Shape::Path),
    jsonata("Output", Shape::Template),
];
const ASSIGN: &[Field] = &[both("Assign", Shape::Assign)];
const RESULT: &[Field] = &[
    jsonpath("Parameters", Shape::Template),
    jsonpath("ResultSelector", Shape::Template),
    jsonpath("ResultPath", Shape::ResultPath),
    both("Retry", Shape::List(Holder::Retrier, false)),
    both("Catch", Shape::List(Holder::Catcher, false)),
];
const TASK: &[Field] = &[
    both("Resource", Shape::Resource),
    jsonata("Arguments", Shape::Template),
    both("Credentials", Shape::Object(Holder::Credentials)),
    both("TimeoutSeconds", Shape::Integer { min: 1, max: SECONDS_MAX }),
    jsonpath("TimeoutSecondsPath", Shape::ReferencePath),
    both("HeartbeatSeconds", Shape::Integer { min: 1, max: SECONDS_MAX }),
    jsonpath("HeartbeatSecondsPath", Shape::ReferencePath),
];
const WAIT: &[Field] = &[
    jsonpath("SecondsPath", Shape::ReferencePath),
    both("Seconds", Shape::Integer { min: 0, max: SECONDS_MAX }),
    jsonpath("TimestampPath", Shape::ReferencePath),
    both("Timestamp", Shape::Timestamp),
];
const PASS: &[Field] = &[
    jsonpath("Result", Shape::Any),
    jsonpath("Parameters", Shape::Template),
    jsonpath("ResultPath", Shape::ResultPath),
];
const FAIL: &[Field] = &[
    both("Error", Shape::Expression),
    jsonpath("ErrorPath", Shape::PathOrIntrinsic),
    both("Cause", Shape::Expression),
    jsonpath("CausePath", Shape::PathOrIntrinsic),
];
const CHOICE: &[Field] =
    &[both("Choices", Shape::List(Holder::ChoiceRule, true)), both("Default", Shape::Target)];
const PARALLEL: &[Field] =
    &[both("Branches", Shape::List(Holder::Branch, true)), jsonata("Arguments", Shape::Template)];
const MAP: &[Field] = &[
    both("ItemProcessor", Shape::Object(Holder::Processor)),
    both("Iterator", Shape::Object(Holder::Processor)),
    jsonpath("ItemsPath", Shape::ItemsPath),
    jsonata("Items", Shape::Items),
    both("ItemSelector", Shape::Template),
    both("ItemReader", Shape::Object(Holder::ItemReader)),
    both("ItemBatcher", Shape::Object(Holder::ItemBatcher)),
    both("ResultWriter", Shape::Object(Holder::ResultWriter)),
    both("MaxConcurrency", Shape::Integer { min: 0, max: i64::MAX }),
    jsonpath("MaxConcurrencyPath", Shape::ReferencePath),
    both("ToleratedFailurePercentage", Shape::Decimal { min: 0.0, max: 100.0 }),
    jsonpath("ToleratedFailurePercentagePath", Shape::ReferencePath),
    both("ToleratedFailureCount", Shape::Integer { min: 0, max: i64::MAX }),
    jsonpath("ToleratedFailureCountPath", Shape::ReferencePath),
    both("Label", Shape::Text),
];
const FLOW: &[Field] =
    &[both("Comment", Shape::Text), both("StartAt", Shape::Target), both("States", Shape::States)];
const MACHINE: &[Field] = &[
    both("QueryLanguage", Shape::OneOf(QUERY_LANGUAGES)),
    both("TimeoutSeconds", Shape::FixedInteger { min: 0, max: SECONDS_MAX }),
    both("Version", Shape::OneOf(&["1.0"])),
];
const PROCESSOR: &[Field] = &[both("ProcessorConfig", Shape::Object(Holder::ProcessorConfig))];
const PROCESSOR_CONFIG: &[Field] = &[
    both("Mode", Shape::OneOf(&["INLINE", "DISTRIBUTED"])),
    both("ExecutionType", Shape::OneOf(&["STANDARD", "EXPRESS"])),
];
const RETRIER: &[Field] = &[
    both("Comment", Shape::Text),
    both("ErrorEquals", Shape::ErrorNames),
    both("IntervalSeconds", Shape::FixedInteger { min: 0, max: SECONDS_MAX }),
    both("MaxAttempts", Shape::FixedInteger { min: 0, max: SECONDS_MAX }),
    both("BackoffRate", Shape::FixedDecimal { min: 1.0, max: f64::MAX }),
    both("MaxDelaySeconds", Shape::FixedInteger { min: 1, max: 31_622_400 }),
    both("JitterStrategy", Shape::OneOf(&["NONE", "FULL"])),
];
const CATCHER: &[Field] = &[
    both("Comment", Shape::Text),
    both("ErrorEquals", Shape::ErrorNames),
    both("Next", Shape::Target),
    jsonpath("ResultPath", Shape::ResultPath),
    jsonata("Output", Shape::Template),
    both("Assign", Shape::Assign),
];
const RULE_HEAD: &[Field] = &[
    both("Next", Shape::Target),
    both("Assign", Shape::Assign),
    jsonata("Output", Shape::Template),
    jsonata("Condition", Shape::Condition),
];
const RULE: &[Field] = &[
    both("Comment", Shape::Text),
    jsonpath("And", Shape::List(Holder::NestedRule, true)),
    jsonpath("Or", Shape::List(Holder::NestedRule, true)),
    jsonpath("Not", Shape::Object(Holder::NestedRule)),
    jsonpath("Variable", Shape::ReferencePath),
];
const CREDENTIALS: &[Field] = &[both("RoleArn", Shape::Expression), jsonpath("RoleArn.$", Shape::Any)];
const ITEM_READER: &[Field] = &[
    both("Resource", Shape::ReaderResource),
    jsonpath("Parameters", Shape::Template),
    jsonata("Arguments", Shape::Template),
    both("ReaderConfig", Shape::Object(Holder::ReaderConfig)),
];
const READER_CONFIG: &[Field] = &[
    both("InputType", Shape::OneOf(&["CSV", "JSON", "JSONL", "MANIFEST", "PARQUET"])),
    both("CSVHeaderLocation", Shape::OneOf(&["FIRST_ROW", "GIVEN"])),
    both("CSVHeaders", Shape::TextList),
    both("CSVDelimiter", Shape::OneOf(&["COMMA", "PIPE", "SEMICOLON", "SPACE", "TAB"])),
    both("MaxItems", Shape::Integer { min: 0, max: MAX_ITEMS_MAX }),
    jsonpath("MaxItemsPath", Shape::ReferencePath),
    both("ItemsPointer", Shape::Text),
    both("Transformation", Shape::OneOf(&["NONE", "LOAD_AND_FLATTEN"])),
    both("ManifestType", Shape::OneOf(&["ATHENA_DATA", "S3_INVENTORY"])),
];
const ITEM_BATCHER: &[Field] = &[
    both("BatchInput", Shape::Template),
    both("MaxItemsPerBatch", Shape::Integer { min: 0, max: i64::MAX }),
    jsonpath("MaxItemsPerBatchPath", Shape::ReferencePath),
    both("MaxInputBytesPerBatch", Shape::Integer { min: 0, max: BATCH_BYTES_MAX }),
    jsonpath("MaxInputBytesPerBatchPath", Shape::ReferencePath),
];
const RESULT_WRITER: &[Field] = &[
    both("Resource", Shape::WriterResource),
    jsonpath("Parameters", Shape::Template),
    jsonata("Arguments", Shape::Template),
    both("WriterConfig", Shape::Object(Holder::WriterConfig)),
];
const WRITER_CONFIG: &[Field] = &[
    both("Transformation", Shape::OneOf(&["NONE", "COMPACT", "FLATTEN"])),
    both("OutputType", Shape::OneOf(&["JSON", "JSONL"])),
];

/// The comparison operators that take a literal; those of the first three groups have a form with `Path` behind.
const OPERATORS: &[(&str, Shape)] = &[
    ("StringEquals", Shape::StringOperand),
    ("StringLessThan", Shape::StringOperand),
    ("StringGreaterThan", Shape::StringOperand),
    ("StringLessThanEquals", Shape::StringOperand),
    ("StringGreaterThanEquals", Shape::StringOperand),
    ("NumericEquals", Shape::NumberOperand),
    ("NumericLessThan", Shape::NumberOperand),
    ("NumericGreaterThan", Shape::NumberOperand),
    ("NumericLessThanEquals", Shape::NumberOperand),
    ("NumericGreaterThanEquals", Shape::NumberOperand),
    ("BooleanEquals", Shape::BooleanOperand),
    ("TimestampEquals", Shape::TimestampOperand),
    ("TimestampLessThan", Shape::TimestampOperand),
    ("TimestampGreaterThan", Shape::TimestampOperand),
    ("TimestampLessThanEquals", Shape::TimestampOperand),
    ("TimestampGreaterThanEquals", Shape::TimestampOperand),
];
/// Operators without a `Path` form.
const LITERAL_OPERATORS: &[(&str, Shape)] = &[
    ("StringMatches", Shape::StringOperand),
    ("IsNull", Shape::BooleanOperand),
    ("IsPresent", Shape::BooleanOperand),
    ("IsNumeric", Shape::BooleanOperand),
    ("IsString", Shape::BooleanOperand),
    ("IsBoolean", Shape::BooleanOperand),
    ("IsTimestamp", Shape::BooleanOperand),
];

/// The field of a comparison operator, when `name` is one.
pub(crate) fn operator(name: &str) -> Option<Field> {
    if let Some((name, shape)) =
        OPERATORS.iter().chain(LITERAL_OPERATORS).find(|(operator, _)| *operator == name)
    {
        return Some(jsonpath(name, *shape));
    }
    let stem = name.strip_suffix("Path")?;
    let (name, _) = OPERATORS.iter().find(|(operator, _)| *operator == stem)?;
    Some(jsonpath(name, Shape::ReferencePath))
}

/// The names of all operators.
pub(crate) fn operator_names() -> impl Iterator<Item = String> {
    let with_path = OPERATORS.iter().map(|(name, _)| format!("{name}Path"));
    OPERATORS.iter().chain(LITERAL_OPERATORS).map(|(name, _)| (*name).to_owned()).chain(with_path)
}

/// The same names as AWS lists them in messages.
pub(crate) const OPERATORS_LISTED: &str = "StringEquals, IsBoolean, StringLessThan, IsNumeric, BooleanEquals, \
    StringLessThanEqualsPath, NumericLessThan, NumericGreaterThan, NumericLessThanPath, StringMatches, \
    TimestampLessThanEqualsPath, NumericEquals, TimestampGreaterThan, StringGreaterThanEqualsPath, \
    TimestampGreaterThanEqualsPath, TimestampLessThanEquals, NumericLessThanEqualsPath, TimestampEquals, BooleanEqualsPath, \
    IsTimestamp, StringLessThanEquals, NumericLessThanEquals, StringLessThanPath, TimestampGreaterThanPath, \
    StringGreaterThan, StringGreaterThanPath, IsString, StringEqualsPath, TimestampEqualsPath, TimestampLessThan, \
    StringGreaterThanEquals, NumericGreaterThanPath, NumericGreaterThanEquals, NumericEqualsPath, TimestampLessThanPath, \
    IsNull, IsPresent, TimestampGreaterThanEquals, NumericGreaterThanEqualsPath";

impl Field {
    /// Whether its value may be a text that is not known yet. What gives the definition its shape must be known.
    pub(crate) fn may_be_open(&self) -> bool {
        let structure = matches!(
            self.shape,
            Shape::Object(_)
                | Shape::List(..)
                | Shape::States
                | Shape::Assign
                | Shape::ErrorNames
                | Shape::TextList
        );
        !structure && !["Type", "QueryLanguage", "Mode"].contains(&self.name)
    }
}

impl Field {
    /// Whether its value decides which fields there are beside it.
    pub(crate) fn decides_fields(&self) -> bool {
        ["Type", "InputType", "CSVHeaderLocation"].contains(&self.name)
    }
}

impl StateType {
    pub(crate) fn from_name(name: &str) -> Option<StateType> {
        Some(match name {
            "Task" => StateType::Task,
            "Wait" => StateType::Wait,
            "Pass" => StateType::Pass,
            "Succeed" => StateType::Succeed,
            "Fail" => StateType::Fail,
            "Choice" => StateType::Choice,
            "Parallel" => StateType::Parallel,
            "Map" => StateType::Map,
            _ => return None,
        })
    }

    /// Whether it goes on by `Next` or `End`.
    pub(crate) fn has_transition(self) -> bool {
        !matches!(self, StateType::Succeed | StateType::Fail | StateType::Choice)
    }
}

impl Holder {
    /// The tables of its fields.
    pub(crate) fn tables(self) -> &'static [&'static [Field]] {
        match self {
            Holder::Machine => &[FLOW, MACHINE],
            Holder::Branch => &[FLOW],
            Holder::Processor => &[FLOW, PROCESSOR],
            Holder::ProcessorConfig => &[COMMENT, PROCESSOR_CONFIG],
            Holder::State(StateType::Task) => &[COMMON, TASK, FILTERS, RESULT, ASSIGN, TRANSITION],
            Holder::State(StateType::Wait) => &[COMMON, WAIT, FILTERS, ASSIGN, TRANSITION],
            Holder::State(StateType::Pass) => &[COMMON, PASS, FILTERS, ASSIGN, TRANSITION],
            Holder::State(StateType::Succeed) => &[COMMON, FILTERS],
            Holder::State(StateType::Fail) => &[COMMON, FAIL],
            Holder::State(StateType::Choice) => &[COMMON, CHOICE, FILTERS, ASSIGN],
            Holder::State(StateType::Parallel) => &[COMMON, PARALLEL, FILTERS, RESULT, ASSIGN, TRANSITION],
            Holder::State(StateType::Map) => &[COMMON, MAP, FILTERS, RESULT, ASSIGN, TRANSITION],
            Holder::UnknownState => &[COMMON],
            Holder::Retrier => &[RETRIER],
            Holder::Catcher => &[CATCHER],
            Holder::ChoiceRule => &[RULE_HEAD, RULE],
            Holder::NestedRule => &[RULE],
            Holder::Credentials => &[CREDENTIALS],
            Holder::ItemReader => &[COMMENT, ITEM_READER],
            Holder::ReaderConfig => &[COMMENT, READER_CONFIG],
            Holder::ItemBatcher => &[COMMENT, ITEM_BATCHER],
            Holder::ResultWriter => &[COMMENT, RESULT_WRITER],
            Holder::WriterConfig => &[COMMENT, WRITER_CONFIG],
        }
    }

    /// The field `name` of it.
    pub(crate) fn field(self, name: &str) -> Option<Field> {
        let found =
            self.tables().iter().flat_map(|table| table.iter()).find(|field| field.name == name).copied();
        match self {
            Holder::ChoiceRule | Holder::NestedRule => found.or_else(|| operator(name)),
            _ => found,
        }
    }

    /// The names of its fields, for suggestions.
    pub(crate) fn field_names(self) -> Vec<String> {
        let mut names: Vec<String> =
            self.tables().iter().flat_map(|table| table.iter()).map(|field| field.name.to_owned()).collect();
        if matches!(self, Holder::ChoiceRule | Holder::NestedRule) {
            names.extend(operator_names());
        }
        names
    }

    /// The fields that must be there.
    pub(crate) fn required(self) -> &'static [&'static str] {
        match self {
            Holder::Machine | Holder::Branch | Holder::Processor => &["StartAt", "States"],
            Holder::UnknownState => &["Type"],
            Holder::State(StateType::Task) => &["Resource"],
            Holder::State(StateType::Choice) => &["Choices"],
            Holder::State(StateType::Parallel) => &["Branches"],
            Holder::Retrier => &["ErrorEquals"],
            Holder::Catcher => &["ErrorEquals", "Next"],
            Holder::ChoiceRule => &["Next"],
            Holder::ItemReader => &["Resource"],
            Holder::WriterConfig => &["OutputType"],
            _ => &[],
        }
    }

    /// Groups of which at most one field may be there; `true` when one must be.
    pub(crate) fn exclusive(self) -> &'static [(&'static [&'static str], bool)] {
        match self {
            Holder::State(StateType::Task) => &[
                (&["TimeoutSeconds", "TimeoutSecondsPath"], false),
                (&["HeartbeatSeconds", "HeartbeatSecondsPath"], false),
                (&["Next", "End"], true),
            ],
            Holder::State(StateType::Wait) => {
                &[(&["SecondsPath", "Seconds", "TimestampPath", "Timestamp"], true), (&["Next", "End"], true)]
            }
            Holder::State(StateType::Map) => &[
                (&["ItemProcessor", "Iterator"], true),
                (&["ItemSelector", "Parameters"], false),
                (&["MaxConcurrency", "MaxConcurrencyPath"], false),
                (&["ToleratedFailurePercentage", "ToleratedFailurePercentagePath"], false),
                (&["ToleratedFailureCount", "ToleratedFailureCountPath"], false),
                (&["Next", "End"], true),
            ],
            Holder::State(StateType::Pass | StateType::Parallel) => &[(&["Next", "End"], true)],
            Holder::State(StateType::Fail) => {
                &[(&["Error", "ErrorPath"], false), (&["Cause", "CausePath"], false)]
            }
            Holder::ReaderConfig => &[(&["MaxItems", "MaxItemsPath"], false)],
            Holder::ItemBatcher => &[
                (&["MaxItemsPerBatch", "MaxItemsPerBatchPath"], false),
                (&["MaxInputBytesPerBatch", "MaxInputBytesPerBatchPath"], false),
            ],
            _ => &[],
        }
    }

    /// Whether it is a state.
    pub(crate) fn is_state(self) -> bool {
        matches!(self, Holder::State(_) | Holder::UnknownState)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn operators() {
        let (mut names, mut listed): (Vec<String>, Vec<&str>) =
            (operator_names().collect(), OPERATORS_LISTED.split(", ").collect());
        names.sort();
        listed.sort_unstable();
        assert_eq!(names, listed);
        assert_eq!(names.len(), 39);
        assert_eq!(operator("StringEqualsPath").map(|field| field.shape), Some(Shape::ReferencePath));
        for name in ["StringMatchesPath", "IsNullPath", "Path", "stringEquals"] {
            assert_eq!(operator(name), None, "{name}");
        }
    }
}
