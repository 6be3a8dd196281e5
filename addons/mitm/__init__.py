"""What replaces private parts of mitmproxy, and of the asyncio, h11 and aioquic below it: one file a part."""
