"""Real kitei processes on data folders of their own."""

from __future__ import annotations

import shutil
import socket

import openpyxl
import pytest

from cli.console import APPOINTMENTS, DEPARTMENTS, MEMBERS, Console


@pytest.fixture
def fresh(tmp_path):
    """A console whose data folder does not exist yet."""
    return Console(tmp_path / "data")


@pytest.fixture
def kitei(tmp_path, initialised):
    """A console after init."""
    shutil.copytree(initialised, tmp_path / "data")
    return Console(tmp_path / "data")


@pytest.fixture
def book(tmp_path):
    """Return a function writing a workbook of (sheet, headers) -> rows and returning its path."""

    def write(sheets, name="台帳.xlsx"):
        workbook = openpyxl.Workbook()
        workbook.remove(workbook.active)
        for (title, headers), rows in sheets.items():
            sheet = workbook.create_sheet(title)
            for row in (headers, *rows):
                sheet.append(list(row))
        path = tmp_path / name
        workbook.save(path)
        return path

    return write


@pytest.fixture
def officers(book):
    """A small company: two departments, three people, one office held."""
    return book(
        {
            DEPARTMENTS: [["001", "開発部", None], ["002", "品質部", "001"]],
            MEMBERS: [
                ["0012", "髙﨑", "花子", "001", "2019/4/1"],
                ["0013", "𠮷田", "次郎", "002", "令和元年10月1日"],
                ["0014", "佐藤", "三郎", "002", "R8.4.1"],
            ],
            APPOINTMENTS: [["N-1", "管理責任者", "0012", 0, "2024/4/1", "代表取締役", "第7条"]],
        }
    )


@pytest.fixture
def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
