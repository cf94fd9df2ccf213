"""The client for asyncio: what differs from the one for threads. PLEX_URL names a Plex that never answers `/slow`."""

import asyncio
import json
import os
import signal
import sys
import tempfile
import unittest
from pathlib import Path

from plexsync_worker import AsyncWorker, errors

FAKE = str(Path(__file__).with_name("fake_worker.py"))
LISTING = "/library/sections/1/all"


class Story(unittest.IsolatedAsyncioTestCase):
    async def asyncSetUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def worker(self, **options):
        worker = AsyncWorker(data_dir=self.folder, **options)
        self.addAsyncCleanup(worker.close)
        return worker

    def fake(self, **options):
        return self.worker(program=sys.executable, args=[FAKE], **options)

    async def test_many_tasks_call_while_a_call_waits(self):
        async with self.worker() as worker:
            slow = asyncio.ensure_future(worker.plex_request(path="/slow"))
            identities = await asyncio.gather(*(worker.identity_get() for _ in range(20)))
            self.assertEqual(len({identity["device_id"] for identity in identities}), 1)
            slow.cancel()
        self.assertEqual(await worker.close(), 0)
        with self.assertRaises(errors.Closed):
            await worker.identity_get()

    async def test_a_cancelled_task_cancels_its_call(self):
        worker = self.fake()
        task = asyncio.ensure_future(worker.call("silent"))
        await asyncio.sleep(0)
        await worker.call("echo")
        task.cancel()
        with self.assertRaises(asyncio.CancelledError):
            await task
        sent = [json.loads(line) for line in await worker.call("echo")]
        self.assertEqual([message["method"] for message in sent], ["silent", "echo", "$/cancelRequest", "echo"])
        self.assertEqual(sent[2]["params"]["id"], sent[0]["id"])

    async def test_a_call_that_takes_too_long_is_cancelled(self):
        worker = self.worker()
        with self.assertRaises(errors.TimedOut):
            await worker.plex_request(path="/slow", timeout=0.05)
        with self.assertRaises(asyncio.TimeoutError):
            await asyncio.wait_for(worker.plex_request(path="/slow"), 0.05)
        self.assertTrue(await worker.identity_get())

    async def test_an_error_has_its_class_code_and_data(self):
        with self.assertRaises(errors.InvalidParams) as caught:
            await self.worker().plex_request(path="no-slash")
        self.assertEqual(caught.exception.data["pointer"], "/path")

    async def test_progress_is_told_before_the_result(self):
        told = []
        answer = await self.worker().plex_request(path=LISTING, all_pages=True, on_progress=told.append)
        items = len(answer["body"]["MediaContainer"]["Metadata"])
        self.assertEqual((told[-1]["done"], told[-1]["total"]), (items, items))

    async def test_a_call_whose_progress_fails_has_that_error(self):
        def fail(progress):
            raise LookupError(progress["done"])

        worker = self.fake()
        with self.assertRaises(LookupError):
            await worker.call("progress", on_progress=fail)
        self.assertTrue(await worker.call("echo"))

    async def test_after_kill_9_calls_have_ended_and_the_next_starts_another(self):
        worker = self.worker(restart=True)
        identity, first = await worker.identity_get(), worker.pid
        slow = asyncio.ensure_future(worker.plex_request(path="/slow"))
        await asyncio.sleep(0)
        os.kill(first, signal.SIGKILL)
        with self.assertRaises(errors.WorkerEnded):
            await slow
        self.assertEqual((await worker.identity_get())["device_id"], identity["device_id"])
        self.assertNotEqual(worker.pid, first)


class Loops(unittest.TestCase):
    def test_one_worker_serves_one_loop_after_the_other(self):
        with tempfile.TemporaryDirectory() as folder:
            worker = AsyncWorker(data_dir=folder)
            first, second = (asyncio.run(worker.call("identity.get")) for _ in range(2))
            self.assertEqual(first["device_id"], second["device_id"])
            self.assertEqual(asyncio.run(worker.close()), 0)


if __name__ == "__main__":
    unittest.main()
