//! Keys, signatures, envelopes and canonical digests: bytes in, bytes out.
