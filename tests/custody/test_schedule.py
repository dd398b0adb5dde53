"""Once a day, the newest kept, the only good one never deleted, and a failure is told."""

from __future__ import annotations

import datetime as dt

import pytest

from kitei.custody import make, schedule
from kitei.custody.container import Reader
from kitei.foundation import clock
from kitei.foundation.jobs import queue
from kitei.foundation.jobs.models import Job
from kitei.foundation.text import Message, UserError


@pytest.fixture
def folder(settings, tmp_path, data):
    settings.BACKUP_DIR, settings.BACKUP_AT, settings.BACKUP_KEEP = tmp_path / "控え", dt.time(2, 30), 2
    return settings.BACKUP_DIR


def jst(day, hour, minute=0):
    return dt.datetime(2026, 11, day, hour, minute, tzinfo=clock.TOKYO)


def made_in(folder):
    return sorted(path.name for path in folder.iterdir()) if folder.exists() else []


def run_at(moment):
    with clock.at(moment):
        schedule.plan()
        while queue.run_one():
            pass


def test_once_a_day_after_its_time(folder, sakura):
    run_at(jst(23, 2, 29))
    assert made_in(folder) == []
    for hour in (3, 4, 23):
        run_at(jst(23, hour))
    assert made_in(folder) == ["kitei-20261122T180000Z.kitei-backup"]
    for day in (24, 25):
        run_at(jst(day, 9))
    assert made_in(folder) == ["kitei-20261124T000000Z.kitei-backup", "kitei-20261125T000000Z.kitei-backup"]


def test_nothing_without_a_folder(settings, sakura, data):
    settings.BACKUP_DIR = None
    run_at(jst(23, 9))
    assert not Job.objects.filter(kind=schedule.KIND).exists()
    assert schedule.warnings() == []


def test_a_job_that_runs_again_makes_no_second_file(folder, sakura):
    run_at(jst(23, 9))
    before = made_in(folder)
    with clock.at(jst(23, 10)):
        schedule.run(Job.objects.get(kind=schedule.KIND))
    assert made_in(folder) == before


def test_others_files_stay(folder, sakura):
    folder.mkdir()
    (folder / "手紙.txt").write_text("x")
    (folder / "kitei-20200101T000000Z.kitei-backup.bak").write_text("x")
    for day in (23, 24, 25):
        run_at(jst(day, 9))
    assert len(made_in(folder)) == 4


def test_old_ones_stay_while_the_new_one_is_not_whole(folder, sakura, monkeypatch):
    for day in (23, 24):
        run_at(jst(day, 9))
    through = make.make

    def with_a_fault(**arguments):
        made = through(**arguments)
        made.faults.append(Message("ファイルがない"))
        return made

    monkeypatch.setattr(make, "make", with_a_fault)
    run_at(jst(25, 9))
    assert len(made_in(folder)) == 3


def test_a_new_one_that_cannot_be_read_deletes_nothing(folder, sakura, monkeypatch):
    for day in (23, 24):
        run_at(jst(day, 9))

    def unreadable(self, path):
        raise UserError(Message("壊れている"))

    monkeypatch.setattr(Reader, "__init__", unreadable)
    run_at(jst(25, 9))
    assert len(made_in(folder)) == 3
    with clock.at(jst(25, 10)):
        assert "取れませんでした" in schedule.warnings()[0].render()


def test_doctor_hears_of_a_failure_and_of_silence(folder, sakura, monkeypatch):
    with clock.at(jst(23, 9)):
        assert schedule.warnings() == []
    folder.parent.joinpath("控え").write_text("a file where the folder should be")
    run_at(jst(23, 9))
    with clock.at(jst(23, 10)):
        assert "取れませんでした" in schedule.warnings()[0].render()
    Job.objects.all().delete()
    with clock.at(jst(28, 9)):
        assert "1日半" in schedule.warnings()[0].render()


def test_keys_are_sealed_with_the_phrase_of_the_environment(folder, sakura, monkeypatch):
    monkeypatch.setenv(schedule.PASSPHRASE, "correct-horse-battery")
    run_at(jst(23, 9))
    with Reader(folder / made_in(folder)[0]) as backup:
        assert backup.manifest["keys"]
