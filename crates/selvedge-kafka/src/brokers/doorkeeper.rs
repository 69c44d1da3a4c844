//! The broker's side of logging in: `PLAIN`, and SCRAM (RFC 5802) with the hashes of the standard's own crates, so that nothing
//! of our own side of it is believed.

use hmac::{Hmac, Mac};
use sha2::{Digest, Sha256, Sha512};

use crate::base64;

/// Who shows the password of this user is let in.
const USER: &str = "shop";
const SALT: &[u8] = b"a salt of tests";
const ROUNDS: u32 = 4_096;
/// What the broker adds to the nonce.
const OURS: &str = "of-the-broker";

/// A link on which somebody logs in.
#[derive(Debug, Clone)]
pub(super) struct Talk {
    way: Way,
    /// Both first messages of SCRAM, as the proof covers them.
    firsts: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    Plain,
    Sha256,
    Sha512,
}

impl Talk {
    /// The talk that this mechanism begins; `None` where there is no such one.
    pub(super) fn by(mechanism: &str) -> Option<Talk> {
        let way = match mechanism {
            "PLAIN" => Way::Plain,
            "SCRAM-SHA-256" => Way::Sha256,
            "SCRAM-SHA-512" => Way::Sha512,
            _ => return None,
        };
        Some(Talk { way, firsts: None })
    }

    /// What the broker says to this message; `None` where it refuses.
    pub(super) fn said(&mut self, message: &[u8], password: &str) -> Option<Vec<u8>> {
        let message = std::str::from_utf8(message).ok()?;
        match (self.way, self.firsts.take()) {
            (Way::Plain, _) => (message == format!("\0{USER}\0{password}")).then(Vec::new),
            (_, None) => self.greeted(message),
            (way, Some(firsts)) => way.proven(message, &firsts, password),
        }
    }

    fn greeted(&mut self, message: &str) -> Option<Vec<u8>> {
        let bare = message.strip_prefix("n,,")?;
        let nonce = bare.strip_prefix(&format!("n={USER},r="))?;
        let answer = format!("r={nonce}{OURS},s={},i={ROUNDS}", base64::encode(SALT));
        self.firsts = Some(format!("{bare},{answer}"));
        Some(answer.into_bytes())
    }
}

impl Way {
    /// The signature that answers a proof; `None` where that proves nothing.
    fn proven(self, message: &str, firsts: &str, password: &str) -> Option<Vec<u8>> {
        let (unproven, proof) = message.split_once(",p=")?;
        let nonce = unproven.strip_prefix("c=biws,r=")?;
        if !firsts.contains(&format!("r={nonce},s=")) {
            return None;
        }
        let all = format!("{firsts},{unproven}");
        let salted = self.salted(password);
        let client = self.signed(&salted, b"Client Key");
        let stored = self.hashed(&client);
        let mask = self.signed(&stored, all.as_bytes());
        let shown: Vec<u8> =
            base64::decode(proof)?.iter().zip(&mask).map(|(one, other)| one ^ other).collect();
        let server = self.signed(&salted, b"Server Key");
        let signature = base64::encode(&self.signed(&server, all.as_bytes()));
        (self.hashed(&shown) == stored).then(|| format!("v={signature}").into_bytes())
    }

    fn salted(self, password: &str) -> Vec<u8> {
        match self {
            Way::Sha512 => {
                pbkdf2::pbkdf2_hmac_array::<Sha512, 64>(password.as_bytes(), SALT, ROUNDS).to_vec()
            }
            _ => pbkdf2::pbkdf2_hmac_array::<Sha256, 32>(password.as_bytes(), SALT, ROUNDS).to_vec(),
        }
    }

    fn signed(self, key: &[u8], message: &[u8]) -> Vec<u8> {
        match self {
            Way::Sha512 => Hmac::<Sha512>::new_from_slice(key)
                .unwrap()
                .chain_update(message)
                .finalize()
                .into_bytes()
                .to_vec(),
            _ => Hmac::<Sha256>::new_from_slice(key)
                .unwrap()
                .chain_update(message)
                .finalize()
                .into_bytes()
                .to_vec(),
        }
    }

    fn hashed(self, message: &[u8]) -> Vec<u8> {
        match self {
            Way::Sha512 => Sha512::digest(message).to_vec(),
            _ => Sha256::digest(message).to_vec(),
        }
    }
}
