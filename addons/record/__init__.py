"""What is recorded: uploads and gaps as lines, from the events of mitmproxy; and whose connections are let in."""
