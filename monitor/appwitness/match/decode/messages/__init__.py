"""Decoders of binary messages and files: protobuf, MessagePack, CBOR, BSON, Avro, Thrift, SQLite, EXIF."""
