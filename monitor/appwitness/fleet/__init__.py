"""Many apps on many devices: planning runs, making them, storing their recordings, and judging each once."""
