"""A real Android device or emulator: found by adb, prepared for a run, observed, and brought back to what it was."""
