"""One run: brings device, proxy and agent up, and takes them down in reverse."""
