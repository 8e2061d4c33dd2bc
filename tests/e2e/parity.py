"""What Confluent's AvroSerializer writes, `sabot consume` writes to Parquet as fastavro decodes it, row for row."""

import io
import itertools
import json
import struct

import fastavro
import pyarrow.parquet

import kafka
import orders
import sabot
from normal import Normal, differences

ROWS = 50_000
KEYED_ROWS = 5_000
PARTITIONS = 4
SHOWN_DIFFERENCES = 10


def check():
    string_keys()
    avro_keys()


def string_keys():
    topic = "orders"
    kafka.create_topic(topic, PARTITIONS)
    counts = write(topic, ROWS, lambda number: None if number % 11 == 0 else f"order-{number}-é")
    truth = decode(topic, lambda message: None if message.key() is None else message.key().decode())
    out = sabot.FOLDER / "orders.parquet"
    rows = read(topic, out, "-s", "key=string")
    compare(rows, truth, lambda row: row["key"])
    print(f"{len(truth):,} rows equal fastavro's, row for row by partition and offset: "
          f"{counts[1]:,} of version 1, {counts[2]:,} of version 2, {counts[None]:,} tombstones, string keys")


def avro_keys():
    topic = "keyed-orders"
    kafka.create_topic(topic, PARTITIONS)
    encode = kafka.serializer(topic, "key", orders.KEY)
    write(topic, KEYED_ROWS, lambda number: encode({"id": number, "shard": f"s{number % 7}"}))
    normal = Normal(orders.KEY)
    truth = decode(topic, lambda message: normal.avro(read_avro(message.key(), orders.KEY)))
    out = sabot.FOLDER / "keyed-orders.parquet"
    rows = read(topic, out, "-s", "key=avro")
    compare(rows, truth, lambda row: normal.arrow(row["key"]))
    print(f"{len(truth):,} rows with Avro keys equal fastavro's")


def write(topic, rows, key):
    """Two producers in turn, one of each schema version, as during a roll-out; one message in 20 is a tombstone."""
    made = orders.Writer(seed=topic)
    encode = {1: kafka.serializer(topic, "value", orders.V1), 2: kafka.serializer(topic, "value", orders.V2)}
    writer = {1: kafka.Writer(**{"compression.type": "lz4"}), 2: kafka.Writer(**{"compression.type": "zstd"})}
    counts = {1: 0, 2: 0, None: 0}
    for number in range(rows):
        # Version 1 alone at first, then both.
        version = 1 if number < rows // 4 else made.random.choice([1, 2])
        value = None
        if number % 20 == 7:
            counts[None] += 1
        else:
            counts[version] += 1
            value = encode[version](made.order(number, version))
        writer[version].send(topic, key=key(number), value=value, timestamp=1_700_000_000_000 + number)
    for each in writer.values():
        each.finish()
    return counts


def decode(topic, key):
    """(partition, offset) -> the message as fastavro decodes it onto version 2, with its key and timestamp."""
    normal = Normal(orders.V2)
    truth = {}
    for message in kafka.read_all(topic):
        value = message.value()
        value = None if value is None else normal.avro(read_avro(value, orders.V2))
        truth[message.partition(), message.offset()] = (key(message), message.timestamp()[1], value)
    return truth


writers = {}


def read_avro(message, reader):
    """Decodes one message in Confluent's wire format, with the writer schema that its id names."""
    magic, schema_id = struct.unpack(">bI", message[:5])
    assert magic == 0, message[:5]
    if schema_id not in writers:
        writers[schema_id] = fastavro.parse_schema(json.loads(kafka.registry.get_schema(schema_id).schema_str))
    body = io.BytesIO(message[5:])
    value = fastavro.schemaless_reader(body, writers[schema_id], reader)
    assert not body.read(), "bytes are left behind the record"
    return value


def read(topic, out, *key):
    sabot.run(sabot.consume(topic, "-o", "beginning", "-e", "-s", "value=avro", *key, "-O", "parquet", "--out", out))
    return pyarrow.parquet.read_table(out).to_pylist()


def compare(rows, truth, key):
    """Fails with the first differences."""
    normal = Normal(orders.V2)
    names = [field["name"] for field in orders.V2["fields"]]
    found = {(row["_partition"], row["_offset"]): row for row in rows}
    assert len(found) == len(rows), f"{len(rows) - len(found)} rows stand twice"
    lost, more = truth.keys() - found.keys(), found.keys() - truth.keys()
    assert not lost and not more, f"{len(lost)} rows are lost: {sorted(lost)[:5]}; {len(more)} are too many: {sorted(more)[:5]}"

    def each():
        for at, (true_key, timestamp, value) in sorted(truth.items()):
            row = found[at]
            tombstone = all(row[name] is None for name in names)
            parts = {
                "key": (true_key, key(row)),
                "timestamp": (timestamp, int(row["_timestamp"].timestamp() * 1000 + 0.5)),
                "value": (value, None if tombstone else normal.arrow(row)),
            }
            for part, (expected, present) in parts.items():
                for difference in differences(expected, present, part):
                    yield f"  partition {at[0]} offset {at[1]}: {difference}"

    different = list(itertools.islice(each(), SHOWN_DIFFERENCES))
    assert not different, "rows differ from fastavro's:\n" + "\n".join(different)
