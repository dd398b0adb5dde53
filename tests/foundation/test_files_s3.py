"""The S3 store by setting: the same files, read back and checked, against a local S3 stand-in."""

from __future__ import annotations

import boto3
import pytest
from django.core.files.storage import storages
from moto import mock_aws

from kitei import settings as product
from kitei.foundation.files import store
from kitei.foundation.text import UserError
from kitei.settings_error import ConfigurationError

pytestmark = [pytest.mark.django_db, pytest.mark.filterwarnings("ignore:datetime.datetime.utcnow:DeprecationWarning")]


@pytest.fixture
def bucket(settings, monkeypatch):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "ap-northeast-1")
    monkeypatch.setenv("KITEI_STORAGE_URL", "s3://kitei-files/sakura")
    with mock_aws():
        client = boto3.client("s3")
        client.create_bucket(Bucket="kitei-files", CreateBucketConfiguration={"LocationConstraint": "ap-northeast-1"})
        settings.STORAGES = {**settings.STORAGES, "files": product._files()}
        yield client
    storages.__dict__.pop("backends", None)


def test_a_file_stands_under_its_digest_and_reads_back(sakura, bucket):
    row = store.put_bytes(organization=sakura, content=b"%PDF-1.7 contract", name="契約書.pdf")
    keys = [entry["Key"] for entry in bucket.list_objects_v2(Bucket="kitei-files")["Contents"]]
    assert keys == [f"sakura/{row.digest[:2]}/{row.digest[2:4]}/{row.digest}"]
    assert store.read(row.digest) == b"%PDF-1.7 contract"


def test_equal_content_is_stored_once(sakura, bucket):
    for name in ("写し1.pdf", "写し2.pdf"):
        store.put_bytes(organization=sakura, content=b"%PDF-1.7 contract", name=name)
    assert bucket.list_objects_v2(Bucket="kitei-files")["KeyCount"] == 1


def test_changed_bytes_are_noticed(sakura, bucket):
    row = store.put_bytes(organization=sakura, content=b"%PDF-1.7 contract", name="契約書.pdf")
    bucket.put_object(
        Bucket="kitei-files", Key=f"sakura/{row.digest[:2]}/{row.digest[2:4]}/{row.digest}", Body=b"other"
    )
    with pytest.raises(UserError, match="一致しません"):
        store.read(row.digest)


def test_lost_bytes_are_said(sakura, bucket):
    with pytest.raises(UserError, match="見つかりません"):
        store.read("0" * 64)


@pytest.mark.parametrize("url", ["http://bucket/x", "s3:///x", "bucket"])
def test_a_wrong_address_is_said_in_one_sentence(monkeypatch, url):
    monkeypatch.setenv("KITEI_STORAGE_URL", url)
    with pytest.raises(ConfigurationError, match="s3://"):
        product._files()
