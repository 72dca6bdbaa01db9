//! How a function is named: by name, partial ARN or ARN, each with or without a qualifier.
//!
//! Source: Lambda API Reference, Invoke, "FunctionName".

/// The version that runs when no qualifier is given.
pub const LATEST: &str = "$LATEST";

/// A function's name, taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FunctionName {
    /// The text as it was given.
    pub given: String,
    /// The bare name.
    pub name: String,
    /// Version or alias, where the text has one.
    pub qualifier: Option<String>,
    /// `PARTITION`, `REGION`, `ACCOUNT`, of an ARN.
    place: [Option<String>; 3],
}

impl FunctionName {
    /// Takes `NAME[:QUALIFIER]`, `[ACCOUNT:]function:NAME[:QUALIFIER]` or an ARN apart. `None` for anything else.
    pub fn parse(text: &str) -> Option<FunctionName> {
        let parts: Vec<&str> = text.split(':').collect();
        let (place, name, rest): ([&str; 3], &str, &[&str]) = match parts.as_slice() {
            ["arn", partition, "lambda", region, account, "function", name, rest @ ..] => {
                ([partition, region, account], name, rest)
            }
            [account, "function", name, rest @ ..] => (["", "", account], name, rest),
            ["function", name, rest @ ..] if !rest.is_empty() || parts.len() == 2 => {
                (["", "", ""], name, rest)
            }
            [name, rest @ ..] if *name != "arn" => (["", "", ""], name, rest),
            _ => return None,
        };
        let qualifier = match rest {
            [] => None,
            [qualifier] if !qualifier.is_empty() => Some((*qualifier).to_owned()),
            _ => return None,
        };
        if name.is_empty() {
            return None;
        }
        let place = place.map(|part| (!part.is_empty()).then(|| part.to_owned()));
        Some(FunctionName { given: text.to_owned(), name: name.to_owned(), qualifier, place })
    }

    /// The ARN without qualifier; what the name leaves out is that of the caller.
    pub fn arn(&self, region: &str, account_id: &str) -> String {
        let [partition, own_region, account] = &self.place;
        format!(
            "arn:{}:lambda:{}:{}:function:{}",
            partition.as_deref().unwrap_or("aws"),
            own_region.as_deref().unwrap_or(region),
            account.as_deref().unwrap_or(account_id),
            self.name
        )
    }

    /// The region of an ARN.
    pub fn region(&self) -> Option<&str> {
        self.place[1].as_deref()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms() {
        let table = [
            ("f", Some(("f", None, "arn:aws:lambda:r:a:function:f"))),
            ("f:PROD", Some(("f", Some("PROD"), "arn:aws:lambda:r:a:function:f"))),
            ("f:$LATEST", Some(("f", Some("$LATEST"), "arn:aws:lambda:r:a:function:f"))),
            ("1:function:f", Some(("f", None, "arn:aws:lambda:r:1:function:f"))),
            ("1:function:f:2", Some(("f", Some("2"), "arn:aws:lambda:r:1:function:f"))),
            ("function:f", Some(("f", None, "arn:aws:lambda:r:a:function:f"))),
            (
                "arn:aws-cn:lambda:x:1:function:f:2",
                Some(("f", Some("2"), "arn:aws-cn:lambda:x:1:function:f")),
            ),
            ("arn:aws:lambda:::function:f", Some(("f", None, "arn:aws:lambda:r:a:function:f"))),
            ("arn:aws:lambda:x:1:function", None),
            ("arn:aws:lambda:x:1:function:", None),
            ("arn:aws:sqs:x:1:f", None),
            ("f:", None),
            ("a:b:c:d", None),
            ("", None),
        ];
        for (text, expected) in table {
            let found = FunctionName::parse(text);
            let found = found.as_ref().map(|n| (n.name.as_str(), n.qualifier.as_deref(), n.arn("r", "a")));
            assert_eq!(found, expected.map(|(n, q, arn)| (n, q, arn.to_owned())), "{text}");
        }
    }
}
