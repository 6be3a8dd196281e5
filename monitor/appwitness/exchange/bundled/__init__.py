"""What stands in a bundle beside the recording: instructions, and a program that checks it."""
