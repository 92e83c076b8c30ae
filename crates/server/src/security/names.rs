//! Names of users from the subjects of their certificates (Kafka: ssl.principal.mapping.rules, KIP-371).
//!
//! Owns: the rules' spelling and what they do. Never: a certificate.

use regex::Regex;

/// The most rules.
const RULES_MAX: usize = 64;

/// Rules, of which the first that fits is applied.
#[derive(Debug)]
pub struct PrincipalRules(Vec<Rule>);

#[derive(Debug)]
enum Rule {
    /// The subject as it is.
    Default,
    Replace(Regex, String, Case),
}

#[derive(Clone, Copy, Debug)]
enum Case {
    Kept,
    Lower,
    Upper,
}

impl PrincipalRules {
    /// `DEFAULT` or `RULE:pattern/replacement/[LU]`, several with commas between.
    ///
    /// # Errors
    /// What is wrong, as the end of a sentence.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut rules = Vec::new();
        let mut rest = text.trim();
        while !rest.is_empty() {
            let (rule, after) = parse_one(rest)?;
            rules.push(rule);
            rest = after.trim_start().strip_prefix(',').unwrap_or(after).trim_start();
            if rules.len() > RULES_MAX {
                return Err(format!("at most {RULES_MAX} rules"));
            }
        }
        if rules.is_empty() {
            rules.push(Rule::Default);
        }
        Ok(Self(rules))
    }

    /// The user's name. A subject that no rule fits is taken as it is: with a name that no access rule knows, it may do nothing.
    #[must_use]
    pub fn apply(&self, subject: &str) -> String {
        for rule in &self.0 {
            match rule {
                Rule::Default => break,
                Rule::Replace(pattern, replacement, case) => {
                    if pattern.is_match(subject) {
                        let name = pattern.replace(subject, replacement.as_str()).into_owned();
                        return match case {
                            Case::Kept => name,
                            Case::Lower => name.to_lowercase(),
                            Case::Upper => name.to_uppercase(),
                        };
                    }
                }
            }
        }
        subject.to_owned()
    }
}

fn parse_one(text: &str) -> Result<(Rule, &str), String> {
    if let Some(rest) = text.strip_prefix("DEFAULT") {
        return Ok((Rule::Default, rest));
    }
    let expected = || "a rule is written DEFAULT or RULE:pattern/replacement/[LU]".to_owned();
    let rest = text.strip_prefix("RULE:").ok_or_else(expected)?;
    let (pattern, rest) = until_slash(rest).ok_or_else(expected)?;
    let (replacement, rest) = until_slash(rest).ok_or_else(expected)?;
    // It must fit the whole subject.
    let pattern = Regex::new(&format!("^(?:{pattern})$")).map_err(|error| error.to_string())?;
    let (case, rest) = match rest.chars().next() {
        Some('L') => (Case::Lower, &rest[1..]),
        Some('U') => (Case::Upper, &rest[1..]),
        _ => (Case::Kept, rest),
    };
    Ok((Rule::Replace(pattern, braced(&replacement), case), rest))
}

/// The text before a slash that no backslash escapes, and the text behind it.
fn until_slash(text: &str) -> Option<(String, &str)> {
    let mut before = String::new();
    let mut escaped = false;
    for (at, character) in text.char_indices() {
        match character {
            '/' if escaped => {
                before.pop();
                before.push('/');
            }
            '/' => return Some((before, &text[at + 1..])),
            other => before.push(other),
        }
        escaped = character == '\\' && !escaped;
    }
    None
}

/// `$1a` means group 1 and an `a` to Java; the crate would look for a group called `1a`.
fn braced(replacement: &str) -> String {
    let mut out = String::new();
    let mut characters = replacement.chars().peekable();
    while let Some(character) = characters.next() {
        out.push(character);
        if character != '$' {
            continue;
        }
        let mut digits = String::new();
        while let Some(digit) = characters.next_if(char::is_ascii_digit) {
            digits.push(digit);
        }
        if !digits.is_empty() {
            out.push_str(&format!("{{{digits}}}"));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_make_names_of_subjects_as_kafkas_do() {
        let subject = "CN=Alice.Smith,OU=Apps,O=Example,C=DE";
        let name = |rules: &str| PrincipalRules::parse(rules).expect("well written").apply(subject);
        assert_eq!(name("DEFAULT"), subject);
        assert_eq!(name(""), subject);
        assert_eq!(name("RULE:^CN=(.*?),.*$/$1/"), "Alice.Smith");
        assert_eq!(name("RULE:^CN=(.*?),OU=(.*?),.*$/$1@$2/L"), "alice.smith@apps");
        assert_eq!(name("RULE:^CN=(.*?),.*$/$1x/U,DEFAULT"), "ALICE.SMITHX");
        assert_eq!(name("RULE:^UID=(.*)$/$1/, DEFAULT"), subject);
        assert_eq!(name("RULE:CN=([^,]*)/$1/,RULE:.*O=(.*),C=DE/$1/"), "Example");
        assert_eq!(name("RULE:^CN=(.*?),.*$/a\\/$1/"), "a/Alice.Smith");
        for wrong in ["RULE:a", "RULE:a/b", "RULE:(/b/", "ELSE"] {
            assert!(PrincipalRules::parse(wrong).is_err(), "{wrong}");
        }
    }
}
