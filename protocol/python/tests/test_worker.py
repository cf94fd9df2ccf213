"""The client for threads: what a host does with it. PLEX_URL and PLEX_TOKEN name a Plex that never answers `/slow`."""

import json
import os
import pickle
import signal
import subprocess
import sys
import tempfile
import threading
import traceback
import unittest
from pathlib import Path
from unittest import mock

import plexsync_worker
from plexsync_worker import Worker, errors
from plexsync_worker._client import patience

FAKE = str(Path(__file__).with_name("fake_worker.py"))
LISTING = "/library/sections/1/all"


class Story(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def worker(self, **options):
        worker = Worker(data_dir=self.folder, **options)
        self.addCleanup(worker.close)
        return worker

    def fake(self, *args, **options):
        return self.worker(program=sys.executable, args=[FAKE, *args], **options)


class WithTheRealWorker(Story):
    def test_the_identity_is_the_one_on_disk(self):
        with self.worker() as worker:
            identity = worker.identity_get()
        on_disk = json.loads((self.folder / "device_id.json").read_text())
        self.assertEqual(identity["device_id"], on_disk["device_id"])
        self.assertEqual(identity["headers"]["X-Plex-Client-Identifier"], on_disk["device_id"])

    def test_close_tells_the_exit_code(self):
        worker = self.worker()
        self.assertEqual(worker.close(), 0)
        for call in (worker.identity_get, worker.begin.identity_get):
            self.assertRaises(errors.Closed, call)

    def test_params_have_the_contract_s_names(self):
        worker = self.worker()
        before = worker.identity_get()["device_id"]
        after = worker.identity_reset(if_device_id=before, device_id="Old Plugin 0815")
        self.assertEqual((after["device_id"], after["previous"]), ("Old Plugin 0815", before))
        answer = worker.plex_request(path="/identity", query={"a": [1, True, None]}, parse="json")
        self.assertEqual((answer["status"], answer["body_encoding"]), (200, "json"))

    def test_an_error_has_its_class_code_data_and_hint(self):
        worker = self.worker()
        with self.assertRaises(errors.InvalidParams) as caught:
            worker.plex_request(path="no-slash")
        error = caught.exception
        self.assertEqual((error.code, error.data["pointer"]), (-32602, "/path"))
        self.assertIn("data.pointer", error.hint)
        self.assertIn("(-32602)", str(error))
        with self.assertRaises(errors.NotConfigured) as caught:
            worker.plex_request(path="/", server="http://other.example:32400")
        self.assertEqual(caught.exception.data["missing"], "token")
        with self.assertRaises(errors.PlexUnreachable) as caught:
            worker.plex_request(path="/", server="http://127.0.0.1:1", token="", retries=0)
        self.assertEqual(caught.exception.data["kind"], "connect")
        self.assertRaises(errors.MethodNotFound, worker.call, "identity.got")

    def test_many_threads_call_while_a_call_waits(self):
        worker = self.worker()
        slow = worker.begin.plex_request(path="/slow")
        ids = []
        threads = [
            threading.Thread(target=lambda: ids.append(worker.identity_get()["device_id"]))
            for _ in range(20)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual((len(ids), len(set(ids))), (20, 1))
        slow.cancel()
        self.assertRaises(errors.Cancelled, slow.result)

    def test_a_call_is_cancelled_from_another_thread(self):
        slow = self.worker().begin.plex_request(path="/slow")
        threading.Timer(0.1, slow.cancel).start()
        for _ in range(2):  # Its end stays what it is.
            self.assertRaises(errors.Cancelled, slow.result)

    def test_progress_is_told_in_the_thread_that_waits(self):
        told = []
        answer = self.worker().plex_request(
            path=LISTING,
            all_pages=True,
            on_progress=lambda progress: told.append((progress["done"], threading.get_ident())),
        )
        items = len(answer["body"]["MediaContainer"]["Metadata"])
        self.assertEqual(told[-1], (items, threading.get_ident()))

    def test_after_kill_9_calls_have_ended_and_the_next_starts_another(self):
        worker = self.worker(restart=True)
        identity, first = worker.identity_get()["device_id"], worker.pid
        slow = worker.begin.plex_request(path="/slow")
        os.kill(first, signal.SIGKILL)
        with self.assertRaises(errors.WorkerEnded) as caught:
            slow.result()
        self.assertEqual(caught.exception.status, -signal.SIGKILL)
        self.assertEqual(worker.identity_get()["device_id"], identity)
        self.assertNotEqual(worker.pid, first)

    def test_without_restart_a_worker_that_ended_stays_so(self):
        worker = self.worker()
        worker.kill()
        for _ in range(2):
            self.assertRaises(errors.WorkerEnded, worker.identity_get)

    def test_a_token_is_in_no_argument_and_no_text(self):
        worker = self.worker(plex_token="t0p-secret")
        arguments = Path(f"/proc/{worker.pid}/cmdline")
        if arguments.exists():
            self.assertNotIn(b"t0p-secret", arguments.read_bytes())
        self.assertNotIn("t0p-secret", repr(worker))

    def test_no_error_holds_a_token(self):
        token = "t0p-secret"
        calls = {"path": "/", "server": "http://127.0.0.1:1", "token": token, "retries": 0}
        worker = self.worker(plex_token=token, max_message=1000)
        fake = self.fake(plex_token=token)
        missing = lambda: self.worker(program=self.folder / "none", plex_token=token)
        for kind, call in (
            (errors.PlexUnreachable, lambda: worker.plex_request(**calls)),
            (errors.InvalidParams, lambda: worker.plex_request(**{**calls, "token": token + "\n"})),
            (errors.InvalidParams, lambda: worker.plex_request(**{**calls, "token": [token]})),
            (errors.InvalidParams, lambda: worker.plex_request(**{**calls, "server": f"http://{token}@a"})),
            (errors.InvalidRequest, lambda: worker.plex_request(**calls, body=token * 1000)),
            (errors.NotStarted, missing),
            (errors.TimedOut, lambda: fake.call("silent", calls, timeout=0.05)),
            (errors.Unreadable, lambda: fake.call("damaged", calls)),
            (errors.WorkerEnded, lambda: fake.call("die", calls)),
        ):
            with self.assertRaises(kind) as caught:
                call()
            error = caught.exception
            self.assertNotIn(token, str(error) + repr(error) + repr(vars(error)))
            self.assertNotIn(token, "".join(traceback.format_exception(None, error, error.__traceback__)))

    def test_a_token_of_a_file_is_stronger_than_an_inherited_one(self):
        file = self.folder / "token"
        file.write_text("wrong")
        file.chmod(0o600)
        worker = self.worker(plex_token_file=file)
        self.assertEqual(worker.plex_request(path="/library/sections", parse="none")["status"], 401)

    def test_a_call_that_the_worker_would_not_read_is_not_sent(self):
        worker = self.worker(max_message=1000)
        with self.assertRaisesRegex(errors.InvalidRequest, "max_message"):
            worker.plex_request(path="/", body="x" * 1000)
        self.assertRaises(ValueError, worker.plex_request, path="/", query={"a": float("nan")})
        self.assertTrue(worker.identity_get())

    def test_what_the_readme_shows_runs(self):
        readme = Path(__file__).parent.parent.joinpath("README.md").read_text(encoding="utf-8")
        programs = [part.partition("```")[0] for part in readme.split("```python\n")[1:]]
        for program in programs:
            ran = subprocess.run(
                [sys.executable, "-c", program], cwd=self.folder, capture_output=True, text=True, timeout=100
            )
            self.assertEqual((ran.returncode, ran.stderr), (0, ""), program)
        self.assertGreater(len(programs), 2)

    def test_a_line_goes_as_it_is_and_its_reply_to_on_message(self):
        said = []
        with self.worker(on_message=said.append) as worker:
            worker.notify("identity.reset", {"device_id": "from-a-notification"})
            worker.send_line('{"method":"identity.get","params":[{}],"id":"x"}')
        self.assertEqual(said[0]["result"]["device_id"], "from-a-notification")


class WithAWorkerThatIsNotAsItShould(Story):
    def test_a_call_that_takes_too_long_is_cancelled(self):
        worker = self.fake()
        with self.assertRaises(TimeoutError) as caught:
            worker.call("silent", timeout=0.05)
        self.assertIsInstance(caught.exception, errors.TimedOut)
        sent = [json.loads(line) for line in worker.call("echo")]
        cancel = {"jsonrpc": "2.0", "method": "$/cancelRequest", "params": {"id": 1}}
        self.assertEqual(sent[1], cancel)

    def test_a_call_whose_progress_fails_is_cancelled(self):
        def fail(progress):
            raise LookupError(progress["done"])

        worker = self.fake()
        pending = worker.begin.call("progress", on_progress=fail)
        self.assertRaises(LookupError, pending.result)
        self.assertEqual(worker.call("echo")[-1][:8], '{"jsonrp')

    def test_progress_of_another_is_a_message(self):
        said, told = [], []
        worker = self.fake(on_message=said.append)
        self.assertEqual(worker.call("progress", on_progress=told.append), "done")
        self.assertEqual([progress["done"] for progress in told], [1, 2])
        self.assertEqual([message["params"]["token"] for message in said], ["another"])

    def test_a_reply_that_cannot_be_read_is_its_call_s_error(self):
        worker = self.fake()
        for method in ("damaged", "both"):
            self.assertRaisesRegex(errors.Unreadable, "unreadable reply", worker.call, method)
        with self.assertRaises(errors.CallError) as caught:
            worker.call("newer")
        self.assertEqual((caught.exception.code, caught.exception.data), (-32099, None))

    def test_what_belongs_to_no_call_harms_none(self):
        worker = self.fake()
        with self.assertLogs("plexsync_worker") as logs:
            self.assertIsNone(worker.call("noise"))
        self.assertNotIn("secret", str(logs.output))

    def test_a_worker_s_end_tells_its_status_and_its_last_words(self):
        worker = self.fake()
        with self.assertLogs("plexsync_worker", "WARNING"):
            with self.assertRaises(errors.WorkerEnded) as caught:
                worker.call("die")
        self.assertEqual(caught.exception.status, 3)
        self.assertIn("last words", str(caught.exception))

    def test_one_that_does_not_end_is_terminated_then_killed(self):
        with mock.patch.multiple("plexsync_worker._process", DRAIN=0.2, DRAIN_ON_SIGNAL=0.2):
            for kind, status in (("deaf", -signal.SIGKILL), ("slow", -signal.SIGTERM)):
                worker = self.fake(kind)
                worker.call("echo")
                self.assertEqual(worker.close(), status)

    def test_a_client_that_is_dropped_ends_its_worker(self):
        worker = Worker(sys.executable, args=[FAKE], data_dir=self.folder)
        worker.call("echo")
        process = worker._process._popen
        del worker
        self.assertEqual(process.wait(60), 0)

    def test_a_program_that_is_not_there_is_told_with_a_hint(self):
        with self.assertRaises(errors.NotStarted) as caught:
            Worker(self.folder / "none")
        self.assertIn("program", caught.exception.hint)
        self.assertRaises(errors.NotStarted, Worker, FAKE)  # It may not be executed.

    def test_the_module_alone_looks_in_path_and_else_says_what_to_do(self):
        package = Path(plexsync_worker.__file__).parent
        (self.folder / "plexsync_worker").symlink_to(package)
        program = "from plexsync_worker import Worker; print(Worker().pid)"
        env = {"PYTHONPATH": str(self.folder), "PATH": ""}
        for path, expected in (("", "install the wheel"), (str(self.folder / "bin"), "")):
            env["PATH"] = path
            # Without its environment's packages there is no wheel.
            ran = subprocess.run([sys.executable, "-S", "-c", program], env=env, capture_output=True, text=True)
            self.assertIn(expected, ran.stderr)
            self.assertEqual(ran.returncode == 0, not expected)
            (self.folder / "bin").mkdir(exist_ok=True)
            script = self.folder / "bin" / "plexsync-worker"
            script.write_text(f"#!{sys.executable}\n")
            script.chmod(0o755)

    def test_a_call_is_waited_for_longer_than_the_worker_takes(self):
        for method, params, seconds in (
            ("plex.scan", {"wait_ms": 60000}, 95),
            ("plex.scan", {"wait_ms": 60000, "timeout_ms": 1000}, 66),
            ("plex.request", {"timeout_ms": "soon"}, 5),
            ("auth.finish", {}, 65),
            ("identity.get", {}, 35),
        ):
            self.assertEqual(patience(method, params, None), seconds)
        self.assertEqual(patience("plex.scan", {"wait_ms": 60000}, 1.5), 1.5)

    def test_who_does_not_want_asyncio_does_not_wait_for_it(self):
        program = "import sys, plexsync_worker; sys.exit('asyncio' in sys.modules)"
        self.assertEqual(subprocess.run([sys.executable, "-c", program]).returncode, 0)

    def test_errors_can_be_sent_to_another_process(self):
        for error in (
            errors.NotConfigured("no server", {"missing": "server"}),
            errors.CallError("new", None, -32099),
            errors.WorkerEnded(-9, "WARN last words"),
            errors.NotStarted("no program", "install it"),
            errors.TimedOut("no reply in time"),
        ):
            copy = pickle.loads(pickle.dumps(error))
            self.assertEqual((str(copy), copy.hint, vars(copy)), (str(error), error.hint, vars(error)))


if __name__ == "__main__":
    unittest.main()
