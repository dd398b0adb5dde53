"""Imports, foreign keys, migrations and templates go down only (design §3)."""

from __future__ import annotations

import re
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest
from django.apps import apps
from django.db.migrations.loader import MigrationLoader

from house.floors import GROUND, ROOT, SOURCE, height, height_of_file

TEMPLATE_USE = re.compile(r"""\{%-?\s*(?:extends|include)\s+["']([^"']+)["']""")


def ours():
    return [config for config in apps.get_app_configs() if config.name.startswith("kitei.")]


def upward_keys(models):
    """Return "model.field -> target" for every relation that points up."""
    return [
        f"{model._meta.label}.{field.name} -> {field.remote_field.model._meta.label}"
        for model in models
        for field in model._meta.get_fields(include_hidden=False)
        if getattr(field, "remote_field", None) is not None and not field.auto_created
        if height(model.__module__) < height(field.remote_field.model.__module__)
    ]


def upward_templates(folder, place):
    """Return "template -> template" for every extends or include that points up or to nothing; ``place`` gives heights."""
    files = sorted(path for path in folder.rglob("*") if "templates" in path.parts and path.is_file())
    named = {path.as_posix().rpartition("/templates/")[2]: path for path in files}
    found = []
    for path in files:
        for used in TEMPLATE_USE.findall(path.read_text(encoding="utf-8")):
            if used not in named:
                found.append(f"{path.name} -> {used} (there is none)")
            elif place(path) < place(named[used]):
                found.append(f"{path.name} -> {used}")
    return found


def test_the_import_contracts_hold():
    run = subprocess.run(
        [str(Path(sys.executable).parent / "lint-imports"), "--no-cache"],
        cwd=ROOT,
        env={"PYTHONPATH": str(ROOT / "src"), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr


def test_the_floors_are_read_in_the_right_order():
    assert (
        height("kitei.web.urls")
        > height("kitei.outcomes.regulation.models")
        > height("kitei.outcomes.guidelines.models")
    )
    assert (
        height("kitei.registers.risks.models")
        > height("kitei.registers.documents.models")
        > height("kitei.engine.checks.models")
    )
    assert height("kitei.trust.access.rule") > height("kitei.trust.auditlog.log") > height("kitei.foundation.ui.lists")
    assert height("kitei.foundation.clock") > height("django.db.models") == GROUND


def test_no_foreign_key_points_up():
    models = [model for config in ours() for model in config.get_models(include_auto_created=True)]
    assert len(models) > 20
    assert upward_keys(models) == []


def test_a_lazy_foreign_key_that_points_up_is_found():
    from django.db import models
    from django.test.utils import isolate_apps

    with isolate_apps("kitei.registers.documents", "kitei.registers.people"):

        class Member(models.Model):
            class Meta:
                app_label = "people"

        class Paper(models.Model):
            kept_by = models.ForeignKey("people.Member", on_delete=models.PROTECT)

            class Meta:
                app_label = "documents"

        Member.__module__, Paper.__module__ = "kitei.registers.people.models", "kitei.registers.documents.models"
        assert upward_keys([Member, Paper]) == ["documents.Paper.kept_by -> people.Member"]


def test_migrations_depend_downwards_only():
    rooms = {config.label: config.name for config in apps.get_app_configs()}
    loader = MigrationLoader(None)
    for (label, name), migration in loader.disk_migrations.items():
        for needed, _ in migration.dependencies:
            if needed in rooms and rooms[label].startswith("kitei."):
                assert height(rooms[label]) >= height(rooms[needed]), f"{label}.{name} depends on {needed}"


def test_templates_extend_and_include_downwards_only():
    assert upward_templates(SOURCE, height_of_file) == []


def test_a_template_that_looks_up_is_found(tmp_path):
    for room, text in (
        ("low", '{% extends "high/page.html" %}'),
        ("high", '{% include "low/page.html" %}{% include "x.html" %}'),
    ):
        page = tmp_path / room / "templates" / room / "page.html"
        page.parent.mkdir(parents=True)
        page.write_text(text)
    rank = {"low": 0, "high": 1}
    found = upward_templates(tmp_path, lambda path: rank[path.parent.name])
    assert found == ["page.html -> x.html (there is none)", "page.html -> high/page.html"]


@pytest.mark.parametrize("config", ours(), ids=lambda config: config.label)
def test_every_room_of_the_settings_can_be_placed(config):
    assert height(config.name) > GROUND
    import_module(config.name)
