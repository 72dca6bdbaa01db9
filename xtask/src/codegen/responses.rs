//! The shapes of what AWS services answer: the table that `TestState` checks mocked results against.
//!
//! The format is described where it is read, in `crates/api/src/test_state/responses.rs`.

use std::collections::HashMap;
use std::fmt::Write as _;

use anyhow::{Context as _, Result};
use stepwright_value::Value;

/// The services whose answers are in the table, by their folder in botocore: those that have an optimized integration,
/// and those that workflows call most.
pub const SERVICES: &[&str] = &[
    "acm",
    "apigateway",
    "appconfig",
    "application-autoscaling",
    "appsync",
    "athena",
    "autoscaling",
    "backup",
    "batch",
    "bedrock",
    "bedrock-agent",
    "bedrock-agent-runtime",
    "bedrock-runtime",
    "cloudformation",
    "cloudfront",
    "cloudtrail",
    "cloudwatch",
    "codebuild",
    "codedeploy",
    "codepipeline",
    "cognito-idp",
    "comprehend",
    "config",
    "databrew",
    "datasync",
    "dynamodb",
    "ec2",
    "ecr",
    "ecs",
    "efs",
    "eks",
    "elasticache",
    "elbv2",
    "emr",
    "emr-containers",
    "emr-serverless",
    "events",
    "firehose",
    "glue",
    "iam",
    "kinesis",
    "kms",
    "lambda",
    "logs",
    "mediaconvert",
    "opensearch",
    "organizations",
    "pipes",
    "polly",
    "rds",
    "rds-data",
    "redshift",
    "redshift-data",
    "rekognition",
    "resourcegroupstaggingapi",
    "route53",
    "s3",
    "s3control",
    "sagemaker",
    "scheduler",
    "secretsmanager",
    "servicediscovery",
    "sesv2",
    "sns",
    "sqs",
    "ssm",
    "stepfunctions",
    "sts",
    "textract",
    "transcribe",
    "translate",
    "wafv2",
    "xray",
];

/// Bounds of shapes to which AWS's recorded answers hold, though the newest model has moved them: service, shape, line.
const HELD: &[(&str, &str, &str)] = &[("Lambda", "MemorySize", "n128,10240")];

/// The whole table. `models` are the service models, in the order of [`SERVICES`].
pub fn emit(models: &[Value]) -> Result<String> {
    let mut table = String::new();
    for model in models {
        service(model, &mut table)?;
    }
    Ok(table)
}

fn service(model: &Value, table: &mut String) -> Result<()> {
    let id = model.get("metadata").and_then(|metadata| metadata.get("serviceId")).and_then(Value::as_str);
    let id = id.context("serviceId")?;
    // The `aws-sdk` integrations are named after the Java SDK's modules.
    let name: String = id.chars().filter(char::is_ascii_alphanumeric).collect();
    let mut shapes = Shapes {
        id,
        model: model.get("shapes").context("shapes")?,
        numbers: HashMap::new(),
        simple: HashMap::new(),
        lines: Vec::new(),
    };
    let operations = model.get("operations").and_then(Value::as_object).context("operations")?;
    let mut heads = String::new();
    for (operation, facts) in operations.iter() {
        let output = facts.get("output").and_then(|output| output.get("shape")).and_then(Value::as_str);
        if let Some(output) = output {
            let _ = writeln!(heads, ":{} {}", operation.to_ascii_lowercase(), shapes.number(output));
        }
    }
    let _ = writeln!(table, "={}", name.to_ascii_lowercase());
    table.push_str(&heads);
    for line in shapes.lines {
        let _ = writeln!(table, "{line}");
    }
    Ok(())
}

/// The shapes of a service that are in use, numbered as they come.
struct Shapes<'m> {
    /// The service.
    id: &'m str,
    model: &'m Value,
    numbers: HashMap<String, usize>,
    /// The lines of shapes that hold no others.
    simple: HashMap<String, usize>,
    lines: Vec<String>,
}

impl Shapes<'_> {
    fn number(&mut self, name: &str) -> usize {
        if let Some(number) = self.numbers.get(name) {
            return *number;
        }
        if self.is_simple(name) {
            // Shapes that say the same have one line.
            let line = self.line(name);
            let known = self.simple.get(&line).copied();
            let number = known.unwrap_or(self.lines.len());
            if known.is_none() {
                self.simple.insert(line.clone(), number);
                self.lines.push(line);
            }
            self.numbers.insert(name.to_owned(), number);
            return number;
        }
        // A structure may hold itself.
        let number = self.lines.len();
        self.numbers.insert(name.to_owned(), number);
        self.lines.push(String::new());
        let line = self.line(name);
        self.lines[number] = line;
        number
    }

    /// Whether the shape holds no other shapes.
    fn is_simple(&self, name: &str) -> bool {
        let kind = self.model.get(name).and_then(|shape| shape.get("type")).and_then(Value::as_str);
        !matches!(kind, Some("list" | "map" | "structure"))
    }

    fn line(&mut self, name: &str) -> String {
        if let Some((_, _, line)) =
            HELD.iter().find(|(service, shape, _)| *service == self.id && *shape == name)
        {
            return (*line).to_owned();
        }
        let Some(shape) = self.model.get(name) else { return "a".to_owned() };
        let target =
            |holder: &Value| holder.get("shape").and_then(Value::as_str).unwrap_or_default().to_owned();
        let is = |flag: &str| shape.get(flag).and_then(Value::as_bool) == Some(true);
        match shape.get("type").and_then(Value::as_str).unwrap_or_default() {
            "string" => match shape.get("enum").and_then(Value::as_array) {
                Some(values) => {
                    let values: Vec<&str> = values.iter().filter_map(Value::as_str).collect();
                    format!("e{}", values.join("|"))
                }
                None => format!("s{}", bounds(shape)),
            },
            "blob" => format!("d{}", bounds(shape)),
            "timestamp" => "t".to_owned(),
            "integer" | "long" | "float" | "double" | "bigInteger" | "bigDecimal" => {
                format!("n{}", bounds(shape))
            }
            "boolean" => "b".to_owned(),
            "list" => format!("l{}", self.number(&target(shape.get("member").unwrap_or(&Value::Null)))),
            "map" => format!("m{}", self.number(&target(shape.get("value").unwrap_or(&Value::Null)))),
            "structure" if !is("document") && !is("eventstream") => self.structure(shape),
            _ => "a".to_owned(),
        }
    }

    fn structure(&mut self, shape: &Value) -> String {
        let required: Vec<&str> = shape
            .get("required")
            .and_then(Value::as_array)
            .map(|names| names.iter().filter_map(Value::as_str).collect())
            .unwrap_or_default();
        let Some(members) = shape.get("members").and_then(Value::as_object) else { return "o".to_owned() };
        let mut parts = Vec::with_capacity(members.len());
        for (name, member) in members.iter() {
            let target = member.get("shape").and_then(Value::as_str).unwrap_or_default();
            let mark = if required.contains(&&**name) { "!" } else { "" };
            parts.push(format!("{mark}{}:{}", pascal(name), self.number(target)));
        }
        format!("o{}", parts.join(","))
    }
}

/// `MIN,MAX`; empty when there is neither.
fn bounds(shape: &Value) -> String {
    let bound = |name: &str| shape.get(name).map(Value::to_json).unwrap_or_default();
    match (bound("min"), bound("max")) {
        (min, max) if min.is_empty() && max.is_empty() => String::new(),
        (min, max) => format!("{min},{max}"),
    }
}

/// AWS: integrations write members with a capital, whatever the service does.
fn pascal(name: &str) -> String {
    let mut characters = name.chars();
    characters.next().map(|first| first.to_ascii_uppercase()).into_iter().chain(characters).collect()
}

/// The services of the table with their actions: a line `SERVICE: ACTION ACTION …` for each.
pub fn actions(table: &str) -> String {
    let mut out = String::new();
    for service in table.split('=').skip(1) {
        let mut lines = service.lines();
        let name = lines.next().unwrap_or_default();
        let actions = lines.filter_map(|line| line.strip_prefix(':')?.split(' ').next());
        let actions: Vec<&str> = actions.collect();
        out.push_str(&format!("{name}: {}\n", actions.join(" ")));
    }
    out
}
