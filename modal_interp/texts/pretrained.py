"""Parts of pretrained models: read where they lie, else downloaded."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

# Of encoders and tokenizers alike, so that one reads what the other gives.
DEFAULT_MODEL = "sentence-transformers/all-MiniLM-L6-v2"
_INSTALL = "pip install 'modal_interp[transformers]'"


def stamp(model: str | Path) -> Any:
    """Return what differs once the files of a model's folder do; None where it is a name."""
    folder = Path(model).expanduser()
    if not folder.is_dir():
        return None
    files = [(file.name, file.stat()) for file in sorted(folder.iterdir()) if file.is_file()]
    return tuple((name, about.st_mtime_ns, about.st_size) for name, about in files)


def import_transformers() -> Any:
    """Return the package transformers, or raise an ImportError that says how to install it."""
    try:
        import transformers
    except ImportError as error:
        raise ImportError(
            f"pretrained encoders need the package transformers, which does not import ({error}). "
            f"Install it: {_INSTALL}"
        ) from error
    return transformers


def local_first(load: Callable[..., Any], model: str, what: str) -> Any:
    """Load a part of a pretrained model without network where it lies here, else download it.

    Raises
    ------
    ValueError
        If there is no such folder, it holds no such part, or nothing can be downloaded.
    """
    folder = Path(model).expanduser()
    if folder.is_dir():
        a_part = f"{'an' if what[0] in 'aeiou' else 'a'} {what}"
        try:
            return load(str(folder), local_files_only=True)
        except Exception as error:  # of many kinds, by what is missing
            raise ValueError(
                f"model={model!r} is a folder without {a_part} that transformers can load: "
                f"{_first_line(error)} A model's folder holds what its save_pretrained and its "
                "tokenizer's wrote: config.json, weights, tokenizer files."
            ) from error
    if folder.is_absolute() or model.startswith((".", "~")):
        raise ValueError(f"model={model!r} must be a folder or a name of a model; it is no folder.")
    try:
        return load(model, local_files_only=True)
    except Exception:  # not here yet
        pass
    try:
        return load(model)
    except Exception as error:
        raise ValueError(
            f"the {what} of model={model!r} is neither here nor to be had: {_first_line(error)} "
            "Without network, pass the folder that holds the model: the one that "
            f"save_pretrained wrote, or that `hf download {model} --local-dir FOLDER` makes where "
            "there is one."
        ) from error


def _first_line(error: Exception) -> str:
    line = next(filter(None, str(error).splitlines()), type(error).__name__).strip()
    return line if line.endswith(".") else f"{line}."
