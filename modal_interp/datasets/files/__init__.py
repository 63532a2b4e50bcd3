"""A file of the user's, read as strings and told how: bytes, text, rows, then labels and features.

`content` unpacks it, `encodings` makes text of bytes, `delimited` and `records` make rows of text,
`reading` puts these together; `labels` and `features` say what the columns mean. Whatever is
decided by looking at the file is told, or refused where the file can be read in two ways.
"""

from modal_interp.datasets.files.features import Features, read_features
from modal_interp.datasets.files.labels import Labels, read_labels
from modal_interp.datasets.files.reading import FileRows, read_rows, summary

__all__ = [
    "Features",
    "FileRows",
    "Labels",
    "read_features",
    "read_labels",
    "read_rows",
    "summary",
]
