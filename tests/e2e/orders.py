"""The records that the checks write: every Avro type, every logical type, in two versions of one schema.

Version 2 changes what schema resolution has to bridge: fields added with defaults (at the top and within a record),
one removed, one renamed with an alias, one promoted from int to long, all in another order.
"""

import datetime
import decimal
import random
import uuid

UTC = datetime.timezone.utc
EPOCH = datetime.datetime(1970, 1, 1, tzinfo=UTC)
STATUS = {"type": "enum", "name": "Status", "symbols": ["NEW", "PAID", "SHIPPED"]}
GEO = {
    "type": "record",
    "name": "Geo",
    "fields": [{"name": "lat", "type": "double"}, {"name": "lon", "type": "double"}],
}


def logical(base, name, **more):
    return {"type": base, "logicalType": name, **more}


def field(name, kind, **more):
    return {"name": name, "type": kind, **more}


def fixed(name, size, **more):
    return {"type": "fixed", "name": name, "size": size, **more}


def address(more):
    fields = [field("street", "string"), *more, field("zip", ["null", "string"], default=None)]
    return {"type": "record", "name": "Address", "fields": fields + [field("geo", ["null", GEO], default=None)]}


LINE = {
    "type": "record",
    "name": "Line",
    "fields": [
        field("sku", "string"),
        field("count", "int"),
        field("price", logical("bytes", "decimal", precision=12, scale=2)),
        field("tags", {"type": "array", "items": "string"}),
    ],
}

COMMON = [
    field("note", ["null", "string"], default=None),
    field("active", "boolean"),
    field("ratio", "float"),
    field("amount", "double"),
    field("raw", "bytes"),
    field("digest", fixed("Digest", 16)),
    field("status", STATUS),
    field("previous", ["null", "Status"], default=None),
    field("lines", {"type": "array", "items": LINE}),
    field("attributes", {"type": "map", "values": "string"}),
    field("scores", {"type": "map", "values": {"type": "array", "items": ["null", "long"]}}),
    field("day", logical("int", "date")),
    field("at_ms", logical("int", "time-millis")),
    field("at_us", logical("long", "time-micros")),
    field("created", logical("long", "timestamp-millis")),
    field("updated", ["null", logical("long", "timestamp-micros")], default=None),
    field("local_ms", logical("long", "local-timestamp-millis")),
    field("local_us", logical("long", "local-timestamp-micros")),
    field("price", logical("bytes", "decimal", precision=20, scale=4)),
    field("fee", ["null", fixed("Fee", 16, logicalType="decimal", precision=38, scale=10)], default=None),
    field("uid", logical("string", "uuid")),
    field("parent", ["null", logical("string", "uuid")], default=None),
]
# After `address`, which defines Geo.
UNIONS = [
    field("choice", ["string", "int"]),
    field("payload", ["null", "string", "long", "double", "boolean", "Geo", {"type": "array", "items": "string"}]),
]


def record(fields):
    return {"type": "record", "name": "Order", "namespace": "shop", "fields": fields}


V1 = record([
    field("id", "long"),
    field("customer", "string"),
    field("quantity", "int"),
    field("obsolete", {"type": "array", "items": {"type": "map", "values": "bytes"}}),
    field("address", address([])),
    *COMMON,
    *UNIONS,
])

V2 = record([
    field("address", address([field("country", "string", default="DE")])),
    field("id", "long"),
    field("currency", "string", default="EUR"),
    *reversed(UNIONS),
    field("buyer", "string", aliases=["customer"]),
    *COMMON,
    field("quantity", "long"),
    field("discount", ["null", "double"], default=None),
    field("labels", {"type": "array", "items": "string"}, default=[]),
    field("limits", {"type": "map", "values": "long"}, default={"day": 5, "hour": -1}),
    field("origin", {
        "type": "record",
        "name": "Origin",
        "fields": [field("system", "string"), field("code", ["null", "int"])],
    }, default={"system": "legacy", "code": None}),
])

KEY = {"type": "record", "name": "OrderKey", "namespace": "shop", "fields": [field("id", "long"), field("shard", "string")]}

WORDS = ["a", "", "Zürich", "東京", "naïve café", "plain ascii text of some length", "🚢", "x" * 300, "tab\tquote\""]


class Writer:
    """Makes records; the same seed makes the same ones."""

    def __init__(self, seed):
        self.random = random.Random(seed)

    def order(self, number, version):
        """The record `number`, as version 1 or 2 has it."""
        r = self.random
        made = {
            "id": number,
            "quantity": r.choice([0, -1, 2**31 - 1, -(2**31), r.randrange(1000)]),
            "address": {"street": self.word(), "zip": self.maybe(self.word), "geo": self.maybe(self.geo)},
            **self.common(),
            "choice": r.choice([self.word, lambda: r.randrange(-(2**31), 2**31)])(),
            "payload": self.payload(),
        }
        if version == 1:
            made["customer"] = self.word()
            made["obsolete"] = [{self.word(): r.randbytes(r.randrange(9))} for _ in range(r.randrange(3))]
            return made
        made["buyer"] = self.word()
        made["address"]["country"] = r.choice(["CH", "FR"])
        made["quantity"] = r.choice([made["quantity"], 2**40, -(2**63), 2**63 - 1])
        made["currency"] = r.choice(["CHF", "USD"])
        made["discount"] = self.maybe(r.random)
        made["labels"] = self.words(4)
        made["limits"] = {word: r.randrange(100) for word in self.words(3)}
        made["origin"] = {"system": self.word(), "code": self.maybe(lambda: r.randrange(99))}
        return made

    def common(self):
        r = self.random
        return {
            "note": self.maybe(self.word),
            "active": r.random() < 0.5,
            "ratio": r.choice([0.0, -0.0, 1.5, float("inf"), float("nan"), r.random()]),
            "amount": r.choice([0.0, -1e308, 5e-324, r.random() * 1e6]),
            "raw": r.randbytes(r.choice([0, 1, 7, 200])),
            "digest": r.randbytes(16),
            "status": r.choice(STATUS["symbols"]),
            "previous": self.maybe(lambda: r.choice(STATUS["symbols"])),
            "lines": [self.line() for _ in range(r.randrange(5))],
            "attributes": {word: self.word() for word in self.words(4)},
            "scores": {word: [self.maybe(lambda: r.randrange(-9, 9)) for _ in range(r.randrange(4))] for word in self.words(3)},
            "day": datetime.date(1970, 1, 1) + datetime.timedelta(days=r.randrange(-30000, 30000)),
            "at_ms": self.time(1000),
            "at_us": self.time(1),
            "created": self.moment(1000),
            "updated": self.maybe(lambda: self.moment(1)),
            "local_ms": self.moment(1000).replace(tzinfo=None),
            "local_us": self.moment(1).replace(tzinfo=None),
            "price": self.decimal(20, 4),
            "fee": self.maybe(lambda: self.decimal(38, 10)),
            "uid": self.uuid(),
            "parent": self.maybe(self.uuid),
        }

    def line(self):
        r = self.random
        return {"sku": self.word(), "count": r.randrange(100), "price": self.decimal(12, 2), "tags": self.words(3)}

    def payload(self):
        r = self.random
        kinds = [
            lambda: None,
            self.word,
            lambda: r.randrange(-(2**63), 2**63),
            lambda: r.random() - 0.5,
            lambda: r.random() < 0.5,
            self.geo,
            lambda: self.words(3),
        ]
        return r.choice(kinds)()

    def geo(self):
        return {"lat": self.random.uniform(-90, 90), "lon": self.random.uniform(-180, 180)}

    def word(self):
        return self.random.choice(WORDS)

    def words(self, below):
        return [self.word() for _ in range(self.random.randrange(below))]

    def maybe(self, make):
        return make() if self.random.random() < 0.6 else None

    def time(self, step_us):
        microseconds = self.random.randrange(86_400_000_000) // step_us * step_us
        return (datetime.datetime.min + datetime.timedelta(microseconds=microseconds)).time()

    def moment(self, step_us):
        microseconds = self.random.randrange(-(10**15), 4 * 10**15) // step_us * step_us
        return EPOCH + datetime.timedelta(microseconds=microseconds)

    def decimal(self, precision, scale):
        digits = self.random.randrange(1, precision + 1)
        unscaled = self.random.randrange(-(10**digits) + 1, 10**digits)
        return decimal.Decimal(unscaled).scaleb(-scale, decimal.Context(prec=precision))

    def uuid(self):
        return uuid.UUID(int=self.random.getrandbits(128))
