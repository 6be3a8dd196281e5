"""The embedded default device: a JVM that acts as an Android app process."""
