//! Amazon Resource Names of Step Functions, built and taken apart.

/// The parts of any ARN: `arn:partition:service:region:account:resource`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Arn<'a> {
    pub partition: &'a str,
    pub service: &'a str,
    pub region: &'a str,
    pub account_id: &'a str,
    /// Everything after the account, colons included.
    pub resource: &'a str,
}

impl<'a> Arn<'a> {
    /// `None` when `text` has not the six parts of an ARN.
    pub fn parse(text: &'a str) -> Option<Arn<'a>> {
        let mut parts = text.splitn(6, ':');
        let (scheme, partition, service, region, account_id, resource) =
            (parts.next()?, parts.next()?, parts.next()?, parts.next()?, parts.next()?, parts.next()?);
        (scheme == "arn" && !partition.is_empty() && !service.is_empty() && !resource.is_empty())
            .then_some(Arn { partition, service, region, account_id, resource })
    }

    /// The resource behind `prefix:`, for instance the machine's name behind `stateMachine:`.
    pub fn resource_after(&self, prefix: &str) -> Option<&'a str> {
        self.resource.strip_prefix(prefix)?.strip_prefix(':')
    }
}

/// The parts of a map run's ARN: `mapRun:machine/label:run`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct MapRunArn<'a> {
    /// `machine/label`: what stands in the ARNs of the children as the state machine's name.
    pub labelled: &'a str,
    pub machine: &'a str,
    /// The Map's label, or a UUID.
    pub label: &'a str,
    /// A UUID.
    pub run: &'a str,
}

impl<'a> MapRunArn<'a> {
    /// `None` when `text` is not the ARN of a map run.
    pub fn parse(text: &'a str) -> Option<MapRunArn<'a>> {
        let (labelled, run) = Arn::parse(text)?.resource_after("mapRun")?.rsplit_once(':')?;
        let (machine, label) = labelled.split_once('/')?;
        Some(MapRunArn { labelled, machine, label, run })
    }
}

/// Builds the ARNs of one account in one region.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Account {
    pub partition: String,
    pub region: String,
    pub account_id: String,
}

impl Account {
    pub fn new(region: impl Into<String>, account_id: impl Into<String>) -> Account {
        let region = region.into();
        let partition = match region.split('-').next() {
            Some("cn") => "aws-cn",
            Some("us") if region.starts_with("us-gov-") => "aws-us-gov",
            _ => "aws",
        };
        Account { partition: partition.to_owned(), region, account_id: account_id.into() }
    }

    /// Whose an ARN is. `None` when `text` is none.
    pub fn of(text: &str) -> Option<Account> {
        let arn = Arn::parse(text)?;
        Some(Account {
            partition: arn.partition.to_owned(),
            region: arn.region.to_owned(),
            account_id: arn.account_id.to_owned(),
        })
    }

    /// Whether an ARN is of this account and region.
    pub fn owns(&self, text: &str) -> bool {
        Arn::parse(text).is_some_and(|arn| {
            arn.partition == self.partition && arn.region == self.region && arn.account_id == self.account_id
        })
    }

    fn states(&self, resource: std::fmt::Arguments<'_>) -> String {
        format!("arn:{}:states:{}:{}:{}", self.partition, self.region, self.account_id, resource)
    }

    pub fn state_machine(&self, name: &str) -> String {
        self.states(format_args!("stateMachine:{name}"))
    }

    pub fn activity(&self, name: &str) -> String {
        self.states(format_args!("activity:{name}"))
    }

    /// The ARN of a STANDARD execution.
    pub fn execution(&self, machine: &str, name: &str) -> String {
        self.states(format_args!("execution:{machine}:{name}"))
    }

    /// The ARN of an EXPRESS execution; `run` is a fresh UUID.
    pub fn express_execution(&self, machine: &str, name: &str, run: &str) -> String {
        self.states(format_args!("express:{machine}:{name}:{run}"))
    }

    /// The ARN of a map run; `label` is the Map's label or a fresh UUID, `run` a fresh UUID.
    pub fn map_run(&self, machine: &str, label: &str, run: &str) -> String {
        self.states(format_args!("mapRun:{machine}/{label}:{run}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ways() {
        let account = Account::new("eu-west-1", "123456789012");
        let text = account.state_machine("orders");
        assert_eq!(text, "arn:aws:states:eu-west-1:123456789012:stateMachine:orders");
        let arn = Arn::parse(&text).expect("an ARN");
        assert_eq!(arn.resource_after("stateMachine"), Some("orders"));
        assert_eq!(arn.resource_after("activity"), None);
        for text in ["", "arn", "arn:aws:states", "urn:aws:states:r:a:x", "arn:aws:states:r:a:"] {
            assert_eq!(Arn::parse(text), None, "{text}");
        }
        assert_eq!(Account::of(&text), Some(account.clone()));
        assert!(account.owns(&text) && !Account::new("eu-west-1", "1").owns(&text));
        assert_eq!(Account::new("us-gov-west-1", "1").partition, "aws-us-gov");
        let text = account.map_run("orders", "each", "r");
        let parts = MapRunArn { labelled: "orders/each", machine: "orders", label: "each", run: "r" };
        assert_eq!(MapRunArn::parse(&text), Some(parts));
        assert_eq!(MapRunArn::parse(&account.execution("orders", "r")), None);
    }
}
