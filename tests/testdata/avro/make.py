"""Brings the corpora together and makes what they lack. README.md says how it is run, and where each file comes from.

Everything is fixed (versions, random seeds, sync markers), so that a run changes nothing that did not change elsewhere.
"""

import io
import json
import random
import shutil
import struct
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path

import avro.datafile
import avro.io
import avro.schema
import avro.test.test_schema as avro_schemas
import fastavro
import fastavro.read

HERE = Path(__file__).parent
SYNC = bytes(range(16))
FASTAVRO, APACHE_AVRO = "1.13.1", "0.22.0"
CODECS = ["null", "deflate", "snappy", "bzip2", "xz", "zstandard"]


def main():
    (HERE / "made").mkdir(exist_ok=True)
    copy_sdist("fastavro", FASTAVRO, "tests/avro-files/*.av*", HERE / "fastavro")
    (HERE / "avro-python").mkdir(exist_ok=True)
    shutil.copyfile(Path(avro.schema.__file__).parent / "interop.avsc", HERE / "avro-python/interop.avsc")
    copy_crate(HERE / "apache-avro")
    copy_fastavro_schemas(HERE / "fastavro")
    class_path, avro_c = (sys.argv[1:] + ["", ""])[:2]
    copy_tests_of_java(class_path, HERE / "avro-java")
    copy_avro_c(avro_c, HERE / "avro-c")
    copy_go_modules(HERE / "go")
    write_rows()
    write_fastavro()
    write_avro_python()
    write_schemas()
    if class_path:
        subprocess.run(["java", "-cp", class_path, HERE / "Golden.java", HERE], check=True)
    write_expected()


def copy_sdist(package, version, pattern, into):
    """The files of a source distribution that match, under names without spaces."""
    with tempfile.TemporaryDirectory() as folder:
        pip = [sys.executable, "-m", "pip", "download", "-q", "--no-deps"]
        subprocess.run([*pip, "--no-binary", ":all:", f"{package}=={version}", "-d", folder], check=True)
        with tarfile.open(next(Path(folder).glob("*.tar.gz"))) as archive:
            archive.extractall(folder, filter="data")
        into.mkdir(exist_ok=True)
        for path in sorted(Path(folder, f"{package}-{version}").glob(pattern)):
            into.joinpath(path.name.replace(" ", "-")).write_bytes(path.read_bytes())


def copy_crate(into):
    into.mkdir(exist_ok=True)
    crates = Path.home().glob(f".cargo/registry/src/*/apache-avro-{APACHE_AVRO}")
    crate = next(crates)
    for path in ["benches/quickstop-null.avro", "tests/bigdec.avro"]:
        into.joinpath(Path(path).name).write_bytes((crate / path).read_bytes())


def copy_fastavro_schemas(into):
    """Schemas that refer to each other, as one line each instead of the files."""
    texts = {path.stem: path.read_text() for path in sorted(into.glob("*.avsc"))}
    write_lines(
        "fastavro/schemas.jsonl",
        (schema_line(name, texts[name], [texts[of] for of in references]) for name, references in FASTAVRO_SCHEMAS),
    )
    for path in into.glob("*.avsc"):
        path.unlink()


# Their names, and what each refers to.
FASTAVRO_SCHEMAS = [("Child", []), ("Child1", []), ("Parent", ["Child", "Child1"]), ("ParentMissingChild", [])]


def schema_line(name, schema, references=(), **more):
    return json.dumps({"name": name, **more, "schema": schema, "references": list(references)}, ensure_ascii=False)


def copy_tests_of_java(class_path, into):
    """Data of Apache Avro that the jar of its Java tests carries."""
    jars = [path for path in class_path.split(":") if path.endswith("-tests.jar")]
    if not jars:
        return
    into.mkdir(exist_ok=True)
    with zipfile.ZipFile(jars[0]) as jar:
        for path, name in JAVA_FILES.items():
            into.joinpath(name).write_bytes(jar.read(path))
        names = [name for name in sorted(jar.namelist()) if name.endswith(".avsc") or "schema-location" in name or name.endswith("schema.json")]
        texts = {name: jar.read(name).decode() for name in names}
        write_lines(
            "avro-java/schemas.jsonl",
            (schema_line(name, text, [texts[of] for of in JAVA_REFERENCES.get(name, [])]) for name, text in texts.items()),
        )


# fastavro carries the weather files in its own tests, and the rpc files of "hello".
JAVA_FILES = {
    "share/test/data/messageV1/test_message.bin": "message-v1.bin",
    "share/test/data/messageV1/test_schema.avsc": "message-v1.avsc",
    "share/test/data/schema-tests.txt": "schema-tests.txt",
    "share/test/data/schemas/simple/data.avro": "schemas-simple.avro",
    "share/test/data/schemas/withUnion/data.avro": "schemas-with-union.avro",
    "share/test/data/syncInMeta.avro": "sync-in-meta.avro",
    "share/test/data/test.avro12": "test-avro12.avro",
    "share/test/data/weather.json": "weather.json",
    "share/test/interop/rpc/add/onePlusOne/request.avro": "rpc-add-request.avro",
    "share/test/interop/rpc/add/onePlusOne/response.avro": "rpc-add-response.avro",
    "share/test/interop/rpc/echo/foo/request.avro": "rpc-echo-request.avro",
    "share/test/interop/rpc/echo/foo/response.avro": "rpc-echo-response.avro",
}
JAVA_REFERENCES = {"multipleFile/ApplicationEvent.avsc": ["multipleFile/DocumentInfo.avsc"]}


def copy_avro_c(source, into):
    """The tests of Avro C, from its source package in Debian."""
    if not source:
        return
    into.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        with tarfile.open(source) as archive:
            archive.extractall(folder, filter="data")
        tests = next(Path(folder).glob("*/tests"))
        for path in sorted(tests.glob("*.avro")):
            into.joinpath(path.name).write_bytes(path.read_bytes())
        paths = sorted((tests / "schema_tests").glob("*/*"))
        lines = [schema_line(path.name, path.read_text(), valid=path.parent.name == "pass") for path in paths]
        write_lines("avro-c/schemas.jsonl", lines)


def copy_go_modules(into):
    """Files in Go modules; those that another package has are left out."""
    if not shutil.which("go"):
        return
    into.mkdir(exist_ok=True)
    for module, (name, folder, files) in GO_MODULES.items():
        found = subprocess.run(["go", "mod", "download", "-json", module], capture_output=True, check=True, cwd="/")
        for file in files:
            path = Path(json.loads(found.stdout)["Dir"], folder, f"{file}.avro")
            into.joinpath(f"{name}-{file}.avro").write_bytes(path.read_bytes())


GO_MODULES = {
    "github.com/apache/arrow-go/v18@v18.8.0": ("arrow-go", "arrow/avro/testdata", ["arrayrecordmap"]),
    "github.com/hamba/avro/v2@v2.31.0": (
        "hamba",
        "ocf/testdata",
        [
            "full", "full-appended", "full-deflate", "full-snappy", "full-zstd", "invalid-name",
            "deflate-invalid-data", "snappy-invalid-crc", "snappy-invalid-data", "snappy-short-crc", "zstd-invalid-data",
        ],
    ),
    "github.com/twmb/avro@v1.9.1": ("twmb", "ocf/testdata", ["weather-deflate", "weather-zstd"]),
}


# Rows in Avro's JSON encoding, which Golden.java and this script write to files.


def latin(data):
    return data.decode("latin-1")


def big(number, size=None):
    size = size or max(1, (number.bit_length() + 8) // 8)
    return latin(number.to_bytes(size, "big", signed=True))


def write_rows():
    roll = random.Random(7)
    write_lines("types.jsonl", (json.dumps(types_row(roll, at), ensure_ascii=False) for at in range(35)))
    write_lines("interop.jsonl", (json.dumps(interop_row(roll, at), ensure_ascii=False) for at in range(20)))


def types_row(roll, at):
    text = "".join(roll.choice("abc éü漢🎉") for _ in range(roll.randrange(40)))
    union = [None, {"boolean": at % 8 == 1}, {"double": at / 8}, {"array": [latin(bytes([at])), ""]}][at % 4]
    return {
        "n": None,
        "b": bool(roll.getrandbits(1)),
        "i": roll.choice([0, -1, 2**31 - 1, -(2**31), at]),
        "l": roll.choice([0, -1, 2**63 - 1, -(2**63), at * 10**12]),
        "f": roll.choice([0.0, -1.5, 3.25, 1e10]),
        "d": roll.choice([0.0, -1.1, 2.5e-300, 1.7e308]),
        "bytes": latin(roll.randbytes(roll.randrange(20))),
        "text": text,
        "optional": None if at % 3 == 0 else {"string": text},
        "optionalLast": None if at % 5 == 0 else {"long": at},
        "list": [None if roll.random() < 0.3 else {"double": roll.random()} for _ in range(roll.randrange(5))],
        "lists": [["x" * roll.randrange(3) for _ in range(roll.randrange(3))] for _ in range(roll.randrange(3))],
        "map": {f"k{key}": {"label": text[:key]} for key in range(roll.randrange(4))},
        "foo": None if at % 4 else {"org.example.Foo": {"label": "foo"}},
        "union": union,
        "enum": "ABC"[at % 3],
        "fixed": latin(roll.randbytes(16)),
        "decimal": big(roll.choice([0, -1, 10**20 - 1, -(10**20 - 1), at])),
        "decimalFixed": big(roll.choice([0, -1, 10**45 - 1, at]), 20),
        "date": roll.choice([0, -719162, 20000]),
        "timeMillis": roll.randrange(86_400_000),
        "timeMicros": roll.randrange(86_400_000_000),
        "tsMillis": roll.randrange(-(10**12), 2 * 10**12),
        "tsMicros": roll.randrange(-(10**15), 2 * 10**15),
        "localMillis": at,
        "localMicros": -at,
        "uuid": f"{roll.getrandbits(32):08x}-0000-4000-8000-{roll.getrandbits(48):012x}",
        "duration": latin(b"".join(roll.randrange(1000).to_bytes(4, "little") for _ in range(3))),
    }


def interop_row(roll, at):
    def node(depth):
        return {"label": f"d{depth}", "children": [node(depth - 1) for _ in range(depth and roll.randrange(3))]}

    return {
        "intField": at - 10,
        "longField": roll.randrange(-(2**63), 2**63),
        "stringField": "s" * at,
        "boolField": at % 2 == 0,
        "floatField": at / 4,
        "doubleField": -at / 8,
        "bytesField": latin(roll.randbytes(at)),
        "nullField": None,
        "arrayField": [roll.random() for _ in range(at % 4)],
        "mapField": {f"m{key}": {"label": str(key)} for key in range(at % 3)},
        "unionField": [{"boolean": True}, {"double": 1.5}, {"array": ["\u00ff", ""]}][at % 3],
        "enumField": "ABC"[at % 3],
        "fixedField": latin(roll.randbytes(16)),
        "recordField": node(at % 4),
    }


def write_lines(name, lines):
    HERE.joinpath(name).write_text("".join(line + "\n" for line in lines), encoding="utf-8")


def rows_of(schema, name):
    """The rows of a file in Avro's JSON encoding as fastavro and Apache Avro for Python take them."""
    lines = HERE.joinpath(name).read_text(encoding="utf-8")
    # Without logical types: what is written are the base types' values.
    bare = json.loads(json.dumps(schema), object_hook=without_logical_type)
    return bare, list(fastavro.json_reader(io.StringIO(lines), bare))


def without_logical_type(value):
    value.pop("logicalType", None)
    return value


def write_fastavro():
    for codec in CODECS:
        container("types.avsc", "types.jsonl", f"fastavro-types-{codec}.avro", codec)
    for name, (schema, rows) in SMALL.items():
        with open(HERE / "made" / f"fastavro-{name}.avro", "wb") as out:
            fastavro.writer(out, schema, rows, sync_marker=SYNC, sync_interval=200)


def container(schema, rows, name, codec):
    schema = json.loads(HERE.joinpath(schema).read_text())
    bare, rows = rows_of(schema, rows)
    # fastavro would take the logical types for their Python values, so they are put back into the header behind it.
    out = io.BytesIO()
    fastavro.writer(out, bare, rows, codec=codec, sync_marker=SYNC, sync_interval=2000)
    HERE.joinpath("made", name).write_bytes(with_schema(out.getvalue(), schema))


def with_schema(file, schema):
    """The same file with another schema in its header."""
    reader = fastavro.block_reader(io.BytesIO(file))
    metadata = {**reader.metadata, "avro.schema": json.dumps(schema)}
    header = {"magic": b"Obj\x01", "meta": {key: value.encode() for key, value in metadata.items()}, "sync": SYNC}
    out = io.BytesIO()
    fastavro.schemaless_writer(out, fastavro.schema.parse_schema(HEADER), header)
    return out.getvalue() + file[file.index(SYNC) + 16 :]


HEADER = {
    "type": "record",
    "name": "Header",
    "fields": [
        {"name": "magic", "type": {"type": "fixed", "name": "Magic", "size": 4}},
        {"name": "meta", "type": {"type": "map", "values": "bytes"}},
        {"name": "sync", "type": {"type": "fixed", "name": "Sync", "size": 16}},
    ],
}


def record(*fields):
    return {"type": "record", "name": "R", "fields": [{"name": name, "type": of} for name, of in fields]}


def array(items):
    return {"type": "array", "items": items}


def of_map(values):
    return {"type": "map", "values": values}


# Shapes that files of other corpora are known for.
SMALL = {
    "root-int": ("int", [0, -1, 2**31 - 1]),
    "root-string": ("string", ["", "é"]),
    "root-null": ("null", [None] * 5),
    "root-union": (["null", "int", "string"], [None, 1, "x"]),
    "root-map": (of_map("long"), [{}, {"a": 1, "b": 2}]),
    "root-array": (array(["null", "boolean"]), [[], [True, None, False]]),
    "root-enum": ({"type": "enum", "name": "E", "symbols": ["X", "Y"]}, ["Y", "X"]),
    "root-fixed": ({"type": "fixed", "name": "F", "size": 3}, [b"abc", b"\x00\x01\xff"]),
    "no-rows": (record(("a", "int")), []),
    "no-fields": (record(), [{}] * 3),
    "nan": (record(("d", "double"), ("f", "float")), [{"d": float("nan"), "f": float("inf")}, {"d": -0.0, "f": -0.0}]),
    "nested-lists": (
        record(("a", array(["null", array(["null", array(["null", "string"])])]))),
        [{"a": [[["a", "b"], ["c"]], [None, ["d"]]]}, {"a": [None, []]}, {"a": []}],
    ),
    "map-of-lists-of-maps": (record(("m", of_map(array(of_map(["int", "null"]))))), [{"m": {"k": [{"x": 1, "y": None}, {}]}}]),
    "zero-size-items": (
        record(("n", array("null")), ("z", array({"type": "fixed", "name": "Z", "size": 0})), ("e", array({**record(), "name": "E"}))),
        [{"n": [None] * 1000, "z": [b""] * 7, "e": [{}, {}]}, {"n": [], "z": [], "e": []}],
    ),
    "names": (
        {
            "type": "record",
            "name": "a.b.Outer",
            "fields": [
                {"name": "x", "type": {"type": "record", "name": "Inner", "fields": [{"name": "v", "type": "int"}]}},
                {"name": "y", "type": {"type": "record", "name": "c.Inner", "fields": [{"name": "w", "type": "string"}]}},
                {"name": "z", "type": ["null", "Inner", "c.Inner", "a.b.Inner2"][:3]},
            ],
        },
        [{"x": {"v": 1}, "y": {"w": "q"}, "z": ("a.b.Inner", {"v": 2})}, {"x": {"v": 1}, "y": {"w": "q"}, "z": ("c.Inner", {"w": "r"})}],
    ),
    "union-of-records": (
        record(("u", [{**record(("a", "int")), "name": "A"}, {**record(("a", "string")), "name": "B"}, "long", of_map("int")])),
        [{"u": ("A", {"a": 1})}, {"u": ("B", {"a": "x"})}, {"u": 5}, {"u": {"k": 3}}],
    ),
    "linked-list": (
        {"type": "record", "name": "L", "fields": [{"name": "v", "type": "int"}, {"name": "next", "type": ["null", "L"]}]},
        [{"v": 1, "next": {"v": 2, "next": {"v": 3, "next": None}}}, {"v": 4, "next": None}],
    ),
    "long-strings": (record(("s", "string"), ("b", "bytes")), [{"s": "é" * 5000, "b": bytes(range(256)) * 20}, {"s": "", "b": b""}] * 3),
    "many-fields": (record(*((f"f{at}", ["null", "long"]) for at in range(300))), [{f"f{at}": at if at % (row + 2) else None for at in range(300)} for row in range(5)]),
    "unknown-logical-types": (
        record(
            ("a", {"type": "int", "logicalType": "what"}),
            ("b", {"type": "string", "logicalType": "date"}),
            ("c", {"type": "bytes", "logicalType": "decimal", "precision": 0}),
        ),
        [{"a": 1, "b": "x", "c": b"\x01"}],
    ),
}


def write_avro_python():
    text = HERE.joinpath("types.avsc").read_text()
    bare, rows = rows_of(json.loads(text), "types.jsonl")
    schema = avro.schema.parse(json.dumps(bare))
    for codec in ["null", "deflate"]:
        out = io.BytesIO()
        writer = avro.datafile.DataFileWriter(out, avro.io.DatumWriter(), schema, codec=codec)
        for row in rows:
            writer.append(row)
        writer.flush()
        HERE.joinpath("made", f"python-types-{codec}.avro").write_bytes(out.getvalue().replace(writer.sync_marker, SYNC))


def write_schemas():
    """The schemas of Apache Avro's Python tests, and whether they are valid."""
    lines = []
    for valid, examples in [(True, avro_schemas.VALID_EXAMPLES), (False, avro_schemas.INVALID_EXAMPLES)]:
        for example in examples:
            lines.append(json.dumps({"valid": valid, "schema": str(example.data)}))
    write_lines("made/python-schemas.jsonl", lines)


# What fastavro reads, in a form that every reader can bring its values into.


def write_expected():
    shutil.rmtree(HERE / "expected", ignore_errors=True)
    (HERE / "expected").mkdir()
    fastavro.read.LOGICAL_READERS.clear()
    for path in sorted(HERE.glob("*/*.avro")):
        if path.name == "quickstop-null.avro":
            continue  # Large; apache-avro reads it in the test.
        try:
            with open(path, "rb") as file:
                reader = fastavro.reader(file)
                schema, names = reader.writer_schema, {}
                collect(schema, names)
                lines = [json.dumps(plain(row, schema, names), ensure_ascii=False, sort_keys=True) for row in reader]
        except Exception as error:  # It is told what cannot be read.
            lines = ["! " + type(error).__name__]
        write_lines(f"expected/{path.parent.name}-{path.stem}.jsonl", lines)


def collect(schema, names):
    if isinstance(schema, list):
        for branch in schema:
            collect(branch, names)
    elif isinstance(schema, dict):
        if "name" in schema:
            names[schema["name"]] = schema
        for key in ["items", "values", "type"]:
            if key in schema:
                collect(schema[key], names)
        for field in schema.get("fields", []):
            collect(field["type"], names)


def plain(value, schema, names):
    if isinstance(schema, str):
        schema = names.get(schema, {"type": schema})
    if isinstance(schema, list):
        if value is None:
            return None
        return plain(value, branch_of(value, schema, names), names)
    kind, logical = schema["type"], schema.get("logicalType")
    if isinstance(kind, (dict, list)):
        return plain(value, kind, names)
    if kind in ("float", "double"):
        return "f:" + struct.pack(">d", value).hex()
    if kind in ("bytes", "fixed"):
        if logical == "decimal" and 0 < schema.get("precision", 0) and schema.get("scale", 0) <= schema["precision"]:
            return f"dec:{int.from_bytes(value, 'big', signed=True)}"
        if logical == "duration" and schema.get("size") == 12:
            return "dur:" + ",".join(str(part) for part in struct.unpack("<III", value))
        return "x:" + value.hex()
    if kind == "array":
        return [plain(item, schema["items"], names) for item in value]
    if kind == "map":
        return {key: plain(item, schema["values"], names) for key, item in value.items()}
    if kind in ("record", "error"):
        return {field["name"]: plain(value[field["name"]], field["type"], names) for field in schema["fields"]}
    return value


def branch_of(value, branches, names):
    """The branch that a value is of; where several would do, they come out alike."""
    kinds = {bool: ["boolean"], int: ["int", "long"], float: ["float", "double"], str: ["string", "enum"], bytes: ["bytes", "fixed"]}
    kinds = kinds.get(type(value), ["array"] if isinstance(value, list) else ["record", "error", "map"])
    for branch in branches:
        of = names.get(branch, {"type": branch}) if isinstance(branch, str) else branch
        if of["type"] not in kinds:
            continue
        if of["type"] in ("record", "error") and set(value) != {field["name"] for field in of["fields"]}:
            continue
        if of["type"] in ("record", "error") and not all(fits(value[field["name"]], field["type"]) for field in of["fields"]):
            continue
        return of
    raise ValueError(f"no branch for {value!r}")


def fits(value, of):
    """Tells records apart whose fields have the same names."""
    return not (isinstance(value, str) and of == "int" or isinstance(value, int) and of == "string")


if __name__ == "__main__":
    main()
