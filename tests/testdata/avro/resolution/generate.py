"""Makes pairs.json and rules.json: what a value of each type is when it is read as each other type.

Apache Avro for Java is asked first, fastavro beside it. Where Java does something else than the specification says, or
than DESIGN.md decides where the specification says nothing, `decide` says what is expected and why; where one of the two
does something else than what is expected, the files note it under "differs".

    mvn -q -f .. dependency:build-classpath -Dmdep.outputFile=/tmp/classpath
    pip install fastavro
    python generate.py "$(cat /tmp/classpath)"
"""

import io
import json
import pathlib
import struct
import subprocess
import sys

import fastavro

HERE = pathlib.Path(__file__).parent

SYMBOLS = {"type": "enum", "name": "E", "symbols": ["A", "B"]}


def logical(base, name, **more):
    return {"type": base, "logicalType": name, **more}


def fixed(size, name=None, **more):
    named = {"type": "fixed", "name": "F", "size": size}
    return named if name is None else {**named, "logicalType": name, **more}


TYPES = {
    "null": "null",
    "boolean": "boolean",
    "int": "int",
    "long": "long",
    "float": "float",
    "double": "double",
    "bytes": "bytes",
    "string": "string",
    "fixed-12": fixed(12),
    "fixed-16": fixed(16),
    "enum": SYMBOLS,
    "array": {"type": "array", "items": "int"},
    "map": {"type": "map", "values": "int"},
    "record": {"type": "record", "name": "R", "fields": [{"name": "a", "type": "int"}]},
    "nullable": ["null", "long"],
    "union": ["boolean", "long", "string", {"type": "array", "items": "int"}, "null"],
    "union-named": [
        {"type": "record", "name": "R", "fields": [{"name": "a", "type": "int"}]},
        {"type": "record", "name": "Q", "fields": [{"name": "b", "type": "string"}]},
        SYMBOLS,
        fixed(16),
    ],
    "decimal-bytes": logical("bytes", "decimal", precision=9, scale=2),
    "decimal-45": logical("bytes", "decimal", precision=45, scale=2),
    "decimal-80": logical("bytes", "decimal", precision=80, scale=2),
    "big-decimal": logical("bytes", "big-decimal"),
    "decimal-fixed": fixed(16, "decimal", precision=20, scale=2),
    "uuid-string": logical("string", "uuid"),
    "uuid-fixed": fixed(16, "uuid"),
    "date": logical("int", "date"),
    "time-millis": logical("int", "time-millis"),
    "time-micros": logical("long", "time-micros"),
    "timestamp-millis": logical("long", "timestamp-millis"),
    "timestamp-micros": logical("long", "timestamp-micros"),
    "timestamp-nanos": logical("long", "timestamp-nanos"),
    "local-timestamp-millis": logical("long", "local-timestamp-millis"),
    "local-timestamp-micros": logical("long", "local-timestamp-micros"),
    "local-timestamp-nanos": logical("long", "local-timestamp-nanos"),
    "duration": fixed(12, "duration"),
}


def long(value):
    rest = (value << 1) ^ (value >> 63)
    out = bytearray()
    while rest >= 0x80:
        out.append(rest & 0x7F | 0x80)
        rest >>= 7
    out.append(rest)
    return bytes(out)


def sized(value):
    return long(len(value)) + value


UUID = b"89791762-2336-4186-9674-299b90a802e2"

# Bodies that show what makes a difference: numbers that need more than 32 bits, bytes that are no text, each branch.
BODIES = {
    "null": [b""],
    "boolean": [b"\1"],
    "int": [long(-3), long(16777217)],
    "long": [long(5), long((1 << 53) + 1)],
    "float": [struct.pack("<f", 0.5)],
    "double": [struct.pack("<d", 0.1)],
    "bytes": [sized(b"ab"), sized(b"\xff\0"), sized(UUID), sized(b"")],
    "string": [sized(b"ab"), sized("ö".encode()), sized(UUID), sized(b"")],
    "fixed-12": [bytes(range(12)), b"\xff" * 12],
    "fixed-16": [bytes(range(16)), b"\xff" * 16],
    "enum": [long(0), long(1)],
    "array": [long(2) + long(1) + long(2) + long(0), long(0)],
    "map": [long(1) + sized(b"k") + long(7) + long(0), long(0)],
    "record": [long(7)],
    "nullable": [long(0), long(1) + long(5)],
    "union": [
        long(0) + b"\1",
        long(1) + long(5),
        long(2) + sized(b"ab"),
        long(3) + long(1) + long(1) + long(0),
        long(4),
    ],
    "union-named": [long(0) + long(7), long(1) + sized(b"ab"), long(2) + long(1), long(3) + bytes(range(16))],
    "decimal-bytes": [sized(b"\x01\x00"), sized(b"\xff")],
    "decimal-45": [sized(b"\xff"), sized((10**45 - 1).to_bytes(20, "big")), sized((10**45).to_bytes(20, "big"))],
    "decimal-80": [sized(b"\xff"), sized((10**80 - 1).to_bytes(34, "big"))],
    "big-decimal": [sized(sized(b"\x10\x68") + long(2))],
    "decimal-fixed": [bytes(15) + b"\x64", b"\xff" * 16],
    "uuid-string": [sized(UUID)],
    "uuid-fixed": [bytes(range(16))],
    "date": [long(20000)],
    "time-millis": [long(1)],
    "duration": [bytes([1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0])],
}


def bodies(name):
    return BODIES.get(name, [long(1), long(1 << 40)])


def record(*fields, **more):
    return {"type": "record", "name": "R", "fields": list(fields), **more}


def field(name, ty, **more):
    return {"name": name, "type": ty, **more}


def enum(*symbols, **more):
    return {"type": "enum", "name": "E", "symbols": list(symbols), **more}


def of(named, name, **more):
    return {**named, "name": name, **more}


# Name, the specification's words, writer, reader, bodies.
RULES = [
    ("enum: another name", "both schemas are enums whose (unqualified) names match", enum("A"), of(enum("A"), "G"), [long(0)]),
    ("enum: another namespace", "both schemas are enums whose (unqualified) names match", of(enum("A"), "a.E"), of(enum("A"), "b.E"), [long(0)]),
    ("enum: an alias", "aliases may be used to map a writer's schema to the reader's", enum("A"), of(enum("A"), "G", aliases=["E"]), [long(0)]),
    ("enum: other symbols", "if the writer's symbol is not present in the reader's enum, then an error is signalled", enum("A", "B"), enum("B", "C"), [long(0), long(1)]),
    ("enum: a default", "and the reader has a default value, then that value is used", enum("A", "B"), enum("B", "C", default="C"), [long(0), long(1)]),
    ("enum: the writer's default", "if the writer's symbol is not present in the reader's enum, then an error is signalled", enum("A", "B", default="A"), enum("B"), [long(0), long(1)]),
    ("fixed: another name", "both schemas are fixed whose sizes and (unqualified) names match", fixed(1), of(fixed(1), "G"), [b"x"]),
    ("fixed: another namespace", "both schemas are fixed whose sizes and (unqualified) names match", of(fixed(1), "a.F"), of(fixed(1), "b.F"), [b"x"]),
    ("fixed: another size", "both schemas are fixed whose sizes and (unqualified) names match", fixed(1), fixed(2), [b"x"]),
    ("fixed: an alias", "aliases may be used to map a writer's schema to the reader's", of(fixed(1), "a.F"), of(fixed(1), "b.G", aliases=["a.F"]), [b"x"]),
    ("record: another name", "both schemas are records with the same (unqualified) name", record(field("a", "int")), of(record(field("a", "int")), "S"), [long(1)]),
    ("record: an alias", "aliases may be used to map a writer's schema to the reader's", record(field("a", "int")), of(record(field("a", "int")), "S", aliases=["R"]), [long(1)]),
    ("record: another order", "the ordering of fields may be different", record(field("a", "int"), field("b", "string")), record(field("b", "string"), field("a", "int")), [long(1) + sized(b"x")]),
    ("record: fewer fields", "if the writer's record contains a field with a name not present in the reader's record, the writer's value for that field is ignored", record(field("a", {"type": "array", "items": "string"}), field("b", "int")), record(field("b", "long")), [long(-1) + long(2) + sized(b"x") + long(0) + long(7)]),
    ("record: a default", "if the reader's record schema has a field that contains a default value, and writer's schema does not have a field with the same name, then the reader should use the default value", record(), record(field("a", "int", default=7)), [b""]),
    ("record: no default", "an error is signalled", record(), record(field("a", "int")), [b""]),
    ("record: a nullable field without default", "an error is signalled", record(), record(field("a", ["null", "int"])), [b""]),
    ("record: the writer's default", "an error is signalled", record(field("b", "int", default=1)), record(field("a", "int")), [long(1)]),
    ("record: a field's alias", "aliases may be used to map a writer's schema to the reader's", record(field("old", "int")), record(field("new", "long", aliases=["old"])), [long(1)]),
    ("default: every type", "default values for fields", record(), record(
        field("n", "null", default=None), field("z", "boolean", default=True), field("i", "int", default=-1), field("l", "long", default=1 << 40),
        field("f", "float", default=0.5), field("d", "double", default=0.25), field("b", "bytes", default="\u00ff\u0000"), field("s", "string", default="ö"),
        field("x", fixed(2), default="\u0001\u00fe"), field("e", enum("A", "B"), default="B"), field("a", {"type": "array", "items": "int"}, default=[1, 2]),
        field("m", {"type": "map", "values": "long"}, default={"k": 1}), field("u", ["null", "int"], default=None), field("v", ["string", "int"], default="x"),
        field("r", of(record(field("a", "int"), field("b", "string", default="y")), "Q"), default={"a": 1})), [b""]),
    ("default: another branch than the first", "the type of the default value must match with one element of the union", record(), record(field("u", ["null", "int"], default=3)), [b""]),
    ("union: the reader's first branch that matches", "the first schema in the reader's union that matches the writer's schema is recursively resolved against it", "int", ["string", "long", "double"], [long(3)]),
    ("union: an exact branch behind a promotion", "the first schema in the reader's union that matches the selected writer's union schema", ["double", "int"], ["double", "int"], [long(1) + long(3), long(0) + struct.pack("<d", 0.5)]),
    ("union: into one branch of the writer's", "if the reader's schema matches the selected writer's schema, it is recursively resolved against it; if they do not match, an error is signalled", ["null", "int", "string"], "int", [long(0), long(1) + long(3), long(2) + sized(b"x")]),
    ("union: branches reordered", "if both are unions", ["null", "int", "string"], ["string", "null", "long"], [long(0), long(1) + long(3), long(2) + sized(b"x")]),
    ("union: a branch taken away", "if none match, an error is signalled", ["null", "int", "string"], ["null", "int"], [long(0), long(1) + long(3), long(2) + sized(b"x")]),
    ("union: no branch left but null", "if none match, an error is signalled", ["null", "string"], ["null", "int"], [long(0), long(1) + sized(b"x")]),
    ("union: records told apart by name", "both schemas are records with the same (unqualified) name", record(field("a", "int")), ["null", of(record(field("a", "int")), "Q"), record(field("a", "int"))], [long(3)]),
    ("union: two records in another order", "if both are unions", [record(field("a", "int")), of(record(field("a", "int")), "Q")], [of(record(field("a", "long")), "Q"), record(field("a", "long"))], [long(0) + long(3), long(1) + long(3)]),
    ("union: two enums in another order", "if both are unions", [enum("A"), of(enum("A"), "G")], [of(enum("A"), "G"), enum("A")], [long(0) + long(0), long(1) + long(0)]),
    ("union: two fixed in another order", "if both are unions", [fixed(1), of(fixed(1), "G")], [of(fixed(1), "G"), fixed(1)], [long(0) + b"a", long(1) + b"b"]),
    ("union: an enum's default in a branch", "and the reader has a default value, then that value is used", enum("A", "B"), ["null", enum("B", "C", default="C")], [long(0), long(1)]),
    ("union: an enum's default, unions on both sides", "and the reader has a default value, then that value is used", ["null", enum("A", "B")], ["null", enum("B", "C", default="C")], [long(0), long(1) + long(0), long(1) + long(1)]),
    ("union: no enum's default in a branch", "if the writer's symbol is not present in the reader's enum, then an error is signalled", enum("A", "B"), ["null", enum("B", "C")], [long(0), long(1)]),
    ("decimal: more precision, in 256 bits", "two schemas that are decimal logical types match if their scales and precisions match", logical("bytes", "decimal", precision=4, scale=2), logical("bytes", "decimal", precision=45, scale=2), [sized(b"\1")]),
    ("union: of one branch", "if the reader's is a union, but writer's is not", "int", ["long"], [long(3)]),
    ("array: items promoted", "this resolution algorithm is applied recursively to the reader's and writer's array item schemas", {"type": "array", "items": "int"}, {"type": "array", "items": ["null", "double"]}, [long(1) + long(3) + long(0)]),
    ("map: values promoted", "this resolution algorithm is applied recursively to the reader's and writer's value schemas", {"type": "map", "values": "string"}, {"type": "map", "values": "bytes"}, [long(1) + sized(b"k") + sized(b"v") + long(0)]),
    ("decimal: another scale", "two schemas that are decimal logical types match if their scales and precisions match", logical("bytes", "decimal", precision=4, scale=2), logical("bytes", "decimal", precision=4, scale=1), [sized(b"\1")]),
    ("decimal: less precision", "two schemas that are decimal logical types match if their scales and precisions match", logical("bytes", "decimal", precision=4, scale=2), logical("bytes", "decimal", precision=3, scale=2), [sized(b"\1")]),
    ("decimal: more precision", "two schemas that are decimal logical types match if their scales and precisions match", logical("bytes", "decimal", precision=4, scale=2), logical("bytes", "decimal", precision=6, scale=2), [sized(b"\1")]),
    ("logical: unknown", "language implementations must ignore unknown logical types", logical("int", "moon"), logical("long", "tide"), [long(3)]),
    ("logical: invalid", "if a logical type is invalid, it should be ignored", logical("string", "date"), logical("bytes", "decimal", precision=0), [sized(b"x")]),
]

UNITS = ["millis", "micros", "nanos"]
ONLY_NULL = "DESIGN.md: null alone is not worth a schema"
WRONG = "DESIGN.md: a value of one logical type read as one of another is wrong without a word"


def name_of(schema):
    """The logical type, where it is known and its base type can carry it."""
    name = schema.get("logicalType") if isinstance(schema, dict) else None
    bases = {ty["type"] for ty in TYPES.values() if isinstance(ty, dict) and ty.get("logicalType") == name}
    return name if name and schema["type"] in bases and schema.get("precision") != 0 else None


def decide(writer, reader, body, java):
    """What is expected: `java`, or something else and why."""
    written, read = name_of(writer), name_of(reader)
    if java.startswith("!"):
        return java, None
    if written and read and written != read:
        for prefix in ("timestamp-", "local-timestamp-", "time-"):
            if written.startswith(prefix) and read.startswith(prefix) and written[len(prefix):] in UNITS and read[len(prefix):] in UNITS:
                steps = UNITS.index(read[len(prefix):]) - UNITS.index(written[len(prefix):])
                scaled = json.loads(java) * 1000 ** max(steps, 0)
                if steps > 0 and -(1 << 63) <= scaled < 1 << 63:
                    return json.dumps(scaled), "DESIGN.md: finer units are scaled"
                if steps > 0:
                    return "!row", "the finer unit does not fit into 64 bits"
        return "!plan", WRONG
    if written == read == "decimal":
        same = writer.get("scale", 0) == reader.get("scale", 0) and writer["precision"] <= reader["precision"]
        if not same:
            return "!plan", WRONG
    if read == "uuid" and reader["type"] == "string" and len(json.loads(java)) != 36:
        return "!row", "the text is no UUID, and Arrow's column holds UUIDs"
    if read == "duration" and body[3] >= 0x80:
        return "!row", "Arrow's months and days are signed"
    # Of more digits than 76 the column holds the bytes.
    if read == "decimal" and reader["precision"] <= 76:
        number = int.from_bytes(json.loads(java).encode("latin-1"), "big", signed=True)
        if abs(number) >= 10 ** reader["precision"]:
            return "!row", "the number has more digits than the precision"
    if "\ufffd" in java:
        return "!row", "a string is UTF-8; Java puts replacement characters"
    return java, None


# Rules that Java does not follow.
OVERRIDES = {
    "record: another name": "Java compares the names of enums and fixed alone",
}


def java_reads(classpath, cases):
    compiled = ["javac", "-cp", classpath, "-d", "/tmp/resolve", str(HERE / "Resolve.java")]
    subprocess.run(compiled, check=True)
    lines = [f"{json.dumps(writer)}\t{json.dumps(reader)}\t{body.hex()}" for writer, reader, body in cases]
    run = subprocess.run(
        ["java", "-Dfile.encoding=UTF-8", "-cp", f"/tmp/resolve:{classpath}", "Resolve"],
        input="\n".join(lines) + "\n", capture_output=True, encoding="utf-8", check=True,
    )
    return run.stdout.splitlines()


def fastavro_reads(writer, reader, body):
    try:
        source = io.BytesIO(body)
        value = fastavro.schemaless_reader(source, writer, reader, return_named_type=True)
        if source.read():
            return "!bytes are left"
        out = io.StringIO()
        fastavro.json_writer(out, reader, [value])
        return out.getvalue()
    except Exception as error:  # Whatever it raises, it refuses.
        return f"!{type(error).__name__}"


def outcome(text):
    if not text:
        raise ValueError("no outcome")
    return "refused" if text.startswith("!") else {"value": json.loads(text)}


def rows_of(writer, reader, bodies, answers, override=None):
    rows = []
    for body in bodies:
        java = next(answers)
        expected, why = ("!plan", override) if override else decide(writer, reader, body, java)
        row = {"body": body.hex(), **({"bad": True} if expected.startswith("!") else outcome(expected))}
        if expected == "!plan":
            row["plan"] = True
        if why:
            row["why"] = why
        fast = fastavro_reads(writer, reader, body)
        for name, found in (("java", java), ("fastavro", fast)):
            is_same = found.startswith("!") == expected.startswith("!")
            if not is_same or (not found.startswith("!") and json.loads(found) != json.loads(expected)):
                row.setdefault("differs", {})[name] = outcome(found)
        rows.append(row)
    return rows


def with_plan(writer, rows):
    """Nothing but null can be read: the schema is refused, not the row."""
    branches = writer if isinstance(writer, list) else [writer]
    is_null = [isinstance(writer, list) and branches[int(row["body"][:2], 16) // 2] == "null" for row in rows]
    relevant = [row for row, null in zip(rows, is_null) if not null or len(branches) == 1]
    is_row = any("why" in row and not row.get("plan") for row in rows)
    if relevant and all(row.get("bad") for row in relevant) and not is_row:
        return "refused"
    for row in rows:
        row.pop("plan", None)
    return "rows"


def refusal(rows):
    """Why a schema is refused, and who reads it all the same."""
    whys = [row["why"] for row in rows if "why" in row]
    differing = {name for row in rows for name in row.get("differs", {})}
    for row in rows:
        if not row.get("bad"):
            whys.append(ONLY_NULL)
            differing |= {"java", "fastavro"} - set(row.get("differs", {}))
    differing = sorted(differing)
    return {"refused": True, **({"why": whys[0]} if whys else {}), **({"differs": differing} if differing else {})}


def main():
    classpath = sys.argv[1]
    pairs = [(w, r) for w in TYPES for r in TYPES]
    cases = [(TYPES[w], TYPES[r], body) for w, r in pairs for body in bodies(w)]
    cases += [(writer, reader, body) for _, _, writer, reader, bodies_ in RULES for body in bodies_]
    answers = iter(java_reads(classpath, cases))
    table = {}
    for writer, reader in pairs:
        rows = rows_of(TYPES[writer], TYPES[reader], bodies(writer), answers)
        entry = table.setdefault(writer, {})
        kind = with_plan(TYPES[writer], rows)
        if kind == "rows":
            entry[reader] = rows
        else:
            entry[reader] = refusal(rows)
    write("pairs.json", {"types": TYPES, "pairs": table})
    rules = []
    for name, words, writer, reader, bodies_ in RULES:
        rows = rows_of(writer, reader, bodies_, answers, OVERRIDES.get(name))
        kind = with_plan(writer, rows)
        entry = rows if kind == "rows" else refusal(rows)
        rules.append({"name": name, "rule": words, "writer": writer, "reader": reader, "reads": entry})
    write("rules.json", rules)


def write(name, value):
    text = json.dumps(value, ensure_ascii=True, indent=None)
    if isinstance(value, list):
        text = "[\n" + ",\n".join(json.dumps(item) for item in value) + "\n]"
    else:
        types = ",\n".join(f"    {json.dumps(key)}: {json.dumps(ty)}" for key, ty in value["types"].items())
        writers = []
        for writer, readers in value["pairs"].items():
            lines = ",\n".join(f"      {json.dumps(reader)}: {json.dumps(entry)}" for reader, entry in readers.items())
            writers.append(f"    {json.dumps(writer)}: {{\n{lines}\n    }}")
        text = f'{{\n  "types": {{\n{types}\n  }},\n  "pairs": {{\n' + ",\n".join(writers) + "\n  }\n}"
    (HERE / name).write_text(text + "\n")


if __name__ == "__main__":
    main()
