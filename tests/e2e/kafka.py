"""The broker and the registry that the checks run on, seen through Confluent's own clients."""

import json
import os
import time

from confluent_kafka import Consumer, ConsumerGroupTopicPartitions, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, ConfigResource, NewTopic
from confluent_kafka.schema_registry import Schema, SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroSerializer
from confluent_kafka.serialization import MessageField, SerializationContext

BROKERS = os.environ["SABOT_KAFKA"]
REGISTRY = os.environ["SABOT_REGISTRY"]
REGISTRY_PID = int(os.environ["SABOT_REGISTRY_PID"])
DEADLINE_SECONDS = 60

# All is on loopback: a proxy of whoever runs this would only stand between.
for variable in [name for name in os.environ if name.lower().endswith("_proxy")]:
    del os.environ[variable]

admin = AdminClient({"bootstrap.servers": BROKERS})
registry = SchemaRegistryClient({"url": REGISTRY})


def check_keeps_old_messages():
    """Fails if the broker deletes messages by age, which it does at a moment of its own: some of ours date from 2023."""
    broker_id = str(next(iter(admin.list_topics(timeout=DEADLINE_SECONDS).brokers)))
    (node,) = admin.describe_configs([ConfigResource(ConfigResource.Type.BROKER, broker_id)]).values()
    kept_ms = node.result(DEADLINE_SECONDS)["log.retention.ms"].value
    assert kept_ms == "-1", f"the broker deletes messages by age: its log.retention.ms is {kept_ms}, expected -1"


def create_topic(name, partitions):
    """Makes a topic and waits until it is there."""
    for done in admin.create_topics([NewTopic(name, partitions, 1)]).values():
        done.result(DEADLINE_SECONDS)


def register(topic, part, schema):
    """Registers a schema under the topic's subject; gives its id."""
    return registry.register_schema(f"{topic}-{part}", Schema(json.dumps(schema), "AVRO"))


def serializer(topic, part, schema):
    """Confluent's own AvroSerializer, as a function from a record to its bytes."""
    avro = AvroSerializer(registry, json.dumps(schema))
    context = SerializationContext(topic, MessageField.KEY if part == "key" else MessageField.VALUE)
    return lambda record: avro(record, context)


class Writer:
    """A producer that fails loudly when a message is not delivered."""

    def __init__(self, **properties):
        self.producer = Producer({"bootstrap.servers": BROKERS, "linger.ms": 5, **properties})
        self.failed = []

    def send(self, topic, **message):
        while True:
            try:
                self.producer.produce(topic, on_delivery=self._delivered, **message)
                break
            except BufferError:
                self.producer.poll(0.1)
        self.producer.poll(0)

    def finish(self):
        left = self.producer.flush(DEADLINE_SECONDS)
        assert left == 0 and not self.failed, f"{left} messages not delivered; {self.failed[:3]}"

    def _delivered(self, error, _message):
        if error is not None:
            self.failed.append(error)


def read_all(topic):
    """Every message that was ever written to a topic, up to its ends now; fails if some are gone."""
    consumer = Consumer({
        "bootstrap.servers": BROKERS,
        "group.id": f"{topic}-truth",
        "enable.auto.commit": False,
        "enable.partition.eof": True,
        "auto.offset.reset": "error",
    })
    partitions = list(consumer.list_topics(topic, DEADLINE_SECONDS).topics[topic].partitions)
    consumer.assign([TopicPartition(topic, partition, 0) for partition in partitions])
    at_end = set()
    try:
        # Time passes in the hands of who takes the messages too: what counts is how long nothing came.
        heard = time.monotonic()
        while len(at_end) < len(partitions):
            messages = consumer.consume(10_000, timeout=0.5)
            for message in messages:
                if message.error() is None:
                    yield message
                elif message.error().name() == "_PARTITION_EOF":
                    at_end.add(message.partition())
                else:
                    raise KafkaException(message.error())
            if messages:
                heard = time.monotonic()
            assert time.monotonic() - heard < DEADLINE_SECONDS, f"no more of {topic} came in {DEADLINE_SECONDS} s"
    finally:
        consumer.close()


def committed(group):
    """Partition -> the offset that the group goes on from, where it has committed one."""
    deadline = time.monotonic() + DEADLINE_SECONDS
    while True:
        try:
            (asked,) = admin.list_consumer_group_offsets([ConsumerGroupTopicPartitions(group)]).values()
            found = asked.result(DEADLINE_SECONDS).topic_partitions
            for partition in found:
                if partition.error is not None:
                    raise KafkaException(partition.error)
            return {partition.partition: partition.offset for partition in found if partition.offset >= 0}
        except KafkaException as fault:
            # The group's coordinator may be loading, say.
            if not fault.args[0].retriable() or time.monotonic() > deadline:
                raise
            time.sleep(0.1)


def commit(topic, group, offsets):
    """Commits offsets by partition for a group that has no member."""
    places = [TopicPartition(topic, partition, offset) for partition, offset in offsets.items()]
    (asked,) = admin.alter_consumer_group_offsets([ConsumerGroupTopicPartitions(group, places)]).values()
    for place in asked.result(DEADLINE_SECONDS).topic_partitions:
        if place.error is not None:
            raise KafkaException(place.error)


def delete_before(topic, partition, offset):
    """Deletes the head of a partition."""
    (asked,) = admin.delete_records([TopicPartition(topic, partition, offset)]).values()
    assert asked.result(DEADLINE_SECONDS).low_watermark == offset
