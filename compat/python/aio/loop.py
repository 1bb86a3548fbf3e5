"""A loop in a thread, and a way to wait for what runs in it."""

import asyncio
import threading


class Loop:
    def __init__(self):
        self._loop = asyncio.new_event_loop()
        threading.Thread(target=self._loop.run_forever, daemon=True).start()

    def begin(self, work):
        """A future of the coroutine, which runs on."""
        return asyncio.run_coroutine_threadsafe(work, self._loop)

    def wait(self, work, seconds=48):
        """The result of the coroutine."""
        return asyncio.run_coroutine_threadsafe(asyncio.wait_for(work, seconds), self._loop).result()

    def call(self, function, *args, **named):
        """The result of a plain call, made where the loop runs: aiokafka's objects belong there."""

        async def made():
            return function(*args, **named)

        return self.wait(made())
