//! `ListStateMachineAliases`: all of a state machine, or those that route to one of its versions.

use crate::api::Api;
use crate::arn::{self, Qualifier};
use crate::error::ApiError;
use crate::model::{
    ListStateMachineAliasesInput, ListStateMachineAliasesOutput, StateMachineAliasListItem, Timestamp,
};
use crate::{page_token, paging, resolve};

pub async fn run(
    api: &Api,
    input: ListStateMachineAliasesInput,
) -> Result<ListStateMachineAliasesOutput, ApiError> {
    let arn = arn::unlabelled_machine(&input.state_machine_arn)?;
    resolve::entry(api, arn.plain, &input.state_machine_arn).await?;
    let question = ["ListStateMachineAliases", arn.qualified];
    let after = page_token::decode(api, &question, input.next_token.as_deref()).await?;
    let limit = paging::limit(input.max_results);
    let mut aliases = resolve::aliases(api, arn.plain).await?;
    if arn.qualifier != Qualifier::None {
        aliases
            .retain(|alias| alias.routing.iter().any(|item| item.state_machine_version_arn == arn.qualified));
    }
    aliases.retain(|alias| after.as_ref().is_none_or(|after| alias.name > *after));
    let more = aliases.len() > limit;
    aliases.truncate(limit);
    let next_token = aliases.last().filter(|_| more).map(|last| last.name.as_str());
    let next_token = paging::next_token(api, &question, next_token).await?;
    let state_machine_aliases = aliases
        .into_iter()
        .map(|alias| StateMachineAliasListItem {
            state_machine_alias_arn: alias.arn,
            creation_date: Timestamp(alias.created_ms),
        })
        .collect();
    Ok(ListStateMachineAliasesOutput { state_machine_aliases, next_token })
}
