//! SCRAM (RFC 5802, RFC 7677) as Kafka speaks it: without channel binding, the server's signature checked.

use hmac::{Hmac, Mac};
use sha2::{Digest, Sha256, Sha512};

use crate::base64;
use crate::limits::{SCRAM_ROUNDS_MAX, SCRAM_ROUNDS_MIN};
use crate::settings::{Mechanism, Sasl};

/// Why logging in cannot go on.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Failure {
    /// The server's message is not SCRAM.
    #[error("the broker's SCRAM message cannot be read")]
    Malformed,
    /// The server answers somebody else.
    #[error("the broker's SCRAM nonce does not begin with ours")]
    Nonce,
    /// The server asks for less or more work than is sane.
    #[error("the broker asks for {0} SCRAM rounds; {SCRAM_ROUNDS_MIN} to {SCRAM_ROUNDS_MAX} are taken")]
    Rounds(u32),
    /// The server said no.
    #[error("the broker refuses the user or the password")]
    Refused,
    /// The server does not know the password: somebody else answers in its place.
    #[error("the broker's SCRAM signature is wrong: it does not know the password")]
    Signature,
}

/// A password that was stretched once, for the next link to the same cluster.
#[derive(Clone, Default, Eq, PartialEq)]
pub struct Stretched {
    salt: Vec<u8>,
    rounds: u32,
    key: Vec<u8>,
}

/// The client's side, from the first message on.
#[derive(Clone)]
pub struct Scram {
    mechanism: Mechanism,
    first_bare: String,
    nonce: String,
}

/// What the client knows after its proof: how the server must sign.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Proved {
    signature: Vec<u8>,
}

impl Scram {
    /// The client's side and its first message. `nonce` must be random.
    #[must_use]
    pub fn start(sasl: &Sasl, nonce: &[u8]) -> (Scram, Vec<u8>) {
        let nonce = base64::encode(nonce);
        let user = sasl.user.replace('=', "=3D").replace(',', "=2C");
        let first_bare = format!("n={user},r={nonce}");
        let message = format!("n,,{first_bare}").into_bytes();
        (Scram { mechanism: sasl.mechanism, first_bare, nonce }, message)
    }

    /// The proof that answers the server's first message.
    ///
    /// # Errors
    /// Where the server's message is not SCRAM, is not for us, or asks for insane work.
    pub fn prove(
        &self,
        server_first: &[u8],
        password: &str,
        stretched: &mut Stretched,
    ) -> Result<(Proved, Vec<u8>), Failure> {
        let text = std::str::from_utf8(server_first).map_err(|_| Failure::Malformed)?;
        let nonce = field(text, "r=").ok_or(Failure::Malformed)?;
        let salt = field(text, "s=").and_then(base64::decode).ok_or(Failure::Malformed)?;
        let rounds = field(text, "i=").and_then(|rounds| rounds.parse().ok()).ok_or(Failure::Malformed)?;
        if !nonce.starts_with(&self.nonce) || nonce.len() == self.nonce.len() {
            return Err(Failure::Nonce);
        }
        if !(SCRAM_ROUNDS_MIN..=SCRAM_ROUNDS_MAX).contains(&rounds) {
            return Err(Failure::Rounds(rounds));
        }
        if stretched.salt != salt || stretched.rounds != rounds {
            let key = self.mechanism.stretch(password.as_bytes(), &salt, rounds);
            *stretched = Stretched { salt, rounds, key };
        }
        let without_proof = format!("c=biws,r={nonce}");
        let signed = format!("{},{text},{without_proof}", self.first_bare);
        let client_key = self.mechanism.hmac(&stretched.key, b"Client Key");
        let stored_key = self.mechanism.digest(&client_key);
        let client_signature = self.mechanism.hmac(&stored_key, signed.as_bytes());
        let proof: Vec<u8> = client_key.iter().zip(&client_signature).map(|(key, sign)| key ^ sign).collect();
        let server_key = self.mechanism.hmac(&stretched.key, b"Server Key");
        let signature = self.mechanism.hmac(&server_key, signed.as_bytes());
        let message = format!("{without_proof},p={}", base64::encode(&proof));
        Ok((Proved { signature }, message.into_bytes()))
    }
}

impl Proved {
    /// Checks the server's last message.
    ///
    /// # Errors
    /// Where the server refuses, or does not prove that it knows the password too.
    pub fn check(&self, server_final: &[u8]) -> Result<(), Failure> {
        let text = std::str::from_utf8(server_final).map_err(|_| Failure::Malformed)?;
        if field(text, "e=").is_some() {
            return Err(Failure::Refused);
        }
        let signature = field(text, "v=").and_then(base64::decode).ok_or(Failure::Malformed)?;
        let differing =
            self.signature.iter().zip(&signature).fold(0, |seen, (ours, theirs)| seen | (ours ^ theirs));
        let is_ours = differing == 0 && self.signature.len() == signature.len();
        if is_ours { Ok(()) } else { Err(Failure::Signature) }
    }
}

/// The first message of PLAIN, which is also its last.
#[must_use]
pub fn plain(sasl: &Sasl) -> Vec<u8> {
    format!("\0{}\0{}", sasl.user, sasl.password).into_bytes()
}

/// The value of the first field that bears `name`.
fn field<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    text.split(',').find_map(|field| field.strip_prefix(name))
}

impl Mechanism {
    fn hmac(self, key: &[u8], message: &[u8]) -> Vec<u8> {
        match self {
            Mechanism::Scram512 => signed::<Hmac<Sha512>>(key, message),
            _ => signed::<Hmac<Sha256>>(key, message),
        }
    }

    fn digest(self, message: &[u8]) -> Vec<u8> {
        match self {
            Mechanism::Scram512 => Sha512::digest(message).to_vec(),
            _ => Sha256::digest(message).to_vec(),
        }
    }

    fn stretch(self, password: &[u8], salt: &[u8], rounds: u32) -> Vec<u8> {
        match self {
            Mechanism::Scram512 => pbkdf2::pbkdf2_hmac_array::<Sha512, 64>(password, salt, rounds).to_vec(),
            _ => pbkdf2::pbkdf2_hmac_array::<Sha256, 32>(password, salt, rounds).to_vec(),
        }
    }
}

fn signed<M: Mac + hmac::digest::KeyInit>(key: &[u8], message: &[u8]) -> Vec<u8> {
    // HMAC takes keys of every length, so there is always one.
    let Ok(mac) = <M as Mac>::new_from_slice(key) else { return Vec::new() };
    mac.chain_update(message).finalize().into_bytes().to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SERVER_FIRST: &str =
        "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096";

    fn example() -> (Scram, Sasl) {
        let sasl = Sasl { mechanism: Mechanism::Scram256, user: "user".into(), password: "pencil".into() };
        let nonce = "rOprNGfwEbeRWgbNEkqO".to_string();
        let first_bare = format!("n=user,r={nonce}");
        (Scram { mechanism: sasl.mechanism, first_bare, nonce }, sasl)
    }

    /// The example of RFC 7677, section 3.
    #[test]
    fn the_example_of_the_standard_holds() {
        let (scram, sasl) = example();
        let mut stretched = Stretched::default();
        let (proved, message) = scram.prove(SERVER_FIRST.as_bytes(), &sasl.password, &mut stretched).unwrap();
        let expected = "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,\
                        p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=";
        assert_eq!(String::from_utf8(message).unwrap(), expected);
        assert_eq!(proved.check(b"v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="), Ok(()));
    }

    #[test]
    fn a_server_that_does_not_know_the_password_is_refused() {
        let (scram, sasl) = example();
        let (proved, _) =
            scram.prove(SERVER_FIRST.as_bytes(), &sasl.password, &mut Stretched::default()).unwrap();
        let rows: [(&[u8], Failure); 5] = [
            (b"v=7rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=", Failure::Signature),
            (b"v=", Failure::Signature),
            (b"e=invalid-proof", Failure::Refused),
            (b"", Failure::Malformed),
            (b"\xff", Failure::Malformed),
        ];
        for (message, failure) in rows {
            assert_eq!(proved.check(message), Err(failure));
        }
    }

    #[test]
    fn a_server_that_answers_somebody_else_or_asks_for_insane_work_is_refused() {
        let (scram, _) = example();
        let rows = [
            (SERVER_FIRST.replace("rOpr", "other"), Failure::Nonce),
            ("r=rOprNGfwEbeRWgbNEkqO,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096".into(), Failure::Nonce),
            (SERVER_FIRST.replace("4096", "1"), Failure::Rounds(1)),
            (SERVER_FIRST.replace("4096", "4000000000"), Failure::Rounds(4_000_000_000)),
            (SERVER_FIRST.replace("i=4096", "i=-1"), Failure::Malformed),
            (SERVER_FIRST.replace("W22", "W!2"), Failure::Malformed),
        ];
        for (message, failure) in rows {
            let proved = scram.prove(message.as_bytes(), "pencil", &mut Stretched::default());
            assert_eq!(proved.err(), Some(failure), "{message}");
        }
    }

    #[test]
    fn a_name_may_hold_what_separates_fields() {
        let sasl = Sasl { mechanism: Mechanism::Scram512, user: "a=b,c".into(), password: String::new() };
        let (_, message) = Scram::start(&sasl, &[0; 3]);
        assert_eq!(message, b"n,,n=a=3Db=2Cc,r=AAAA");
        assert_eq!(plain(&sasl), b"\0a=b,c\0");
    }

    proptest! {
        #[test]
        fn no_message_of_a_server_makes_it_panic(bytes: Vec<u8>) {
            let (scram, _) = example();
            let _ = scram.prove(&bytes, "pencil", &mut Stretched::default());
            let _ = Proved { signature: vec![1; 32] }.check(&bytes);
        }
    }
}
