#!/usr/bin/env bash
# A class of one's own that is registered with `register_for_auto_class()` has its code copied along by
# `save_pretrained(folder)`, so that others can load it. When that folder is the one in which the code
# lies, which is where a model with code of its own is developed, the copy of a file onto itself raises
# shutil.SameFileError, and nothing is saved: config.json is not written. In any other folder it works.
#
# Seen with transformers 5.24.0, without torch. Exit 0 while that is so, 1 once it has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check transformers==5.24.0
mkdir "$folder/model" "$folder/elsewhere"
cat > "$folder/model/configuration_tiny.py" <<'PY'
from transformers import PretrainedConfig


class TinyConfig(PretrainedConfig):
    model_type = "tiny"
PY
cat > "$folder/save.py" <<'PY'
"""Saves a configuration elsewhere and beside its code; prints what is written then."""
import os
import pathlib
import sys

place = pathlib.Path(sys.argv[1])
sys.path.insert(0, str(place / "model"))
import transformers  # noqa: E402
from configuration_tiny import TinyConfig  # noqa: E402

TinyConfig.register_for_auto_class()


def saved(name):
    """What is raised, and the files that are there after it."""
    try:
        TinyConfig().save_pretrained(place / name)
        raised = "nothing"
    except Exception as error:
        raised = type(error).__name__
    return raised, sorted(each for each in os.listdir(place / name) if each != "__pycache__")


elsewhere, beside = saved("elsewhere"), saved("model")
print("transformers", transformers.__version__)
print("expected: config.json and configuration_tiny.py in either folder")
print(f"seen in another folder: raised {elsewhere[0]}, files {elsewhere[1]}")
print(f"seen beside the code: raised {beside[0]}, files {beside[1]}")
both = ["config.json", "configuration_tiny.py"]
as_described = elsewhere == ("nothing", both) and beside == ("SameFileError", both[1:])
print("as described" if as_described else "CHANGED")
sys.exit(0 if as_described else 1)
PY
HF_HUB_OFFLINE=1 TRANSFORMERS_VERBOSITY=error timeout 120 "$folder/venv/bin/python" "$folder/save.py" "$folder"
