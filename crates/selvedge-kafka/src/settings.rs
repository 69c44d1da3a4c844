//! What a destination's configuration says to the producer.

/// Where a broker listens.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Address {
    /// A name or an address.
    pub host: String,
    /// The port there.
    pub port: u16,
}

impl Address {
    /// Reads `host:port`; an IPv6 address stands in brackets.
    #[must_use]
    pub fn parse(text: &str) -> Option<Address> {
        let (host, port) = text.rsplit_once(':')?;
        let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
        let is_odd = bare.is_empty() || (bare.contains(':') && bare == host);
        let port = port.parse().ok().filter(|port| *port != 0)?;
        if is_odd { None } else { Some(Address { host: bare.to_string(), port }) }
    }
}

/// A way to log in.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Mechanism {
    /// The password itself: only over TLS.
    Plain,
    /// SCRAM with SHA-256.
    Scram256,
    /// SCRAM with SHA-512.
    Scram512,
}

impl Mechanism {
    /// Its name on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Mechanism::Plain => "PLAIN",
            Mechanism::Scram256 => "SCRAM-SHA-256",
            Mechanism::Scram512 => "SCRAM-SHA-512",
        }
    }
}

/// Who logs in.
#[derive(Clone, Eq, PartialEq)]
pub struct Sasl {
    /// How.
    pub mechanism: Mechanism,
    /// The user's name.
    pub user: String,
    /// The password, which never shows in a message.
    pub password: String,
}

impl std::fmt::Debug for Sasl {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "Sasl({} as {})", self.mechanism.as_str(), self.user)
    }
}

/// One topic of one cluster.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Settings {
    /// The brokers to ask first; they name the others.
    pub brokers: Vec<Address>,
    /// The topic.
    pub topic: String,
    /// Who logs in, where the brokers ask.
    pub sasl: Option<Sasl>,
    /// Whether batches are compressed.
    pub gzip: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read() {
        let address = |host: &str, port| Some(Address { host: host.into(), port });
        assert_eq!(Address::parse("kafka.example:9093"), address("kafka.example", 9093));
        assert_eq!(Address::parse("[::1]:9092"), address("::1", 9092));
        for odd in ["kafka.example", ":9092", "kafka.example:0", "kafka.example:70000", "::1:9092", "[]:1"] {
            assert_eq!(Address::parse(odd), None, "{odd}");
        }
    }

    #[test]
    fn a_password_shows_in_no_message() {
        let sasl = Sasl { mechanism: Mechanism::Plain, user: "shop".into(), password: "hidden".into() };
        assert_eq!(format!("{sasl:?}"), "Sasl(PLAIN as shop)");
    }
}
