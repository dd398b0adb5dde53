"""The folder of a log: time stamps."""

from __future__ import annotations

import shutil
import sys

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from logdir_asking import codes, fault, notices, verify
from small_log import SmallLog, event, signer, stamp_files, write

from kitei_verify import bundles, rebuild, stamps
from trust.small_authority import SmallAuthority, der, integer, octets, oid, sequence, set_of

# --- time stamps


@pytest.fixture(scope="module")
def authority():
    return SmallAuthority()


def roots_of(authority):
    return x509.load_pem_x509_certificates(authority.root)


def test_time_stamps_are_verified_to_the_authority(tmp_path, rotated, authority):
    rotated.write(tmp_path)
    log = SmallLog(entries=rotated.entries)
    write(tmp_path, stamp_files(log, authority, 4) | stamp_files(log, authority, 256))
    result = verify(tmp_path, tsa_roots=roots_of(authority)).require()
    assert [(one.size, one.checked, one.authority) for one in result.stamps] == [
        (256, True, "CN=Small TSA"),
        (4, True, "CN=Small TSA"),
    ]
    assert result.to_json()["stamps"][0]["at"] == "2026-11-22T03:00:00+00:00"
    result = verify(tmp_path).require()
    assert ("no-authority" in notices(result), result.stamps[0].checked) == (True, False)
    found = fault(verify(tmp_path, tsa_roots=roots_of(SmallAuthority())), "stamp")
    assert found.where == "stamp/256.tsr"


def test_a_time_stamp_is_over_this_head(tmp_path, nine, authority):
    made = stamp_files(nine, authority, 5)
    write(nine.write(tmp_path), made | {"stamp/5.tsr": stamp_files(nine, authority, 6)["stamp/6.tsr"]})
    assert fault(verify(tmp_path), "stamp").where == "stamp/5.tsr"
    refused = SmallAuthority()
    refused.answer.status = 2
    for response in (
        b"",
        b"0",
        b"\x30\x00",
        made["stamp/5.tsr"][:-1],
        made["stamp/5.tsr"] + b"\0",
        refused.stamp(b""),
    ):
        write(tmp_path, made | {"stamp/5.tsr": response})
        assert fault(verify(tmp_path), "format").where == "stamp/5.tsr"


def test_a_stamped_head_is_a_head_of_this_log(tmp_path, nine, authority):
    nine.write(tmp_path)
    other = SmallLog.of(9)
    other.entries[2] = event(77)
    for name, made, code in (
        ("5", stamp_files(other, authority, 5), "root"),
        ("6", stamp_files(nine, authority, 5), "format"),
        ("12", stamp_files(SmallLog.of(12), authority, 12), "beyond"),
        ("5", stamp_files(SmallLog.of(9, key=signer("other")), authority, 5), "root"),
        ("5", stamp_files(SmallLog(entries=nine.entries, key=signer("other")), authority, 5), "signature"),
        ("5", stamp_files(SmallLog(entries=nine.entries, origin="o"), authority, 5), "origin"),
    ):
        pair = list(made.values())
        write(tmp_path, {f"stamp/{name}.note": pair[0], f"stamp/{name}.tsr": pair[1]})
        assert fault(verify(tmp_path), code).where == f"stamp/{name}.note"
        shutil.rmtree(tmp_path / "stamp")


def operated(response, *, certificates=True, signers=1, version=3, signer_version=1, algorithm=None):
    """Return a time stamp response with another outside: nothing of this is signed."""
    status, token = stamps._parts(response)
    kind, wrapped = stamps._parts(token)
    _, digests, content, held, signer_set = stamps._parts(stamps._parts(wrapped)[0])
    signer = stamps._parts(stamps._parts(signer_set)[0])
    signer[0] = integer(signer_version)
    signer[4] = algorithm or signer[4]
    kept = [held] if certificates is True else [der(0xA0, *certificates)] if certificates else []
    signed = [
        integer(version),
        digests,
        content,
        *kept,
        set_of(*[sequence(*signer)] * signers),
    ]
    return sequence(status, sequence(kind, der(0xA0, sequence(*signed))))


def test_what_a_time_stamp_does_not_sign_may_not_vary_either(tmp_path, nine, authority):
    files_ = stamp_files(nine, authority, 5)
    write(nine.write(tmp_path), files_)
    right = files_["stamp/5.tsr"]
    assert operated(right) == right
    sha384 = sequence(oid("1.2.840.10045.4.3.3"))
    for changed in (
        operated(right, signers=0),
        operated(right, version=1),
        operated(right, signer_version=3),
        operated(right, algorithm=sha384),
        operated(right, algorithm=sequence(oid("1.3.101.112"))),
    ):
        write(tmp_path, {"stamp/5.tsr": changed})
        assert fault(verify(tmp_path), "format").where == "stamp/5.tsr"
    others = [one.public_bytes(serialization.Encoding.DER) for one in roots_of(authority)]
    for certificates in ([], others):
        write(tmp_path, {"stamp/5.tsr": operated(right, certificates=certificates)})
        assert [one.authority for one in verify(tmp_path).require().stamps] == ["CN=Small Root"]
        assert fault(verify(tmp_path, tsa_roots=roots_of(authority)), "stamp")


@pytest.mark.parametrize(
    "data", [b"", b"\x30", b"\x30\x01", b"\x30\x00\x00", b"\x30\x82\x01", b"\x30\x84\xff\xff\xff\xff"]
)
def test_der_that_is_none(data):
    with pytest.raises(ValueError, match="DER"):
        stamps._body(data)
    if data != b"\x30\x00\x00":  # which is one value, and the first byte of another
        with pytest.raises(ValueError, match="DER"):
            stamps._parts(der(0x30, data or b"\x00"))


def test_long_and_short_lengths_of_der():
    assert stamps._body(b"\x04\x81\x80" + bytes(128)) == bytes(128)
    assert stamps._parts(sequence(octets(b"a"), octets(bytes(300)))) == [octets(b"a"), octets(bytes(300))]
    assert stamps._parts(sequence()) == []


def test_half_a_time_stamp_is_a_fault(tmp_path, nine, authority):
    made = stamp_files(nine, authority, 5)
    for path in made:
        write(nine.write(tmp_path), {path: made[path]})
        assert fault(verify(tmp_path), "missing").where == next(other for other in made if other != path)
        shutil.rmtree(tmp_path / "stamp")


def test_without_the_package_time_stamps_are_not_checked_and_that_is_said(tmp_path, nine, authority, monkeypatch):
    write(nine.write(tmp_path), stamp_files(nine, authority, 5) | stamp_files(nine, authority, 6))
    monkeypatch.setitem(sys.modules, "rfc3161_client", None)
    result = verify(tmp_path).require()
    assert ([n.code for n in result.notices].count("no-rfc3161"), result.stamps) == (1, [])


def test_a_stamped_head_that_changes_meanwhile_is_a_fault(tmp_path, nine, authority, monkeypatch):
    write(nine.write(tmp_path), stamp_files(nine, authority, 5))
    other = SmallLog.of(9)
    other.entries[2] = event(77)
    real = rebuild.rebuild

    def change(*args, **kwargs):
        write(tmp_path, {"stamp/5.note": other.signed(5)})
        return real(*args, **kwargs)

    monkeypatch.setattr(rebuild, "rebuild", change)
    assert fault(verify(tmp_path), "root").where == "stamp/5.note"


def test_many_wrong_time_stamps_end_at_twenty_faults(tmp_path, authority):
    log = SmallLog.of(40)
    made = stamp_files(log, authority, 5)["stamp/5.tsr"]
    files_ = {f"stamp/{n}.note": log.signed(n) for n in range(1, 40)} | {f"stamp/{n}.tsr": made for n in range(1, 40)}
    write(log.write(tmp_path), files_)
    assert codes(verify(tmp_path)) == ["stamp"] * bundles.MAX_FAULTS
