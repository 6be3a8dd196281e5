"""Files that a bundle adds to the recording: instructions, and a program that verifies it."""
