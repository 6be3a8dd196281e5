"""Code that runs inside mitmproxy; it imports only the standard library and mitmproxy."""
