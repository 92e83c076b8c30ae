//! What the rules say: patterns, denials, hosts, what implies what.

use super::*;
use crate::security::Principal;
use Operation::*;

fn rule(
    permission: Permission,
    principal: &str,
    operation: Operation,
    pattern: PatternType,
    name: &str,
) -> AclBinding {
    AclBinding {
        resource: ResourceType::Topic,
        pattern,
        name: name.into(),
        principal: principal.into(),
        host: "*".into(),
        operation,
        permission,
    }
}

fn allow(principal: &str, operation: Operation, name: &str) -> AclBinding {
    rule(
        Permission::Allow,
        principal,
        operation,
        PatternType::Literal,
        name,
    )
}

fn allow_prefix(principal: &str, operation: Operation, name: &str) -> AclBinding {
    rule(
        Permission::Allow,
        principal,
        operation,
        PatternType::Prefixed,
        name,
    )
}

fn deny(principal: &str, operation: Operation, pattern: PatternType, name: &str) -> AclBinding {
    rule(Permission::Deny, principal, operation, pattern, name)
}

struct Asked(AclIndex);

fn index(bindings: &[AclBinding]) -> Asked {
    Asked(AclIndex::of(bindings.iter()))
}

impl Asked {
    fn from(&self, host: &str, user: &str, operation: Operation, topic: &str) -> Verdict {
        let principal = Principal::user(user);
        let asker = Asker {
            principal: &principal,
            host: host.parse().expect("an address"),
        };
        self.0.verdict(asker, operation, Resource::Topic(topic))
    }

    fn says(&self, user: &str, operation: Operation, topic: &str) -> Verdict {
        self.from("127.0.0.1", user, operation, topic)
    }

    fn any(&self, user: &str) -> bool {
        let principal = Principal::user(user);
        let asker = Asker {
            principal: &principal,
            host: "127.0.0.1".parse().expect("an address"),
        };
        self.0.allows_any(asker, Write, ResourceType::Topic)
    }
}

#[test]
fn a_rule_concerns_its_name_its_prefix_or_every_name() {
    let rules = index(&[
        allow("User:a", Read, "one"),
        allow_prefix("User:a", Read, "pre"),
        allow("User:b", Read, "*"),
    ]);
    assert_eq!(rules.says("a", Read, "one"), Verdict::Allowed);
    assert_eq!(rules.says("a", Read, "one-more"), Verdict::Denied);
    assert_eq!(rules.says("a", Read, "pre"), Verdict::Allowed);
    assert_eq!(rules.says("a", Read, "prefix"), Verdict::Allowed);
    assert_eq!(rules.says("a", Read, "pr"), Verdict::Denied);
    assert_eq!(rules.says("b", Read, "whatever"), Verdict::Allowed);
    assert_eq!(rules.says("c", Read, "one"), Verdict::Denied);
    assert_eq!(index(&[]).says("a", Read, "one"), Verdict::NoRule);
    assert_eq!(
        index(&[allow("User:a", Read, "one")]).says("b", Read, "two"),
        Verdict::NoRule
    );
}

#[test]
fn a_prefix_ends_between_characters() {
    let rules = index(&[allow_prefix("User:a", Read, "ab")]);
    assert_eq!(rules.says("a", Read, "aä"), Verdict::NoRule);
}

#[test]
fn a_denial_wins_whatever_allows() {
    for pattern in [PatternType::Literal, PatternType::Prefixed] {
        let rules = index(&[
            allow("User:a", All, "*"),
            allow("User:a", Write, "secret"),
            deny("User:a", Write, pattern, "secret"),
        ]);
        assert_eq!(rules.says("a", Write, "secret"), Verdict::Denied);
        assert_eq!(rules.says("a", Read, "secret"), Verdict::Allowed);
        assert_eq!(rules.says("a", Write, "open"), Verdict::Allowed);
    }
    let all = index(&[
        allow("User:a", All, "*"),
        deny("User:*", All, PatternType::Literal, "*"),
    ]);
    assert_eq!(all.says("a", Describe, "x"), Verdict::Denied);
}

#[test]
fn who_may_use_a_thing_may_know_of_it_and_not_the_reverse() {
    for held in [Read, Write, Delete, Alter] {
        let rules = index(&[allow("User:a", held, "t")]);
        assert_eq!(rules.says("a", Describe, "t"), Verdict::Allowed, "{held}");
        assert_eq!(rules.says("a", DescribeConfigs, "t"), Verdict::Denied, "{held}");
    }
    let rules = index(&[allow("User:a", AlterConfigs, "t")]);
    assert_eq!(rules.says("a", DescribeConfigs, "t"), Verdict::Allowed);
    assert_eq!(rules.says("a", Describe, "t"), Verdict::Denied);
    let rules = index(&[
        allow("User:a", Describe, "t"),
        deny("User:a", Read, PatternType::Literal, "t"),
    ]);
    assert_eq!(rules.says("a", Read, "t"), Verdict::Denied);
    assert_eq!(
        rules.says("a", Describe, "t"),
        Verdict::Allowed,
        "a denial implies nothing"
    );
}

#[test]
fn a_host_is_an_address_or_everywhere() {
    let mut v4 = allow("User:a", Read, "t");
    v4.host = "10.0.0.7".into();
    let mut v6 = allow("User:b", Read, "t");
    v6.host = "0:0:0:0:0:0:0:1".into();
    let mut name = allow("User:c", Read, "t");
    name.host = "localhost".into();
    let rules = index(&[v4, v6, name]);
    assert_eq!(rules.from("10.0.0.7", "a", Read, "t"), Verdict::Allowed);
    assert_eq!(rules.from("::ffff:10.0.0.7", "a", Read, "t"), Verdict::Allowed);
    assert_eq!(rules.from("10.0.0.8", "a", Read, "t"), Verdict::Denied);
    assert_eq!(rules.from("::1", "b", Read, "t"), Verdict::Allowed);
    assert_eq!(rules.from("127.0.0.1", "c", Read, "t"), Verdict::Denied);
}

#[test]
fn any_resource_is_allowed_unless_denials_cover_all_that_are() {
    assert!(index(&[allow("User:a", Write, "t")]).any("a"));
    assert!(!index(&[allow("User:a", Write, "t")]).any("b"));
    assert!(!index(&[allow("User:a", Read, "t")]).any("a"));
    let literal = |pattern, name| index(&[allow("User:a", Write, "t"), deny("User:a", Write, pattern, name)]);
    assert!(!literal(PatternType::Literal, "t").any("a"));
    assert!(!literal(PatternType::Prefixed, "t").any("a"));
    assert!(!literal(PatternType::Literal, "*").any("a"));
    assert!(literal(PatternType::Literal, "u").any("a"));
    let prefix = |name| {
        index(&[
            allow_prefix("User:a", Write, "pre"),
            deny("User:a", All, PatternType::Prefixed, name),
        ])
    };
    assert!(!prefix("p").any("a") && !prefix("pre").any("a"));
    assert!(prefix("pref").any("a"));
    let all = index(&[
        allow("User:a", Write, "*"),
        deny("User:a", Write, PatternType::Prefixed, "x"),
    ]);
    assert!(all.any("a"));
}

#[test]
fn askers_whom_no_rule_tells_apart_get_the_same_verdicts() {
    let mut from_home = allow("User:bob", Read, "t");
    from_home.host = "10.0.0.1".into();
    let everybody = allow("User:*", Describe, "open");
    let Asked(index) = index(&[allow("User:alice", Read, "t"), from_home, everybody]);
    let users = ["alice", "bob", "carol", "dave"].map(Principal::user);
    let hosts =
        ["10.0.0.1", "::ffff:10.0.0.1", "10.0.0.2", "10.0.0.3"].map(|host| host.parse().expect("an address"));
    let askers = users
        .iter()
        .flat_map(|principal| hosts.map(|host| Asker { principal, host }));
    let mut seen = Vec::new();
    for asker in askers {
        let Regard::Ruled { principal, host } = index.regard(asker, ResourceType::Topic) else {
            panic!("an index trusts nobody");
        };
        assert_eq!(principal, matches!(asker.principal.name(), "alice" | "bob"));
        assert_eq!(host, asker.host.to_canonical() == hosts[0]);
        let sort = (principal.then(|| asker.principal.clone()), host);
        let verdicts = ["t", "open", "u"].map(|name| index.verdict(asker, Describe, Resource::Topic(name)));
        let same = seen.iter().find(|(other, _)| *other == sort);
        assert!(same.is_none_or(|(_, others)| *others == verdicts));
        seen.push((sort, verdicts));
    }
}
