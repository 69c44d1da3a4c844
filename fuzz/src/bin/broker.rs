//! Any bytes, read as what brokers answer, one answer after the other: nothing panics, nothing is delivered that no broker
//! took, and the burst comes to an end. The first byte chooses the way of logging in; of each further piece the first two
//! bytes are its length.

#![no_main]

use libfuzzer_sys::fuzz_target;
use selvedge_kafka::{Address, Burst, Mechanism, Producer, Record, Sasl, Settings, Step, Verdict};

fuzz_target!(|bytes: &[u8]| {
    let Some((way, mut rest)) = bytes.split_first() else { return };
    let mechanism = [None, Some(Mechanism::Plain), Some(Mechanism::Scram256), Some(Mechanism::Scram512)];
    let sasl = mechanism[usize::from(way % 4)].map(|mechanism| Sasl {
        mechanism,
        user: "shop".into(),
        password: "secret".into(),
    });
    let brokers = vec![Address { host: "broker".into(), port: 9092 }];
    let settings = Settings { brokers, topic: "shop".into(), sasl, gzip: way & 4 != 0 };
    let mut burst = Burst::new(settings, Producer::default(), [7; 18]);
    let record = Record { key: "key".into(), value: "value".into(), ..Record::default() };
    burst.prepare(vec![record.clone()]);
    let mut is_prepared = false;
    let mut correlation = 0_i32;
    for _ in 0..500 {
        match burst.step() {
            Step::Open { link, .. } => {
                correlation = 0;
                burst.opened(link);
            }
            Step::Write { .. } => correlation += 1,
            Step::Read { link } => {
                let Some((length, more)) = rest.split_first_chunk::<2>() else {
                    burst.failed(link, "closed");
                    continue;
                };
                let (answer, more) = more.split_at(usize::from(u16::from_le_bytes(*length)).min(more.len()));
                rest = more;
                let length = (answer.len() as i32 + 4).to_be_bytes();
                burst.received(link, &[&length[..], &correlation.to_be_bytes(), answer].concat());
            }
            Step::Over(outcome) if !is_prepared && outcome.verdict == Verdict::Left => {
                is_prepared = true;
                burst.send(vec![record.clone()]);
            }
            Step::Over(_) => return,
        }
    }
    panic!("the burst never ends");
});
