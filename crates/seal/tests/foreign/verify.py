"""Verifies an envelope with securesystemslib, which shares no code with ours.

Reads {"envelope", "keys", "threshold"} from standard input; keys are raw Ed25519 in hexadecimal.
Prints how many keys signed, or that the envelope is refused.
"""

import hashlib
import json
import sys

from securesystemslib.dsse import Envelope
from securesystemslib.exceptions import VerificationError
from securesystemslib.signer import SSlibKey


def key(public):
    keyid = hashlib.sha256(bytes.fromhex(public)).hexdigest()
    return SSlibKey(keyid, "ed25519", "ed25519", {"public": public})


case = json.load(sys.stdin)
try:
    envelope = Envelope.from_dict(case["envelope"])
    signers = envelope.verify([key(public) for public in case["keys"]], case["threshold"])
    print("accepted", len(signers))
except VerificationError:
    print("refused")
