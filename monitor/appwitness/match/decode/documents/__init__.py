"""Decoders of documents: JSON, forms, property lists, vCards, mail."""
