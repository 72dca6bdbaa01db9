//! Functions of a SAM or CloudFormation template: `AWS::Serverless::Function`, and `AWS::Lambda::Function` whose code is
//! a local path.
//!
//! References are resolved as far as a template alone tells: pseudo parameters, defaults of parameters, names and ARNs of
//! functions. What only a deployment knows becomes the logical id. Conditions are not looked at. Inline code and layers of the
//! template work; what cannot (images, code in S3, other layers) is named.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

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
    /// What cannot be used, and why: a template is written for AWS, so that this is no reason to refuse it.
    pub unusable: Vec<DefinitionError>,
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
    let mut found = TemplateFunctions { functions: Vec::new(), unusable: Vec::new() };
    for (id, resource) in resources {
        let function = template.function(id, resource, directory, &mut found.unusable);
        match function.and_then(|function| function.map(FunctionDefinition::checked).transpose()) {
            Ok(function) => found.functions.extend(function),
            Err(error) => found.unusable.push(error),
        }
    }
    Ok(found)
}

struct Template<'a> {
    root: &'a Node,
    context: &'a TemplateContext,
}

/// Where a function's code is.
enum Code {
    Directory(String),
    Inline(String),
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
        unusable: &mut Vec<DefinitionError>,
    ) -> Result<Option<FunctionDefinition>, DefinitionError> {
        let Some(properties) = self.function_properties(resource) else { return Ok(None) };
        let code = self.code(id, &properties)?;
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
            code: match &code {
                Code::Directory(path) => directory.join(path),
                Code::Inline(_) => directory.to_owned(),
            },
            inline_code: match code {
                Code::Directory(_) => None,
                Code::Inline(text) => Some(text),
            },
            layers: self.layers(id, &properties, directory, unusable),
            interpreter: None,
            credentials: None,
            timeout_s: number("Timeout", TIMEOUT_S_DEFAULT)?,
            memory_mb: number("MemorySize", MEMORY_MB_DEFAULT)?,
            environment: self.variables(&properties),
            concurrency: concurrency.max(1) as usize,
        }))
    }

    /// The properties of a function; `None` for other resources.
    fn function_properties<'n>(&'n self, resource: &'n Node) -> Option<Properties<'n>> {
        let own = resource.get("Properties")?;
        match resource.get("Type")?.text()? {
            "AWS::Serverless::Function" => {
                let shared = self.root.get("Globals").and_then(|globals| globals.get("Function"));
                Some(Properties { own, shared })
            }
            "AWS::Lambda::Function" => Some(Properties { own, shared: None }),
            _ => None,
        }
    }

    /// Where a function's code is. SAM has `CodeUri`, `InlineCode` and `ImageUri`; CloudFormation has `Code`, which is a path
    /// only until it is packaged.
    fn code(&self, id: &str, properties: &Properties<'_>) -> Result<Code, DefinitionError> {
        let unsupported = |what: &str, hint| {
            Err(DefinitionError::Unsupported { function: id.to_owned(), what: what.to_owned(), hint })
        };
        let in_s3 = || unsupported("code in S3", "name a directory");
        let package = properties.get("Code");
        let inline = properties.own.get("InlineCode").or_else(|| package?.get("ZipFile"));
        let has_image = properties.get("ImageUri").is_some()
            || package.is_some_and(|package| package.get("ImageUri").is_some())
            || properties.get("PackageType").and_then(Node::text) == Some("Image");
        if has_image {
            return unsupported("a container image", "start it by yourself and set AWS_ENDPOINT_URL_LAMBDA");
        }
        if let Some(inline) = inline {
            return match self.resolve(inline) {
                Some(text) => Ok(Code::Inline(text)),
                None => unsupported("inline code that a deployment makes", "write it as text"),
            };
        }
        match properties.get("CodeUri").or(package) {
            // Without CodeUri, SAM takes the template's directory.
            None => Ok(Code::Directory(".".to_owned())),
            Some(node) if node.get("S3Bucket").or_else(|| node.get("Bucket")).is_some() => in_s3(),
            Some(node) => match self.resolve(node) {
                Some(path) if path.starts_with("s3://") => in_s3(),
                Some(path) => Ok(Code::Directory(path)),
                None => unsupported("code that only a deployment knows", "name a directory"),
            },
        }
    }

    /// The directories of the layers that the template itself has.
    fn layers(
        &self,
        id: &str,
        properties: &Properties<'_>,
        directory: &Path,
        unusable: &mut Vec<DefinitionError>,
    ) -> Vec<PathBuf> {
        let list = |node: Option<&Node>| match node.and_then(|node| node.get("Layers")) {
            Some(Node::List(layers)) => layers.clone(),
            _ => Vec::new(),
        };
        let all = list(properties.shared).into_iter().chain(list(Some(properties.own)));
        let mut found = Vec::new();
        for layer in all {
            let name = self.resolve(&layer).unwrap_or_default();
            match self.layer_directory(&name) {
                Some(path) => found.push(directory.join(path)),
                None => unusable.push(DefinitionError::Layer { function: id.to_owned(), layer: name }),
            }
        }
        found
    }

    /// The content of a layer by its logical id.
    fn layer_directory(&self, id: &str) -> Option<String> {
        let resource = self.root.get("Resources")?.get(id)?;
        let content = match resource.get("Type")?.text()? {
            "AWS::Serverless::LayerVersion" => "ContentUri",
            "AWS::Lambda::LayerVersion" => "Content",
            _ => return None,
        };
        let path = self.resolve(resource.get("Properties")?.get(content)?)?;
        (!path.starts_with("s3://")).then_some(path)
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
    Properties:
      Runtime: nodejs20.x
      Handler: index.handler
      Code: {ZipFile: !Sub "exports.handler = async () => '${Stage}'"}
      Layers: [!Ref Libraries, "arn:aws:lambda:us-east-1:1:layer:x:1"]
  Libraries:
    Type: AWS::Serverless::LayerVersion
    Properties: {ContentUri: layers/libraries}
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
        let [hello, other, inline] = found.functions.as_slice() else { panic!("{found:?}") };
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
        assert_eq!(inline.inline_code.as_deref(), Some("exports.handler = async () => 'dev'"));
        assert_eq!(inline.layers, [Path::new("/p/layers/libraries")]);
        let unusable: Vec<String> = found.unusable.iter().map(ToString::to_string).collect();
        assert_eq!(
            unusable,
            [
                "function Inline: its layer arn:aws:lambda:us-east-1:1:layer:x:1 is not a directory of this template and is \
                 left out",
                "function Image: a container image cannot run here; start it by yourself and set AWS_ENDPOINT_URL_LAMBDA",
            ]
        );
    }

    #[test]
    fn unusable() {
        let context = TemplateContext { region: "r".into(), account_id: "1".into(), stack_name: "s".into() };
        let read = |properties: &str| {
            let text = format!(
                "Resources: {{F: {{Type: 'AWS::Serverless::Function', Properties: {{{properties}}}}}}}"
            );
            let found = functions_from_template(&text, Path::new("/"), &context).expect("a template");
            found.unusable.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
        };
        assert!(read("Runtime: java21, Handler: a.b").contains("runtime \"java21\" is not available"));
        for code in ["CodeUri: s3://bucket/key", "CodeUri: {Bucket: b, Key: k}"] {
            let told = read(&format!("Runtime: python3.12, Handler: a.b, {code}"));
            assert_eq!(told, "function F: code in S3 cannot run here; name a directory");
        }
        assert_eq!(read("Handler: a.b"), "function F: Runtime is missing");
        assert_eq!(read("Runtime: python3.12"), "function F: Handler is missing");
        assert_eq!(
            read("Runtime: python3.12, Handler: a.b, Timeout: x"),
            "function F: Timeout is x, but must be a number"
        );
    }
}
