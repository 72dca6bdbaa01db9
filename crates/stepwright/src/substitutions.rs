//! `${Name}` in a definition, which AWS's deployment tools fill in: here from the command line.

use std::collections::BTreeMap;

use anyhow::{Result, anyhow, bail};

/// Values by name.
pub struct Substitutions(BTreeMap<String, String>);

impl Substitutions {
    /// Reads `NAME=VALUE`s.
    pub fn parse(given: &[String]) -> Result<Substitutions> {
        let mut values = BTreeMap::new();
        for text in given {
            let (name, value) = text
                .split_once('=')
                .filter(|(name, _)| !name.is_empty())
                .ok_or_else(|| anyhow!("--substitute {text:?}: it is NAME=VALUE"))?;
            if values.insert(name.to_owned(), value.to_owned()).is_some() {
                bail!("--substitute {name}: it is given twice");
            }
        }
        Ok(Substitutions(values))
    }

    /// Puts the values into a text. They stand in JSON texts, or in YAML where the same escapes mean the same.
    pub fn fill(&self, text: &str) -> String {
        let mut out = String::with_capacity(text.len());
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("${") {
            out.push_str(before);
            let value = after.split_once('}').and_then(|(name, behind)| Some((self.0.get(name)?, behind)));
            match value {
                Some((value, behind)) => {
                    out.push_str(&escaped(value));
                    rest = behind;
                }
                None => {
                    out.push_str("${");
                    rest = after;
                }
            }
        }
        out + rest
    }

    /// The names in a text that no value is there for, each once.
    pub fn missing(text: &str) -> Vec<String> {
        let names = text.split("${").skip(1).filter_map(|after| after.split_once('}').map(|(name, _)| name));
        let is_name = |name: &&str| {
            !name.is_empty() && name.chars().all(|it| it.is_ascii_alphanumeric() || "_.:-".contains(it))
        };
        let mut missing: Vec<String> = names.filter(is_name).map(str::to_owned).collect();
        missing.sort();
        missing.dedup();
        missing
    }
}

fn escaped(value: &str) -> String {
    let mut quoted = String::new();
    stepwright_value::write_string(value, &mut quoted);
    quoted.get(1..quoted.len() - 1).unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_filled_in() {
        let given = ["Arn=arn:x", "Quote=a\"b=c", "Empty="].map(str::to_owned);
        let values = Substitutions::parse(&given).expect("pairs");
        for (text, expected) in [
            ("${Arn}", "arn:x"),
            ("a ${Arn}${Empty} b ${Other} ${", "a arn:x b ${Other} ${"),
            ("\"${Quote}\"", "\"a\\\"b=c\""),
            ("$${Arn}", "$arn:x"),
            ("${x${Arn}}", "${xarn:x}"),
        ] {
            assert_eq!(values.fill(text), expected);
        }
        assert_eq!(Substitutions::missing("${B} ${A} ${B} ${ no } $.x"), ["A", "B"]);
        for wrong in [&["A"][..], &["=x"], &["A=1", "A=2"]] {
            let given: Vec<String> = wrong.iter().map(|it| (*it).to_owned()).collect();
            assert!(Substitutions::parse(&given).is_err(), "{wrong:?}");
        }
    }
}
