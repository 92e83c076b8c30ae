//! The exchange: the example of the RFC, wrong proofs, replays, names that do not exist.

use super::*;
use crate::security::Principal;

const SALT: &[u8] = b"salt of the test";

fn proof(mechanism: ScramMechanism, user: &str, password: &str) -> Proof {
    let salted = salted(mechanism, password, SALT, 4096);
    Proof {
        credential: keys_of(user, mechanism, 4096, SALT, &salted),
        logged_in: Some(LoggedIn {
            principal: Principal::user(user),
            ends_ms: None,
            by_token: false,
        }),
    }
}

fn text(step: Result<Step, LoginFailed>) -> String {
    match step.expect("it goes on") {
        Step::Continue(answer) | Step::Done(answer, _) => String::from_utf8(answer).expect("text"),
    }
}

fn login(user: &str, known: &str, given: &str) -> Result<Step, LoginFailed> {
    let mechanism = ScramMechanism::Sha512;
    let mut server = ScramExchange::new(mechanism);
    let mut client = ScramClient::new(mechanism, user, given, "nonce");
    let challenge = text(server.step(client.first().as_bytes(), [7; 16], |name, _| {
        proof(mechanism, name, known)
    }));
    let last = client.last(&challenge).expect("it makes sense");
    let step = server.step(last.as_bytes(), [8; 16], |_, _| unreachable!("asked once"));
    if let Ok(Step::Done(answer, _)) = &step {
        assert!(client.trusts(std::str::from_utf8(answer).expect("text")));
    }
    step
}

#[test]
fn the_example_of_rfc_7677_passes() {
    let mechanism = ScramMechanism::Sha256;
    let salt = STANDARD.decode("W22ZaJ0SNY7soEsUEjb6gQ==").expect("base64");
    let salted = salted(mechanism, "pencil", &salt, 4096);
    let credential = keys_of("user", mechanism, 4096, &salt, &salted);
    let nonce = "rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";
    let challenge = Challenge {
        gs2_header: "n,,".into(),
        nonce: nonce.into(),
        said: format!("n=user,r=rOprNGfwEbeRWgbNEkqO,r={nonce},s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"),
        proof: Proof {
            credential,
            logged_in: Some(LoggedIn {
                principal: Principal::user("user"),
                ends_ms: None,
                by_token: false,
            }),
        },
    };
    let last = format!("c=biws,r={nonce},p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=");
    let step = ScramExchange::new(mechanism).last(&last, &challenge);
    let Some(Step::Done(answer, _)) = step else {
        panic!("the proof is good");
    };
    assert_eq!(answer, b"v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=");
}

#[test]
fn only_the_password_logs_in() {
    assert!(matches!(login("alice", "right", "right"), Ok(Step::Done(..))));
    assert!(
        matches!(login("a=b,c", "right", "right"), Ok(Step::Done(_, who)) if who.principal.name() == "a=b,c")
    );
    assert!(login("alice", "right", "wrong").is_err());
}

#[test]
fn a_proof_that_was_heard_is_worth_nothing_in_another_exchange() {
    let mechanism = ScramMechanism::Sha256;
    let keys = |name: &str, _: NameKind| proof(mechanism, name, "p");
    let mut client = ScramClient::new(mechanism, "alice", "p", "nonce");
    let mut first = ScramExchange::new(mechanism);
    let challenge = text(first.step(client.first().as_bytes(), [1; 16], keys));
    let last = client.last(&challenge).expect("it makes sense");
    let mut second = ScramExchange::new(mechanism);
    text(second.step(client.first().as_bytes(), [2; 16], keys));
    assert!(
        second.step(last.as_bytes(), [2; 16], keys).is_err(),
        "the server's half of the nonce is another"
    );
    assert!(matches!(
        first.step(last.as_bytes(), [1; 16], keys),
        Ok(Step::Done(..))
    ));
    assert!(
        first.step(last.as_bytes(), [1; 16], keys).is_err(),
        "an exchange ends once"
    );
}

#[test]
fn a_user_that_does_not_exist_fails_at_the_end_like_a_wrong_password() {
    let mechanism = ScramMechanism::Sha256;
    let nobody = |name: &str, _: NameKind| Proof {
        logged_in: None,
        ..proof(mechanism, name, "p")
    };
    let mut server = ScramExchange::new(mechanism);
    let mut client = ScramClient::new(mechanism, "nobody", "p", "nonce");
    let challenge = text(server.step(client.first().as_bytes(), [1; 16], nobody));
    let last = client.last(&challenge).expect("it makes sense");
    assert!(server.step(last.as_bytes(), [1; 16], nobody).is_err());
}

#[test]
fn messages_that_break_the_grammar_are_refused() {
    let keys = |name: &str, _: NameKind| proof(ScramMechanism::Sha256, name, "p");
    let wrong = [
        "",
        "n,,",
        "n,,n=a",
        "n,,n=,r=x",
        "n,,n=a,r=",
        "p=tls-unique,,n=a,r=x",
        "n,a=b,n=a,r=x",
        "n,,n=a=00,r=x",
        "n,,r=x,n=a",
        "x,,n=a,r=x",
    ];
    for message in wrong {
        let mut server = ScramExchange::new(ScramMechanism::Sha256);
        assert!(
            server.step(message.as_bytes(), [1; 16], keys).is_err(),
            "{message}"
        );
    }
    for last in [
        "",
        "c=biws",
        "c=eSws,r=nonceAQEBAQEBAQEBAQEBAQEBAQ==,p=AA==",
        "c=biws,r=nonce,p=AA==",
    ] {
        let mut server = ScramExchange::new(ScramMechanism::Sha256);
        text(server.step(b"n,,n=a,r=nonce", [1; 16], keys));
        assert!(server.step(last.as_bytes(), [1; 16], keys).is_err(), "{last}");
    }
}

/// The server's and the client's side after the challenge, and the client's last message.
fn challenged(first: &str) -> (ScramExchange, String, String) {
    let mechanism = ScramMechanism::Sha256;
    let mut server = ScramExchange::new(mechanism);
    let mut client = ScramClient::new(mechanism, "alice", "p", "nonce");
    let keys = |name: &str, _: NameKind| proof(mechanism, name, "p");
    let challenge = text(server.step(first.as_bytes(), [1; 16], keys));
    let last = client.last(&challenge).expect("it makes sense");
    (server, challenge, last)
}

fn is_refused(server: &mut ScramExchange, last: &str) -> bool {
    server
        .step(last.as_bytes(), [1; 16], |_, _| unreachable!("asked once"))
        .is_err()
}

#[test]
fn a_nonce_that_is_not_the_whole_nonce_is_refused_however_good_the_proof() {
    let (mut server, challenge, last) = challenged("n,,n=alice,r=nonce");
    assert!(challenge.len() > "r=nonce".len() && challenge.starts_with("r=nonce"));
    let (nonce, _) = challenge.split_once(',').expect("a salt follows");
    assert!(nonce.len() > "r=nonce".len() + 16, "the server's half is there");
    // Without the server's half: what a client would send who hopes that only its own half is compared.
    assert!(is_refused(&mut server, &last.replace(nonce, "r=nonce")));
    let (mut server, _, last) = challenged("n,,n=alice,r=nonce");
    assert!(is_refused(
        &mut server,
        &last.replace(nonce, &format!("{nonce}x"))
    ));
    let (mut server, _, last) = challenged("n,,n=alice,r=nonce");
    assert!(!is_refused(&mut server, &last), "unchanged it is good");
}

#[test]
fn the_flag_of_channel_binding_must_be_the_same_in_both_messages() {
    // `biws` is `n,,` and `eSws` is `y,,` in base64: somebody between changed what the client said first.
    let (mut server, _, last) = challenged("y,,n=alice,r=nonce");
    assert!(is_refused(&mut server, &last));
    let (mut server, _, last) = challenged("n,,n=alice,r=nonce");
    assert!(is_refused(&mut server, &last.replace("c=biws", "c=eSws")));
    let (mut server, _, last) = challenged("n,a=alice,n=alice,r=nonce");
    assert!(is_refused(&mut server, &last), "nor whom it acts for");
    // A client that has bound the login to a channel: no such mechanism is offered, so it is a downgrade.
    let (mut server, _, last) = challenged("n,,n=alice,r=nonce");
    assert!(is_refused(
        &mut server,
        &last.replace("c=biws", "c=cD10bHMtdW5pcXVlLCw=")
    ));
}
