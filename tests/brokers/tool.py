"""Independent clients of Kafka for the tests: topics made, records read, batches produced by librdkafka.

    tool.py create BOOTSTRAP TOPIC PARTITIONS
    tool.py read BOOTSTRAP TOPIC COUNT    one JSON line a record, partition by partition, in order (librdkafka): COUNT of
                                          them, and what comes within two seconds more; fewer where nothing comes
    tool.py group BOOTSTRAP TOPIC COUNT   the same by aiokafka in a group, until COUNT records have come
    tool.py watch BOOTSTRAP TOPIC COUNT   for each record its value, and the Unix milliseconds at which it could be read
    tool.py partitions BOOTSTRAP TOPIC KEY...    where librdkafka puts each key, as the Java client does
    tool.py produce BOOTSTRAP TOPIC       records from standard input, each a JSON line [KEY, VALUE, [[HEADER, VALUE], ...]];
                                          prints seconds, CPU seconds, and how many were not sent
"""

import asyncio
import json
import sys
import time

from confluent_kafka import Consumer, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic


def shown(partition, offset, timestamp, key, value, headers):
    text = lambda data: None if data is None else data.decode()
    headers = [[name, text(value)] for name, value in headers or []]
    line = dict(partition=partition, offset=offset, timestamp=timestamp, key=text(key), value=text(value), headers=headers)
    print(json.dumps(line))


def create(bootstrap, topic, partitions):
    admin = AdminClient({"bootstrap.servers": bootstrap})
    deadline = time.time() + 30
    while True:
        try:
            admin.create_topics([NewTopic(topic, int(partitions), 1)])[topic].result(10)
            return
        except KafkaException:
            if time.time() > deadline:
                raise
            time.sleep(0.2)


def read(bootstrap, topic, count):
    consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": "reader", "enable.auto.commit": False})
    partitions = sorted(consumer.list_topics(topic, 20).topics[topic].partitions)
    consumer.assign([TopicPartition(topic, partition, 0) for partition in partitions])
    found, quiet_since, deadline = [], time.time(), time.time() + 120
    # The broker's own word on where a partition ends is not to be trusted (Tansu names the start of the last batch).
    while time.time() < deadline and (len(found) < int(count) or time.time() - quiet_since < 2):
        for message in consumer.consume(5000, 0.5):
            if message.error():
                raise KafkaException(message.error())
            found.append(message)
            quiet_since = time.time()
        if len(found) < int(count) and time.time() - quiet_since > 20:
            break
    consumer.close()
    for message in sorted(found, key=lambda message: (message.partition(), message.offset())):
        shown(message.partition(), message.offset(), message.timestamp()[1], message.key(), message.value(), message.headers())


async def group(bootstrap, topic, count):
    from aiokafka import AIOKafkaConsumer

    consumer = AIOKafkaConsumer(topic, bootstrap_servers=bootstrap, group_id="group", auto_offset_reset="earliest")
    await consumer.start()
    try:
        left = int(count)
        while left > 0:
            batches = await asyncio.wait_for(consumer.getmany(timeout_ms=1000), 60)
            for records in batches.values():
                left -= len(records)
                for record in records:
                    shown(record.partition, record.offset, record.timestamp, record.key, record.value, record.headers)
    finally:
        await consumer.stop()


async def watch(bootstrap, topic, count):
    from aiokafka import AIOKafkaConsumer
    from aiokafka import TopicPartition as Place

    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, auto_offset_reset="earliest", fetch_max_wait_ms=20)
    await consumer.start()
    found = AdminClient({"bootstrap.servers": bootstrap}).list_topics(topic, 20).topics[topic].partitions
    consumer.assign([Place(topic, partition) for partition in found])
    print("watching", flush=True)
    lines, deadline = [], time.time() + 120
    while len(lines) < int(count) and time.time() < deadline:
        for records in (await consumer.getmany(timeout_ms=50)).values():
            lines += [json.dumps([record.value.decode(), time.time() * 1000]) for record in records]
    await consumer.stop()
    # Nobody reads the pipe meanwhile: printed one by one they would fill it, and wait.
    print("\n".join(lines), flush=True)


def partitions(bootstrap, topic, *keys):
    producer = Producer({"bootstrap.servers": bootstrap, "partitioner": "murmur2", "linger.ms": 0})
    found = {}
    for key in keys:
        note = lambda error, message: found.update({message.key().decode(): message.partition()})
        producer.produce(topic, b"", key.encode(), callback=note)
    producer.flush(30)
    print(json.dumps([found.get(key) for key in keys]))


def produce(bootstrap, topic):
    records = []
    for line in sys.stdin:
        key, value, headers = json.loads(line)
        records.append((value.encode(), key.encode(), [(name, text.encode()) for name, text in headers]))
    producer = Producer({
        "bootstrap.servers": bootstrap, "enable.idempotence": True, "linger.ms": 5, "batch.size": 900000,
        "queue.buffering.max.messages": len(records) + 1, "partitioner": "murmur2",
    })
    producer.list_topics(topic, 20)
    failed = []
    note = lambda error, _: error and failed.append(str(error))
    began, spent = time.perf_counter(), time.process_time()
    for value, key, headers in records:
        producer.produce(topic, value, key, headers=headers, on_delivery=note)
    left = producer.flush(60)
    seconds, cpu_seconds = time.perf_counter() - began, time.process_time() - spent
    print(json.dumps(dict(seconds=seconds, cpu_seconds=cpu_seconds, left=left, failed=len(failed))))


if __name__ == "__main__":
    word, *rest = sys.argv[1:]
    if word in ("group", "watch"):
        asyncio.run({"group": group, "watch": watch}[word](*rest))
    else:
        {"create": create, "read": read, "partitions": partitions, "produce": produce}[word](*rest)
