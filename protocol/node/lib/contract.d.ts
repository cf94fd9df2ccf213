// Made by `generate.mjs` from the OpenRPC document. Do not edit.

/** An account, as plex.tv names it. */
export type Account = {
  /** plex.tv's number. */
  "id": number;
  /** The name to show, without what follows an `@`. */
  "title": string;
  /** Without what follows an `@`. Empty for a managed user. */
  "username": string;
};

/** Data of `Code::AnswerTooLarge`. */
export type AnswerTooLarge = {
  /** The limit that was exceeded, in bytes. */
  "max_bytes": number;
};

/** A body: a string is sent as it is, the others as JSON. */
export type Body = string | { [name: string]: unknown } | Array<unknown>;

/** What `body` holds. */
export type BodyEncoding = "json" | "xml" | "text" | "base64" | "none";

/** Params of `method::CANCEL`. */
export type CancelParams = {
  /** The id of the call to stop, as it was sent. */
  "id": Id;
};

/** How sure it is that nothing uses an identifier again. */
export type Certainty = "sure" | "likely";

/** One thing that was checked. */
export type Check = {
  /** What to do; always present with a warning and a failure. */
  "hint"?: string | null;
  /** What was found, for the user. */
  "message": string;
  /** What was checked: `data_folder`, `identity`, `plex_url`, `plex_server` ... */
  "name": string;
  /** How it ended. */
  "state": CheckState;
};

/** How a check ended. */
export type CheckState = "ok" | "warning" | "failure";

/** Result of `server.choose`. */
export type ChooseResult = {
  /** Whether the user chose it with `server.choose`. */
  "chosen": boolean;
  /** Where it may be reached. */
  "connections": Array<Connection>;
  /** Whether calls that name no server go to it. */
  "in_use": boolean;
  /** Its identifier. */
  "machine_identifier": string;
  /** The name that its owner gave it. */
  "name": string;
  /** Whether plex.tv sees it online. */
  "online": boolean;
  /** Whether the account owns it; else it is shared with it. */
  "owned": boolean;
  /** The way to it. */
  "uri": string;
  /** Its version, where plex.tv knows it. */
  "version"?: string | null;
  /** A sentence for the user, such as that a setting names another server, which is stronger. */
  "warning"?: string | null;
};

/** Where a server may be reached. */
export type Connection = {
  /** With `probe`: after how many milliseconds it answered, or the try ended. */
  "elapsed_ms"?: number | null;
  /** In the server's own network. */
  "local": boolean;
  /** With `probe`: why it is not reachable. */
  "problem"?: string | null;
  /** With `probe`: whether this very server answers there. */
  "reachable"?: boolean | null;
  /** By way of Plex's relay, which is slow. */
  "relay": boolean;
  /** Its base URL. */
  "uri": string;
};

/** One row of plex.tv's list. Texts are without control characters. */
export type Device = {
  /** When Plex saw it first (RFC 3339); null if plex.tv does not say so. */
  "created_at": string | null;
  /** Its `X-Plex-Client-Identifier`. */
  "device_id": string;
  /** plex.tv's number of the row. */
  "id": string;
  /** Why `device.remove` keeps it; null if nothing does. */
  "kept_because": Kept | null;
  /** When Plex saw it last (RFC 3339); null if plex.tv does not say so. */
  "last_seen_at": string | null;
  /** Its name. */
  "name": string;
  /** What is known to have left it behind; null for everything else: age proves nothing. */
  "phantom": Phantom | null;
  /** The platform that it says it runs on. */
  "platform": string;
  /** The product that it says it is. */
  "product": string;
  /** What it can do: a comma list. */
  "provides": string;
  /** Whether it is this worker's own. */
  "this": boolean;
  /** The product's version. */
  "version": string;
};

/** Result of `device.list`. */
export type DeviceList = {
  /** The devices, in plex.tv's order. */
  "devices": Array<Device>;
};

/** Result of `device.remove`. */
export type DeviceRemoval = {
  /** Whether nothing was removed, because that was not asked for. */
  "dry_run": boolean;
  /** The ids that plex.tv did not remove, or still lists. */
  "failed": Array<FailedDevice>;
  /** The ids that were not tried: plex.tv said that the sign-in is over, or that there were too many requests, or it gave no answer. */
  "left": Array<string>;
  /** The ids that are kept. */
  "refused": Array<RefusedDevice>;
  /** The ids that are gone. */
  "removed": Array<string>;
  /** A sentence for the user. */
  "warning"?: string | null;
  /** A dry run: the ids that would be removed. */
  "would_remove"?: Array<string> | null;
};

/** Result of `doctor.run`. */
export type DoctorReport = {
  /** The checks, in the order in which they were made. */
  "checks": Array<Check>;
  /** The worst state of all checks. */
  "worst": CheckState;
};

/** A device that plex.tv did not remove. */
export type FailedDevice = {
  /** Its id. */
  "id": string;
  /** The HTTP status of plex.tv's answer; null if there was none. */
  "status": number | null;
};

/** Result of `plex.find`. */
export type FindResult = {
  /** The items, in the order of the paths. A file may belong to several: two sections, or two episodes in one file. */
  "items": Array<FoundItem>;
  /** The paths that no item has. */
  "missing": Array<string>;
  /** Those of them that no library section holds. */
  "unheld": Array<string>;
  /** A sentence for the user about the server or the token that was used. */
  "warning"?: string | null;
};

/** Result of `auth.finish`. */
export type FinishResult = SignedIn | Waiting;

/** An item that has one of the files. Keys are strings: Stash rounds integers above 2^53. */
export type FoundItem = {
  /** The file, as Plex spells it. */
  "file": string;
  /** The file, as the call names it. */
  "path": string;
  /** The item's key: its metadata is at `/library/metadata/<rating_key>`. */
  "rating_key": string;
  /** Key of its library section. */
  "section": string;
  /** Its title; empty if it has none. */
  "title": string;
  /** `movie`, `episode`, `track` or `photo`. */
  "type": string;
};

/** Which hook runs, and for what. */
export type HookContext = {
  /** Id of the scene, image, ... that the hook is about; 0 or absent if there is none. */
  "id"?: unknown;
  /** What the user sent: null, object, array or string. */
  "input"?: unknown;
  /** The trigger, as `Scene.Create.Post`. */
  "type"?: string;
};

/** An id, or a token that is given back as it came. */
export type Id = string | number;

/** Result of `identity.get` and, with `previous`, of `identity.reset`. */
export type Identity = {
  /** The id, exactly as on disk. */
  "device_id": string;
  /** Always `DEVICE_NAME`. */
  "device_name": "PlexSync Plugin";
  /** The identity headers, for a host that makes its own requests. */
  "headers": IdentityHeaders;
  /** Where it came from. */
  "origin": Origin;
  /** The file it lives in. */
  "path": string;
  /** Always `PRODUCT`. */
  "product": "PlexSync";
  /** A sentence for the user when something happened to the file. */
  "warning"?: string | null;
};

/** Data of `Code::IdentityChanged`. */
export type IdentityChanged = {
  /** The id on disk; null if there is none. */
  "device_id": string | null;
};

/** The X-Plex-* headers that identify the device to Plex. They are on every request, on every hop.  Nothing in them changes with a kernel update, a host name or a container id: Plex shows a changed value as a changed device. */
export type IdentityHeaders = {
  /** The id. */
  "X-Plex-Client-Identifier": string;
  /** The operating system's name, without a version. */
  "X-Plex-Device": string;
  /** `DEVICE_NAME`. */
  "X-Plex-Device-Name": string;
  /** Stands in brackets in Plex's "New Device" message, so it is the product's name, too. */
  "X-Plex-Platform": string;
  /** The version of the platform: the worker's. */
  "X-Plex-Platform-Version": string;
  /** `PRODUCT`. */
  "X-Plex-Product": string;
  /** `controller`, as other Plex API clients say it. */
  "X-Plex-Provides": string;
  /** The worker's version. */
  "X-Plex-Version": string;
};

/** Data of `Code::IdentityUnavailable`. */
export type IdentityUnavailable = {
  /** The file or folder that can't be used. */
  "path": string;
  /** What is wrong with it. */
  "reason": string;
};

/** Data of `Code::InvalidParams`. */
export type InvalidParams = {
  /** Where, as a JSON pointer (RFC 6901) into the params. */
  "pointer": string;
  /** What is wrong there; never the value itself. */
  "reason": string;
};

/** Why a device is kept. */
export type Kept = {
  /** For programs. */
  "reason": KeptReason;
  /** A sentence for the user. */
  "why": string;
};

/** Why a device is kept, for programs. */
export type KeptReason = "this_device" | "token_in_use" | "provides" | "connected" | "recent" | "newest" | "unknown_maker" | "not_listed" | "ambiguous_id";

/** One of the account's servers. */
export type KnownServer = {
  /** Its identifier. */
  "machine_identifier": string;
  /** The name its owner gave it. */
  "name": string;
  /** Whether the account owns it. */
  "owned": boolean;
};

/** Result of `server.list`. */
export type ListResult = {
  /** The account's servers, as plex.tv orders them. */
  "servers": Array<Server>;
};

/** Result of `auth.logout`. */
export type LogoutResult = {
  /** Whether plex.tv has ended the token; false also where there was none. */
  "revoked": boolean;
  /** Always false. */
  "signed_in": false;
};

/** HTTP methods that `plex.request` can send. */
export type Method = "GET" | "HEAD" | "POST" | "PUT" | "DELETE" | "OPTIONS" | "PATCH";

/** What a call needs. */
export type Missing = "server" | "token";

/** Data of `Code::NotConfigured`. */
export type NotConfigured = {
  /** What is missing. */
  "missing": Missing;
  /** The file that can't be used, if one is the reason. */
  "path"?: string | null;
  /** Why, and a hint what to do. */
  "reason": string;
  /** The account's servers, if there are several and none was chosen. */
  "servers"?: Array<KnownServer>;
};

/** Where the worker's identity came from. */
export type Origin = "loaded" | "created" | "recovered" | "regenerated" | "reset" | "adopted";

/** How the body is decoded. */
export type Parse = "auto" | "json" | "xml" | "text" | "base64" | "none";

/** Result of `scan.pending`: what waits now. */
export type PendingResult = {
  /** Oldest first. */
  "waiting": Array<PendingScan>;
};

/** Something that waits: a folder, or a scene whose files Stash could not tell. */
export type PendingScan = {
  /** The folder, as Stash sees it. */
  "folder"?: string | null;
  /** Why it waits, for the user. */
  "reason": string;
  /** In place of `folder`: the id of a scene in Stash. */
  "scene"?: string | null;
  /** Key of the only library section that is to be asked; absent for all that hold the folder. */
  "section"?: string | null;
  /** When it began to wait, by this machine's clock (RFC 3339). */
  "since": string;
};

/** A device that a program left behind. */
export type Phantom = {
  /** Of the identifier: whether it can come back. */
  "certainty": Certainty;
  /** The program. */
  "maker": string;
  /** A sentence for the user. */
  "why": string;
};

/** Data of `Code::PlexTimeout`. */
export type PlexTimeout = {
  /** What was being waited for. */
  "phase": TimeoutPhase;
};

/** Data of `Code::PlexUnreachable`. */
export type PlexUnreachable = {
  /** What failed. */
  "kind": UnreachableKind;
};

/** A plugin's result. An empty `error` would be an error without a text. */
export type PluginOutput = {
  /** Why it failed; null if it succeeded. */
  "error": string | null;
  /** The result. */
  "output": unknown;
};

/** Params of `method::PROGRESS`. */
export type Progress = {
  /** Entries of the listing so far; seconds of a sign-in or of a wait for a file; devices that were removed. */
  "done": number;
  /** The call's `progress_token`, as it was sent. */
  "token": Id;
  /** Entries in all, if known; seconds that its code lasts. */
  "total": number | null;
};

/** String, number, boolean (sent as `1` or `0`) or null (left out). */
export type QueryScalar = string | number | boolean | null;

/** One value of a query. */
export type QueryValue = QueryScalar | Array<QueryScalar>;

/** Data of `Code::RefusedByPlex`. */
export type RefusedByPlex = {
  /** `plex.scan` only: the sections that took the scan. */
  "asked"?: Array<SectionScan> | null;
  /** Plex's own message, at most 200 characters, without secrets and control characters; may be empty. */
  "message": string;
  /** `plex.scan` only: the sections that refused it; none if Plex refused to list its sections. */
  "refused"?: Array<SectionScan> | null;
  /** Origin of the server that refused: scheme, host and port. */
  "server": string;
  /** HTTP status of the response. */
  "status": number;
};

/** A device that is kept. */
export type RefusedDevice = {
  /** Its id. */
  "id": string;
  /** Why, for programs. */
  "reason": KeptReason;
  /** Why, for the user. */
  "why": string;
};

/** Result of `plex.request`. */
export type RequestResult = {
  /** Attempts; hops of a redirect do not count. */
  "attempts": number;
  /** The body; `body_encoding` says what it holds. */
  "body": unknown;
  /** What `body` holds. */
  "body_encoding": BodyEncoding;
  /** Why the body could not be decoded as it claims to be. */
  "body_error"?: string | null;
  /** Time for the whole call, in milliseconds. */
  "elapsed_ms": number;
  /** Response headers under lower-case names; repeated ones joined with `, `. */
  "headers": { [name: string]: string };
  /** Whether the status is 2xx. */
  "ok": boolean;
  /** HTTP status. */
  "status": number;
  /** The last URL, without secrets. */
  "url": string;
  /** A sentence for the user about the server or the token that was used. */
  "warning"?: string | null;
};

/** Result of `identity.reset`. */
export type ResetResult = {
  /** The id, exactly as on disk. */
  "device_id": string;
  /** Always `DEVICE_NAME`. */
  "device_name": "PlexSync Plugin";
  /** The identity headers, for a host that makes its own requests. */
  "headers": IdentityHeaders;
  /** Where it came from. */
  "origin": Origin;
  /** The file it lives in. */
  "path": string;
  /** The id before; null where there was none. */
  "previous": string | null;
  /** Always `PRODUCT`. */
  "product": "PlexSync";
  /** A sentence for the user when something happened to the file. */
  "warning"?: string | null;
};

/** The members of `args` for the worker; others are ignored. */
export type RunArgs = {
  /** `true` or `"true"` (manifest values are strings): `identity.reset` without params is meant. Anything else does not count. */
  "confirm"?: unknown;
  /** Present when a hook started the plugin. */
  "hookContext"?: HookContext | null;
  /** Name of one of the worker's methods. */
  "method"?: string | null;
  /** Its params: an object, or a string that holds one (manifest values are strings). */
  "params"?: RunParams | null;
  /** `true` or `"true"`: `auth.start` waits until its code was entered, as `auth.finish` does, for 15 minutes at most. Anything else does not count. */
  "wait"?: unknown;
};

/** The params of a method: an object, or a string that holds one. */
export type RunParams = { [name: string]: unknown } | string;

/** What became of a scan. */
export type ScanOutcome = "asked" | "skipped" | "waiting" | "nothing";

/** Result of `plex.scan`. Keys are strings: Stash rounds integers above 2^53. */
export type ScanResult = {
  /** The other sections that hold the folder, in Plex's order; in a Stash hook the scene's other folders, too. */
  "also"?: Array<SectionScan>;
  /** The folder that Plex was asked to look at. */
  "folder"?: string | null;
  /** With `wait_ms`: the items that have the file. */
  "items"?: Array<FoundItem> | null;
  /** What became of it. */
  "outcome": ScanOutcome;
  /** Key of the library section whose location is nearest to the folder. */
  "section"?: string | null;
  /** A Stash task that names no folder: `all`, or the key of the one section. */
  "sections"?: string | null;
  /** HTTP status of Plex's response. */
  "status"?: number | null;
  /** With `wait_ms`: how the wait ended. */
  "waited"?: Waited | null;
  /** With `sections`: how many folders wait. */
  "waiting"?: number | null;
  /** A sentence for the user about the server or the token that was used. */
  "warning"?: string | null;
};

/** A folder that one library section was asked to look at. */
export type SectionScan = {
  /** The folder in the spelling of the section's location. */
  "folder": string;
  /** Key of the library section. */
  "section": string;
  /** HTTP status of Plex's response. */
  "status": number;
};

/** One of the account's servers. */
export type Server = {
  /** Whether the user chose it with `server.choose`. */
  "chosen": boolean;
  /** Where it may be reached. */
  "connections": Array<Connection>;
  /** Whether calls that name no server go to it. */
  "in_use": boolean;
  /** Its identifier. */
  "machine_identifier": string;
  /** The name that its owner gave it. */
  "name": string;
  /** Whether plex.tv sees it online. */
  "online": boolean;
  /** Whether the account owns it; else it is shared with it. */
  "owned": boolean;
  /** Its version, where plex.tv knows it. */
  "version"?: string | null;
};

/** How to reach the parent Stash, under the names of Go's struct. */
export type ServerConnection = {
  /** Folder of Stash's configuration. */
  "Dir"?: string;
  /** The address Stash listens on; `0.0.0.0` means this machine. */
  "Host"?: string;
  /** Folder of the plugin, perhaps relative to the working folder. */
  "PluginDir"?: string;
  /** The port. */
  "Port"?: number;
  /** `http` or `https`. */
  "Scheme"?: string;
  /** The session, null when Stash could not encode one. */
  "SessionCookie"?: SessionCookie | null;
};

/** The account's server that is used. */
export type ServerInUse = {
  /** Its identifier. */
  "machine_identifier": string;
  /** The name that its owner gave it. */
  "name": string;
  /** The way to it. */
  "uri": string;
};

/** A session cookie: the two members of Go's `http.Cookie` that matter. */
export type SessionCookie = {
  /** Name of the cookie. */
  "Name": string;
  /** Its value: a secret. */
  "Value": string;
};

/** A code for the user, in the words of RFC 8628. */
export type SignInCode = {
  /** When it expires, by this machine's clock (RFC 3339). */
  "expires_at": string;
  /** Seconds until it expires. */
  "expires_in": number;
  /** Whether it was told before. */
  "pending"?: boolean;
  /** What the user enters: four or more letters and digits. */
  "user_code": string;
  /** Where: `VERIFICATION_URI`. */
  "verification_uri": string;
  /** The same with the code in it, for a link or a QR code. */
  "verification_uri_complete": string;
};

/** Data of `Code::SignInIncomplete`(crate::error::Code::SignInIncomplete). */
export type SignInIncomplete = {
  /** What became of the sign-in. */
  "reason": SignInState;
};

/** What became of a sign-in that was not completed. */
export type SignInState = "none" | "expired" | "refused";

/** A sign-in that is complete. */
export type SignedIn = {
  /** Whose it is. */
  "account": Account;
  /** Names of the servers that the account can use. Left out by an `auth.start` that finds a good sign-in. */
  "servers"?: Array<string> | null;
  /** Always true. */
  "signed_in": true;
  /** A sentence for the user, such as that none of the servers is the account's own. */
  "warning"?: string | null;
};

/** Result of `auth.start`. */
export type StartResult = SignInCode | SignedIn;

/** Result of `auth.status`. */
export type StatusResult = {
  /** Whose it is, where that is known. */
  "account"?: Account | null;
  /** The server that is used, where it is known. */
  "server"?: ServerInUse | null;
  /** Whether the stored token is valid or unknown. */
  "signed_in": boolean;
  /** When it was stored (RFC 3339). */
  "signed_in_at"?: string | null;
  /** What is known of it. */
  "token_state": TokenState;
};

/** What a call was waiting for when it timed out. */
export type TimeoutPhase = "connect" | "response" | "body";

/** What is known of the stored token. */
export type TokenState = "valid" | "invalid" | "unknown" | "none" | "other_device";

/** What failed when Plex could not be reached. */
export type UnreachableKind = "dns" | "connect" | "tls" | "closed" | "protocol";

/** How the wait for an item ended. */
export type Waited = "found" | "ended" | "timeout";

/** A code that was not entered yet. */
export type Waiting = {
  /** When the code expires, by this machine's clock (RFC 3339). */
  "expires_at": string;
  /** Always false. */
  "signed_in": false;
};

/** Every method of the worker: its params and its result. */
export interface Methods {
  /**
   * Returns the identity; creates one if there is none.
   *
   * The id is exactly the one on disk. It is loaded once and held for the whole life of the worker; only identity.reset changes it. `headers` is for a host that makes its own requests.
   */
  "identity.get": {
    "params": { [name: string]: never };
    "result": Identity;
  };

  /**
   * Replaces the identity with a new or a given one.
   *
   * Plex will see a new device. The new id is on disk before the reply is written.
   */
  "identity.reset": {
    "params": {
      /** Adopt this id instead of making a new one: for moving an existing device here. */
      "device_id"?: string | null;
      /** Reset only if this is the id on disk, compared under the lock. */
      "if_device_id"?: string | null;
    };
    "result": ResetResult;
  };

  /**
   * Sends one request to Plex, always as the same device.
   *
   * Any HTTP response is a result, 401 and 503 too. The identity headers are on every hop of a redirect; the token is sent to its own server only.
   */
  "plex.request": {
    "params": {
      /** Starts with one `/`; may hold a query string. */
      "path": string;
      /** Fetch a listing page by page and join the pages. */
      "all_pages"?: boolean;
      /** A string is sent as it is, an object or an array as JSON, exactly as written. */
      "body"?: Body | null;
      /** Bytes to send, in base64. */
      "body_base64"?: string | null;
      /** Added to the headers. */
      "headers"?: { [name: string]: string };
      /** Limit on the decoded body, in bytes. */
      "max_bytes"?: number | null;
      /** The HTTP method. */
      "method"?: Method;
      /** How the body is decoded. */
      "parse"?: Parse;
      /** Ask for `$/progress` notifications with this token: a string or a number. */
      "progress_token"?: Id | null;
      /** Added to the query: string, number, boolean (as `1` and `0`), null (left out), or an array of these. */
      "query"?: { [name: string]: QueryValue };
      /** Retries after a failure. */
      "retries"?: number | null;
      /** Base URL of the server, or the name or identifier of one of the account's servers; default the configured one, else the account's. */
      "server"?: string | null;
      /** Time for the whole call, redirects and retries included, in milliseconds. */
      "timeout_ms"?: number | null;
      /** Overrides the configured token; empty sends none. */
      "token"?: string | null;
    };
    "result": RequestResult;
  };

  /**
   * Asks Plex to look at one folder.
   *
   * Give `path` (a file: its folder is meant) or `folder`, as Plex sees them; in Stash as Stash sees them. Every library section that holds the folder is asked, for the folder in the spelling of its own location. All are asked before an error is returned. In a Stash hook both may be left out: the scene's folders are meant; a Stash task without them asks for all sections.
   */
  "plex.scan": {
    "params": {
      /** A folder, as Plex sees it; absolute. */
      "folder"?: string | null;
      /** In Stash: ask even if Plex was asked for the folder already. Elsewhere Plex always is. */
      "fresh"?: boolean;
      /** A file: its folder is meant. One that ends in a separator is a folder. */
      "path"?: string | null;
      /** Asks for `$/progress` notifications while it waits: seconds so far, and seconds at most. */
      "progress_token"?: Id | null;
      /** Key of the only library section to ask, which must hold the folder. Empty counts as absent: every section that holds the folder is asked. */
      "section"?: string | null;
      /** Base URL of the server, or the name or identifier of one of the account's servers; default the configured one, else the account's. */
      "server"?: string | null;
      /** Time for the call without the wait, in milliseconds. */
      "timeout_ms"?: number | null;
      /** With `path`: wait so long for an item that has the file, in milliseconds. Added to the time of the call. */
      "wait_ms"?: number | null;
    };
    "result": ScanResult;
  };

  /**
   * Finds the items that have a file.
   *
   * Plex's own filter is no exact match; here an item counts only if one of its parts has the file: the same bytes, else the same after Unicode NFC, on Windows without letter case. Paths are as Plex sees them, in Stash as Stash sees them. A section that fails is an error: its files are never `missing`.
   */
  "plex.find": {
    "params": {
      /** A file, as Plex sees it; absolute. In Stash as Stash sees it. */
      "path"?: string | null;
      /** Files, instead of `path`: 1 to 100. */
      "paths"?: Array<string> | null;
      /** Key of the only library section to look into. Empty counts as absent: every section that holds the file is. */
      "section"?: string | null;
      /** Base URL of the server, or the name or identifier of one of the account's servers; default the configured one, else the account's. */
      "server"?: string | null;
      /** Time for the whole call, in milliseconds. */
      "timeout_ms"?: number | null;
    };
    "result": FindResult;
  };

  /**
   * Tells what waits until Plex can be asked to scan it.
   *
   * In Stash a scan that Plex can't take now waits; every later call sends it. `send` sends all now: the first error is the call's.
   */
  "scan.pending": {
    "params": {
      /** Forget all of it. */
      "forget"?: boolean;
      /** Ask Plex for all of it now. Stash only: the paths and their translation are Stash's. */
      "send"?: boolean;
    };
    "result": PendingResult;
  };

  /**
   * Begins a sign-in to plex.tv: returns a code that the user enters on plex.tv/link.
   *
   * The code is on disk before it is returned: auth.finish may be called by any later process. A code that still waits is returned again (`pending`); processes that call this together get one code. Signed in already: the account, unless `renew` is true. A completed sign-in ends the token of the one before.
   */
  "auth.start": {
    "params": {
      /** Begin a new sign-in even if one is stored; once completed, it ends the token before it. */
      "renew"?: boolean;
      /** Time for the whole call, in milliseconds. */
      "timeout_ms"?: number | null;
    };
    "result": StartResult;
  };

  /**
   * Waits until the code was entered, and stores the sign-in.
   *
   * A code that was not entered when the time is over is no error: call this again. The token is stored in the data folder and never returned. Can be called again afterwards, with the same result.
   */
  "auth.finish": {
    "params": {
      /** Asks for `$/progress` notifications, which carry it: seconds that have passed, of those that the code lasts. */
      "progress_token"?: Id;
      /** How long to wait for the code to be entered, in milliseconds; at most 1800000. */
      "timeout_ms"?: number | null;
    };
    "result": FinishResult;
  };

  /**
   * Tells whether this device is signed in, and whether plex.tv still takes its token.
   *
   * Nothing is thrown away, whatever plex.tv says. `other_device`: the sign-in was made for another device id, or at another plex.tv, and is not used.
   */
  "auth.status": {
    "params": {
      /** Ask plex.tv whether the token is good; false tells what is stored and sends nothing. */
      "check"?: boolean;
      /** Time for the whole call, in milliseconds. */
      "timeout_ms"?: number | null;
    };
    "result": StatusResult;
  };

  /**
   * Signs out: ends the token at plex.tv and forgets it here.
   *
   * What is stored is removed in any case; `revoked` tells whether plex.tv has ended the token.
   */
  "auth.logout": {
    "params": {
      /** Time for the whole call, in milliseconds. */
      "timeout_ms"?: number | null;
    };
    "result": LogoutResult;
  };

  /**
   * Lists the account's servers and their connections.
   *
   * With `probe` every connection is tried, without a token. Ends the pause that follows a search in vain.
   */
  "server.list": {
    "params": {
      /** Try every connection, without a token. */
      "probe"?: boolean;
      /** Time for the whole call, in milliseconds. */
      "timeout_ms"?: number | null;
    };
    "result": ListResult;
  };

  /**
   * Chooses the server that calls go to which name none.
   *
   * Its way is found first: a server that can't be reached is not chosen. A configured URL or server is stronger than the choice.
   */
  "server.choose": {
    "params": {
      /** Its name, in any letter case, or its identifier. */
      "server": string;
      /** Time for the whole call, in milliseconds. */
      "timeout_ms"?: number | null;
    };
    "result": ChooseResult;
  };

  /**
   * Lists the account's devices, and which of them a program left behind.
   *
   * Needs a sign-in. A phantom is what a known maker leaves behind, by product and identifier; everything else is none: age proves nothing. `kept_because` is why device.remove keeps a device.
   */
  "device.list": {
    "params": {
      /** A device that was seen within so many days is kept. */
      "days"?: number | null;
      /** Time for the whole call, in milliseconds. */
      "timeout_ms"?: number | null;
    };
    "result": DeviceList;
  };

  /**
   * Removes devices from the account; by default it only tells which ones it would.
   *
   * A removal signs out whatever still uses the device's token. The list is read anew before, and once more afterwards. It stops when the sign-in is over or plex.tv gets too many requests: `left` was not tried.
   */
  "device.remove": {
    "params": {
      /** Ids out of a list: 1 to 100. */
      "ids": Array<string>;
      /** A device that was seen within so many days is kept. */
      "days"?: number | null;
      /** Remove nothing: tell what would be removed. */
      "dry_run"?: boolean;
      /** Remove what is kept because it is `recent` or the `newest`, too. */
      "force"?: boolean;
      /** Asks for `$/progress` notifications after each removal. */
      "progress_token"?: Id | null;
      /** Time for the whole call, in milliseconds. */
      "timeout_ms"?: number | null;
    };
    "result": DeviceRemoval;
  };

  /**
   * Checks data folder, identity, configuration and the connection to Plex.
   *
   * What `plexsync-worker doctor` prints, for hosts without a shell. Shows no secret. If there is no identity yet, the folder can be written and a server is configured, one is created, and a check reports it.
   */
  "doctor.run": {
    "params": {
      /** Create an identity if there is none yet, so that Plex can be asked; false writes nothing. */
      "create"?: boolean;
    };
    "result": DoctorReport;
  };

  /**
   * This document.
   *
   * The name is OpenRPC's. The example is shortened.
   */
  "rpc.discover": {
    "params": { [name: string]: never };
    "result": { [name: string]: unknown };
  };

  /**
   * Stash's call of a plugin with `interface: rpc`.
   *
   * `args.method` names one of the other methods, `args.params` holds its params: an object, or a string that holds one. Other members of `args` are Stash's. A failure is a string in the result's `error`, never an RPC error, because Stash takes every RPC error for success.
   */
  "RPCRunner.Run": {
    "params": {
      /** How to reach the parent Stash. */
      "server_connection": ServerConnection;
      /** The task's, hook's or operation's arguments; Go writes null for none. */
      "args"?: RunArgs | null;
    };
    "result": PluginOutput;
  };

  /**
   * Stash asks the running task to stop.
   *
   * Answered at once. The running call is cancelled: its RPCRunner.Run is answered with an error in the output.
   */
  "RPCRunner.Stop": {
    "params": { [name: string]: never };
    "result": true;
  };
}

/** What the `data` of an error holds, by the error's code. */
export interface ErrorData {
  /** ParseError: fix the request */
  [-32700]: undefined;
  /** InvalidRequest: fix the request */
  [-32600]: undefined;
  /** MethodNotFound: fix the request */
  [-32601]: undefined;
  /** InvalidParams: fix the request: data.pointer says where, data.reason why */
  [-32602]: InvalidParams;
  /** InternalError: report it: the worker has a bug */
  [-32603]: undefined;
  /** Overloaded: wait, then retry */
  [-32000]: undefined;
  /** IdentityUnavailable: show data.path and data.reason to the user; nothing was sent to Plex, nothing was written */
  [-32001]: IdentityUnavailable;
  /** IdentityChanged: decide again with data.device_id */
  [-32002]: IdentityChanged;
  /** PlexUnreachable: data.kind says what failed: retry later, or correct the configuration */
  [-32010]: PlexUnreachable;
  /** PlexTimeout: data.phase says what it was waiting for: retry later, or raise timeout_ms */
  [-32011]: PlexTimeout;
  /** AnswerTooLarge: raise max_bytes or ask for less */
  [-32012]: AnswerTooLarge;
  /** RefusedByPlex: show data.message to the user; data.status 401: sign in again or correct the token */
  [-32013]: RefusedByPlex;
  /** NotConfigured: configure what data.missing names, or send it with the call */
  [-32014]: NotConfigured;
  /** SignInIncomplete: begin again with auth.start */
  [-32015]: SignInIncomplete;
  /** Cancelled: nothing: the call was cancelled or the worker stopped */
  [-32800]: undefined;
}

/** What to do about an error, by its code. */
export const HINTS: { readonly [code: number]: string | undefined };

/** The worker's limits. */
export const LIMITS: {
  "drain_ms": 10000;
  "drain_on_signal_ms": 800;
  "max_batch": 1000;
  "max_message_bytes": 16777216;
  "max_running": 64;
  "max_waiting": 256;
};
