"""check.py PEER LOG CASE...: what other people's packages say of a log of ours, and of damaged copies of it.

LOG is the folder of an intact log, a CASE one with the files that differ. One line for each case: its name, a tab,
`accepted` or what was refused. Only the peer's hashing, proofs and signatures are believed; this program reads files
and splits lines.
"""

import base64
import struct
import sys
from pathlib import Path
from types import SimpleNamespace


class Files:
    """The files of a case: its own, and behind them those of the intact log."""

    def __init__(self, log, case):
        self.log, self.case = Path(log), Path(case)

    def path(self, path):
        own = self.case / path
        return own if own.exists() else self.log / path

    def read(self, path):
        return self.path(path).read_bytes()

    def proof(self, path, word):
        """`word N`, lines of base64, an empty line and a checkpoint; a .tlog-proof has one more line before."""
        text = self.read(path).decode()
        head, checkpoint = text.removeprefix("c2sp.org/tlog-proof@v1\n").split("\n\n", 1)
        first, *lines = head.split("\n")
        number = int(first.removeprefix(word + " "))
        return number, [base64.b64decode(line, validate=True) for line in lines], checkpoint

    def proofs(self):
        """Every proof with its entry."""
        n = 0
        while self.path(f"{n}.tlog-proof").exists():
            yield self.proof(f"{n}.tlog-proof", "index"), self.read(f"{n}.entry")
            n += 1

    def damages_entries(self):
        return (self.case / "published/tile/entries").exists()

    def entries(self):
        """The entries of all bundles that are there."""
        n = 0
        while True:
            place = f"{n % 1000:03}"
            rest = n // 1000
            while rest:
                place, rest = f"x{rest % 1000:03}/{place}", rest // 1000
            path = f"published/tile/entries/{place}"
            if not self.path(path).exists():
                partial = sorted((self.log / f"{path}.p").glob("*"))
                if not partial:
                    return
                yield from split(self.read(f"{path}.p/{partial[0].name}"))
                return
            yield from split(self.read(path))
            n += 1


def split(bundle):
    at = 0
    while at < len(bundle):
        (length,) = struct.unpack_from(">H", bundle, at)
        entry = bundle[at + 2 : at + 2 + length]
        if len(entry) != length:
            raise ValueError("a bundle ends early")
        yield entry
        at += 2 + length


def stated(checkpoint):
    """Size and root of a checkpoint; pymerkle knows no checkpoints."""
    _, size, root = checkpoint.split("\n")[:3]
    return int(size), base64.b64decode(root, validate=True)


def pymerkle(files, trees={}):
    """The tree over all entries, made anew, its earlier root, and inclusion proofs."""
    from pymerkle import InclusionProof, InmemoryTree, verify_inclusion
    from pymerkle.core import _inclusion_path_layout
    from pymerkle.hasher import MerkleHasher

    old, _, _ = files.proof("consistency", "old")
    which = str(files.case if files.damages_entries() else files.log)
    if which not in trees:
        tree = InmemoryTree(algorithm="sha256")
        for entry in files.entries():
            tree.append_entry(entry)
        trees[which] = tree.get_size(), tree.get_state(), tree.get_state(old)
    size, root = stated(files.read("published/checkpoint").decode())
    old_root = base64.b64decode(files.read("old-root"))
    if trees[which] != (size, root, old_root):
        raise ValueError("the entries lead to another size or root")
    hasher = MerkleHasher("sha256")
    for (index, hashes, checkpoint), entry in files.proofs():
        size, root = stated(checkpoint)
        if not 0 <= index < size:
            raise ValueError("the index is not below the size")
        # pymerkle counts from one, puts the leaf's hash first, and carries the turns of the path, which follow from
        # index and size.
        leaf = hasher.hash_buff(entry)
        rule, _ = _inclusion_path_layout(index + 1, size)
        proof = InclusionProof("sha256", True, size, index + 1, rule, [leaf, *hashes])
        verify_inclusion(leaf, root, proof, index=index + 1, size=size, algorithm="sha256")


def sigstore(files):
    """Checkpoint, signature and inclusion proof, as for an entry of Rekor."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
    from sigstore._internal.merkle import verify_merkle_inclusion
    from sigstore._internal.rekor.checkpoint import SignedCheckpoint, verify_checkpoint
    from sigstore._internal.trust import Keyring
    from sigstore_models.common.v1 import PublicKey, PublicKeyDetails

    _, key_id, key = files.read("key").decode().strip().split("+", 2)
    public = Ed25519PublicKey.from_public_bytes(base64.b64decode(key)[1:])
    der = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    # The model takes base64, as its JSON form has it.
    known = PublicKey(raw_bytes=base64.b64encode(der), key_details=PublicKeyDetails.PKIX_ED25519)
    keyring = Keyring([known])
    for (index, hashes, checkpoint), entry in files.proofs():
        parsed = SignedCheckpoint.from_text(checkpoint).checkpoint
        proof = SimpleNamespace(
            log_index=index,
            tree_size=parsed.log_size,
            root_hash=bytes.fromhex(parsed.log_hash),
            hashes=hashes,
            checkpoint=SimpleNamespace(envelope=checkpoint),
        )
        inner = SimpleNamespace(
            inclusion_proof=proof,
            canonicalized_body=entry,
            log_id=SimpleNamespace(key_id=bytes.fromhex(key_id)),
        )
        logged = SimpleNamespace(_inner=inner)
        verify_checkpoint(keyring, logged)
        if not 0 <= index < parsed.log_size:
            raise ValueError("the index is not below the size")
        verify_merkle_inclusion(logged)


def main():
    peer, log, *cases = sys.argv[1:]
    check = {"pymerkle": pymerkle, "sigstore": sigstore}[peer]
    for case in cases:
        files = Files(log, case)
        try:
            check(files)
            said = "accepted"
        except Exception as error:  # every way of refusing counts as one
            said = f"{type(error).__name__}: {error}".replace("\n", " ")[:200]
        print(f"{files.case.name}\t{said}")


main()
