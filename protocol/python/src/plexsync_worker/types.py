"""The values of the contract. Made by `generate.py` from the contract."""

from __future__ import annotations

from typing import Any, Dict, List, Literal, Mapping, Optional, Sequence, TypedDict, Union


class Account(TypedDict):
    """An account, as plex.tv names it."""

    id: int
    """plex.tv's number."""
    title: str
    """The name to show, without what follows an `@`."""
    username: str
    """Without what follows an `@`. Empty for a managed user."""


class AnswerTooLarge(TypedDict):
    """Data of `AnswerTooLarge`."""

    max_bytes: int
    """The limit that was exceeded, in bytes."""


class CancelParams(TypedDict):
    """Params of `CANCEL`."""

    id: Id
    """The id of the call to stop, as it was sent."""


class _Check(TypedDict):
    message: str
    """What was found, for the user."""
    name: str
    """What was checked: `data_folder`, `identity`, `plex_url`, `plex_server` ..."""
    state: CheckState
    """How it ended."""


class Check(_Check, total=False):
    """One thing that was checked."""

    hint: Optional[str]
    """What to do; always present with a warning and a failure."""


class _ChooseResult(TypedDict):
    chosen: bool
    """Whether the user chose it with `server.choose`."""
    connections: List[Connection]
    """Where it may be reached."""
    in_use: bool
    """Whether calls that name no server go to it."""
    machine_identifier: str
    """Its identifier."""
    name: str
    """The name that its owner gave it."""
    online: bool
    """Whether plex.tv sees it online."""
    owned: bool
    """Whether the account owns it; else it is shared with it."""
    uri: str
    """The way to it."""


class ChooseResult(_ChooseResult, total=False):
    """Result of `server.choose`."""

    version: Optional[str]
    """Its version, where plex.tv knows it."""
    warning: Optional[str]
    """A sentence for the user, such as that a setting names another server, which is stronger."""


class _Connection(TypedDict):
    local: bool
    """In the server's own network."""
    relay: bool
    """By way of Plex's relay, which is slow."""
    uri: str
    """Its base URL."""


class Connection(_Connection, total=False):
    """Where a server may be reached."""

    elapsed_ms: Optional[int]
    """With `probe`: after how many milliseconds it answered, or the try ended."""
    problem: Optional[str]
    """With `probe`: why it is not reachable."""
    reachable: Optional[bool]
    """With `probe`: whether this very server answers there."""


class Device(TypedDict):
    """One row of plex.tv's list. Texts are without control characters."""

    created_at: Optional[str]
    """When Plex saw it first (RFC 3339); null if plex.tv does not say so."""
    device_id: str
    """Its `X-Plex-Client-Identifier`."""
    id: str
    """plex.tv's number of the row."""
    kept_because: Optional[Kept]
    """Why `device.remove` keeps it; null if nothing does."""
    last_seen_at: Optional[str]
    """When Plex saw it last (RFC 3339); null if plex.tv does not say so."""
    name: str
    """Its name."""
    phantom: Optional[Phantom]
    """What is known to have left it behind; null for everything else: age proves nothing."""
    platform: str
    """The platform that it says it runs on."""
    product: str
    """The product that it says it is."""
    provides: str
    """What it can do: a comma list."""
    this: bool
    """Whether it is this worker's own."""
    version: str
    """The product's version."""


class DeviceList(TypedDict):
    """Result of `device.list`."""

    devices: List[Device]
    """The devices, in plex.tv's order."""


class _DeviceRemoval(TypedDict):
    dry_run: bool
    """Whether nothing was removed, because that was not asked for."""
    failed: List[FailedDevice]
    """The ids that plex.tv did not remove, or still lists."""
    left: List[str]
    """The ids that were not tried: plex.tv said that the sign-in is over, or that there were too
    many requests, or it gave no answer."""
    refused: List[RefusedDevice]
    """The ids that are kept."""
    removed: List[str]
    """The ids that are gone."""


class DeviceRemoval(_DeviceRemoval, total=False):
    """Result of `device.remove`."""

    warning: Optional[str]
    """A sentence for the user."""
    would_remove: Optional[List[str]]
    """A dry run: the ids that would be removed."""


class DoctorReport(TypedDict):
    """Result of `doctor.run`."""

    checks: List[Check]
    """The checks, in the order in which they were made."""
    worst: CheckState
    """The worst state of all checks."""


class FailedDevice(TypedDict):
    """A device that plex.tv did not remove."""

    id: str
    """Its id."""
    status: Optional[int]
    """The HTTP status of plex.tv's answer; null if there was none."""


class _FindResult(TypedDict):
    items: List[FoundItem]
    """The items, in the order of the paths. A file may belong to several: two sections, or two
    episodes in one file."""
    missing: List[str]
    """The paths that no item has."""
    unheld: List[str]
    """Those of them that no library section holds."""


class FindResult(_FindResult, total=False):
    """Result of `plex.find`."""

    warning: Optional[str]
    """A sentence for the user about the server or the token that was used."""


class FoundItem(TypedDict):
    """An item that has one of the files. Keys are strings: Stash rounds integers above 2^53."""

    file: str
    """The file, as Plex spells it."""
    path: str
    """The file, as the call names it."""
    rating_key: str
    """The item's key: its metadata is at `/library/metadata/<rating_key>`."""
    section: str
    """Key of its library section."""
    title: str
    """Its title; empty if it has none."""
    type: str
    """`movie`, `episode`, `track` or `photo`."""


class HookContext(TypedDict, total=False):
    """Which hook runs, and for what."""

    id: Any
    """Id of the scene, image, ... that the hook is about; 0 or absent if there is none."""
    input: Any
    """What the user sent: null, object, array or string."""
    type: str
    """The trigger, as `Scene.Create.Post`."""


class _Identity(TypedDict):
    device_id: str
    """The id, exactly as on disk."""
    device_name: Literal['PlexSync Plugin']
    """Always `DEVICE_NAME`."""
    headers: IdentityHeaders
    """The identity headers, for a host that makes its own requests."""
    origin: Origin
    """Where it came from."""
    path: str
    """The file it lives in."""
    product: Literal['PlexSync']
    """Always `PRODUCT`."""


class Identity(_Identity, total=False):
    """Result of `identity.get` and, with `previous`, of `identity.reset`."""

    warning: Optional[str]
    """A sentence for the user when something happened to the file."""


class IdentityChanged(TypedDict):
    """Data of `IdentityChanged`."""

    device_id: Optional[str]
    """The id on disk; null if there is none."""


IdentityHeaders = TypedDict(
    'IdentityHeaders',
    {
        'X-Plex-Client-Identifier': str,
        'X-Plex-Device': str,
        'X-Plex-Device-Name': str,
        'X-Plex-Platform': str,
        'X-Plex-Platform-Version': str,
        'X-Plex-Product': str,
        'X-Plex-Provides': str,
        'X-Plex-Version': str,
    },
)
"""The X-Plex-* headers that identify the device to Plex. They are on every request, on every hop.
Nothing in them changes with a kernel update, a host name or a container id: Plex shows a changed
value as a changed device."""


class IdentityUnavailable(TypedDict):
    """Data of `IdentityUnavailable`."""

    path: str
    """The file or folder that can't be used."""
    reason: str
    """What is wrong with it."""


class InvalidParams(TypedDict):
    """Data of `InvalidParams`."""

    pointer: str
    """Where, as a JSON pointer (RFC 6901) into the params."""
    reason: str
    """What is wrong there; never the value itself."""


class Kept(TypedDict):
    """Why a device is kept."""

    reason: KeptReason
    """For programs."""
    why: str
    """A sentence for the user."""


class KnownServer(TypedDict):
    """One of the account's servers."""

    machine_identifier: str
    """Its identifier."""
    name: str
    """The name its owner gave it."""
    owned: bool
    """Whether the account owns it."""


class ListResult(TypedDict):
    """Result of `server.list`."""

    servers: List[Server]
    """The account's servers, as plex.tv orders them."""


class LogoutResult(TypedDict):
    """Result of `auth.logout`."""

    revoked: bool
    """Whether plex.tv has ended the token; false also where there was none."""
    signed_in: Literal[False]
    """Always false."""


class _NotConfigured(TypedDict):
    missing: Missing
    """What is missing."""
    reason: str
    """Why, and a hint what to do."""


class NotConfigured(_NotConfigured, total=False):
    """Data of `NotConfigured`."""

    path: Optional[str]
    """The file that can't be used, if one is the reason."""
    servers: List[KnownServer]
    """The account's servers, if there are several and none was chosen."""


class PendingResult(TypedDict):
    """Result of `scan.pending`: what waits now."""

    waiting: List[PendingScan]
    """Oldest first."""


class _PendingScan(TypedDict):
    reason: str
    """Why it waits, for the user."""
    since: str
    """When it began to wait, by this machine's clock (RFC 3339)."""


class PendingScan(_PendingScan, total=False):
    """Something that waits: a folder, or a scene whose files Stash could not tell."""

    folder: Optional[str]
    """The folder, as Stash sees it."""
    scene: Optional[str]
    """In place of `folder`: the id of a scene in Stash."""
    section: Optional[str]
    """Key of the only library section that is to be asked; absent for all that hold the folder."""


class Phantom(TypedDict):
    """A device that a program left behind."""

    certainty: Certainty
    """Of the identifier: whether it can come back."""
    maker: str
    """The program."""
    why: str
    """A sentence for the user."""


class PlexTimeout(TypedDict):
    """Data of `PlexTimeout`."""

    phase: TimeoutPhase
    """What was being waited for."""


class PlexUnreachable(TypedDict):
    """Data of `PlexUnreachable`."""

    kind: UnreachableKind
    """What failed."""


class PluginOutput(TypedDict):
    """A plugin's result. An empty `error` would be an error without a text."""

    error: Optional[str]
    """Why it failed; null if it succeeded."""
    output: Any
    """The result."""


class Progress(TypedDict):
    """Params of `PROGRESS`."""

    done: int
    """Entries of the listing so far; seconds of a sign-in or of a wait for a file; devices that
    were removed."""
    token: Id
    """The call's `progress_token`, as it was sent."""
    total: Optional[int]
    """Entries in all, if known; seconds that its code lasts."""


class _RefusedByPlex(TypedDict):
    message: str
    """Plex's own message, at most 200 characters, without secrets and control characters; may be
    empty."""
    server: str
    """Origin of the server that refused: scheme, host and port."""
    status: int
    """HTTP status of the response."""


class RefusedByPlex(_RefusedByPlex, total=False):
    """Data of `RefusedByPlex`."""

    asked: Optional[List[SectionScan]]
    """`plex.scan` only: the sections that took the scan."""
    refused: Optional[List[SectionScan]]
    """`plex.scan` only: the sections that refused it; none if Plex refused to list its sections."""


class RefusedDevice(TypedDict):
    """A device that is kept."""

    id: str
    """Its id."""
    reason: KeptReason
    """Why, for programs."""
    why: str
    """Why, for the user."""


class _RequestResult(TypedDict):
    attempts: int
    """Attempts; hops of a redirect do not count."""
    body: Any
    """The body; `body_encoding` says what it holds."""
    body_encoding: BodyEncoding
    """What `body` holds."""
    elapsed_ms: int
    """Time for the whole call, in milliseconds."""
    headers: Dict[str, str]
    """Response headers under lower-case names; repeated ones joined with `, `."""
    ok: bool
    """Whether the status is 2xx."""
    status: int
    """HTTP status."""
    url: str
    """The last URL, without secrets."""


class RequestResult(_RequestResult, total=False):
    """Result of `plex.request`."""

    body_error: Optional[str]
    """Why the body could not be decoded as it claims to be."""
    warning: Optional[str]
    """A sentence for the user about the server or the token that was used."""


class _ResetResult(TypedDict):
    device_id: str
    """The id, exactly as on disk."""
    device_name: Literal['PlexSync Plugin']
    """Always `DEVICE_NAME`."""
    headers: IdentityHeaders
    """The identity headers, for a host that makes its own requests."""
    origin: Origin
    """Where it came from."""
    path: str
    """The file it lives in."""
    previous: Optional[str]
    """The id before; null where there was none."""
    product: Literal['PlexSync']
    """Always `PRODUCT`."""


class ResetResult(_ResetResult, total=False):
    """Result of `identity.reset`."""

    warning: Optional[str]
    """A sentence for the user when something happened to the file."""


class RunArgs(TypedDict, total=False):
    """The members of `args` for the worker; others are ignored."""

    confirm: Any
    """`true` or `"true"` (manifest values are strings): `identity.reset` without params is meant.
    Anything else does not count."""
    hookContext: Optional[HookContext]
    """Present when a hook started the plugin."""
    method: Optional[str]
    """Name of one of the worker's methods."""
    params: Optional[RunParams]
    """Its params: an object, or a string that holds one (manifest values are strings)."""
    wait: Any
    """`true` or `"true"`: `auth.start` waits until its code was entered, as `auth.finish` does, for
    15 minutes at most. Anything else does not count."""


class _ScanResult(TypedDict):
    outcome: ScanOutcome
    """What became of it."""


class ScanResult(_ScanResult, total=False):
    """Result of `plex.scan`. Keys are strings: Stash rounds integers above 2^53."""

    also: List[SectionScan]
    """The other sections that hold the folder, in Plex's order; in a Stash hook the scene's other
    folders, too."""
    folder: Optional[str]
    """The folder that Plex was asked to look at."""
    items: Optional[List[FoundItem]]
    """With `wait_ms`: the items that have the file."""
    section: Optional[str]
    """Key of the library section whose location is nearest to the folder."""
    sections: Optional[str]
    """A Stash task that names no folder: `all`, or the key of the one section."""
    status: Optional[int]
    """HTTP status of Plex's response."""
    waited: Optional[Waited]
    """With `wait_ms`: how the wait ended."""
    waiting: Optional[int]
    """With `sections`: how many folders wait."""
    warning: Optional[str]
    """A sentence for the user about the server or the token that was used."""


class SectionScan(TypedDict):
    """A folder that one library section was asked to look at."""

    folder: str
    """The folder in the spelling of the section's location."""
    section: str
    """Key of the library section."""
    status: int
    """HTTP status of Plex's response."""


class _Server(TypedDict):
    chosen: bool
    """Whether the user chose it with `server.choose`."""
    connections: List[Connection]
    """Where it may be reached."""
    in_use: bool
    """Whether calls that name no server go to it."""
    machine_identifier: str
    """Its identifier."""
    name: str
    """The name that its owner gave it."""
    online: bool
    """Whether plex.tv sees it online."""
    owned: bool
    """Whether the account owns it; else it is shared with it."""


class Server(_Server, total=False):
    """One of the account's servers."""

    version: Optional[str]
    """Its version, where plex.tv knows it."""


class ServerConnection(TypedDict, total=False):
    """How to reach the parent Stash, under the names of Go's struct."""

    Dir: str
    """Folder of Stash's configuration."""
    Host: str
    """The address Stash listens on; `0.0.0.0` means this machine."""
    PluginDir: str
    """Folder of the plugin, perhaps relative to the working folder."""
    Port: int
    """The port."""
    Scheme: str
    """`http` or `https`."""
    SessionCookie: Optional[SessionCookie]
    """The session, null when Stash could not encode one."""


class ServerInUse(TypedDict):
    """The account's server that is used."""

    machine_identifier: str
    """Its identifier."""
    name: str
    """The name that its owner gave it."""
    uri: str
    """The way to it."""


class SessionCookie(TypedDict):
    """A session cookie: the two members of Go's `http.Cookie` that matter."""

    Name: str
    """Name of the cookie."""
    Value: str
    """Its value: a secret."""


class _SignInCode(TypedDict):
    expires_at: str
    """When it expires, by this machine's clock (RFC 3339)."""
    expires_in: int
    """Seconds until it expires."""
    user_code: str
    """What the user enters: four or more letters and digits."""
    verification_uri: str
    """Where: `VERIFICATION_URI`."""
    verification_uri_complete: str
    """The same with the code in it, for a link or a QR code."""


class SignInCode(_SignInCode, total=False):
    """A code for the user, in the words of RFC 8628."""

    pending: bool
    """Whether it was told before."""


class SignInIncomplete(TypedDict):
    """Data of `SignInIncomplete`."""

    reason: SignInState
    """What became of the sign-in."""


class _SignedIn(TypedDict):
    account: Account
    """Whose it is."""
    signed_in: Literal[True]
    """Always true."""


class SignedIn(_SignedIn, total=False):
    """A sign-in that is complete."""

    servers: Optional[List[str]]
    """Names of the servers that the account can use. Left out by an `auth.start` that finds a good
    sign-in."""
    warning: Optional[str]
    """A sentence for the user, such as that none of the servers is the account's own."""


class _StatusResult(TypedDict):
    signed_in: bool
    """Whether the stored token is valid or unknown."""
    token_state: TokenState
    """What is known of it."""


class StatusResult(_StatusResult, total=False):
    """Result of `auth.status`."""

    account: Optional[Account]
    """Whose it is, where that is known."""
    server: Optional[ServerInUse]
    """The server that is used, where it is known."""
    signed_in_at: Optional[str]
    """When it was stored (RFC 3339)."""


class Waiting(TypedDict):
    """A code that was not entered yet."""

    expires_at: str
    """When the code expires, by this machine's clock (RFC 3339)."""
    signed_in: Literal[False]
    """Always false."""


Body = Union[str, Mapping[str, Any], Sequence[Any]]
"""A body: a string is sent as it is, the others as JSON."""


BodyEncoding = Literal['json', 'xml', 'text', 'base64', 'none']
"""What `body` holds.

- `json`: The JSON value that the server sent.
- `xml`: A JSON value made of the XML that the server sent.
- `text`: A string.
- `base64`: A string: base64 of the bytes (RFC 4648, section 4).
- `none`: Null.
"""


Certainty = Literal['sure', 'likely']
"""How sure it is that nothing uses an identifier again.

- `sure`: It was drawn at random, and never comes back.
- `likely`: An installation may still use it.
"""


CheckState = Literal['ok', 'warning', 'failure']
"""How a check ended.

- `ok`: Nothing to do.
- `warning`: It works, but should be looked at.
- `failure`: It does not work.
"""


FinishResult = Union[SignedIn, Waiting]
"""Result of `auth.finish`."""


Id = Union[str, float]
"""An id, or a token that is given back as it came."""


KeptReason = Literal['this_device', 'token_in_use', 'provides', 'connected', 'recent', 'newest', 'unknown_maker', 'not_listed', 'ambiguous_id']
"""Why a device is kept, for programs.

- `this_device`: It is this worker's own.
- `token_in_use`: Its token is used here.
- `provides`: It is a server, a player or another thing that others use.
- `connected`: It has a connection, or synchronised items.
- `recent`: It was seen within the days, or there is no time to tell. `force` lifts this.
- `newest`: It is the newest of its maker, and may carry a living token. `force` lifts this.
- `unknown_maker`: It is no phantom.
- `not_listed`: `device.remove`: the list does not have it.
- `ambiguous_id`: `device.remove`: the list has several with this id.
"""


Method = Literal['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH']
"""HTTP methods that `plex.request` can send."""


Missing = Literal['server', 'token']
"""What a call needs.

- `server`: The server's URL.
- `token`: The token.
"""


Origin = Literal['loaded', 'created', 'recovered', 'regenerated', 'reset', 'adopted']
"""Where the worker's identity came from.

- `loaded`: It was on disk.
- `created`: There was no file: it is new.
- `recovered`: The file was missing or damaged: it was taken from the backup.
- `regenerated`: The file was damaged and there was no backup: it is new, and Plex will see a new
  device.
- `reset`: `identity.reset` made it.
- `adopted`: `identity.reset` was given it.
"""


Parse = Literal['auto', 'json', 'xml', 'text', 'base64', 'none']
"""How the body is decoded.

- `auto`: By content type; if there is none, by its first characters.
- `json`: As JSON.
- `xml`: As XML, turned into the shape of Plex's own JSON.
- `text`: As text in its charset.
- `base64`: As base64 of the bytes.
- `none`: Not at all: `body` is null.
"""


QueryScalar = Union[str, float, bool, None]
"""String, number, boolean (sent as `1` or `0`) or null (left out)."""


QueryValue = Union[QueryScalar, Sequence[QueryScalar]]
"""One value of a query."""


RunParams = Union[Mapping[str, Any], str]
"""The params of a method: an object, or a string that holds one."""


ScanOutcome = Literal['asked', 'skipped', 'waiting', 'nothing']
"""What became of a scan.

- `asked`: Plex was asked, and took it.
- `skipped`: Stash only: Plex was asked for the folder after everything in it was there.
- `waiting`: Stash only: Plex is away; it is asked later.
- `nothing`: Stash only: there is nothing to ask Plex for.
"""


SignInState = Literal['none', 'expired', 'refused']
"""What became of a sign-in that was not completed.

- `none`: None was begun.
- `expired`: Its code was not entered in time.
- `refused`: plex.tv refused it.
"""


StartResult = Union[SignInCode, SignedIn]
"""Result of `auth.start`."""


TimeoutPhase = Literal['connect', 'response', 'body']
"""What a call was waiting for when it timed out.

- `connect`: The connection.
- `response`: The head of the response.
- `body`: The body.
"""


TokenState = Literal['valid', 'invalid', 'unknown', 'none', 'other_device']
"""What is known of the stored token.

- `valid`: plex.tv takes it.
- `invalid`: plex.tv refuses it: sign in again.
- `unknown`: plex.tv was not asked, or gave no answer that says anything.
- `none`: There is none.
- `other_device`: It was made for another device id, or at another plex.tv: it is not used.
"""


UnreachableKind = Literal['dns', 'connect', 'tls', 'closed', 'protocol']
"""What failed when Plex could not be reached.

- `dns`: The server's name has no address.
- `connect`: Nothing listens there, or there is no route.
- `tls`: No TLS, or a certificate that is not trusted.
- `closed`: The connection was closed before the end of the response.
- `protocol`: The response is not HTTP.
"""


Waited = Literal['found', 'ended', 'timeout']
"""How the wait for an item ended.

- `found`: `items` have the file.
- `ended`: The scan has ended without it.
- `timeout`: The time is over.
"""
