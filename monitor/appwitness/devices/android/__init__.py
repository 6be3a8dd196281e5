"""A real Android device or emulator: found with adb, prepared for a run, observed, and restored afterwards."""
