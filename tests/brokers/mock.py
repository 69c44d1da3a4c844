"""librdkafka's mock cluster, driven from standard input; every order is answered by one line.

    mock.py BROKERS TOPIC PARTITIONS      prints the bootstrap addresses
    leader PARTITION BROKER               moves a partition
    errors API CODE...                    the next requests of that kind are answered so

The library is the one inside of confluent-kafka's wheel.
"""

import ctypes
import glob
import os
import sys

import confluent_kafka

wheel = os.path.dirname(os.path.dirname(confluent_kafka.__file__))
library = glob.glob(os.path.join(wheel, "confluent_kafka.libs", "librdkafka-*.so*")) + glob.glob(
    os.path.join(wheel, "confluent_kafka", ".dylibs", "librdkafka*.dylib")
)
kafka = ctypes.CDLL(library[0])
for name in ("rd_kafka_conf_new", "rd_kafka_new", "rd_kafka_mock_cluster_new"):
    getattr(kafka, name).restype = ctypes.c_void_p
kafka.rd_kafka_mock_cluster_bootstraps.restype = ctypes.c_char_p

brokers, topic, partitions = int(sys.argv[1]), sys.argv[2].encode(), int(sys.argv[3])
PRODUCER = 0
problem = ctypes.create_string_buffer(512)
client = kafka.rd_kafka_new(PRODUCER, ctypes.c_void_p(kafka.rd_kafka_conf_new()), problem, 512)
cluster = ctypes.c_void_p(kafka.rd_kafka_mock_cluster_new(ctypes.c_void_p(client), brokers))
kafka.rd_kafka_mock_topic_create(cluster, topic, partitions, 1)
print(kafka.rd_kafka_mock_cluster_bootstraps(cluster).decode(), flush=True)

for line in sys.stdin:
    order, *words = line.split()
    numbers = [int(word) for word in words]
    if order == "leader":
        code = kafka.rd_kafka_mock_partition_set_leader(cluster, topic, numbers[0], numbers[1])
    else:
        api, codes = numbers[0], numbers[1:]
        array = (ctypes.c_int * len(codes))(*codes)
        code = kafka.rd_kafka_mock_push_request_errors_array(cluster, ctypes.c_int16(api), ctypes.c_size_t(len(codes)), array) or 0
    print("ok" if order == "errors" or code == 0 else f"error {code}", flush=True)
