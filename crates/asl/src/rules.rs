//! What a definition must be like: one file per rule.
//!
//! Sources of AWS's sentences: the recorded answers in the conformance cases, and the answers of
//! `ValidateStateMachineDefinition` and `CreateStateMachine` that users quote in public. Where neither has a
//! sentence, ours follows the nearest of theirs.

pub(crate) mod assign;
pub(crate) mod choice_rules;
pub(crate) mod credentials;
pub(crate) mod dead_handlers;
pub(crate) mod duplicate_keys;
pub(crate) mod error_names;
pub(crate) mod exclusive_fields;
pub(crate) mod expressions;
pub(crate) mod field_types;
pub(crate) mod integration_parameters;
pub(crate) mod labels;
pub(crate) mod looks_like_path;
pub(crate) mod many_retries;
pub(crate) mod map_modes;
pub(crate) mod nesting;
pub(crate) mod no_timeout;
pub(crate) mod no_way_out;
pub(crate) mod paths;
pub(crate) mod query_language;
pub(crate) mod reader_config;
pub(crate) mod required_fields;
pub(crate) mod resource;
pub(crate) mod result_writer;
pub(crate) mod state_names;
pub(crate) mod targets;
pub(crate) mod task_times;
pub(crate) mod templates;
pub(crate) mod terminal_state;
#[cfg(test)]
pub(crate) mod testing;
pub(crate) mod timestamps;
pub(crate) mod unassigned_variables;
pub(crate) mod unsupported_fields;
pub(crate) mod variable_scopes;

use crate::check::{Context, FieldSite};
use crate::diagnostic::Report;
use crate::fields::Shape;
use crate::program::Program;

/// Asks the rules about the value of one field.
pub(crate) fn field(place: &FieldSite<'_>, report: &mut Report) {
    if place.is_open() && place.field.may_be_open() || !field_types::check(place, report) {
        return;
    }
    match place.field.shape {
        Shape::Path
        | Shape::ResultPath
        | Shape::ReferencePath
        | Shape::ItemsPath
        | Shape::PathOrIntrinsic => {
            paths::check(place, report);
        }
        Shape::Timestamp | Shape::TimestampOperand => timestamps::check(place, report),
        Shape::Assign => assign::check(place, report),
        Shape::ErrorNames => error_names::check(place, report),
        Shape::Resource | Shape::ReaderResource | Shape::WriterResource => resource::check(place, report),
        _ => {}
    }
    if place.jsonata() {
        expressions::check(place, report);
        return;
    }
    if matches!(place.field.shape, Shape::Template | Shape::Assign) || place.field.name == "RoleArn.$" {
        templates::check(place, report);
    }
    looks_like_path::check(place, report);
}

/// Asks for warnings about a definition without errors.
pub(crate) fn warnings(context: &Context<'_>, program: &Program, report: &mut Report) {
    duplicate_keys::check(context, report);
    no_way_out::check(context, report);
    unassigned_variables::check(context, program, report);
}
