//! The compiled form of a definition: what the interpreter runs.
//!
//! A [`Program`] is two flat lists, flows and states, linked by number. The machine itself is flow 0; each branch of a
//! Parallel state and each processor of a Map state is a flow of its own, because in the Amazon States Language no
//! transition crosses from one to another. Everything that can be decided before an execution has been: paths,
//! templates and expressions are parsed, targets are resolved, fields of the wrong query language are gone.
//!
//! A `Program` says nothing about an execution and holds no text positions beyond the pointer of each state; for
//! diagnostics see `diagnostic`.

use std::sync::Arc;

use stepwright_jsonata::Expression;
use stepwright_jsonpath::{Path, ReferencePath, Template as JsonPathTemplate};
use stepwright_value::{Document, Value};

/// A state's place in [`Program::states`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct StateId(pub u32);

/// A flow's place in [`Program::flows`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct FlowId(pub u32);

/// A compiled state machine.
#[derive(Debug)]
pub struct Program {
    /// Flow 0 is the machine's own.
    pub flows: Vec<Flow>,
    pub states: Vec<State>,
    /// `TimeoutSeconds` of the machine.
    pub timeout_s: Option<i64>,
    /// The activities that its Task states name, each once.
    pub activities: Vec<Arc<str>>,
}

/// States that transitions can reach from each other.
#[derive(Debug)]
pub struct Flow {
    pub start_at: StateId,
    /// The Parallel or Map state that holds this flow; `None` for flow 0.
    pub owner: Option<StateId>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum QueryLanguage {
    JsonPath,
    Jsonata,
}

/// One state. Fields that its type or query language does not have are empty.
#[derive(Debug)]
pub struct State {
    pub name: Arc<str>,
    pub flow: FlowId,
    /// Where the state stands in the definition: `/States/A`, `/States/M/ItemProcessor/States/B`.
    pub pointer: Box<str>,
    pub language: QueryLanguage,
    pub kind: Kind,
    /// Where it goes when it ends; `None` for Choice, Succeed and Fail.
    pub transition: Option<Transition>,

    // JSONPath.
    pub input_path: PathField,
    /// `Parameters` of Pass, Task, Parallel (of Map: see [`Map::item_selector`]); JSONata: `Arguments`.
    pub arguments: Option<Template>,
    pub result_selector: Option<Template>,
    pub result_path: ResultPath,
    pub output_path: PathField,

    /// JSONata `Output`.
    pub output: Option<Template>,
    pub assign: Option<Template>,
    pub retry: Vec<Retrier>,
    pub catch: Vec<Catcher>,
    /// Names of the variables that the state's fields read (nested states not included), sorted; for
    /// `variableReferences`.
    pub variable_references: Vec<Arc<str>>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Transition {
    Next(StateId),
    End,
}

/// `InputPath` and `OutputPath`.
#[derive(Debug, Default)]
pub enum PathField {
    /// Absent, or `$`.
    #[default]
    Whole,
    /// `null`: an empty object.
    Empty,
    Path(Path),
}

/// `ResultPath`.
#[derive(Debug, Default)]
pub enum ResultPath {
    /// Absent, or `$`: the result replaces the input.
    #[default]
    Whole,
    /// `null`: the result is dropped.
    Discard,
    Path(ReferencePath),
}

/// A JSON value with computed parts.
#[derive(Debug)]
pub enum Template {
    JsonPath(JsonPathTemplate),
    Jsonata(JsonataTemplate),
}

/// A JSON value in which strings of the form `{% … %}` are expressions.
#[derive(Debug)]
pub enum JsonataTemplate {
    /// A part without expressions.
    Literal(Value),
    Expression(Arc<Expression>),
    Array(Vec<JsonataTemplate>),
    Object(Vec<(Arc<str>, JsonataTemplate)>),
}

/// A field that is a literal, or computed from the data: by a `…Path` field (JSONPath), or by an expression (JSONata).
#[derive(Debug)]
pub enum Setting<T> {
    Literal(T),
    /// The path, and the name of the field that holds it (`SecondsPath`), for messages.
    Path(Path, &'static str),
    /// A JSONPath field that takes an intrinsic function as well (`ErrorPath`, `CausePath`).
    Intrinsic(Box<stepwright_jsonpath::Intrinsic>, &'static str),
    /// The expression, and the name of its field.
    Expression(Arc<Expression>, &'static str),
}

/// What is particular to a state's type.
#[derive(Debug)]
pub enum Kind {
    Pass(Pass),
    Task(Box<Task>),
    Choice(Choice),
    Wait(Wait),
    Succeed,
    Fail(Box<Fail>),
    Parallel(Parallel),
    Map(Box<Map>),
}

#[derive(Debug)]
pub struct Pass {
    /// JSONPath `Result`.
    pub result: Option<Document>,
}

#[derive(Debug)]
pub struct Task {
    pub resource: Resource,
    /// JSONPath: a template; JSONata: a template. Evaluates to `{RoleArn}`.
    pub credentials: Option<Template>,
    /// `TimeoutSeconds(Path)`.
    pub timeout_s: Option<Setting<i64>>,
    /// `HeartbeatSeconds(Path)`.
    pub heartbeat_s: Option<Setting<i64>>,
}

/// What a Task state calls.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Resource {
    /// `arn:aws:lambda:…:function:NAME[:QUALIFIER]`: the state's input is the payload.
    Lambda { arn: Arc<str> },
    /// `arn:aws:states:…:activity:NAME`.
    Activity { arn: Arc<str> },
    /// `arn:aws:states:::SERVICE:ACTION[.PATTERN]`.
    Integration(Integration),
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Integration {
    /// The ARN as written.
    pub arn: Arc<str>,
    /// `lambda`, `sqs`, `states`, `http`, `aws-sdk:dynamodb`: the `resourceType` of history events.
    pub service: Arc<str>,
    /// With the pattern's suffix, as history events show it: `invoke.waitForTaskToken`, `startExecution.sync:2`.
    pub resource: Arc<str>,
    /// Without the suffix: `invoke`, `startExecution`.
    pub action: Arc<str>,
    pub pattern: Pattern,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Pattern {
    RequestResponse,
    /// `.sync`.
    Sync,
    /// `.sync:2`.
    Sync2,
    /// `.waitForTaskToken`.
    WaitForTaskToken,
}

#[derive(Debug)]
pub struct Choice {
    pub rules: Vec<ChoiceRule>,
    pub default: Option<StateId>,
}

#[derive(Debug)]
pub struct ChoiceRule {
    pub condition: Condition,
    pub next: StateId,
    pub assign: Option<Template>,
    /// JSONata.
    pub output: Option<Template>,
}

#[derive(Debug)]
pub enum Condition {
    Comparison(Comparison),
    /// JSONata `Condition`.
    Expression(Arc<Expression>),
    /// JSONata `Condition` that is a literal boolean.
    Literal(bool),
}

/// A JSONPath choice rule's test.
#[derive(Debug)]
pub enum Comparison {
    And(Vec<Comparison>),
    Or(Vec<Comparison>),
    Not(Box<Comparison>),
    Test { variable: Path, operator: Operator, operand: Operand },
}

#[derive(Debug)]
pub enum Operand {
    Literal(Value),
    /// Of a `…Path` operator.
    Path(Path),
}

/// A comparison operator; its `Path` form differs only in the [`Operand`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Operator {
    StringEquals,
    StringLessThan,
    StringGreaterThan,
    StringLessThanEquals,
    StringGreaterThanEquals,
    StringMatches,
    NumericEquals,
    NumericLessThan,
    NumericGreaterThan,
    NumericLessThanEquals,
    NumericGreaterThanEquals,
    BooleanEquals,
    TimestampEquals,
    TimestampLessThan,
    TimestampGreaterThan,
    TimestampLessThanEquals,
    TimestampGreaterThanEquals,
    IsNull,
    IsPresent,
    IsNumeric,
    IsString,
    IsBoolean,
    IsTimestamp,
}

/// How long a Wait state waits.
#[derive(Debug)]
pub enum Wait {
    Seconds(Setting<i64>),
    /// A literal is in milliseconds since 1970.
    Timestamp(Setting<i64>),
}

#[derive(Debug)]
pub struct Fail {
    pub error: Option<Setting<Arc<str>>>,
    pub cause: Option<Setting<Arc<str>>>,
}

#[derive(Debug)]
pub struct Parallel {
    pub branches: Vec<FlowId>,
}

#[derive(Debug)]
pub struct Map {
    pub processor: FlowId,
    pub items: Items,
    /// `ItemSelector`, or the legacy `Parameters`.
    pub item_selector: Option<Template>,
    /// `MaxConcurrency(Path)`; 0 means no limit of its own.
    pub max_concurrency: Option<Setting<i64>>,
    /// `None` for an inline Map.
    pub distributed: Option<Box<Distributed>>,
    /// An inline Map that asks for what only a distributed one can do.
    pub asks_too_much: bool,
}

/// Where a Map's items come from (a distributed Map may have a reader instead).
#[derive(Debug)]
pub enum Items {
    /// The state's input (after `InputPath`).
    Input,
    /// `ItemsPath`.
    Path(Path),
    /// JSONata `Items`.
    Template(Template),
}

/// What only a distributed Map has.
#[derive(Debug)]
pub struct Distributed {
    pub execution_type: ExecutionType,
    pub label: Option<Arc<str>>,
    pub item_reader: Option<ItemReader>,
    pub item_batcher: Option<ItemBatcher>,
    pub result_writer: Option<ResultWriter>,
    pub tolerated_failure_count: Option<Setting<i64>>,
    pub tolerated_failure_percentage: Option<Setting<f64>>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ExecutionType {
    Standard,
    Express,
}

#[derive(Debug)]
pub struct ItemReader {
    pub resource: Integration,
    pub arguments: Option<Template>,
    /// `ReaderConfig`, checked; `MaxItems` apart.
    pub config: Value,
    /// `ReaderConfig.MaxItems(Path)`.
    pub max_items: Option<Setting<i64>>,
    /// `ReaderConfig.ItemsPointer`.
    pub items_pointer: Option<Arc<str>>,
}

#[derive(Debug)]
pub struct ItemBatcher {
    pub batch_input: Option<Template>,
    pub max_items_per_batch: Option<Setting<i64>>,
    pub max_input_bytes_per_batch: Option<Setting<i64>>,
}

#[derive(Debug)]
pub struct ResultWriter {
    pub resource: Option<Integration>,
    pub arguments: Option<Template>,
    /// `WriterConfig`, checked.
    pub config: Value,
}

#[derive(Debug)]
pub struct Retrier {
    pub error_equals: Vec<Arc<str>>,
    pub interval_s: i64,
    pub max_attempts: i64,
    pub backoff_rate: f64,
    pub max_delay_s: Option<i64>,
    /// `JitterStrategy` is `FULL`.
    pub jitter: bool,
}

#[derive(Debug)]
pub struct Catcher {
    pub error_equals: Vec<Arc<str>>,
    pub next: StateId,
    pub result_path: ResultPath,
    /// JSONata.
    pub output: Option<Template>,
    pub assign: Option<Template>,
}

impl Program {
    /// The state, which is there for every id that this program gave out.
    pub fn state(&self, id: StateId) -> &State {
        &self.states[id.0 as usize]
    }

    /// The flow, which is there for every id that this program gave out.
    pub fn flow(&self, id: FlowId) -> &Flow {
        &self.flows[id.0 as usize]
    }
}
