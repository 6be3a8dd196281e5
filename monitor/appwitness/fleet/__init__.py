"""Many apps on many devices: planning runs, recording them, storing the recordings, and judging each once."""
