"""One normal form for what fastavro and pyarrow read, so that equality means equality.

Python's own `==` is too kind: `True == 1`, `1 == 1.0`, `0.0 == -0.0`; and to a NaN it is unkind. So a leaf becomes a
text that shows its type. Both sides are led by the newest Avro schema: it says where a union stands, or a map.
"""

import datetime
import decimal
import struct
import uuid


class Normal:
    """Brings values of one Avro schema into the normal form."""

    def __init__(self, schema):
        self.schema = schema
        self.named = {}
        self._collect(schema)

    def avro(self, value):
        """What fastavro read."""
        return self._walk(self.schema, value, self._avro_union, lambda entries: entries)

    def arrow(self, value):
        """What pyarrow's `to_pylist` gave."""
        return self._walk(self.schema, value, self._arrow_union, dict)

    def _collect(self, schema):
        if isinstance(schema, list):
            for branch in schema:
                self._collect(branch)
        elif isinstance(schema, dict):
            if "name" in schema:
                self.named[schema["name"]] = schema
            for below in [schema["type"], schema.get("items"), schema.get("values")]:
                if isinstance(below, (dict, list)):
                    self._collect(below)
            for field in schema.get("fields", []):
                self._collect(field["type"])

    def _resolve(self, schema):
        return self.named.get(schema, schema) if isinstance(schema, str) else schema

    def _kind(self, schema):
        schema = self._resolve(schema)
        return schema["type"] if isinstance(schema, dict) else schema

    def _walk(self, schema, value, union, entries):
        schema = self._resolve(schema)
        again = lambda below, inner: self._walk(below, inner, union, entries)
        if isinstance(schema, list):
            branches = [branch for branch in schema if branch != "null"]
            if len(branches) == 1:
                return None if value is None else again(branches[0], value)
            chosen, inner = union(branches, value)
            return None if chosen is None else {f"<{self._name(chosen)}>": again(chosen, inner)}
        if value is None:
            return None
        kind = self._kind(schema)
        if kind == "record":
            return {field["name"]: again(field["type"], value[field["name"]]) for field in schema["fields"]}
        if kind == "array":
            return [again(schema["items"], item) for item in value]
        if kind == "map":
            found = entries(value)
            assert len(found) == len(value), f"a key stands twice: {value}"
            return {key: again(schema["values"], item) for key, item in sorted(found.items())}
        if isinstance(schema, dict) and schema.get("logicalType") == "uuid" and isinstance(value, bytes):
            value = uuid.UUID(bytes=value)
        return leaf(value)

    def _name(self, branch):
        branch = self._resolve(branch)
        return branch.get("name", branch["type"]) if isinstance(branch, dict) else branch

    def _avro_union(self, branches, value):
        if value is None:
            return None, None
        python = {"string": str, "int": int, "long": int, "double": float, "boolean": bool, "record": dict, "array": list}
        (chosen,) = [branch for branch in branches if python[self._kind(branch)] is type(value)]
        return chosen, value

    def _arrow_union(self, branches, value):
        """A struct of nullable members, of which at most one is set."""
        if value is None:
            return None, None
        assert set(value) == {self._name(branch) for branch in branches}, f"members of a union: {sorted(value)}"
        chosen = [branch for branch in branches if value[self._name(branch)] is not None]
        assert len(chosen) <= 1, f"several members of a union are set: {value}"
        return (chosen[0], value[self._name(chosen[0])]) if chosen else (None, None)


def leaf(value):
    """A leaf as a text that shows its type and every bit of it."""
    if isinstance(value, float):
        shown = "NaN" if value != value else f"{value!r} {struct.pack('>d', value).hex()}"
        return f"float {shown}"
    if isinstance(value, datetime.datetime):
        if value.tzinfo is None:
            return f"local {value.isoformat(timespec='microseconds')}"
        return f"instant {value.astimezone(datetime.timezone.utc).isoformat(timespec='microseconds')}"
    if isinstance(value, datetime.time):
        return f"time {value.isoformat(timespec='microseconds')}"
    if isinstance(value, decimal.Decimal):
        # Its digits and its scale.
        return f"decimal {value:f}"
    if isinstance(value, (bytes, bytearray)):
        return f"bytes {bytes(value).hex()}"
    return f"{type(value).__name__} {value}"


def differences(expected, found, path=""):
    """Every place where two normal forms differ, as `path: expected ..., found ...`."""
    if type(expected) is type(found) and isinstance(expected, dict):
        for name in expected.keys() | found.keys():
            if name not in found or name not in expected:
                yield f"{path}.{name}: {'missing' if name in expected else 'unexpected'}"
            else:
                yield from differences(expected[name], found[name], f"{path}.{name}")
    elif type(expected) is type(found) and isinstance(expected, list) and len(expected) == len(found):
        for at, (one, other) in enumerate(zip(expected, found)):
            yield from differences(one, other, f"{path}[{at}]")
    elif expected != found:
        yield f"{path}: expected {expected!r}, found {found!r}"
