"""Replacements for private parts of mitmproxy and of the libraries below it (asyncio, h11, aioquic), one file for
each."""
