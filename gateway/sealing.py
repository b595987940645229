"""Encryption at rest: XChaCha20-Poly1305 (libsodium by way of PyNaCl) under a key in a file that only we can read.

A sealed blob is bound to its place: what was sealed for one row does not open in another. What a row is looked up by,
and must not be told to a reader of the disk, is a keyed hash (BLAKE2b), equal for equal texts and for nobody else.

The key is 32 random octets. It is on disk whole before it is first used, and it is never made anew where something was
sealed under another: a lost key is said, and what is sealed stays as it is.
"""

import hashlib
import os
import stat
from pathlib import Path

from nacl.bindings import (
    crypto_aead_xchacha20poly1305_ietf_decrypt,
    crypto_aead_xchacha20poly1305_ietf_encrypt,
)
from nacl.exceptions import CryptoError

KEY_OCTETS = 32
# 24 octets chosen at random for each seal: so many that two are never the same.
_NONCE_OCTETS = 24
_HASH_OCTETS = 16


class KeyRefused(Exception):
    """The key cannot be used as it is; the text says what to do."""


class SealBroken(Exception):
    """What was to be opened is damaged, was sealed for another place, or under another key."""


class Seal:
    """Seals, opens and hashes under one key."""

    def __init__(self, key: bytes) -> None:
        if len(key) != KEY_OCTETS:
            raise ValueError(f"a key has {KEY_OCTETS} octets")
        # Two uses, two keys: nothing that is learnt of one says anything of the other.
        self._sealing = hashlib.blake2b(key=key, person=b"pulsepost seal", digest_size=KEY_OCTETS).digest()
        self._naming = hashlib.blake2b(key=key, person=b"pulsepost name", digest_size=KEY_OCTETS).digest()

    def seal(self, octets: bytes, place: bytes) -> bytes:
        """Encrypt for one place: nonce, then ciphertext with its tag."""
        nonce = os.urandom(_NONCE_OCTETS)
        return nonce + crypto_aead_xchacha20poly1305_ietf_encrypt(octets, place, nonce, self._sealing)

    def open(self, sealed: bytes, place: bytes) -> bytes:
        """What was sealed for this place. SealBroken."""
        nonce, ciphertext = sealed[:_NONCE_OCTETS], sealed[_NONCE_OCTETS:]
        try:
            return crypto_aead_xchacha20poly1305_ietf_decrypt(ciphertext, place, nonce, self._sealing)
        except (CryptoError, ValueError, TypeError) as error:  # the latter two: too short to be a seal at all
            raise SealBroken(f"what is kept at {place.partition(b'/')[0].decode()} is damaged") from error

    def keyed(self, text: str) -> bytes:
        """16 octets that stand for a text in a lookup."""
        return hashlib.blake2b(text.encode(), key=self._naming, digest_size=_HASH_OCTETS).digest()


def read_key(path: Path) -> bytes:
    """The key. KeyRefused where others can read it, or it is none; FileNotFoundError, PermissionError, OSError."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as file:
        about = os.fstat(descriptor)
        if not stat.S_ISREG(about.st_mode):
            raise KeyRefused(f"{path} is no file; give the path of the key's file as outbox_key_file")
        if about.st_mode & (stat.S_IRWXG | stat.S_IRWXO):
            raise KeyRefused(f"others can read the key {path}; run: chmod 600 {path}")
        key = file.read(KEY_OCTETS + 1)
    if len(key) != KEY_OCTETS:
        raise KeyRefused(f"{path} is not a key of {KEY_OCTETS} octets; put the right file back from where it was kept")
    return key


def make_key(path: Path) -> bytes:
    """A new key, whole on disk when this returns; a kill leaves the file there with all of it, or not at all. OSError.

    FileExistsError where there is one: a key is never written over.
    """
    _make_folder(path.parent)
    key = os.urandom(KEY_OCTETS)
    fresh = path.with_name(f"{path.name}.new")
    fresh.unlink(missing_ok=True)  # of a start that was killed; nothing was sealed under it
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600), "wb") as file:
        file.write(key)
        file.flush()
        os.fsync(file.fileno())
    if path.exists():
        raise FileExistsError(f"{path} exists")
    fresh.rename(path)
    _sync_folder(path.parent)
    return key


def _make_folder(folder: Path) -> None:
    """The folder and those above it that are missing, each on disk in the one that holds it."""
    if folder.is_dir():
        return
    _make_folder(folder.parent)
    folder.mkdir(mode=0o700, exist_ok=True)
    _sync_folder(folder.parent)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
