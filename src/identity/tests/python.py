"""What Python makes of the identity's file: a file in hexadecimal a line comes in, a list of three goes out.

1. What the plugin that wrote the file before would find: the id, null for none, false where it refuses the file.
2. The same, but read as leniently as the contract wants it: a byte order mark is fine, bytes that are no UTF-8 are
   characters that no id has, what stands behind the object is not looked at. False also where nesting is too deep.
3. The ids that stand there whole, wherever, also in UTF-16: each once.
"""

import io, json, re, sys

LENIENT = json.JSONDecoder(parse_int=len, parse_float=len)
WHOLE = re.compile(rb'(?="device_id"[ \t\n\r]*:[ \t\n\r]*("(?:[^"\\\x00-\x1f]|\\.)*"))')


def device_id(value):
    text = value.get("device_id") if isinstance(value, dict) else value
    good = isinstance(text, str) and 1 <= len(text) <= 255 and all(" " <= c <= "~" for c in text) and text.strip(" ")
    return text if good else None


def as_before(raw):
    try:
        value = json.load(io.TextIOWrapper(io.BytesIO(raw), encoding="utf-8"))
    except Exception:
        return False
    return device_id(value) if isinstance(value, dict) else None


def leniently(raw):
    text = raw.removeprefix(b"\xef\xbb\xbf").decode("utf-8", "surrogateescape").lstrip(" \t\n\r")
    try:
        value, _end = LENIENT.raw_decode(text)
    except RecursionError:
        return False
    except ValueError:
        return None
    return device_id(value) if isinstance(value, dict) else None


def wherever(raw):
    pairs = [raw[at : at + 2] for at in range(0, len(raw) - 1, 2)]
    units = [[int.from_bytes(pair, order) for pair in pairs] for order in ("little", "big")]
    views = [raw] + [bytes(min(unit, 255) for unit in view) for view in units]
    texts = [leniently(b'{"device_id":' + text + b"}") for view in views for text in WHOLE.findall(view)]
    return sorted({text for text in texts if text})


for line in sys.stdin:
    raw = bytes.fromhex(line)
    print(json.dumps([as_before(raw), leniently(raw), wherever(raw)]), flush=True)
