//! The producer of `selvedge-kafka` against brokers that are not ours: Tansu, librdkafka's mock cluster, and a proxy with
//! TLS and SASL that breaks links. What arrived is read back by librdkafka and aiokafka.

use std::collections::BTreeMap;

use anyhow::Result;
use selvedge_kafka::murmur2::partition;
use selvedge_kafka::{Mechanism, Record, Sasl, Verdict};
use selvedge_tests::brokers::{self, Ordered, ReadRecord, Tansu, tool};
use selvedge_tests::full_counts;
use selvedge_tests::kafka_client::{KafkaClient, settings, trusting};

const START_MS: i64 = 1_790_000_000_000;

fn records(from: usize, count: usize, value_bytes: usize) -> Vec<Record> {
    let record = |index: usize| {
        let filling = "x".repeat(value_bytes);
        Record {
            key: format!("visitor-{}", index % 97).into(),
            value: format!("{{\"n\":{index},\"filling\":\"{filling}\"}}").into(),
            headers: vec![("ce_id".into(), format!("id-{index}").into()), ("ce_type".into(), "event".into())],
            time_ms: START_MS + index as i64,
            group: index as u64,
        }
    };
    (from..from + count).map(record).collect()
}

/// What was read is what was sent: every record once, whole, in the partition of its key, in order.
fn all_arrived(read: &[ReadRecord], sent: &[Record], partitions: u32) {
    assert_eq!(read.len(), sent.len());
    let mut expected: BTreeMap<i32, Vec<&Record>> = BTreeMap::new();
    for record in sent {
        expected.entry(partition(&record.key, partitions) as i32).or_default().push(record);
    }
    let expected = expected.into_iter().flat_map(|(partition, records)| {
        records.into_iter().enumerate().map(move |(offset, record)| {
            let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
            ReadRecord {
                partition,
                offset: offset as i64,
                timestamp: record.time_ms,
                key: Some(text(&record.key)),
                value: Some(text(&record.value)),
                headers: record.headers.iter().map(|(name, value)| (name.clone(), text(value))).collect(),
            }
        })
    });
    for (found, expected) in read.iter().zip(expected) {
        assert_eq!(*found, expected);
    }
}

#[test]
fn twenty_thousand_records_are_read_back_whole_and_in_order() -> Result<()> {
    let tansu = Tansu::start()?;
    let count = if full_counts() { 200_000 } else { 20_000 };
    for (topic, gzip) in [("plain", false), ("zipped", true)] {
        tansu.create(topic, 4)?;
        let mut client = KafkaClient::new(settings(&tansu.address(), topic), None);
        client.configure(|settings| settings.gzip = gzip);
        let sent = records(0, count, 350);
        for batch in sent.chunks(1_000) {
            assert_eq!(client.deliver(batch)?, Vec::<String>::new());
        }
        all_arrived(&brokers::read(&tansu.address(), topic, sent.len())?, &sent, 4);
        assert_eq!(client.possible_duplicates, 0);
    }
    Ok(())
}

#[test]
fn a_consumer_group_of_aiokafka_reads_them_too() -> Result<()> {
    let tansu = Tansu::start()?;
    tansu.create("shop", 3)?;
    let sent = records(0, 500, 20);
    KafkaClient::new(settings(&tansu.address(), "shop"), None).deliver(&sent)?;
    let read = tool(&["group", &tansu.address(), "shop", "500"])?;
    let mut read: Vec<ReadRecord> =
        read.lines().map(|line| Ok(serde_json::from_str(line)?)).collect::<Result<_>>()?;
    read.sort_by_key(|record| (record.partition, record.offset));
    all_arrived(&read, &sent, 3);
    Ok(())
}

#[test]
fn keys_go_where_librdkafka_puts_them_as_the_java_client_does() -> Result<()> {
    let tansu = Tansu::start()?;
    tansu.create("keys", 7)?;
    let keys: Vec<String> = (0..200).map(|index| format!("{:032x}", index * 7_919)).collect();
    let words: Vec<&str> = ["partitions", &tansu.address(), "keys"]
        .into_iter()
        .map(|word| word.to_string().leak() as &str)
        .chain(keys.iter().map(String::as_str))
        .collect();
    let theirs: Vec<u32> = serde_json::from_str(&tool(&words)?)?;
    let ours: Vec<u32> = keys.iter().map(|key| partition(key.as_bytes(), 7)).collect();
    assert_eq!(ours, theirs);
    Ok(())
}

#[test]
fn batches_whose_answers_were_cut_off_are_there_once() -> Result<()> {
    let tansu = Tansu::start()?;
    tansu.create("cut", 3)?;
    let mut proxy = Ordered::proxy(&tansu.address(), &[])?;
    let mut client = KafkaClient::new(settings(&proxy.address(), "cut"), None);
    let sent = records(0, 3_000, 50);
    let mut cuts = 0;
    for (index, batch) in sent.chunks(100).enumerate() {
        if index % 4 == 0 {
            // A crash while nobody knows whether the broker has the batch.
            proxy.order("cut 1")?;
            client.prepare(batch)?;
            assert!(matches!(client.send(batch)?, Verdict::Again { .. }));
            client.crash();
            assert_eq!(client.send(batch)?, Verdict::Delivered);
            cuts += 1;
        } else {
            proxy.order(&format!("cut {}", index % 3))?;
            cuts += client.deliver(batch)?.len();
        }
    }
    assert!(cuts >= 25, "{cuts} answers were cut off");
    all_arrived(&brokers::read(&tansu.address(), "cut", sent.len())?, &sent, 3);
    assert_eq!(client.possible_duplicates, 0);
    Ok(())
}

#[test]
fn a_broker_that_is_away_is_waited_for() -> Result<()> {
    let tansu = Tansu::start()?;
    tansu.create("away", 2)?;
    let mut proxy = Ordered::proxy(&tansu.address(), &[])?;
    let mut client = KafkaClient::new(settings(&proxy.address(), "away"), None);
    let sent = records(0, 400, 50);
    client.deliver(&sent[..200])?;
    proxy.order("down")?;
    assert_eq!(client.prepare(&sent[200..])?, Verdict::Left);
    for _ in 0..3 {
        assert!(matches!(client.send(&sent[200..])?, Verdict::Again { .. }));
    }
    proxy.order("up")?;
    client.deliver(&sent[200..])?;
    all_arrived(&brokers::read(&tansu.address(), "away", sent.len())?, &sent, 2);
    Ok(())
}

#[test]
fn tls_and_each_way_to_log_in_work_and_a_wrong_password_pauses() -> Result<()> {
    let tansu = Tansu::start()?;
    let mut proxy = Ordered::tls_proxy(&tansu.address(), &["--user", "shop:right"])?;
    let tls = trusting(&brokers::file("certificates/ca.pem")?)?;
    let sasl = |mechanism, password: &str| Sasl { mechanism, user: "shop".into(), password: password.into() };
    for mechanism in [Mechanism::Plain, Mechanism::Scram256, Mechanism::Scram512] {
        let topic = mechanism.as_str().to_lowercase();
        tansu.create(&topic, 2)?;
        let mut client = KafkaClient::new(settings(&proxy.address(), &topic), Some(tls.clone()));
        let sent = records(0, 200, 50);
        client.configure(|settings| settings.sasl = Some(sasl(mechanism, "right")));
        client.deliver(&sent[..100])?;
        client.configure(|settings| settings.sasl = Some(sasl(mechanism, "wrong")));
        client.prepare(&sent[100..])?;
        let verdict = client.send(&sent[100..])?;
        let Verdict::Pause { why } = &verdict else { panic!("{mechanism:?}: {verdict:?}") };
        assert!(why.contains("SASL_AUTHENTICATION_FAILED"), "{why}");
        proxy.order("password wrong")?;
        client.crash();
        assert_eq!(client.send(&sent[100..])?, Verdict::Delivered, "it goes on where it stood");
        proxy.order("password right")?;
        all_arrived(&brokers::read(&tansu.address(), &topic, sent.len())?, &sent, 2);
    }
    Ok(())
}

#[test]
fn a_certificate_of_another_authority_is_refused() -> Result<()> {
    let tansu = Tansu::start()?;
    let proxy = Ordered::tls_proxy(&tansu.address(), &[])?;
    let stranger = trusting(&brokers::file("certificates/other-ca.pem")?)?;
    let mut client = KafkaClient::new(settings(&proxy.address(), "shop"), Some(stranger));
    let Verdict::Again { why } = client.prepare(&records(0, 1, 1))? else { panic!("it was taken") };
    assert!(why.contains("UnknownIssuer"), "{why}");
    Ok(())
}

#[test]
fn leaders_that_move_are_followed() -> Result<()> {
    let mut mock = Ordered::mock(3, "shop", 4)?;
    let mut client = KafkaClient::new(settings(mock.first(), "shop"), None);
    let sent = records(0, 4_000, 50);
    let mut moves = 0;
    for (index, batch) in sent.chunks(200).enumerate() {
        for partition in 0..4 {
            mock.order(&format!("leader {partition} {}", 1 + (index + partition) % 3))?;
        }
        moves += client.deliver(batch)?.len();
    }
    assert!(moves >= 15, "{moves} moves were noticed");
    all_arrived(&brokers::read(mock.first(), "shop", sent.len())?, &sent, 4);
    Ok(())
}

#[test]
fn each_code_of_a_broker_has_its_consequence() -> Result<()> {
    const PRODUCE: u8 = 0;
    let mut mock = Ordered::mock(1, "shop", 1)?;
    let mut client = KafkaClient::new(settings(mock.first(), "shop"), None);
    let sent = records(0, 1_000, 20);
    let mut batches = sent.chunks(20);
    let mut next = || batches.next().unwrap_or_default();
    for code in [2, 3, 5, 6, 7, 13, 14, 16, 19, 20, 56, 89] {
        mock.order(&format!("errors {PRODUCE} {code}"))?;
        let met = client.deliver(next())?;
        assert!(matches!(met.as_slice(), [why] if why.contains(&format!("({code})"))), "{code}: {met:?}");
    }
    for code in [10, 18] {
        mock.order(&format!("errors {PRODUCE} {code}"))?;
        assert_eq!(client.deliver(next())?, Vec::<String>::new(), "{code}: it goes in halves");
    }
    for code in [45, 47, 59, 90] {
        mock.order(&format!("errors {PRODUCE} {code}"))?;
        let before = client.possible_duplicates;
        client.deliver(next())?;
        assert_eq!(client.possible_duplicates - before, 20, "{code}");
    }
    for code in [17, 29, 31, 35, 58, 42] {
        mock.order(&format!("errors {PRODUCE} {code}"))?;
        let batch = next();
        client.prepare(batch)?;
        let verdict = client.send(batch)?;
        assert!(
            matches!(&verdict, Verdict::Pause { why } if why.contains(&format!("({code})"))),
            "{verdict:?}"
        );
        assert_eq!(client.send(batch)?, Verdict::Delivered);
    }
    let count = sent.len() - batches.map(<[Record]>::len).sum::<usize>();
    all_arrived(&brokers::read(mock.first(), "shop", count)?, &sent[..count], 1);
    Ok(())
}
