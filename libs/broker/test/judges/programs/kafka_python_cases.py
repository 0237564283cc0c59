"""kafka-python as its users use it."""
import time

from cases import case, main, new_topic, same
from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer, OffsetAndMetadata, TopicPartition
from kafka.admin import ConfigResource, ConfigResourceType, NewPartitions, NewTopic


def produce(bootstrap, topic, values, **config):
    with KafkaProducer(bootstrap_servers=bootstrap, **config) as producer:
        futures = [producer.send(topic, value, key=b"k", headers=[("h", b"x")], partition=0) for value in values]
        producer.flush(30)
        return [future.get(30).offset for future in futures]


def consumer(bootstrap, *topics, **config):
    return KafkaConsumer(
        *topics,
        bootstrap_servers=bootstrap,
        auto_offset_reset="earliest",
        enable_auto_commit=False,
        **config,
    )


def read(client, count):
    records = []
    while len(records) < count:
        for batch in client.poll(500).values():
            records.extend(batch)
    return records


def create(bootstrap, topic, partitions=1):
    admin = KafkaAdminClient(bootstrap_servers=bootstrap)
    admin.create_topics([NewTopic(topic, partitions, 1)])
    return admin


for codec in (None, "gzip"):

    @case(f"carries {codec or 'plain'} batches both ways")
    def carries(bootstrap, codec=codec):
        topic = new_topic()
        values = [f"value {i}".encode() for i in range(1000)]
        produce(bootstrap, topic, values, compression_type=codec, linger_ms=50)
        with_group = consumer(bootstrap, topic, group_id=topic)
        same([record.value for record in read(with_group, 1000)], values)
        with_group.close()


@case("keeps keys, headers and timestamps")
def keeps(bootstrap):
    topic = new_topic()
    produce(bootstrap, topic, [b"v"])
    client = consumer(bootstrap, topic)
    [record] = read(client, 1)
    same((record.key, [tuple(header) for header in record.headers]), (b"k", [("h", b"x")]))
    same(abs(record.timestamp / 1000 - time.time()) < 60, True)
    client.close()


@case("produces as an idempotent producer")
def idempotent(bootstrap):
    topic = new_topic()
    create(bootstrap, topic).close()
    same(produce(bootstrap, topic, [b"a", b"b", b"c"], enable_idempotence=True), [0, 1, 2])


@case("reads only committed transactions")
def transactions(bootstrap):
    topic = new_topic()
    create(bootstrap, topic).close()
    producer = KafkaProducer(bootstrap_servers=bootstrap, transactional_id=topic)
    producer.init_transactions()
    for value, end in ((b"aborted", producer.abort_transaction), (b"committed", producer.commit_transaction)):
        producer.begin_transaction()
        producer.send(topic, value, partition=0).get(20)
        end()
    producer.close()
    client = consumer(bootstrap, topic, isolation_level="read_committed")
    same(read(client, 1)[0].value, b"committed")
    client.close()


@case("commits offsets with metadata and gets both back")
def commits(bootstrap):
    topic = new_topic()
    produce(bootstrap, topic, [b"a", b"b"])
    client = consumer(bootstrap, topic, group_id=topic)
    read(client, 2)
    partition = TopicPartition(topic, 0)
    client.commit({partition: OffsetAndMetadata(1, "note", -1)})
    committed = client.committed(partition, metadata=True)
    same((committed.offset, committed.metadata), (1, "note"))
    client.close()


@case("goes on where its group ended")
def goes_on(bootstrap):
    topic = new_topic()
    for values in ([b"a", b"b"], [b"c"]):
        produce(bootstrap, topic, values)
        client = consumer(bootstrap, topic, group_id=topic)
        same([record.value for record in read(client, len(values))], values)
        client.commit()
        client.close()


@case("finds offsets by time and the ends of a partition")
def offsets(bootstrap):
    topic = new_topic()
    produce(bootstrap, topic, [b"a", b"b"])
    client = consumer(bootstrap)
    partition = TopicPartition(topic, 0)
    same((client.beginning_offsets([partition])[partition], client.end_offsets([partition])[partition]), (0, 2))
    found = client.offsets_for_times({partition: int((time.time() - 60) * 1000)})
    same(found[partition].offset, 0)
    client.close()


@case("seeks into the middle of a batch")
def seeks(bootstrap):
    topic = new_topic()
    produce(bootstrap, topic, [b"a", b"b", b"c"], linger_ms=100)
    client = consumer(bootstrap)
    partition = TopicPartition(topic, 0)
    client.assign([partition])
    client.seek(partition, 2)
    same(read(client, 1)[0].value, b"c")
    client.close()


@case("administers topics, partitions and settings")
def administers(bootstrap):
    topic = new_topic()
    admin = create(bootstrap, topic)
    admin.create_partitions({topic: NewPartitions(3)})
    same(len(admin.describe_topics([topic])[0]["partitions"]), 3)
    admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, topic, {"retention.ms": "2000000"})])
    same("2000000" in str(admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, topic)])), True)
    admin.delete_topics([topic])
    same(topic in admin.list_topics(), False)
    admin.close()


@case("administers groups")
def groups(bootstrap):
    topic = new_topic()
    produce(bootstrap, topic, [b"a"])
    client = consumer(bootstrap, topic, group_id=topic)
    read(client, 1)
    client.commit()
    admin = KafkaAdminClient(bootstrap_servers=bootstrap)
    same(topic in str(admin.list_groups()), True)
    same("Stable" in str(admin.describe_groups([topic])), True)
    same("offset=1" in str(admin.list_group_offsets([topic])), True)
    client.close()
    admin.delete_groups([topic])
    admin.close()


@case("deletes records, describes the cluster and its folders")
def describes(bootstrap):
    topic = new_topic()
    produce(bootstrap, topic, [b"a", b"b", b"c"])
    admin = KafkaAdminClient(bootstrap_servers=bootstrap)
    partition = TopicPartition(topic, 0)
    admin.delete_records({partition: 2})
    client = consumer(bootstrap)
    same(client.beginning_offsets([partition])[partition], 2)
    same(len(admin.describe_cluster()["brokers"]), 1)
    same(topic in str(admin.describe_log_dirs()), True)
    client.close()
    admin.close()


main()
