"""Decoders of compressed data and archives."""
