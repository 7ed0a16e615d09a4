"""The measures tell what they say they tell, on a truth that is scored as if it were a model."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks import measures
from benchmarks.measures import Subject

pytestmark = pytest.mark.shared


@pytest.fixture(scope="module")
def tools(shared_data: Path) -> Any:
    return measures.scorer(shared_data.parent / "tools" / "score_meshes.py")


@pytest.fixture(scope="module")
def subject(shared_data: Path, tools: Any) -> Subject:
    return measures.subject(shared_data / "groundtruth", "armchair", tools)


@pytest.fixture
def facing(shared_data: Path, tools: Any, subject: Subject) -> Any:
    """The truth, upright, turned to the viewer as in the picture."""
    mesh, _ = tools.load_mesh(str(shared_data / "groundtruth" / "armchair.glb"))
    mesh.vertices = mesh.vertices @ tools.rotation(subject.yaw, 0).T
    return mesh


def test_the_truth_is_perfect_as_it_stands(tools: Any, subject: Subject, facing: Any):
    found = measures.measured(facing, subject, tools, None)
    assert min(found["fscore"], found["raw"], found["turned"]) > 0.99
    assert max(found["tilt"], found["lean"]) < 1
    seen, level, below = (
        measures.outline(facing, subject, tools, None, pitch) for pitch in (subject.elevation, 0, -subject.elevation)
    )
    assert seen > 0.85  # not more: the picture has perspective
    assert seen > max(level, below)


def test_leaning_back_changes_the_pose_and_nothing_else(tools: Any, subject: Subject, facing: Any):
    facing.vertices = facing.vertices @ tools.rotation(0, 20).T
    found = measures.measured(facing, subject, tools, None)
    assert found["fscore"] > 0.99
    assert found["tilt"] == pytest.approx(20, abs=1)
    assert found["lean"] == pytest.approx(20, abs=1)
    assert max(found["raw"], found["turned"]) < 0.9
    assert measures.outline(facing, subject, tools, None) > 0.85


def test_a_wrong_yaw_is_mended_by_turning_only(tools: Any, subject: Subject, facing: Any):
    facing.vertices = 3 * facing.vertices @ tools.rotation(15, 0).T + np.array([1, 2, 3])
    found = measures.measured(facing, subject, tools, None)
    assert found["turned"] > 0.99
    assert found["raw"] < 0.9


def test_what_was_measured_is_remembered(tools: Any, subject: Subject, facing: Any, tmp_path: Path):
    first = measures.outline(facing, subject, tools, tmp_path, 10)
    tools_gone = None
    assert measures.outline(facing, subject, tools_gone, tmp_path, 10) == first
    facing.vertices[0] += 0.1
    with pytest.raises(AttributeError):
        measures.outline(facing, subject, tools_gone, tmp_path, 10)
