//! Functions of a SAM or CloudFormation template: `AWS::Serverless::Function`, and `AWS::Lambda::Function` whose code is
//! a local path.
//!
//! References are resolved as far as a template alone tells: pseudo parameters, defaults of parameters, names and ARNs of
//! functions. What only a deployment knows becomes the logical id. Conditions are not looked at. Images and inline code are
//! skipped.

use std::collections::BTreeMap;
use std::path::Path;

use super::definition::{
    CONCURRENCY_DEFAULT, DefinitionError, FunctionDefinition, MEMORY_MB_DEFAULT, Runtime, TIMEOUT_S_DEFAULT,
};
use super::yaml::{self, Node, YamlError};

/// A text that is not a template.
#[derive(Debug, thiserror::Error)]
#[error("the template is {0}")]
pub struct TemplateError(#[from] YamlError);

/// What a template declares.
#[derive(Debug)]
pub struct TemplateFunctions {
    /// The functions that can run here.
    pub functions: Vec<FunctionDefinition>,
    /// Those that cannot, and why: a template is written for AWS, so one such function is no reason to refuse it.
    pub skipped: Vec<DefinitionError>,
}

/// What pseudo parameters stand for.
#[derive(Clone, Debug)]
pub struct TemplateContext {
    /// `AWS::Region`.
    pub region: String,
    /// `AWS::AccountId`.
    pub account_id: String,
    /// `AWS::StackName`.
    pub stack_name: String,
}

/// Reads the functions of a template. `directory` is where the file stands: code is relative to it.
pub fn functions_from_template(
    text: &str,
    directory: &Path,
    context: &TemplateContext,
) -> Result<TemplateFunctions, TemplateError> {
    let root = yaml::read(text)?;
    let template = Template { root: &root, context };
    let resources = root.get("Resources").map(Node::members).unwrap_or_default();
    let mut found = TemplateFunctions { functions: Vec::new(), skipped: Vec::new() };
    for (id, resource) in resources {
        let function = template.function(id, resource, directory);
        match function.and_then(|function| function.map(FunctionDefinition::checked).transpose()) {
            Ok(function) => found.functions.extend(function),
            Err(error) => found.skipped.push(error),
        }
    }
    Ok(found)
}

struct Template<'a> {
    root: &'a Node,
    context: &'a TemplateContext,
}

/// A function's properties, and those that all functions of the template share.
struct Properties<'a> {
    own: &'a Node,
    shared: Option<&'a Node>,
}

impl Properties<'_> {
    fn get(&self, name: &str) -> Option<&Node> {
        self.own.get(name).or_else(|| self.shared?.get(name))
    }
}

impl Template<'_> {
    fn function(
        &self,
        id: &str,
        resource: &Node,
        directory: &Path,
    ) -> Result<Option<FunctionDefinition>, DefinitionError> {
        let Some((properties, code)) = self.local_function(resource) else { return Ok(None) };
        let missing = |member| DefinitionError::Missing { function: id.to_owned(), member };
        let text = |name: &str| properties.get(name).and_then(|node| self.resolve(node));
        let number = |member: &'static str, default: u32| match text(member) {
            None => Ok(default),
            Some(value) => value.trim().parse::<u32>().map_err(|_| DefinitionError::Value {
                function: id.to_owned(),
                member,
                value,
                wanted: "a number",
            }),
        };
        let runtime = Runtime::parse(id, &text("Runtime").ok_or_else(|| missing("Runtime"))?)?;
        let concurrency = number("ReservedConcurrentExecutions", CONCURRENCY_DEFAULT as u32)?;
        Ok(Some(FunctionDefinition {
            name: text("FunctionName").unwrap_or_else(|| id.to_owned()),
            logical_id: Some(id.to_owned()),
            runtime,
            handler: text("Handler").ok_or_else(|| missing("Handler"))?,
            code: directory.join(code),
            timeout_s: number("Timeout", TIMEOUT_S_DEFAULT)?,
            memory_mb: number("MemorySize", MEMORY_MB_DEFAULT)?,
            environment: self.variables(&properties),
            concurrency: concurrency.max(1) as usize,
        }))
    }

    /// The properties of a function whose code is a path, and that path.
    fn local_function<'n>(&'n self, resource: &'n Node) -> Option<(Properties<'n>, &'n str)> {
        let own = resource.get("Properties")?;
        match resource.get("Type")?.text()? {
            "AWS::Serverless::Function" => {
                let shared = self.root.get("Globals").and_then(|globals| globals.get("Function"));
                let properties = Properties { own, shared };
                let code = own.get("CodeUri").or_else(|| shared?.get("CodeUri"));
                let inline = own.get("InlineCode").is_some() || own.get("ImageUri").is_some();
                let image = properties.get("PackageType").and_then(Node::text) == Some("Image");
                // Without CodeUri, SAM takes the template's directory.
                let code = code.map_or(Some("."), Node::text).filter(|code| !code.starts_with("s3://"))?;
                (!inline && !image).then_some((properties, code))
            }
            "AWS::Lambda::Function" => {
                let code = own.get("Code")?.text()?;
                (!code.starts_with("s3://")).then_some((Properties { own, shared: None }, code))
            }
            _ => None,
        }
    }

    fn variables(&self, properties: &Properties<'_>) -> BTreeMap<String, String> {
        let of = |node: Option<&Node>| -> Vec<(String, String)> {
            let variables =
                node.and_then(|node| node.get("Environment")).and_then(|node| node.get("Variables"));
            let members = variables.map(Node::members).unwrap_or_default();
            members
                .iter()
                .map(|(name, node)| (name.clone(), self.resolve(node).unwrap_or_default()))
                .collect()
        };
        of(properties.shared).into_iter().chain(of(Some(properties.own))).collect()
    }

    /// The text of a value, with its references resolved.
    fn resolve(&self, node: &Node) -> Option<String> {
        match node {
            Node::Null | Node::List(_) => None,
            Node::Scalar(text) => Some(text.clone()),
            Node::Map(members) => match members.as_slice() {
                [(name, argument)] => self.resolve_function(name, argument),
                _ => None,
            },
        }
    }

    fn resolve_function(&self, name: &str, argument: &Node) -> Option<String> {
        match (name, argument) {
            ("Ref", Node::Scalar(id)) => Some(self.reference(id)),
            ("Fn::GetAtt", Node::Scalar(path)) => Some(self.attribute(path)),
            ("Fn::GetAtt", Node::List(parts)) => {
                let parts: Option<Vec<&str>> = parts.iter().map(Node::text).collect();
                Some(self.attribute(&parts?.join(".")))
            }
            ("Fn::Sub", Node::Scalar(text)) => Some(self.substitute(text, &[])),
            ("Fn::Sub", Node::List(parts)) => match parts.as_slice() {
                [Node::Scalar(text), variables] => Some(self.substitute(text, variables.members())),
                [Node::Scalar(text)] => Some(self.substitute(text, &[])),
                _ => None,
            },
            ("Fn::Join", Node::List(parts)) => match parts.as_slice() {
                [Node::Scalar(between), Node::List(items)] => {
                    let items: Option<Vec<String>> =
                        items.iter().map(|item| self.resolve_plain(item)).collect();
                    Some(items?.join(between))
                }
                _ => None,
            },
            _ => None,
        }
    }

    /// A value within another one: a scalar or a reference, no further nesting.
    fn resolve_plain(&self, node: &Node) -> Option<String> {
        match node.members() {
            [(name, Node::Scalar(argument))] if name == "Ref" => Some(self.reference(argument)),
            [(name, Node::Scalar(argument))] if name == "Fn::GetAtt" => Some(self.attribute(argument)),
            [(name, Node::Scalar(argument))] if name == "Fn::Sub" => Some(self.substitute(argument, &[])),
            _ => node.text().map(str::to_owned),
        }
    }

    fn reference(&self, id: &str) -> String {
        match id {
            "AWS::Region" => return self.context.region.clone(),
            "AWS::AccountId" => return self.context.account_id.clone(),
            "AWS::StackName" => return self.context.stack_name.clone(),
            "AWS::Partition" => return "aws".to_owned(),
            "AWS::URLSuffix" => return "amazonaws.com".to_owned(),
            _ => {}
        }
        let parameter = self.root.get("Parameters").and_then(|parameters| parameters.get(id));
        match parameter.and_then(|parameter| parameter.get("Default")).and_then(Node::text) {
            Some(default) => default.to_owned(),
            None => self.function_name(id).unwrap_or_else(|| id.to_owned()),
        }
    }

    fn attribute(&self, path: &str) -> String {
        let id = path.split('.').next().unwrap_or(path);
        match self.function_name(id) {
            Some(name) if path.ends_with(".Arn") => {
                let TemplateContext { region, account_id, .. } = self.context;
                format!("arn:aws:lambda:{region}:{account_id}:function:{name}")
            }
            _ => id.to_owned(),
        }
    }

    /// The name of a function of the template. Only names that are plain text: a name may not refer to itself.
    fn function_name(&self, id: &str) -> Option<String> {
        let resource = self.root.get("Resources")?.get(id)?;
        let kind = resource.get("Type")?.text()?;
        if kind != "AWS::Serverless::Function" && kind != "AWS::Lambda::Function" {
            return None;
        }
        let name = resource.get("Properties").and_then(|own| own.get("FunctionName")).and_then(Node::text);
        Some(name.unwrap_or(id).to_owned())
    }

    /// Replaces `${NAME}`; `${!NAME}` is the text `${NAME}`.
    fn substitute(&self, text: &str, variables: &[(String, Node)]) -> String {
        let mut out = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(start) = rest.find("${") {
            let (before, tail) = rest.split_at(start);
            out.push_str(before);
            let Some(end) = tail.find('}') else {
                rest = tail;
                break;
            };
            let name = tail.get(2..end).unwrap_or_default();
            rest = tail.get(end + 1..).unwrap_or_default();
            if let Some(literal) = name.strip_prefix('!') {
                out.push_str(&format!("${{{literal}}}"));
                continue;
            }
            let variable = variables.iter().find(|(known, _)| known == name);
            let value = match variable {
                Some((_, node)) => self.resolve_plain(node).unwrap_or_default(),
                None if name.contains('.') => self.attribute(name),
                None => self.reference(name),
            };
            out.push_str(&value);
        }
        out.push_str(rest);
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEMPLATE: &str = r#"
AWSTemplateFormatVersion: '2010-09-09'
Transform: AWS::Serverless-2016-10-31
Parameters:
  Stage: {Type: String, Default: dev}
Globals:
  Function:
    Runtime: python3.12
    Timeout: 30
    Environment:
      Variables:
        STAGE: !Ref Stage
        SHARED: "1"
Conditions:
  IsProd: !Equals [!Ref Stage, prod]
Resources:
  Hello:
    Type: AWS::Serverless::Function
    Properties:
      FunctionName: !Sub "${AWS::StackName}-hello-${Stage}"
      CodeUri: functions/hello/
      Handler: app.handler
      MemorySize: 256
      Policies: !If [IsProd, [], !Ref "AWS::NoValue"]
      Environment:
        Variables:
          TABLE: !Ref Table
          OTHER: !GetAtt Other.Arn
          SHARED: !Join ["-", [a, !Ref Stage]]
          RAW: !Sub ["${x}/${!y}", {x: !Ref Stage}]
  Other:
    Type: AWS::Lambda::Function
    Properties: {Runtime: nodejs20.x, Handler: index.handler, Code: ./other, FunctionName: other-fn}
  Inline:
    Type: AWS::Lambda::Function
    Properties: {Runtime: nodejs20.x, Handler: index.handler, Code: {ZipFile: "x"}}
  Image:
    Type: AWS::Serverless::Function
    Properties: {PackageType: Image}
  Table:
    Type: AWS::DynamoDB::Table
"#;

    #[test]
    fn sam() {
        let context =
            TemplateContext { region: "eu-west-1".into(), account_id: "1".into(), stack_name: "shop".into() };
        let found = functions_from_template(TEMPLATE, Path::new("/p"), &context).expect("a good template");
        let [hello, other] = found.functions.as_slice() else { panic!("{found:?}") };
        assert_eq!((hello.name.as_str(), hello.logical_id.as_deref()), ("shop-hello-dev", Some("Hello")));
        assert_eq!((hello.timeout_s, hello.memory_mb), (30, 256));
        assert_eq!(hello.code, Path::new("/p/functions/hello/"));
        let variables: Vec<(&str, &str)> =
            hello.environment.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
        assert_eq!(
            variables,
            [
                ("OTHER", "arn:aws:lambda:eu-west-1:1:function:other-fn"),
                ("RAW", "dev/${y}"),
                ("SHARED", "a-dev"),
                ("STAGE", "dev"),
                ("TABLE", "Table"),
            ]
        );
        assert_eq!(
            (other.name.as_str(), other.runtime.name.as_str(), other.timeout_s),
            ("other-fn", "nodejs20.x", 3)
        );
    }

    #[test]
    fn skipped() {
        let context = TemplateContext { region: "r".into(), account_id: "1".into(), stack_name: "s".into() };
        let read = |properties: &str| {
            let text = format!(
                "Resources: {{F: {{Type: 'AWS::Serverless::Function', Properties: {{{properties}}}}}}}"
            );
            let found = functions_from_template(&text, Path::new("/"), &context).expect("a template");
            found.skipped.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
        };
        assert!(read("Runtime: java21, Handler: a.b").contains("runtime \"java21\" is not available"));
        assert_eq!(read("Handler: a.b"), "function F: Runtime is missing");
        assert_eq!(read("Runtime: python3.12"), "function F: Handler is missing");
        assert_eq!(
            read("Runtime: python3.12, Handler: a.b, Timeout: x"),
            "function F: Timeout is x, but must be a number"
        );
    }
}
