//! What each error code of a broker means for a batch.

/// What to do about a code.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Meaning {
    /// The broker has the batch.
    Done,
    /// Send the identical batch again; first ask anew who leads, where `refresh` says so.
    Resend {
        /// Whether what is known of the cluster is out of date.
        refresh: bool,
    },
    /// The batch is too large: send it in halves.
    Split,
    /// The broker refuses the records that it names.
    Poison,
    /// The broker has lost track of the producer: begin a new one. What was sent may arrive twice.
    NewProducer,
    /// Nothing that we send will be taken until somebody changes something.
    Pause,
}

/// The meaning of a code in an answer to Produce, and in metadata of the topic.
#[must_use]
pub fn meaning(code: i16) -> Meaning {
    match code {
        0 | 46 => Meaning::Done,
        3 | 5 | 6 => Meaning::Resend { refresh: true },
        2 | 7 | 13 | 14 | 16 | 19 | 20 | 56 | 89 => Meaning::Resend { refresh: false },
        10 | 18 => Meaning::Split,
        87 => Meaning::Poison,
        45 | 47 | 59 | 90 => Meaning::NewProducer,
        _ => Meaning::Pause,
    }
}

/// The meaning of a code in an answer to InitProducerId: a cluster that is starting asks for patience by three more.
#[must_use]
pub fn meaning_of_init(code: i16) -> Meaning {
    match code {
        15 | 41 | 51 => Meaning::Resend { refresh: true },
        other => meaning(other),
    }
}

/// Whether a broker that answers Produce so may have the batch nevertheless: it wrote it, and then lost the lead or waited
/// in vain for others. What it refuses before it writes, and who may not write at all, is known not to be there.
#[must_use]
pub fn may_be_kept(code: i16) -> bool {
    let is_refused = matches!(meaning(code), Meaning::Split | Meaning::Poison | Meaning::NewProducer);
    !is_refused && !matches!(code, 2 | 17 | 19 | 21 | 29 | 31 | 32 | 35 | 42 | 44 | 58 | 89)
}

/// What people know the code by.
#[must_use]
pub fn name(code: i16) -> &'static str {
    match code {
        -1 => "UNKNOWN_SERVER_ERROR",
        0 => "NONE",
        2 => "CORRUPT_MESSAGE",
        3 => "UNKNOWN_TOPIC_OR_PARTITION",
        5 => "LEADER_NOT_AVAILABLE",
        6 => "NOT_LEADER_OR_FOLLOWER",
        7 => "REQUEST_TIMED_OUT",
        10 => "MESSAGE_TOO_LARGE",
        13 => "NETWORK_EXCEPTION",
        14 => "COORDINATOR_LOAD_IN_PROGRESS",
        15 => "COORDINATOR_NOT_AVAILABLE",
        16 => "NOT_COORDINATOR",
        17 => "INVALID_TOPIC_EXCEPTION",
        18 => "RECORD_LIST_TOO_LARGE",
        19 => "NOT_ENOUGH_REPLICAS",
        20 => "NOT_ENOUGH_REPLICAS_AFTER_APPEND",
        21 => "INVALID_REQUIRED_ACKS",
        29 => "TOPIC_AUTHORIZATION_FAILED",
        31 => "CLUSTER_AUTHORIZATION_FAILED",
        32 => "INVALID_TIMESTAMP",
        33 => "UNSUPPORTED_SASL_MECHANISM",
        34 => "ILLEGAL_SASL_STATE",
        35 => "UNSUPPORTED_VERSION",
        41 => "NOT_CONTROLLER",
        42 => "INVALID_REQUEST",
        44 => "POLICY_VIOLATION",
        45 => "OUT_OF_ORDER_SEQUENCE_NUMBER",
        46 => "DUPLICATE_SEQUENCE_NUMBER",
        47 => "INVALID_PRODUCER_EPOCH",
        51 => "CONCURRENT_TRANSACTIONS",
        56 => "KAFKA_STORAGE_ERROR",
        58 => "SASL_AUTHENTICATION_FAILED",
        59 => "UNKNOWN_PRODUCER_ID",
        87 => "INVALID_RECORD",
        89 => "THROTTLING_QUOTA_EXCEEDED",
        90 => "PRODUCER_FENCED",
        _ => "an error",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_of_the_table_has_its_meaning() {
        let rows: [(&[i16], Meaning); 7] = [
            (&[0, 46], Meaning::Done),
            (&[3, 5, 6], Meaning::Resend { refresh: true }),
            (&[2, 7, 13, 14, 16, 19, 20, 56, 89], Meaning::Resend { refresh: false }),
            (&[10, 18], Meaning::Split),
            (&[87], Meaning::Poison),
            (&[45, 47, 59, 90], Meaning::NewProducer),
            (&[17, 29, 31, 35, 58], Meaning::Pause),
        ];
        for (codes, expected) in rows {
            for code in codes {
                assert_eq!(meaning(*code), expected, "{code}");
            }
        }
    }

    #[test]
    fn what_was_refused_before_it_was_written_is_not_there_and_of_anything_else_nobody_knows() {
        for code in [2, 10, 18, 19, 29, 31, 45, 47, 59, 87, 89, 90] {
            assert!(!may_be_kept(code), "{}", name(code));
        }
        for code in [-1, 3, 5, 6, 7, 13, 20, 56, 4_242] {
            assert!(may_be_kept(code), "{}", name(code));
        }
    }

    #[test]
    fn a_code_outside_the_table_pauses_and_is_told_by_its_number() {
        let known: Vec<i16> =
            vec![0, 46, 3, 5, 6, 2, 7, 13, 14, 16, 19, 20, 56, 89, 10, 18, 87, 45, 47, 59, 90];
        for code in (i16::MIN..=i16::MAX).filter(|code| !known.contains(code)) {
            assert_eq!(meaning(code), Meaning::Pause, "{code}");
        }
        assert_eq!(name(4_242), "an error");
    }

    #[test]
    fn names_are_those_of_the_protocol() {
        use kafka_protocol::ResponseError;
        for code in (-1..=100).filter(|code| !["an error", "NONE"].contains(&name(*code))) {
            let theirs = ResponseError::try_from_code(code).map(|error| format!("{error:?}"));
            let ours = name(code).replace('_', "").to_lowercase();
            let theirs = theirs.unwrap_or_default().to_lowercase();
            assert!(ours.starts_with(&theirs) || theirs.starts_with(&ours), "{code}: {ours} {theirs}");
        }
    }
}
