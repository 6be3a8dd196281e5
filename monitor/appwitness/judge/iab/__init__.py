"""Parses the IAB's consent strings: the Transparency and Consent Framework and the Global Privacy Platform."""
