"""Reads the consent strings of the IAB: the Transparency and Consent Framework, and the Global Privacy Platform."""
