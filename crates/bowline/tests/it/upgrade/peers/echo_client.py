"""Has what it sends sent back by the server named on the command line."""

import asyncio
import sys

import websockets


async def main(url):
    async with websockets.connect(url, max_size=None) as ws:
        assert (await ws.recv()).startswith("hello")
        for message in ["", "κόσμε", b"", b"\x00\xff", "x" * (1 << 20), bytes(1 << 20)]:
            await ws.send(message)
            assert await ws.recv() == message
        await ws.send(["in ", "three ", "fragments"])
        assert await ws.recv() == "in three fragments"
        await (await ws.ping(b"still there?"))
        await ws.close(3000, "done")
    assert ws.close_code == 3000, ws.close_code
    print("agreed")


asyncio.run(main(sys.argv[1]))
