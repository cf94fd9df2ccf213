"""Writes what the contract knows, `../openrpc.json`, as Python: types, errors and methods.

Usage: generate.py [--check]; `--check` changes nothing, and fails where a file is not what would be written.
"""

import json
import keyword
import re
import sys
import textwrap
from pathlib import Path
from typing import Any, Dict, Iterator, List

HERE = Path(__file__).resolve().parent
PACKAGE = HERE / "src" / "plexsync_worker"
DOCUMENT: Dict[str, Any] = json.loads((HERE.parent / "openrpc.json").read_text(encoding="utf-8"))
SCHEMAS: Dict[str, Any] = DOCUMENT["components"]["schemas"]
HEAD = '"""{} Made by `generate.py` from the contract."""\n\nfrom __future__ import annotations\n\n'
SIMPLE: Dict[str, str] = {"string": "str", "integer": "int", "number": "float", "boolean": "bool", "null": "None"}
WIDTH = 100


def annotation(schema: Any, prefix: str = "", given: bool = False) -> str:
    """The type of a value. One that is `given` by the host may be any mapping and sequence."""

    def inner(part: Any) -> str:
        return annotation(part, prefix, given)

    if not isinstance(schema, dict):
        return "Any"
    if "$ref" in schema:
        return prefix + str(schema["$ref"]).rpartition("/")[2]
    if "const" in schema:
        return f"Literal[{schema['const']!r}]"
    if "enum" in schema:
        return f"Literal[{', '.join(map(repr, schema['enum']))}]"
    parts = schema.get("allOf") or schema.get("anyOf") or schema.get("oneOf")
    if parts and all("const" in part for part in parts):
        return f"Literal[{', '.join(repr(part['const']) for part in parts)}]"
    if parts:
        return union([inner(part) for part in parts])
    kinds = schema.get("type", [])
    if isinstance(kinds, list):
        return union([inner({**schema, "type": kind}) for kind in kinds]) if kinds else "Any"
    if kinds == "array":
        return f"{'Sequence' if given else 'List'}[{inner(schema.get('items'))}]"
    if kinds == "object":
        return f"{'Mapping' if given else 'Dict'}[str, {inner(schema.get('additionalProperties'))}]"
    return SIMPLE[kinds]


def union(types: List[str]) -> str:
    if types[1:] == ["None"]:
        return f"Optional[{types[0]}]"
    return f"Union[{', '.join(types)}]" if len(types) > 1 else types[0]


def prose(schema: Any) -> str:
    """Its description, without the names of Rust."""
    text = schema.get("description", "") if isinstance(schema, dict) else ""
    text = re.sub(r"\(crate::[\w:]+\)|\b(?:Code|method)::", "", text)
    return " ".join(text.replace("\\", "\\\\").split())


def wrapped(text: str, indent: str, start: str = "", further: str = "") -> str:
    return textwrap.fill(
        text,
        WIDTH,
        initial_indent=indent + start,
        subsequent_indent=indent + further,
        break_on_hyphens=False,
        break_long_words=False,
    )


def docstring(text: str, indent: str = "    ") -> str:
    lines = wrapped(text, indent, '"""')
    return lines + '"""\n' if len(lines.rpartition("\n")[2]) <= WIDTH - 3 else f'{lines}\n{indent}"""\n'


def members(schema: Any, names: List[str]) -> str:
    out = ""
    for name in names:
        member = schema["properties"][name]
        out += f"    {name}: {annotation(member)}\n"
        if prose(member):
            out += docstring(prose(member))
    return out


def typed_dict(name: str, schema: Any) -> str:
    names = list(schema["properties"])
    if not all(part.isidentifier() and not keyword.iskeyword(part) for part in names):
        pairs = "".join(f"        {part!r}: {annotation(schema['properties'][part])},\n" for part in names)
        return f"{name} = TypedDict(\n    {name!r},\n    {{\n{pairs}    }},\n)\n{docstring(prose(schema), '')}"
    required = [part for part in names if part in schema.get("required", [])]
    optional = [part for part in names if part not in required]
    body = docstring(prose(schema)) + "\n"
    if not optional:
        return f"class {name}(TypedDict):\n{body}{members(schema, required)}"
    if not required:
        return f"class {name}(TypedDict, total=False):\n{body}{members(schema, optional)}"
    # `NotRequired` came with Python 3.11.
    always = f"class _{name}(TypedDict):\n{members(schema, required)}"
    return f"{always}\n\nclass {name}(_{name}, total=False):\n{body}{members(schema, optional)}"


def types() -> str:
    classes = {name: schema for name, schema in SCHEMAS.items() if "properties" in schema}
    out = HEAD.format("The values of the contract.")
    out += "from typing import Any, Dict, List, Literal, Mapping, Optional, Sequence, TypedDict, Union\n"
    for name, schema in classes.items():
        out += f"\n\n{typed_dict(name, schema)}"
    for name, schema in SCHEMAS.items():
        if name not in classes:
            out += f"\n\n{alias(name, schema)}"
    return out


def alias(name: str, schema: Any) -> str:
    choices = "".join(
        f"\n{wrapped(prose(part), '', '- `' + part['const'] + '`: ', '  ')}"
        for part in schema.get("oneOf", [])
        if isinstance(part.get("const"), str)
    )
    text = wrapped(prose(schema), "", '"""') + (f"\n{choices}\n" if choices else "")
    return f"{name} = {annotation(schema, given=True)}\n{text}\"\"\"\n"


BASE = ["CallError", "Closed", "NotStarted", "TimedOut", "Unreadable", "WorkerEnded", "WorkerError"]


def errors() -> str:
    known = DOCUMENT["x-errors"]
    messages = {error["code"]: error["message"] for error in DOCUMENT["components"]["errors"].values()}
    out = HEAD.format("Why a call has no result.")
    out += "from typing import Dict, Type\n\nfrom . import types\n"
    out += f"from ._base import {', '.join(BASE)}\n"
    for error in known:
        data = error.get("data") and annotation(error["data"], "types.")
        message = messages[error["code"]]
        text = message[0].upper() + message[1:] + "." + (f" `data` is `{data}`." if data else "")
        out += f'\n\nclass {error["name"]}(CallError):\n{docstring(text)}\n'
        out += f'    code = {error["code"]}\n    hint = {json.dumps(error["hint"])}\n'
        out += f"    data: {data}\n" if data else ""
    names = [error["name"] for error in known]
    out += "\n\nBY_CODE: Dict[int, Type[CallError]] = {\n"
    out += "".join(f"    {error['code']}: {error['name']},\n" for error in known) + "}\n"
    out += '"""The class of each code."""\n\n__all__ = [\n'
    return out + "".join(f'    "{name}",\n' for name in sorted(BASE + names)) + "]\n"


# Of each class of methods: what it is, how a method begins, how it calls, what it returns.
CLASSES = {
    "Methods": ("Each waits for its result.", "def", "return self._call", "{}"),
    "BegunMethods": ("Each sends its call, and does not wait.", "def", "return self._call", "Pending[{}]"),
    "AsyncMethods": ("Each is awaited.", "async def", "return await self._call", "{}"),
}
CALL = """
    {} _call(self, method: str, params: Dict[str, Any], **how: Any) -> {}:
        raise NotImplementedError
"""


def methods() -> str:
    out = HEAD.format("The methods of the contract.")
    out += "from typing import Any, Dict, Literal, Mapping, Optional, Sequence, Union\n\n"
    out += "from . import types\nfrom ._pending import OnProgress, Pending\n\nTIMES: Dict[str, Dict[str, int]] = {\n"
    for method in DOCUMENT["methods"]:
        times = {p["name"]: p["schema"]["default"] for p in method["params"] if p["name"].endswith("_ms")}
        if times:
            out += f'    "{method["name"]}": {json.dumps(times)},\n'
    out += '}\n"""How long the worker takes for a call at most: the params that say it, and their defaults (ms)."""\n'
    for name, (text, begins, calls, returns) in CLASSES.items():
        out += f'\n\nclass {name}:\n    """{text}"""\n{CALL.format(begins, returns.format("Any"))}'
        for method in DOCUMENT["methods"]:
            out += "\n" + function(method, begins, calls, returns)
    return out


def function(method: Any, begins: str, calls: str, returns: str) -> str:
    """The token of progress is the client's own: the host gives a function instead."""
    params = [param for param in method["params"] if param["name"] != "progress_token"]
    progress = len(params) < len(method["params"])
    out = f"    {begins} {method['name'].replace('.', '_').lower()}(\n        self,\n        *,\n"
    for param in params:
        kind = annotation(param["schema"], "types.", given=True)
        if not param["required"]:
            kind = kind if kind.startswith("Optional[") else f"Optional[{kind}]"
        out += f"        {param['name']}: {kind}{'' if param['required'] else ' = None'},\n"
    out += "        on_progress: Optional[OnProgress] = None,\n" if progress else ""
    out += "        timeout: Optional[float] = None,\n"
    result = annotation(method["result"]["schema"], "types.")
    out += f"    ) -> {returns.format(result)}:\n{''.join(documentation(method, params, progress))}"
    given = ", ".join(f'"{param["name"]}": {param["name"]}' for param in params)
    rest = ", on_progress=on_progress" if progress else ""
    what = wrapped(f'"{method["name"]}", {{{given}}}, timeout=timeout{rest}', " " * 12)
    return out + f"        {calls}(\n{what}\n        )\n"


def documentation(method: Any, params: List[Any], progress: bool) -> Iterator[str]:
    yield f'        """`{method["name"]}`. {method["summary"]}\n'
    if method.get("description"):
        yield f"\n{wrapped(prose(method), '        ')}\n"
    yield "\n"
    for param in params:
        yield wrapped(f"{param['name']}: {prose(param['schema'])}", "        ", "", "    ") + "\n"
    if progress:
        yield "        on_progress: gets the newest progress, while the call is waited for.\n"
    yield "        timeout: how long to wait, in seconds; by default a little longer than the worker takes.\n"
    yield '        """\n'


FILES = {"types.py": types, "errors.py": errors, "_methods.py": methods}


def main() -> None:
    outdated = []
    for name, make in FILES.items():
        path, text = PACKAGE / name, make()
        if path.exists() and path.read_text(encoding="utf-8") == text:
            continue
        outdated.append(name)
        if "--check" not in sys.argv[1:]:
            path.write_text(text, encoding="utf-8")
    if outdated and "--check" in sys.argv[1:]:
        sys.exit(f"not what the contract says: {', '.join(outdated)}; run generate.py")


if __name__ == "__main__":
    main()
