//! Choice.

use std::sync::Arc;

use stepwright_value::Value;

use super::{Lowered, Scope, state, template};
use crate::fields;
use crate::node::{Member, Node};
use crate::program::{Choice, ChoiceRule, Comparison, Condition, Operand, Operator, QueryLanguage};

pub(super) fn lower(scope: &mut Scope<'_, '_>) -> Lowered<Choice> {
    let rules = scope.get("Choices").map(Node::items).unwrap_or_default();
    let rules = rules.iter().map(|node| rule(node, scope)).collect::<Lowered<Vec<ChoiceRule>>>()?;
    let default = scope.get("Default").map(|node| scope.target(node)).transpose()?;
    Ok(Choice { rules, default })
}

fn rule(node: &Node, scope: &mut Scope<'_, '_>) -> Lowered<ChoiceRule> {
    let next = node.get("Next").ok_or_else(|| scope.failed("The rule", node))?;
    let next = scope.target(next)?;
    let jsonata = scope.state.language == QueryLanguage::Jsonata;
    let condition =
        if jsonata { condition(node, scope)? } else { Condition::Comparison(comparison(node, scope)?) };
    let assign = node.get("Assign").map(|assign| template::lower(assign, scope)).transpose()?;
    let output =
        node.get("Output").filter(|_| jsonata).map(|output| template::lower(output, scope)).transpose()?;
    Ok(ChoiceRule { condition, next, assign, output })
}

fn condition(rule: &Node, scope: &mut Scope<'_, '_>) -> Lowered<Condition> {
    let node = rule.get("Condition").ok_or_else(|| scope.failed("The rule", rule))?;
    if let Some(value) = node.as_bool() {
        return Ok(Condition::Literal(value));
    }
    let text = node.as_str().unwrap_or_default();
    match template::expression(text, node, scope)? {
        Some(expression) => Ok(Condition::Expression(expression)),
        None if scope.options.is_open(text) => Ok(Condition::Literal(false)),
        None => Err(scope.failed("Condition", node)),
    }
}

fn comparison(node: &Node, scope: &mut Scope<'_, '_>) -> Lowered<Comparison> {
    let all = |list: &Node, scope: &mut Scope<'_, '_>| {
        list.items().iter().map(|item| comparison(item, scope)).collect::<Lowered<Vec<Comparison>>>()
    };
    if let Some(list) = node.get("And") {
        return Ok(Comparison::And(all(list, scope)?));
    }
    if let Some(list) = node.get("Or") {
        return Ok(Comparison::Or(all(list, scope)?));
    }
    if let Some(inner) = node.get("Not") {
        return Ok(Comparison::Not(Box::new(comparison(inner, scope)?)));
    }
    let variable = node.get("Variable").ok_or_else(|| scope.failed("The rule", node))?;
    let test = node.members().iter().find(|member| fields::operator(&member.key).is_some());
    let test = test.ok_or_else(|| scope.failed("The rule", node))?;
    let Some(variable) = state::path(variable, scope)? else {
        // What is compared is not known yet.
        return Ok(Comparison::Or(Vec::new()));
    };
    let (operator, operand) = operation(test, scope)?;
    Ok(Comparison::Test { variable, operator, operand })
}

fn operation(test: &Member, scope: &mut Scope<'_, '_>) -> Lowered<(Operator, Operand)> {
    let (name, by_path) = match operator(&test.key) {
        Some(_) => (&*test.key, false),
        None => (test.key.strip_suffix("Path").unwrap_or_default(), true),
    };
    let operator = operator(name).ok_or_else(|| scope.failed("The operator", &test.value))?;
    let operand = match by_path {
        false => Operand::Literal(test.value.to_value()),
        true => match state::path(&test.value, scope)? {
            Some(path) => Operand::Path(path),
            None => Operand::Literal(Value::String(Arc::from(""))),
        },
    };
    Ok((operator, operand))
}

fn operator(name: &str) -> Option<Operator> {
    Some(match name {
        "StringEquals" => Operator::StringEquals,
        "StringLessThan" => Operator::StringLessThan,
        "StringGreaterThan" => Operator::StringGreaterThan,
        "StringLessThanEquals" => Operator::StringLessThanEquals,
        "StringGreaterThanEquals" => Operator::StringGreaterThanEquals,
        "StringMatches" => Operator::StringMatches,
        "NumericEquals" => Operator::NumericEquals,
        "NumericLessThan" => Operator::NumericLessThan,
        "NumericGreaterThan" => Operator::NumericGreaterThan,
        "NumericLessThanEquals" => Operator::NumericLessThanEquals,
        "NumericGreaterThanEquals" => Operator::NumericGreaterThanEquals,
        "BooleanEquals" => Operator::BooleanEquals,
        "TimestampEquals" => Operator::TimestampEquals,
        "TimestampLessThan" => Operator::TimestampLessThan,
        "TimestampGreaterThan" => Operator::TimestampGreaterThan,
        "TimestampLessThanEquals" => Operator::TimestampLessThanEquals,
        "TimestampGreaterThanEquals" => Operator::TimestampGreaterThanEquals,
        "IsNull" => Operator::IsNull,
        "IsPresent" => Operator::IsPresent,
        "IsNumeric" => Operator::IsNumeric,
        "IsString" => Operator::IsString,
        "IsBoolean" => Operator::IsBoolean,
        "IsTimestamp" => Operator::IsTimestamp,
        _ => return None,
    })
}
