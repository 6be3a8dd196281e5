"""Turns mitmproxy's events into lines for uploads and gaps; also decides which clients may connect."""
