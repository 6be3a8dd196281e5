"""What runs inside mitmproxy: the standard library and mitmproxy only."""
