// Made by `generate.mjs` from the OpenRPC document. Do not edit.

export const HINTS = {
  "-32700": "fix the request",
  "-32600": "fix the request",
  "-32601": "fix the request",
  "-32602": "fix the request: data.pointer says where, data.reason why",
  "-32603": "report it: the worker has a bug",
  "-32000": "wait, then retry",
  "-32001": "show data.path and data.reason to the user; nothing was sent to Plex, nothing was written",
  "-32002": "decide again with data.device_id",
  "-32010": "data.kind says what failed: retry later, or correct the configuration",
  "-32011": "data.phase says what it was waiting for: retry later, or raise timeout_ms",
  "-32012": "raise max_bytes or ask for less",
  "-32013": "show data.message to the user; data.status 401: sign in again or correct the token",
  "-32014": "configure what data.missing names, or send it with the call",
  "-32015": "begin again with auth.start",
  "-32800": "nothing: the call was cancelled or the worker stopped"
};

export const LIMITS = {
  "drain_ms": 10000,
  "drain_on_signal_ms": 800,
  "max_batch": 1000,
  "max_message_bytes": 16777216,
  "max_running": 64,
  "max_waiting": 256
};
