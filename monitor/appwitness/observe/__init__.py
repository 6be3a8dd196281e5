"""One run: starts device, proxy and agent, and stops them in reverse order."""
