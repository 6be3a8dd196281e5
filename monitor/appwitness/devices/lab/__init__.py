"""The embedded default device: a JVM that plays an Android app process."""
