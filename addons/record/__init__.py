"""Turns mitmproxy's events into lines: uploads and gaps; also decides which clients may connect."""
