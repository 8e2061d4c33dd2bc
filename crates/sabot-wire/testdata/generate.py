"""Writes confluent-python.txt: frames as Confluent's Python client makes them. README.md says how to run this.

Each frame comes out of a serializer of the library. What a reader must find in it (the id, the indexes, the body) is
computed apart from that: bodies by fastavro, json and protobuf themselves, indexes from the descriptors by hand.
"""

import io
import json
import uuid
from importlib.metadata import version
from pathlib import Path

import fastavro
from confluent_kafka.schema_registry import (
    SchemaRegistryClient,
    header_schema_id_serializer,
    prefix_schema_id_serializer,
)
from confluent_kafka.schema_registry.avro import AvroSerializer
from confluent_kafka.schema_registry.json_schema import JSONSerializer
from confluent_kafka.schema_registry.protobuf import ProtobufSerializer
from confluent_kafka.schema_registry.serde import SchemaId
from confluent_kafka.serialization import MessageField, SerializationContext
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

GUID = "89791762-2336-4186-9674-299b90a802e2"
AVRO = {"type": "record", "name": "User", "fields": [{"name": "name", "type": "string"}, {"name": "age", "type": "int"}]}
JSON_SCHEMA = {"title": "User", "type": "object", "properties": {"name": {"type": "string"}, "age": {"type": "integer"}}}
USER = {"name": "Ann", "age": 42}
FIELD = descriptor_pb2.FieldDescriptorProto

lines = []


def client(schema_id):
    """A mocked registry whose first schema gets `schema_id` and GUID."""
    # The mock makes random GUIDs; a fixed one keeps the file the same from run to run.
    uuid.uuid4 = lambda: uuid.UUID(GUID)
    made = SchemaRegistryClient.new_client({"url": "mock://"})
    made._store.max_id = schema_id - 1
    return made


def v1_prefix_schema_id_serializer(payload, ctx, schema_id):
    """The library has no serializer that writes a GUID before the payload; its own encoder of the GUID does."""
    return schema_id.guid_to_bytes() + payload


def plain_varint_schema_id_serializer(payload, ctx, schema_id):
    """What `use.deprecated.format` wrote, by the library's own encoder."""
    prefix = io.BytesIO()
    SchemaId._encode_varints(prefix, schema_id.message_indexes, zigzag=False)
    return SchemaId("AVRO", schema_id.id).id_to_bytes() + prefix.getvalue() + payload


def add(name, framing, serializer, message, body, schema_id, indexes=(0,), field=MessageField.VALUE):
    headers = []
    payload = serializer(message, SerializationContext("users", field, headers))
    assert len(headers) <= 1
    header = headers[0][1].hex() if headers else "-"
    # The library names the header; a reader has to look for it under that very name.
    header_name = headers[0][0] if headers else "-"
    key = GUID if headers or "v1" in name else schema_id
    path = ",".join(map(str, indexes))
    lines.append(f"{name} {framing} {header_name} {header} {payload.hex()} {key} {path} {body.hex() or '-'}")


WAYS = {
    "v0": prefix_schema_id_serializer,
    "v1": v1_prefix_schema_id_serializer,
    "header": header_schema_id_serializer,
}


def avro():
    body = io.BytesIO()
    fastavro.schemaless_writer(body, fastavro.parse_schema(AVRO), USER)
    for way, writer in WAYS.items():
        for schema_id in (1, 0x01020304, 0x7FFFFFFF) if way == "v0" else (1,):
            made = AvroSerializer(client(schema_id), json.dumps(AVRO), conf={"schema.id.serializer": writer})
            add(f"avro-{way}-{schema_id}", "Confluent", made, USER, body.getvalue(), schema_id)
    made = AvroSerializer(client(5), json.dumps(AVRO), conf={"schema.id.serializer": header_schema_id_serializer})
    add("avro-header-key", "Confluent", made, USER, body.getvalue(), 5, field=MessageField.KEY)
    empty = {"type": "record", "name": "Nothing", "fields": []}
    made = AvroSerializer(client(6), json.dumps(empty))
    add("avro-v0-empty-body", "Confluent", made, {}, b"", 6)


def json_schema():
    for way, writer in WAYS.items():
        made = JSONSerializer(json.dumps(JSON_SCHEMA), client(7), conf={"schema.id.serializer": writer})
        add(f"json-{way}", "Confluent", made, USER, json.dumps(USER, separators=(",", ":")).encode(), 7)


def proto_file():
    """Two hundred messages at the top level; messages 1 and 150 hold others."""
    file = descriptor_pb2.FileDescriptorProto(name="wire.proto", package="wire", syntax="proto3")
    for index in range(200):
        file.message_type.add(name=f"M{index}").field.add(
            name="n", number=1, type=FIELD.TYPE_INT32, label=FIELD.LABEL_OPTIONAL
        )
    for outer in (file.message_type[1], file.message_type[150]):
        for depth in ("A", "B"):
            nested = outer.nested_type.add(name=depth)
            nested.field.add(name="n", number=1, type=FIELD.TYPE_INT32, label=FIELD.LABEL_OPTIONAL)
            nested.nested_type.add(name="C").CopyFrom(descriptor_pb2.DescriptorProto(name="C", field=nested.field))
    return file


def protobuf():
    pool = descriptor_pool.DescriptorPool()
    pool.Add(proto_file())
    messages = {
        "wire.M0": (0,),
        "wire.M1": (1,),
        "wire.M63": (63,),
        "wire.M64": (64,),
        "wire.M199": (199,),
        "wire.M1.A": (1, 0),
        "wire.M1.B": (1, 1),
        "wire.M150.B.C": (150, 1, 0),
    }
    ways = WAYS | {"plain": plain_varint_schema_id_serializer}
    for name, indexes in messages.items():
        kind = message_factory.GetMessageClass(pool.FindMessageTypeByName(name))
        message = kind(n=300)
        for way, writer in ways.items():
            made = ProtobufSerializer(kind, client(8), conf={"schema.id.serializer": writer})
            framing = "ConfluentProtobufPlainVarints" if way == "plain" else "ConfluentProtobuf"
            add(f"protobuf-{way}-{name}", framing, made, message, message.SerializeToString(), 8, indexes)


avro()
json_schema()
protobuf()
head = [
    f"# Made by generate.py with confluent-kafka {version('confluent-kafka')}; do not edit.",
    "# name framing header-name header payload key indexes body; bytes in hexadecimal, `-` for none",
]
Path(__file__).with_name("confluent-python.txt").write_text("\n".join(head + lines) + "\n")
