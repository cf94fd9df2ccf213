"""The methods of the contract. Made by `generate.py` from the contract."""

from __future__ import annotations

from typing import Any, Dict, Literal, Mapping, Optional, Sequence, Union

from . import types
from ._pending import OnProgress, Pending

TIMES: Dict[str, Dict[str, int]] = {
    "plex.request": {"timeout_ms": 30000},
    "plex.scan": {"timeout_ms": 30000, "wait_ms": 0},
    "plex.find": {"timeout_ms": 30000},
    "auth.start": {"timeout_ms": 30000},
    "auth.finish": {"timeout_ms": 60000},
    "auth.status": {"timeout_ms": 30000},
    "auth.logout": {"timeout_ms": 30000},
    "server.list": {"timeout_ms": 30000},
    "server.choose": {"timeout_ms": 30000},
    "device.list": {"timeout_ms": 30000},
    "device.remove": {"timeout_ms": 30000},
}
"""How long the worker takes for a call at most: the params that say it, and their defaults (ms)."""


class Methods:
    """Each waits for its result."""

    def _call(self, method: str, params: Dict[str, Any], **how: Any) -> Any:
        raise NotImplementedError

    def identity_get(
        self,
        *,
        timeout: Optional[float] = None,
    ) -> types.Identity:
        """`identity.get`. Returns the identity; creates one if there is none.

        The id is exactly the one on disk. It is loaded once and held for the whole life of the
        worker; only identity.reset changes it. `headers` is for a host that makes its own requests.

        timeout: how long to wait, in seconds; by default a little longer than the worker takes.
        """
        return self._call(
            "identity.get", {}, timeout=timeout
        )

    def identity_reset(
        self,
        *,
        device_id: Optional[str] = None,
        if_device_id: Optional[str] = None,
        timeout: Optional[float] = None,
    ) -> types.ResetResult:
        """`identity.reset`. Replaces the identity with a new or a given one.

        Plex will see a new device. The new id is on disk before the reply is written.

        device_id: Adopt this id instead of making a new one: for moving an existing device here.
        if_device_id: Reset only if this is the id on disk, compared under the lock.
        timeout: how long to wait, in seconds; by default a little longer than the worker takes.
        """
        return self._call(
            "identity.reset", {"device_id": device_id, "if_device_id": if_device_id},
            timeout=timeout
        )

    def plex_request(
        self,
        *,
        path: str,
        all_pages: Optional[bool] = None,
        body: Optional[types.Body] = None,
        body_base64: Optional[str] = None,
        headers: Optional[Mapping[str, str]] = None,
        max_bytes: Optional[int] = None,
        method: Optional[types.Method] = None,
        parse: Optional[types.Parse] = None,
        query: Optional[Mapping[str, types.QueryValue]] = None,
        retries: Optional[int] = None,
        server: Optional[str] = None,
        timeout_ms: Optional[int] = None,
        token: Optional[str] = None,
        on_progress: Optional[OnProgress] = None,
        timeout: Optional[float] = None,
    ) -> types.RequestResult:
        """`plex.request`. Sends one request to Plex, always as the same device.

        Any HTTP response is a result, 401 and 503 too. The identity headers are on every hop of a
        redirect; the token is sent to its own server only.

        path: Starts with one `/`; may hold a query string.
        all_pages: Fetch a listing page by page and join the pages.
        body: A string is sent as it is, an object or an array as JSON, exactly as written.
        body_base64: Bytes to send, in base64.
        headers: Added to the headers.
        max_bytes: Limit on the decoded body, in bytes.
        method: The HTTP method.
        parse: How the body is decoded.
        query: Added to the query: string, number, boolean (as `1` and `0`), null (left out), or an
            array of these.
        retries: Retries after a failure.
        server: Base URL of the server, or the name or identifier of one of the account's servers;
            default the configured one, else the account's.
        timeout_ms: Time for the whole call, redirects and retries included, in milliseconds.
        token: Overrides the configured token; empty sends none.
        on_progress: gets the newest progress, while the call is waited for.
        timeout: how long to wait, in seconds; by default a little longer than the worker takes.
        """
        return self._call(
            "plex.request", {"path": path, "all_pages": all_pages, "body": body, "body_base64":
            body_base64, "headers": headers, "max_bytes": max_bytes, "method": method, "parse":
            parse, "query": query, "retries": retries, "server": server, "timeout_ms": timeout_ms,
            "token": token}, timeout=timeout, on_progress=on_progress
        )

    def plex_scan(
        self,
        *,
        folder: Optional[str] = None,
        fresh: Optional[bool] = None,
        path: Optional[str] = None,
        section: Optional[str] = None,
        server: Optional[str] = None,
        timeout_ms: Optional[int] = None,
        wait_ms: Optional[int] = None,
        on_progress: Optional[OnProgress] = None,
        timeout: Optional[float] = None,
    ) -> types.ScanResult:
        """`plex.scan`. Asks Plex to look at one folder.

        Give `path` (a file: its folder is meant) or `folder`, as Plex sees them; in Stash as Stash
        sees them. Every library section that holds the folder is asked, for the folder in the
        spelling of its own location. All are asked before an error is returned. In a Stash hook
        both may be left out: the scene's folders are meant; a Stash task without them asks for all
        sections.

        folder: A folder, as Plex sees it; absolute.
        fresh: In Stash: ask even if Plex was asked for the folder already. Elsewhere Plex always
            is.
        path: A file: its folder is meant. One that ends in a separator is a folder.
        section: Key of the only library section to ask, which must hold the folder. Empty counts as
            absent: every section that holds the folder is asked.
        server: Base URL of the server, or the name or identifier of one of the account's servers;
            default the configured one, else the account's.
        timeout_ms: Time for the call without the wait, in milliseconds.
        wait_ms: With `path`: wait so long for an item that has the file, in milliseconds. Added to
            the time of the call.
        on_progress: gets the newest progress, while the call is waited for.
        timeout: how long to wait, in seconds; by default a little longer than the worker takes.
        """
        return self._call(
            "plex.scan", {"folder": folder, "fresh": fresh, "path": path, "section": section,
            "server": server, "timeout_ms": timeout_ms, "wait_ms": wait_ms}, timeout=timeout,
            on_progress=on_progress
        )

    def plex_find(
        self,
        *,
        path: Optional[str] = None,
        paths: Optional[Sequence[str]] = None,
        section: Optional[str] = None,
        server: Optional[str] = None,
        timeout_ms: Optional[int] = None,
        timeout: Optional[float] = None,
    ) -> types.FindResult:
        """`plex.find`. Finds the items that have a file.

        Plex's own filter is no exact match; here an item counts only if one of its parts has the
        file: the same bytes, else the same after Unicode NFC, on Windows without letter case. Paths
        are as Plex sees them, in Stash as Stash sees them. A section that fails is an error: its
        files are never `missing`.

        path: A file, as Plex sees it; absolute. In Stash as Stash sees it.
        paths: Files, instead of `path`: 1 to 100.
        section: Key of the only library section to look into. Empty counts as absent: every section
            that holds the file is.
        server: Base URL of the server, or the name or identifier of one of the account's servers;
            default the configured one, else the account's.
        timeout_ms: Time for the whole call, in milliseconds.
        timeout: how long to wait, in seconds; by default a little longer than the worker takes.
        """
        return self._call(
            "plex.find", {"path": path, "paths": paths, "section": section, "server": server,
            "timeout_ms": timeout_ms}, timeout=timeout
        )

    def scan_pending(
        self,
        *,
        forget: Optional[bool] = None,
        send: Optional[bool] = None,
        timeout: Optional[float] = None,
    ) -> types.PendingResult:
        """`scan.pending`. Tells what waits until Plex can be asked to scan it.

        In Stash a scan that Plex can't take now waits; every later call sends it. `send` sends all
        now: the first error is the call's.

        forget: Forget all of it.
        send: Ask Plex for all of it now. Stash only: the paths and their translation are Stash's.
        timeout: how long to wait, in seconds; by default a little longer than the worker takes.
        """
        return self._call(
            "scan.pending", {"forget": forget, "send": send}, timeout=timeout
        )

    def auth_start(
        self,
        *,
        renew: Optional[bool] = None,
        timeout_ms: Optional[int] = None,
        timeout: Optional[float] = None,
    ) -> types.StartResult:
        """`auth.start`. Begins a sign-in to plex.tv: returns a code that the user enters on plex.tv/link.

        The code is on disk before it is returned: auth.finish may be called by any later process. A
        code that still waits is returned again (`pending`); processes that call this together get
        one code. Signed in already: the account, unless `renew` is true. A completed sign-in ends
        the token of the one before.

        renew: Begin a new sign-in even if one is stored; once completed, it ends the token before
            it.
        timeout_ms: Time for the whole call, in milliseconds.
        timeout: how long to wait, in seconds; by default a little longer than the worker takes.
        """
        return self._call(
            "auth.start", {"renew": renew, "timeout_ms": timeout_ms}, timeout=timeout
        )

    def auth_finish(
        self,
        *,
        timeout_ms: Optional[int] = None,
        on_progress: Optional[OnProgress] = None,
        timeout: Optional[float] = None,
    ) -> types.FinishResult:
        """`auth.finish`. Waits until the code was entered, and stores the sign-in.

        A code that was not entered when the time is over is no error: call this again. The token is
        stored in the data folder and never returned. Can be called again afterwards, with the same
        result.

        timeout_ms: How long to wait for the code to be entered, in milliseconds; at most 1800000.
        on_progress: gets the newest progress, while the call is waited for.
        timeout: how long to wait, in seconds; by default a little longer than the worker takes.
        """
        return self._call(
            "auth.finish", {"timeout_ms": timeout_ms}, timeout=timeout, on_progress=on_progress
        )

    def auth_status(
        self,
        *,
        check: Optional[bool] = None,
        timeout_ms: Optional[int] = None,
        timeout: Optional[float] = None,
    ) -> types.StatusResult:
        """`auth.status`. Tells whether this device is signed in, and whether plex.tv still takes its token.

        Nothing is thrown away, whatever plex.tv says. `other_device`: the sign-in was made for
        another device id, or at another plex.tv, and is not used.

        check: Ask plex.tv whether the token is good; false tells what is stored and sends nothing.
        timeout_ms: Time for the whole call, in milliseconds.
        timeout: how long to wait, in seconds; by default a little longer than the worker takes.
        """
        return self._call(
            "auth.status", {"check": check, "timeout_ms": timeout_ms}, timeout=timeout
        )

    def auth_logout(
        self,
        *,
        timeout_ms: Optional[int] = None,
        timeout: Optional[float] = None,
    ) -> types.LogoutResult:
        """`auth.logout`. Signs out: ends the token at plex.tv and forgets it here.

        What is stored is removed in any case; `revoked` tells whether plex.tv has ended the token.

        timeout_ms: Time for the whole call, in milliseconds.
        timeout: how long to wait, in seconds; by default a little longer than the worker takes.
        """
        return self._call(
            "auth.logout", {"timeout_ms": timeout_ms}, timeout=timeout
        )

    def server_list(
        self,
        *,
        probe: Optional[bool] = None,
        timeout_ms: Optional[int] = None,
        timeout: Optional[float] = None,
    ) -> types.ListResult:
        """`server.list`. Lists the account's servers and their connections.

        With `probe` every connection is tried, without a token. Ends the pause that follows a
        search in vain.

        probe: Try every connection, without a token.
        timeout_ms: Time for the whole call, in milliseconds.
        timeout: how long to wait, in seconds; by default a little longer than the worker takes.
        """
        return self._call(
            "server.list", {"probe": probe, "timeout_ms": timeout_ms}, timeout=timeout
        )

    def server_choose(
        self,
        *,
        server: str,
        timeout_ms: Optional[int] = None,
        timeout: Optional[float] = None,
    ) -> types.ChooseResult:
        """`server.choose`. Chooses the server that calls go to which name none.

        Its way is found first: a server that can't be reached is not chosen. A configured URL or
        server is stronger than the choice.

        server: Its name, in any letter case, or its identifier.
        timeout_ms: Time for the whole call, in milliseconds.
        timeout: how long to wait, in seconds; by default a little longer than the worker takes.
        """
        return self._call(
            "server.choose", {"server": server, "timeout_ms": timeout_ms}, timeout=timeout
        )

    def device_list(
        self,
        *,
        days: Optional[int] = None,
        timeout_ms: Optional[int] = None,
        timeout: Optional[float] = None,
    ) -> types.DeviceList:
        """`device.list`. Lists the account's devices, and which of them a program left behind.

        Needs a sign-in. A phantom is what a known maker leaves behind, by product and identifier;
        everything else is none: age proves nothing. `kept_because` is why device.remove keeps a
        device.

        days: A device that was seen within so many days is kept.
        timeout_ms: Time for the whole call, in milliseconds.
        timeout: how long to wait, in seconds; by default a little longer than the worker takes.
        """
        return self._call(
            "device.list", {"days": days, "timeout_ms": timeout_ms}, timeout=timeout
        )

    def device_remove(
        self,
        *,
        ids: Sequence[str],
        days: Optional[int] = None,
        dry_run: Optional[bool] = None,
        force: Optional[bool] = None,
        timeout_ms: Optional[int] = None,
        on_progress: Optional[OnProgress] = None,
        timeout: Optional[float] = None,
    ) -> types.DeviceRemoval:
        """`device.remove`. Removes devices from the account; by default it only tells which ones it would.

        A removal signs out whatever still uses the device's token. The list is read anew before,
        and once more afterwards. It stops when the sign-in is over or plex.tv gets too many
        requests: `left` was not tried.

        ids: Ids out of a list: 1 to 100.
        days: A device that was seen within so many days is kept.
        dry_run: Remove nothing: tell what would be removed.
        force: Remove what is kept because it is `recent` or the `newest`, too.
        timeout_ms: Time for the whole call, in milliseconds.
        on_progress: gets the newest progress, while the call is waited for.
        timeout: how long to wait, in seconds; by default a little longer than the worker takes.
        """
        return self._call(
            "device.remove", {"ids": ids, "days": days, "dry_run": dry_run, "force": force,
            "timeout_ms": timeout_ms}, timeout=timeout, on_progress=on_progress
        )

    def doctor_run(
        self,
        *,
        create: Optional[bool] = None,
        timeout: Optional[float] = None,
    ) -> types.DoctorReport:
        """`doctor.run`. Checks data folder, identity, configuration and the connection to Plex.

        What `plexsync-worker doctor` prints, for hosts without a shell. Shows no secret. If there
        is no identity yet, the folder can be written and a server is configured, one is created,
        and a check reports it.

        create: Create an identity if there is none yet, so that Plex can be asked; false writes
            nothing.
        timeout: how long to wait, in seconds; by default a little longer than the worker takes.
        """
        return self._call(
            "doctor.run", {"create": create}, timeout=timeout
        )

    def rpc_discover(
        self,
        *,
        timeout: Optional[float] = None,
    ) -> Dict[str, Any]:
        """`rpc.discover`. This document.

        The name is OpenRPC's. The example is shortened.

        timeout: how long to wait, in seconds; by default a little longer than the worker takes.
        """
        return self._call(
            "rpc.discover", {}, timeout=timeout
        )

    def rpcrunner_run(
        self,
        *,
        server_connection: types.ServerConnection,
        args: Optional[types.RunArgs] = None,
        timeout: Optional[float] = None,
    ) -> types.PluginOutput:
        """`RPCRunner.Run`. Stash's call of a plugin with `interface: rpc`.

        `args.method` names one of the other methods, `args.params` holds its params: an object, or
        a string that holds one. Other members of `args` are Stash's. A failure is a string in the
        result's `error`, never an RPC error, because Stash takes every RPC error for success.

        server_connection: How to reach the parent Stash.
        args: The task's, hook's or operation's arguments; Go writes null for none.
        timeout: how long to wait, in seconds; by default a little longer than the worker takes.
        """
        return self._call(
            "RPCRunner.Run", {"server_connection": server_connection, "args": args}, timeout=timeout
        )

    def rpcrunner_stop(
        self,
        *,
        timeout: Optional[float] = None,
    ) -> Literal[True]:
        """`RPCRunner.Stop`. Stash asks the running task to stop.

        Answered at once. The running call is cancelled: its RPCRunner.Run is answered with an error
        in the output.

        timeout: how long to wait, in seconds; by default a little longer than the worker takes.
        """
        return self._call(
            "RPCRunner.Stop", {}, timeout=timeout
        )


class BegunMethods:
    """Each sends its call, and does not wait."""

    def _call(self, method: str, params: Dict[str, Any], **how: Any) -> Pending[Any]:
        raise NotImplementedError

    def identity_get(
        self,
        *,
        timeout: Optional[float] = None,
    ) -> Pending[types.Identity]:
        """`identity.get`. Returns the identity; creates one if there is none.

        The id is exactly the one on disk. It is loaded once and held for the whole life of the
        worker; only identity.reset changes it. `headers` is for a host that makes its own requests.

        timeout: how long to wait, in seconds; by default a little longer than the worker takes.
        """
        return self._call(
            "identity.get", {}, timeout=timeout
        )

    def identity_reset(
        self,
        *,
        device_id: Optional[str] = None,
        if_device_id: Optional[str] = None,
        timeout: Optional[float] = None,
    ) -> Pending[types.ResetResult]:
        """`identity.reset`. Replaces the identity with a new or a given one.

        Plex will see a new device. The new id is on disk before the reply is written.

        device_id: Adopt this id instead of making a new one: for moving an existing device here.
        if_device_id: Reset only if this is the id on disk, compared under the lock.
        timeout: how long to wait, in seconds; by default a little longer than the worker takes.
        """
        return self._call(
            "identity.reset", {"device_id": device_id, "if_device_id": if_device_id},
            timeout=timeout
        )

    def plex_request(
        self,
        *,
        path: str,
        all_pages: Optional[bool] = None,
        body: Optional[types.Body] = None,
        body_base64: Optional[str] = None,
        headers: Optional[Mapping[str, str]] = None,
        max_bytes: Optional[int] = None,
        method: Optional[types.Method] = None,
        parse: Optional[types.Parse] = None,
        query: Optional[Mapping[str, types.QueryValue]] = None,
        retries: Optional[int] = None,
        server: Optional[str] = None,
        timeout_ms: Optional[int] = None,
        token: Optional[str] = None,
        on_progress: Optional[OnProgress] = None,
        timeout: Optional[float] = None,
    ) -> Pending[types.RequestResult]:
        """`plex.request`. Sends one request to Plex, always as the same device.

        Any HTTP response is a result, 401 and 503 too. The identity headers are on every hop of a
        redirect; the token is sent to its own server only.

        path: Starts with one `/`; may hold a query string.
        all_pages: Fetch a listing page by page and join the pages.
        body: A string is sent as it is, an object or an array as JSON, exactly as written.
        body_base64: Bytes to send, in base64.
        headers: Added to the headers.
        max_bytes: Limit on the decoded body, in bytes.
        method: The HTTP method.
        parse: How the body is decoded.
        query: Added to the query: string, number, boolean (as `1` and `0`), null (left out), or an
            array of these.
        retries: Retries after a failure.
        server: Base URL of the server, or the name or identifier of one of the account's servers;
            default the configured one, else the account's.
        timeout_ms: Time for the whole call, redirects and retries included, in milliseconds.
        token: Overrides the configured token; empty sends none.
        on_progress: gets the newest progress, while the call is waited for.
        timeout: how long to wait, in seconds; by default a little longer than the worker takes.
        """
        return self._call(
            "plex.request", {"path": path, "all_pages": all_pages, "body": body, "body_base64":
            body_base64, "headers": headers, "max_bytes": max_bytes, "method": method, "parse":
            parse, "query": query, "retries": retries, "server": server, "timeout_ms": timeout_ms,
            "token": token}, timeout=timeout, on_progress=on_progress
        )

    def plex_scan(
        self,
        *,
        folder: Optional[str] = None,
        fresh: Optional[bool] = None,
        path: Optional[str] = None,
        section: Optional[str] = None,
        server: Optional[str] = None,
        timeout_ms: Optional[int] = None,
        wait_ms: Optional[int] = None,
        on_progress: Optional[OnProgress] = None,
        timeout: Optional[float] = None,
    ) -> Pending[types.ScanResult]:
        """`plex.scan`. Asks Plex to look at one folder.

        Give `path` (a file: its folder is meant) or `folder`, as Plex sees them; in Stash as Stash
        sees them. Every library section that holds the folder is asked, for the folder in the
        spelling of its own location. All are asked before an error is returned. In a Stash hook
        both may be left out: the scene's folders are meant; a Stash task without them asks for all
        sections.

        folder: A folder, as Plex sees it; absolute.
        fresh: In Stash: ask even if Plex was asked for the folder already. Elsewhere Plex always
            is.
        path: A file: its folder is meant. One that ends in a separator is a folder.
        section: Key of the only library section to ask, which must hold the folder. Empty counts as
            absent: every section that holds the folder is asked.
        server: Base URL of the server, or the name or identifier of one of the account's servers;
            default the configured one, else the account's.
        timeout_ms: Time for the call without the wait, in milliseconds.
        wait_ms: With `path`: wait so long for an item that has the file, in milliseconds. Added to
            the time of the call.
        on_progress: gets the newest progress, while the call is waited for.
        timeout: how long to wait, in seconds; by default a little longer than the worker takes.
        """
        return self._call(
            "plex.scan", {"folder": folder, "fresh": fresh, "path": path, "section": section,
            "server": server, "timeout_ms": timeout_ms, "wait_ms": wait_ms}, timeout=timeout,
            on_progress=on_progress
        )

    def plex_find(
        self,
        *,
        path: Optional[str] = None,
        paths: Optional[Sequence[str]] = None,
        section: Optional[str] = None,
        server: Optional[str] = None,
        timeout_ms: Optional[int] = None,
        timeout: Optional[float] = None,
    ) -> Pending[types.FindResult]:
        """`plex.find`. Finds the items that have a file.

        Plex's own filter is no exact match; here an item counts only if one of its parts has the
        file: the same bytes, else the same after Unicode NFC, on Windows without letter case. Paths
        are as Plex sees them, in Stash as Stash sees them. A section that fails is an error: its
        files are never `missing`.

        path: A file, as Plex sees it; absolute. In Stash as Stash sees it.
        paths: Files, instead of `path`: 1 to 100.
        section: Key of the only library section to look into. Empty counts as absent: every section
            that holds the file is.
        server: Base URL of the server, or the name or identifier of one of the account's servers;
            default the configured one, else the account's.
        timeout_ms: Time for the whole call, in milliseconds.
        timeout: how long to wait, in seconds; by default a little longer than the worker takes.
        """
        return self._call(
            "plex.find", {"path": path, "paths": paths, "section": section, "server": server,
            "timeout_ms": timeout_ms}, timeout=timeout
        )

    def scan_pending(
        self,
        *,
        forget: Optional[bool] = None,
        send: Optional[bool] = None,
        timeout: Optional[float] = None,
    ) -> Pending[types.PendingResult]:
        """`scan.pending`. Tells what waits until Plex can be asked to scan it.

        In Stash a scan that Plex can't take now waits; every later call sends it. `send` sends all
        now: the first error is the call's.

        forget: Forget all of it.
        send: Ask Plex for all of it now. Stash only: the paths and their translation are Stash's.
        timeout: how long to wait, in seconds; by default a little longer than the worker takes.
        """
        return self._call(
            "scan.pending", {"forget": forget, "send": send}, timeout=timeout
        )

    def auth_start(
        self,
        *,
        renew: Optional[bool] = None,
        timeout_ms: Optional[int] = None,
        timeout: Optional[float] = None,
    ) -> Pending[types.StartResult]:
        """`auth.start`. Begins a sign-in to plex.tv: returns a code that the user enters on plex.tv/link.

        The code is on disk before it is returned: auth.finish may be called by any later process. A
        code that still waits is returned again (`pending`); processes that call this together get
        one code. Signed in already: the account, unless `renew` is true. A completed sign-in ends
        the token of the one before.

        renew: Begin a new sign-in even if one is stored; once completed, it ends the token before
            it.
        timeout_ms: Time for the whole call, in milliseconds.
        timeout: how long to wait, in seconds; by default a little longer than the worker takes.
        """
        return self._call(
            "auth.start", {"renew": renew, "timeout_ms": timeout_ms}, timeout=timeout
        )

    def auth_finish(
        self,
        *,
        timeout_ms: Optional[int] = None,
        on_progress: Optional[OnProgress] = None,
        timeout: Optional[float] = None,
    ) -> Pending[types.FinishResult]:
        """`auth.finish`. Waits until the code was entered, and stores the sign-in.

        A code that was not entered when the time is over is no error: call this again. The token is
        stored in the data folder and never returned. Can be called again afterwards, with the same
        result.

        timeout_ms: How long to wait for the code to be entered, in milliseconds; at most 1800000.
        on_progress: gets the newest progress, while the call is waited for.
        timeout: how long to wait, in seconds; by default a little longer than the worker takes.
        """
        return self._call(
            "auth.finish", {"timeout_ms": timeout_ms}, timeout=timeout, on_progress=on_progress
        )

    def auth_status(
        self,
        *,
        check: Optional[bool] = None,
        timeout_ms: Optional[int] = None,
        timeout: Optional[float] = None,
    ) -> Pending[types.StatusResult]:
        """`auth.status`. Tells whether this device is signed in, and whether plex.tv still takes its token.

        Nothing is thrown away, whatever plex.tv says. `other_device`: the sign-in was made for
        another device id, or at another plex.tv, and is not used.

        check: Ask plex.tv whether the token is good; false tells what is stored and sends nothing.
        timeout_ms: Time for the whole call, in milliseconds.
        timeout: how long to wait, in seconds; by default a little longer than the worker takes.
        """
        return self._call(
            "auth.status", {"check": check, "timeout_ms": timeout_ms}, timeout=timeout
        )

    def auth_logout(
        self,
        *,
        timeout_ms: Optional[int] = None,
        timeout: Optional[float] = None,
    ) -> Pending[types.LogoutResult]:
        """`auth.logout`. Signs out: ends the token at plex.tv and forgets it here.

        What is stored is removed in any case; `revoked` tells whether plex.tv has ended the token.

        timeout_ms: Time for the whole call, in milliseconds.
        timeout: how long to wait, in seconds; by default a little longer than the worker takes.
        """
        return self._call(
            "auth.logout", {"timeout_ms": timeout_ms}, timeout=timeout
        )

    def server_list(
        self,
        *,
        probe: Optional[bool] = None,
        timeout_ms: Optional[int] = None,
        timeout: Optional[float] = None,
    ) -> Pending[types.ListResult]:
        """`server.list`. Lists the account's servers and their connections.

        With `probe` every connection is tried, without a token. Ends the pause that follows a
        search in vain.

        probe: Try every connection, without a token.
        timeout_ms: Time for the whole call, in milliseconds.
        timeout: how long to wait, in seconds; by default a little longer than the worker takes.
        """
        return self._call(
            "server.list", {"probe": probe, "timeout_ms": timeout_ms}, timeout=timeout
        )

    def server_choose(
        self,
        *,
        server: str,
        timeout_ms: Optional[int] = None,
        timeout: Optional[float] = None,
    ) -> Pending[types.ChooseResult]:
        """`server.choose`. Chooses the server that calls go to which name none.

        Its way is found first: a server that can't be reached is not chosen. A configured URL or
        server is stronger than the choice.

        server: Its name, in any letter case, or its identifier.
        timeout_ms: Time for the whole call, in milliseconds.
        timeout: how long to wait, in seconds; by default a little longer than the worker takes.
        """
        return self._call(
            "server.choose", {"server": server, "timeout_ms": timeout_ms}, timeout=timeout
        )

    def device_list(
        self,
        *,
        days: Optional[int] = None,
        timeout_ms: Optional[int] = None,
        timeout: Optional[float] = None,
    ) -> Pending[types.DeviceList]:
        """`device.list`. Lists the account's devices, and which of them a program left behind.

        Needs a sign-in. A phantom is what a known maker leaves behind, by product and identifier;
        everything else is none: age proves nothing. `kept_because` is why device.remove keeps a
        device.

        days: A device that was seen within so many days is kept.
        timeout_ms: Time for the whole call, in milliseconds.
        timeout: how long to wait, in seconds; by default a little longer than the worker takes.
        """
        return self._call(
            "device.list", {"days": days, "timeout_ms": timeout_ms}, timeout=timeout
        )

    def device_remove(
        self,
        *,
        ids: Sequence[str],
        days: Optional[int] = None,
        dry_run: Optional[bool] = None,
        force: Optional[bool] = None,
        timeout_ms: Optional[int] = None,
        on_progress: Optional[OnProgress] = None,
        timeout: Optional[float] = None,
    ) -> Pending[types.DeviceRemoval]:
        """`device.remove`. Removes devices from the account; by default it only tells which ones it would.

        A removal signs out whatever still uses the device's token. The list is read anew before,
        and once more afterwards. It stops when the sign-in is over or plex.tv gets too many
        requests: `left` was not tried.

        ids: Ids out of a list: 1 to 100.
        days: A device that was seen within so many days is kept.
        dry_run: Remove nothing: tell what would be removed.
        force: Remove what is kept because it is `recent` or the `newest`, too.
        timeout_ms: Time for the whole call, in milliseconds.
        on_progress: gets the newest progress, while the call is waited for.
        timeout: how long to wait, in seconds; by default a little longer than the worker takes.
        """
        return self._call(
            "device.remove", {"ids": ids, "days": days, "dry_run": dry_run, "force": force,
            "timeout_ms": timeout_ms}, timeout=timeout, on_progress=on_progress
        )

    def doctor_run(
        self,
        *,
        create: Optional[bool] = None,
        timeout: Optional[float] = None,
    ) -> Pending[types.DoctorReport]:
        """`doctor.run`. Checks data folder, identity, configuration and the connection to Plex.

        What `plexsync-worker doctor` prints, for hosts without a shell. Shows no secret. If there
        is no identity yet, the folder can be written and a server is configured, one is created,
        and a check reports it.

        create: Create an identity if there is none yet, so that Plex can be asked; false writes
            nothing.
        timeout: how long to wait, in seconds; by default a little longer than the worker takes.
        """
        return self._call(
            "doctor.run", {"create": create}, timeout=timeout
        )

    def rpc_discover(
        self,
        *,
        timeout: Optional[float] = None,
    ) -> Pending[Dict[str, Any]]:
        """`rpc.discover`. This document.

        The name is OpenRPC's. The example is shortened.

        timeout: how long to wait, in seconds; by default a little longer than the worker takes.
        """
        return self._call(
            "rpc.discover", {}, timeout=timeout
        )

    def rpcrunner_run(
        self,
        *,
        server_connection: types.ServerConnection,
        args: Optional[types.RunArgs] = None,
        timeout: Optional[float] = None,
    ) -> Pending[types.PluginOutput]:
        """`RPCRunner.Run`. Stash's call of a plugin with `interface: rpc`.

        `args.method` names one of the other methods, `args.params` holds its params: an object, or
        a string that holds one. Other members of `args` are Stash's. A failure is a string in the
        result's `error`, never an RPC error, because Stash takes every RPC error for success.

        server_connection: How to reach the parent Stash.
        args: The task's, hook's or operation's arguments; Go writes null for none.
        timeout: how long to wait, in seconds; by default a little longer than the worker takes.
        """
        return self._call(
            "RPCRunner.Run", {"server_connection": server_connection, "args": args}, timeout=timeout
        )

    def rpcrunner_stop(
        self,
        *,
        timeout: Optional[float] = None,
    ) -> Pending[Literal[True]]:
        """`RPCRunner.Stop`. Stash asks the running task to stop.

        Answered at once. The running call is cancelled: its RPCRunner.Run is answered with an error
        in the output.

        timeout: how long to wait, in seconds; by default a little longer than the worker takes.
        """
        return self._call(
            "RPCRunner.Stop", {}, timeout=timeout
        )


class AsyncMethods:
    """Each is awaited."""

    async def _call(self, method: str, params: Dict[str, Any], **how: Any) -> Any:
        raise NotImplementedError

    async def identity_get(
        self,
        *,
        timeout: Optional[float] = None,
    ) -> types.Identity:
        """`identity.get`. Returns the identity; creates one if there is none.

        The id is exactly the one on disk. It is loaded once and held for the whole life of the
        worker; only identity.reset changes it. `headers` is for a host that makes its own requests.

        timeout: how long to wait, in seconds; by default a little longer than the worker takes.
        """
        return await self._call(
            "identity.get", {}, timeout=timeout
        )

    async def identity_reset(
        self,
        *,
        device_id: Optional[str] = None,
        if_device_id: Optional[str] = None,
        timeout: Optional[float] = None,
    ) -> types.ResetResult:
        """`identity.reset`. Replaces the identity with a new or a given one.

        Plex will see a new device. The new id is on disk before the reply is written.

        device_id: Adopt this id instead of making a new one: for moving an existing device here.
        if_device_id: Reset only if this is the id on disk, compared under the lock.
        timeout: how long to wait, in seconds; by default a little longer than the worker takes.
        """
        return await self._call(
            "identity.reset", {"device_id": device_id, "if_device_id": if_device_id},
            timeout=timeout
        )

    async def plex_request(
        self,
        *,
        path: str,
        all_pages: Optional[bool] = None,
        body: Optional[types.Body] = None,
        body_base64: Optional[str] = None,
        headers: Optional[Mapping[str, str]] = None,
        max_bytes: Optional[int] = None,
        method: Optional[types.Method] = None,
        parse: Optional[types.Parse] = None,
        query: Optional[Mapping[str, types.QueryValue]] = None,
        retries: Optional[int] = None,
        server: Optional[str] = None,
        timeout_ms: Optional[int] = None,
        token: Optional[str] = None,
        on_progress: Optional[OnProgress] = None,
        timeout: Optional[float] = None,
    ) -> types.RequestResult:
        """`plex.request`. Sends one request to Plex, always as the same device.

        Any HTTP response is a result, 401 and 503 too. The identity headers are on every hop of a
        redirect; the token is sent to its own server only.

        path: Starts with one `/`; may hold a query string.
        all_pages: Fetch a listing page by page and join the pages.
        body: A string is sent as it is, an object or an array as JSON, exactly as written.
        body_base64: Bytes to send, in base64.
        headers: Added to the headers.
        max_bytes: Limit on the decoded body, in bytes.
        method: The HTTP method.
        parse: How the body is decoded.
        query: Added to the query: string, number, boolean (as `1` and `0`), null (left out), or an
            array of these.
        retries: Retries after a failure.
        server: Base URL of the server, or the name or identifier of one of the account's servers;
            default the configured one, else the account's.
        timeout_ms: Time for the whole call, redirects and retries included, in milliseconds.
        token: Overrides the configured token; empty sends none.
        on_progress: gets the newest progress, while the call is waited for.
        timeout: how long to wait, in seconds; by default a little longer than the worker takes.
        """
        return await self._call(
            "plex.request", {"path": path, "all_pages": all_pages, "body": body, "body_base64":
            body_base64, "headers": headers, "max_bytes": max_bytes, "method": method, "parse":
            parse, "query": query, "retries": retries, "server": server, "timeout_ms": timeout_ms,
            "token": token}, timeout=timeout, on_progress=on_progress
        )

    async def plex_scan(
        self,
        *,
        folder: Optional[str] = None,
        fresh: Optional[bool] = None,
        path: Optional[str] = None,
        section: Optional[str] = None,
        server: Optional[str] = None,
        timeout_ms: Optional[int] = None,
        wait_ms: Optional[int] = None,
        on_progress: Optional[OnProgress] = None,
        timeout: Optional[float] = None,
    ) -> types.ScanResult:
        """`plex.scan`. Asks Plex to look at one folder.

        Give `path` (a file: its folder is meant) or `folder`, as Plex sees them; in Stash as Stash
        sees them. Every library section that holds the folder is asked, for the folder in the
        spelling of its own location. All are asked before an error is returned. In a Stash hook
        both may be left out: the scene's folders are meant; a Stash task without them asks for all
        sections.

        folder: A folder, as Plex sees it; absolute.
        fresh: In Stash: ask even if Plex was asked for the folder already. Elsewhere Plex always
            is.
        path: A file: its folder is meant. One that ends in a separator is a folder.
        section: Key of the only library section to ask, which must hold the folder. Empty counts as
            absent: every section that holds the folder is asked.
        server: Base URL of the server, or the name or identifier of one of the account's servers;
            default the configured one, else the account's.
        timeout_ms: Time for the call without the wait, in milliseconds.
        wait_ms: With `path`: wait so long for an item that has the file, in milliseconds. Added to
            the time of the call.
        on_progress: gets the newest progress, while the call is waited for.
        timeout: how long to wait, in seconds; by default a little longer than the worker takes.
        """
        return await self._call(
            "plex.scan", {"folder": folder, "fresh": fresh, "path": path, "section": section,
            "server": server, "timeout_ms": timeout_ms, "wait_ms": wait_ms}, timeout=timeout,
            on_progress=on_progress
        )

    async def plex_find(
        self,
        *,
        path: Optional[str] = None,
        paths: Optional[Sequence[str]] = None,
        section: Optional[str] = None,
        server: Optional[str] = None,
        timeout_ms: Optional[int] = None,
        timeout: Optional[float] = None,
    ) -> types.FindResult:
        """`plex.find`. Finds the items that have a file.

        Plex's own filter is no exact match; here an item counts only if one of its parts has the
        file: the same bytes, else the same after Unicode NFC, on Windows without letter case. Paths
        are as Plex sees them, in Stash as Stash sees them. A section that fails is an error: its
        files are never `missing`.

        path: A file, as Plex sees it; absolute. In Stash as Stash sees it.
        paths: Files, instead of `path`: 1 to 100.
        section: Key of the only library section to look into. Empty counts as absent: every section
            that holds the file is.
        server: Base URL of the server, or the name or identifier of one of the account's servers;
            default the configured one, else the account's.
        timeout_ms: Time for the whole call, in milliseconds.
        timeout: how long to wait, in seconds; by default a little longer than the worker takes.
        """
        return await self._call(
            "plex.find", {"path": path, "paths": paths, "section": section, "server": server,
            "timeout_ms": timeout_ms}, timeout=timeout
        )

    async def scan_pending(
        self,
        *,
        forget: Optional[bool] = None,
        send: Optional[bool] = None,
        timeout: Optional[float] = None,
    ) -> types.PendingResult:
        """`scan.pending`. Tells what waits until Plex can be asked to scan it.

        In Stash a scan that Plex can't take now waits; every later call sends it. `send` sends all
        now: the first error is the call's.

        forget: Forget all of it.
        send: Ask Plex for all of it now. Stash only: the paths and their translation are Stash's.
        timeout: how long to wait, in seconds; by default a little longer than the worker takes.
        """
        return await self._call(
            "scan.pending", {"forget": forget, "send": send}, timeout=timeout
        )

    async def auth_start(
        self,
        *,
        renew: Optional[bool] = None,
        timeout_ms: Optional[int] = None,
        timeout: Optional[float] = None,
    ) -> types.StartResult:
        """`auth.start`. Begins a sign-in to plex.tv: returns a code that the user enters on plex.tv/link.

        The code is on disk before it is returned: auth.finish may be called by any later process. A
        code that still waits is returned again (`pending`); processes that call this together get
        one code. Signed in already: the account, unless `renew` is true. A completed sign-in ends
        the token of the one before.

        renew: Begin a new sign-in even if one is stored; once completed, it ends the token before
            it.
        timeout_ms: Time for the whole call, in milliseconds.
        timeout: how long to wait, in seconds; by default a little longer than the worker takes.
        """
        return await self._call(
            "auth.start", {"renew": renew, "timeout_ms": timeout_ms}, timeout=timeout
        )

    async def auth_finish(
        self,
        *,
        timeout_ms: Optional[int] = None,
        on_progress: Optional[OnProgress] = None,
        timeout: Optional[float] = None,
    ) -> types.FinishResult:
        """`auth.finish`. Waits until the code was entered, and stores the sign-in.

        A code that was not entered when the time is over is no error: call this again. The token is
        stored in the data folder and never returned. Can be called again afterwards, with the same
        result.

        timeout_ms: How long to wait for the code to be entered, in milliseconds; at most 1800000.
        on_progress: gets the newest progress, while the call is waited for.
        timeout: how long to wait, in seconds; by default a little longer than the worker takes.
        """
        return await self._call(
            "auth.finish", {"timeout_ms": timeout_ms}, timeout=timeout, on_progress=on_progress
        )

    async def auth_status(
        self,
        *,
        check: Optional[bool] = None,
        timeout_ms: Optional[int] = None,
        timeout: Optional[float] = None,
    ) -> types.StatusResult:
        """`auth.status`. Tells whether this device is signed in, and whether plex.tv still takes its token.

        Nothing is thrown away, whatever plex.tv says. `other_device`: the sign-in was made for
        another device id, or at another plex.tv, and is not used.

        check: Ask plex.tv whether the token is good; false tells what is stored and sends nothing.
        timeout_ms: Time for the whole call, in milliseconds.
        timeout: how long to wait, in seconds; by default a little longer than the worker takes.
        """
        return await self._call(
            "auth.status", {"check": check, "timeout_ms": timeout_ms}, timeout=timeout
        )

    async def auth_logout(
        self,
        *,
        timeout_ms: Optional[int] = None,
        timeout: Optional[float] = None,
    ) -> types.LogoutResult:
        """`auth.logout`. Signs out: ends the token at plex.tv and forgets it here.

        What is stored is removed in any case; `revoked` tells whether plex.tv has ended the token.

        timeout_ms: Time for the whole call, in milliseconds.
        timeout: how long to wait, in seconds; by default a little longer than the worker takes.
        """
        return await self._call(
            "auth.logout", {"timeout_ms": timeout_ms}, timeout=timeout
        )

    async def server_list(
        self,
        *,
        probe: Optional[bool] = None,
        timeout_ms: Optional[int] = None,
        timeout: Optional[float] = None,
    ) -> types.ListResult:
        """`server.list`. Lists the account's servers and their connections.

        With `probe` every connection is tried, without a token. Ends the pause that follows a
        search in vain.

        probe: Try every connection, without a token.
        timeout_ms: Time for the whole call, in milliseconds.
        timeout: how long to wait, in seconds; by default a little longer than the worker takes.
        """
        return await self._call(
            "server.list", {"probe": probe, "timeout_ms": timeout_ms}, timeout=timeout
        )

    async def server_choose(
        self,
        *,
        server: str,
        timeout_ms: Optional[int] = None,
        timeout: Optional[float] = None,
    ) -> types.ChooseResult:
        """`server.choose`. Chooses the server that calls go to which name none.

        Its way is found first: a server that can't be reached is not chosen. A configured URL or
        server is stronger than the choice.

        server: Its name, in any letter case, or its identifier.
        timeout_ms: Time for the whole call, in milliseconds.
        timeout: how long to wait, in seconds; by default a little longer than the worker takes.
        """
        return await self._call(
            "server.choose", {"server": server, "timeout_ms": timeout_ms}, timeout=timeout
        )

    async def device_list(
        self,
        *,
        days: Optional[int] = None,
        timeout_ms: Optional[int] = None,
        timeout: Optional[float] = None,
    ) -> types.DeviceList:
        """`device.list`. Lists the account's devices, and which of them a program left behind.

        Needs a sign-in. A phantom is what a known maker leaves behind, by product and identifier;
        everything else is none: age proves nothing. `kept_because` is why device.remove keeps a
        device.

        days: A device that was seen within so many days is kept.
        timeout_ms: Time for the whole call, in milliseconds.
        timeout: how long to wait, in seconds; by default a little longer than the worker takes.
        """
        return await self._call(
            "device.list", {"days": days, "timeout_ms": timeout_ms}, timeout=timeout
        )

    async def device_remove(
        self,
        *,
        ids: Sequence[str],
        days: Optional[int] = None,
        dry_run: Optional[bool] = None,
        force: Optional[bool] = None,
        timeout_ms: Optional[int] = None,
        on_progress: Optional[OnProgress] = None,
        timeout: Optional[float] = None,
    ) -> types.DeviceRemoval:
        """`device.remove`. Removes devices from the account; by default it only tells which ones it would.

        A removal signs out whatever still uses the device's token. The list is read anew before,
        and once more afterwards. It stops when the sign-in is over or plex.tv gets too many
        requests: `left` was not tried.

        ids: Ids out of a list: 1 to 100.
        days: A device that was seen within so many days is kept.
        dry_run: Remove nothing: tell what would be removed.
        force: Remove what is kept because it is `recent` or the `newest`, too.
        timeout_ms: Time for the whole call, in milliseconds.
        on_progress: gets the newest progress, while the call is waited for.
        timeout: how long to wait, in seconds; by default a little longer than the worker takes.
        """
        return await self._call(
            "device.remove", {"ids": ids, "days": days, "dry_run": dry_run, "force": force,
            "timeout_ms": timeout_ms}, timeout=timeout, on_progress=on_progress
        )

    async def doctor_run(
        self,
        *,
        create: Optional[bool] = None,
        timeout: Optional[float] = None,
    ) -> types.DoctorReport:
        """`doctor.run`. Checks data folder, identity, configuration and the connection to Plex.

        What `plexsync-worker doctor` prints, for hosts without a shell. Shows no secret. If there
        is no identity yet, the folder can be written and a server is configured, one is created,
        and a check reports it.

        create: Create an identity if there is none yet, so that Plex can be asked; false writes
            nothing.
        timeout: how long to wait, in seconds; by default a little longer than the worker takes.
        """
        return await self._call(
            "doctor.run", {"create": create}, timeout=timeout
        )

    async def rpc_discover(
        self,
        *,
        timeout: Optional[float] = None,
    ) -> Dict[str, Any]:
        """`rpc.discover`. This document.

        The name is OpenRPC's. The example is shortened.

        timeout: how long to wait, in seconds; by default a little longer than the worker takes.
        """
        return await self._call(
            "rpc.discover", {}, timeout=timeout
        )

    async def rpcrunner_run(
        self,
        *,
        server_connection: types.ServerConnection,
        args: Optional[types.RunArgs] = None,
        timeout: Optional[float] = None,
    ) -> types.PluginOutput:
        """`RPCRunner.Run`. Stash's call of a plugin with `interface: rpc`.

        `args.method` names one of the other methods, `args.params` holds its params: an object, or
        a string that holds one. Other members of `args` are Stash's. A failure is a string in the
        result's `error`, never an RPC error, because Stash takes every RPC error for success.

        server_connection: How to reach the parent Stash.
        args: The task's, hook's or operation's arguments; Go writes null for none.
        timeout: how long to wait, in seconds; by default a little longer than the worker takes.
        """
        return await self._call(
            "RPCRunner.Run", {"server_connection": server_connection, "args": args}, timeout=timeout
        )

    async def rpcrunner_stop(
        self,
        *,
        timeout: Optional[float] = None,
    ) -> Literal[True]:
        """`RPCRunner.Stop`. Stash asks the running task to stop.

        Answered at once. The running call is cancelled: its RPCRunner.Run is answered with an error
        in the output.

        timeout: how long to wait, in seconds; by default a little longer than the worker takes.
        """
        return await self._call(
            "RPCRunner.Stop", {}, timeout=timeout
        )
