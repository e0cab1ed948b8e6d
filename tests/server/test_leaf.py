"""The forms that evidence is made of, fixed for good: a change here would break every old log."""

from __future__ import annotations

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from slagboom_server.chain import begin_chain, from_seq, link, to_seq
from slagboom_server.checkpoint import Head, read_checkpoint, write_checkpoint
from slagboom_server.leaf import CANONICAL, digest_context, digest_record

VALUES = (
    1_700_000_000_000,
    1_700_000_000_001,
    1_715_000_000_000,
    bytes(range(16)),
    bytes(range(16, 32)),
    None,
    3,
    2,
    0b101,
    (1 << 60) - 1,
    True,
    False,
    1,
    "BE",
    b"\xc6\x33\x64",
    17,
)
NAMES = ["dsoft", "ab" * 32, "1", "nl", "{}", "Firefox", "Linux", "computer", "https://é.example"]


def test_the_leaf_of_a_record_never_changes() -> None:
    assert len(VALUES) == len(CANONICAL)
    context = digest_context(NAMES)
    leaf = digest_record(b"salt" * 4, VALUES, context)

    assert context.hex() == "e36402b3fad129e426120d592e60a8a983de0be9cd89ca6b4abedfdea90f86ba"
    assert leaf.hex() == "923fa63ccb6e7d213771c6497e52c79410d3d35b889b7f0cdcf7fb9578f9c85d"


def test_names_cannot_run_into_each_other() -> None:
    assert digest_context(["ab", "c"]) != digest_context(["a", "bc"])
    assert digest_context(["a", ""]) != digest_context(["", "a"])


def test_a_chain_never_changes() -> None:
    chain = begin_chain(3, b"u" * 16, 1_700_000_000_000)
    head = link(link(chain.head, b"l" * 32), b"m" * 32)

    assert chain.head.hex() == "9dde988222081e010322d014142578f04f2a82c2ff4a0a35d0a77f6d021890dd"
    assert head.hex() == "e9da64c03fdbe4cc4c8ae7434d7d76745461f7ba0ce410f9b86632353301f8b5"


def test_a_number_tells_chain_and_position() -> None:
    assert (to_seq(0, 1), to_seq(0, 117)) == (1, 117)
    assert from_seq(to_seq(5, 2**36 - 1)) == (5, 2**36 - 1)
    assert to_seq(2**27 - 1, 2**36 - 1) < 2**63


def test_a_checkpoint_never_changes() -> None:
    key = Ed25519PrivateKey.from_private_bytes(b"k" * 32)
    checkpoint = write_checkpoint(
        log=b"u" * 16,
        number=7,
        made_at=1_700_000_000_000,
        time="2023-11-14T22:13:20.000Z",
        previous=b"p" * 32,
        heads=[Head(b"u" * 16, 117, b"h" * 32), Head(b"v" * 16, 1, b"i" * 32)],
        key=key,
        next_key=b"n" * 32,
    )

    assert (
        checkpoint.digest.hex()
        == "30a0f0ffed06ef42c4924351f9aafb3a49d7a8fa7ff8b8cf169ba991437dc1bc"
    )
    assert checkpoint.is_signed()
    assert checkpoint.text.splitlines()[:3] == [
        "Slagboom checkpoint 1",
        f"log {b'u'.hex() * 16}",
        "number 7",
    ]


def test_a_checkpoint_survives_a_mail_and_no_other_change() -> None:
    key = Ed25519PrivateKey.from_private_bytes(b"k" * 32)
    checkpoint = write_checkpoint(
        log=b"u" * 16,
        number=1,
        made_at=0,
        time="1970-01-01T00:00:00.000Z",
        previous=None,
        heads=[Head(b"u" * 16, 117, b"h" * 32)],
        key=key,
    )
    mailed = "\r\n" + checkpoint.text.replace("\n", " \r\n") + "\r\n"

    assert read_checkpoint(mailed) == checkpoint
    assert not read_checkpoint(checkpoint.text.replace(" 117 ", " 116 ")).is_signed()
