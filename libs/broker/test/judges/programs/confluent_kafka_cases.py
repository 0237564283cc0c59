"""confluent-kafka (librdkafka in Python) as its users use it."""
import time

from cases import case, main, new_topic, same
from confluent_kafka import Consumer, ConsumerGroupTopicPartitions, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import (
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    NewPartitions,
    NewTopic,
    OffsetSpec,
    ResourceType,
)


def produce(bootstrap, topic, values, partition=0, **config):
    producer = Producer({"bootstrap.servers": bootstrap, **config})
    offsets = []

    def delivered(error, message):
        if error is not None:
            raise KafkaException(error)
        offsets.append(message.offset())

    for value in values:
        producer.produce(topic, value, key=b"k", headers={"h": "x"}, partition=partition, on_delivery=delivered)
    same(producer.flush(30), 0)
    return offsets


def consumer(bootstrap, group, **config):
    return Consumer(
        {
            "bootstrap.servers": bootstrap,
            "group.id": group,
            "auto.offset.reset": "earliest",
            "enable.auto.commit": False,
            **config,
        }
    )


def read(client, count):
    messages = []
    while len(messages) < count:
        message = client.poll(1.0)
        if message is None:
            continue
        if message.error():
            raise KafkaException(message.error())
        messages.append(message)
    return messages


def create(bootstrap, topic, partitions=1, **config):
    admin = AdminClient({"bootstrap.servers": bootstrap})
    admin.create_topics([NewTopic(topic, partitions, 1, config=config)])[topic].result(20)
    return admin


for codec in ("none", "gzip", "snappy", "lz4", "zstd"):

    @case(f"carries {codec} batches both ways")
    def carries(bootstrap, codec=codec):
        topic = new_topic()
        values = [f"value {i}".encode() for i in range(1000)]
        produce(bootstrap, topic, values, **{"compression.type": codec, "linger.ms": 50})
        client = consumer(bootstrap, topic)
        client.subscribe([topic])
        same([message.value() for message in read(client, 1000)], values)
        client.close()


@case("keeps keys, headers and timestamps")
def keeps(bootstrap):
    topic = new_topic()
    produce(bootstrap, topic, [b"v"])
    client = consumer(bootstrap, topic)
    client.subscribe([topic])
    [message] = read(client, 1)
    same((message.key(), message.headers()), (b"k", [("h", b"x")]))
    same(abs(message.timestamp()[1] / 1000 - time.time()) < 60, True)
    client.close()


@case("produces as an idempotent producer")
def idempotent(bootstrap):
    topic = new_topic()
    create(bootstrap, topic)
    same(produce(bootstrap, topic, [b"a", b"b", b"c"], **{"enable.idempotence": True}), [0, 1, 2])


@case("reads only committed transactions")
def transactions(bootstrap):
    topic = new_topic()
    create(bootstrap, topic)
    producer = Producer({"bootstrap.servers": bootstrap, "transactional.id": topic})
    producer.init_transactions(20)
    for value, end in ((b"aborted", producer.abort_transaction), (b"committed", producer.commit_transaction)):
        producer.begin_transaction()
        producer.produce(topic, value, partition=0)
        producer.flush(20)
        end(20)
    client = consumer(bootstrap, topic, **{"isolation.level": "read_committed"})
    client.subscribe([topic])
    same(read(client, 1)[0].value(), b"committed")
    client.close()


@case("moves records from topic to topic exactly once")
def copies(bootstrap):
    source, target = new_topic(), new_topic()
    create(bootstrap, source)
    create(bootstrap, target)
    produce(bootstrap, source, [b"a", b"b"])
    reader = consumer(bootstrap, source)
    reader.subscribe([source])
    producer = Producer({"bootstrap.servers": bootstrap, "transactional.id": source})
    producer.init_transactions(20)
    producer.begin_transaction()
    for message in read(reader, 2):
        producer.produce(target, message.value(), partition=0)
    positions = reader.position(reader.assignment())
    producer.send_offsets_to_transaction(positions, reader.consumer_group_metadata(), 20)
    producer.commit_transaction(20)
    same(reader.committed([TopicPartition(source, 0)], 20)[0].offset, 2)
    reader.close()


@case("fences a zombie")
def fences(bootstrap):
    topic = new_topic()
    create(bootstrap, topic)
    zombie = Producer({"bootstrap.servers": bootstrap, "transactional.id": topic})
    zombie.init_transactions(20)
    zombie.begin_transaction()
    zombie.produce(topic, b"zombie", partition=0)
    zombie.flush(20)
    Producer({"bootstrap.servers": bootstrap, "transactional.id": topic}).init_transactions(20)
    try:
        zombie.commit_transaction(20)
    except KafkaException as error:
        same(error.args[0].fatal(), True)
        return
    raise AssertionError("the zombie's commit was expected to fail")


@case("commits offsets with metadata and gets both back")
def commits(bootstrap):
    topic = new_topic()
    produce(bootstrap, topic, [b"a", b"b"])
    client = consumer(bootstrap, topic)
    client.subscribe([topic])
    read(client, 2)
    client.commit(offsets=[TopicPartition(topic, 0, 1, metadata="note")], asynchronous=False)
    [position] = client.committed([TopicPartition(topic, 0)], 20)
    same((position.offset, position.metadata), (1, "note"))
    client.close()


@case("finds offsets by time and the ends of a partition")
def offsets(bootstrap):
    topic = new_topic()
    produce(bootstrap, topic, [b"a", b"b"])
    client = consumer(bootstrap, topic)
    same(client.get_watermark_offsets(TopicPartition(topic, 0), 20), (0, 2))
    [found] = client.offsets_for_times([TopicPartition(topic, 0, int((time.time() - 60) * 1000))], 20)
    same(found.offset, 0)
    client.close()


@case("keeps a static member's partitions over its restart")
def static_member(bootstrap):
    topic = new_topic()
    produce(bootstrap, topic, [b"a"])
    revoked = []

    def start(member):
        client = consumer(bootstrap, topic, **{"group.instance.id": member, "session.timeout.ms": 30000})
        client.subscribe([topic], on_revoke=lambda _, partitions: revoked.append(member))
        return client

    first = start("one")
    read(first, 1)
    first.close()
    again = start("one")
    read(again, 1)
    same(revoked, ["one"])
    again.close()


for strategy in ("range", "roundrobin", "cooperative-sticky"):

    @case(f"shares partitions by {strategy}")
    def shares(bootstrap, strategy=strategy):
        topic = new_topic()
        create(bootstrap, topic, 4)
        members = [consumer(bootstrap, topic, **{"partition.assignment.strategy": strategy}) for _ in range(2)]
        for member in members:
            member.subscribe([topic])
        while [len(member.assignment()) for member in members] != [2, 2]:
            for member in members:
                member.poll(0.2)
        for member in members:
            member.close()


@case("administers topics, partitions and settings")
def administers(bootstrap):
    topic = new_topic()
    admin = create(bootstrap, topic, 1, **{"retention.ms": "1000000"})
    admin.create_partitions([NewPartitions(topic, 3)])[topic].result(20)
    same(len(admin.list_topics(topic, 20).topics[topic].partitions), 3)
    change = ConfigEntry("retention.ms", "2000000", incremental_operation=AlterConfigOpType.SET)
    resource = ConfigResource(ResourceType.TOPIC, topic, incremental_configs=[change])
    admin.incremental_alter_configs([resource])[resource].result(20)
    described = ConfigResource(ResourceType.TOPIC, topic)
    same(admin.describe_configs([described])[described].result(20)["retention.ms"].value, "2000000")
    admin.delete_topics([topic])[topic].result(20)


@case("administers groups")
def groups(bootstrap):
    topic = new_topic()
    produce(bootstrap, topic, [b"a"])
    client = consumer(bootstrap, topic)
    client.subscribe([topic])
    read(client, 1)
    client.commit(asynchronous=False)
    admin = AdminClient({"bootstrap.servers": bootstrap})
    same(topic in [group.group_id for group in admin.list_consumer_groups().result(20).valid], True)
    same(len(admin.describe_consumer_groups([topic])[topic].result(20).members), 1)
    client.close()
    asked = ConsumerGroupTopicPartitions(topic)
    found = admin.list_consumer_group_offsets([asked])[topic].result(20)
    same([(p.partition, p.offset) for p in found.topic_partitions if p.offset >= 0], [(0, 1)])
    admin.alter_consumer_group_offsets([ConsumerGroupTopicPartitions(topic, [TopicPartition(topic, 0, 0)])])[
        topic
    ].result(20)
    admin.delete_consumer_groups([topic])[topic].result(20)


@case("describes the cluster, lists offsets, deletes records")
def describes(bootstrap):
    topic = new_topic()
    produce(bootstrap, topic, [b"a", b"b", b"c"])
    admin = AdminClient({"bootstrap.servers": bootstrap})
    same(len(admin.describe_cluster().result(20).nodes), 1)
    same(admin.describe_topics(__import__("confluent_kafka").TopicCollection([topic]))[topic].result(20).name, topic)
    partition = TopicPartition(topic, 0, 2)
    admin.delete_records([partition])[partition].result(20)
    asked = TopicPartition(topic, 0)
    same(admin.list_offsets({asked: OffsetSpec.earliest()})[asked].result(20).offset, 2)
    same(admin.list_offsets({asked: OffsetSpec.latest()})[asked].result(20).offset, 3)


main()
