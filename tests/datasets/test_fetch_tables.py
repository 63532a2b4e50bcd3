import os

import numpy as np
import pandas as pd
import pooch
import pytest
import sklearn.datasets
import sklearn.metrics
from modAL.models import ActiveLearner
from sklearn.base import clone
from sklearn.pipeline import make_pipeline
from sklearn.utils import Bunch

from modal_interp import (
    TabularMLPClassifier,
    dami_kmedoids,
    fetch_default,
    fetch_employee,
    fetch_news,
    fetch_telescope,
)
from modal_interp.datasets import _table_files as tables

FETCHERS = [fetch_employee, fetch_telescope, fetch_default, fetch_news]
SOURCES = {
    fetch_employee: tables.EMPLOYEE,
    fetch_telescope: tables.TELESCOPE,
    fetch_default: tables.DEFAULT,
    fetch_news: tables.POPULARITY,
}
# Two labels as the file has them, and what they are called.
LABELS = {
    fetch_employee: (["0", "1"], ["denied", "granted"]),
    fetch_telescope: (["g", "h"], ["gamma", "hadron"]),
    fetch_default: (["0", "1"], ["no", "yes"]),
    fetch_news: (["1400", "1399"], ["popular", "unpopular"]),
}
WIDTHS = {fetch_employee: 9, fetch_telescope: 10, fetch_default: 23, fetch_news: 58}
N_ROWS = {
    fetch_employee: 32_769,
    fetch_telescope: 19_020,
    fetch_default: 30_000,
    fetch_news: 39_644,
}


@pytest.fixture(autouse=True)
def no_data_at_hand(monkeypatch, tmp_path):
    monkeypatch.delenv("MODAL_INTERP_DATA", raising=False)
    monkeypatch.setattr(pooch, "os_cache", lambda name: tmp_path / "cache" / name)


@pytest.fixture(autouse=True)
def no_network(monkeypatch):
    def fetch_openml(**kwargs):
        raise ConnectionError("no route to the publisher")

    monkeypatch.setattr(sklearn.datasets, "fetch_openml", fetch_openml)


def rows(fetch, n=6):
    """A table as the ready file has it: small whole numbers, and labels in turn."""
    source = SOURCES[fetch]
    *features, label = source.columns
    numbers = np.arange(n * len(features)).reshape(n, -1) % 7
    frame = pd.DataFrame(numbers, columns=features)
    return frame.assign(**{label: np.resize(LABELS[fetch][0], n)})


def ready_file(fetch, folder, frame=None, file=None):
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / (file or SOURCES[fetch].file)
    (rows(fetch) if frame is None else frame).to_csv(path, index=False)
    return path


@pytest.mark.parametrize("fetch", FETCHERS)
@pytest.mark.parametrize("folder", ["", "tabular"])
def test_files_at_hand_are_read_as_they_are(fetch, folder, tmp_path):
    frame = rows(fetch)
    # What is no feature, and the columns in another order.
    path = ready_file(
        fetch, tmp_path / folder, frame[frame.columns[::-1]].assign(ID=7, url="a,b", timedelta=3)
    )
    bunch = fetch(data_home=tmp_path)
    assert bunch.data.dtype == np.float64
    np.testing.assert_array_equal(bunch.data, frame.to_numpy()[:, :-1].astype(float))
    assert bunch.feature_names == list(frame.columns[:-1])
    assert len(bunch.feature_names) == WIDTHS[fetch]
    assert bunch.target.dtype == np.int64
    assert bunch.target.tolist() == [0, 1] * 3
    assert bunch.target_names == LABELS[fetch][1] == sorted(bunch.target_names)
    assert bunch.filename == str(path)
    for word in ("Publisher", "Terms", "Cite", path.name, f"{bunch.target_names[1]} 3"):
        assert word in bunch.DESCR
    X, y = fetch(data_home=str(tmp_path), return_X_y=True)
    np.testing.assert_array_equal(X, bunch.data)
    assert y.tolist() == bunch.target.tolist()


def test_the_environment_names_the_folder(tmp_path, monkeypatch):
    ready_file(fetch_telescope, tmp_path)
    monkeypatch.setenv("MODAL_INTERP_DATA", str(tmp_path))
    assert len(fetch_telescope().data) == 6


def test_numbers_are_read_to_the_last_digit(tmp_path):
    frame = rows(fetch_telescope)
    numbers = np.random.RandomState(0).standard_normal((6, 10)) * 10.0 ** np.arange(-5, 5)
    frame = pd.DataFrame(numbers, columns=frame.columns[:-1]).assign(**{"class": frame["class"]})
    ready_file(fetch_telescope, tmp_path, frame)
    np.testing.assert_array_equal(fetch_telescope(data_home=tmp_path).data, numbers)


def test_a_part_of_the_news_stands_in_for_the_whole(tmp_path):
    part = "online_news_part_14828.csv.gz"
    ready_file(fetch_news, tmp_path / "tabular", file=part)
    bunch = fetch_news(data_home=tmp_path)
    assert len(bunch.data) == 6
    assert f"6 rows of {part}" in bunch.DESCR
    ready_file(fetch_news, tmp_path, rows(fetch_news, 8))
    assert len(fetch_news(data_home=tmp_path).data) == 8


@pytest.mark.parametrize("fetch", FETCHERS)
@pytest.mark.parametrize("download", [True, False])
def test_missing_and_offline_says_which_file_to_place_where(fetch, download, tmp_path):
    with pytest.raises(OSError, match="Place it at") as raised:
        fetch(data_home=tmp_path, download_if_missing=download)
    message = str(raised.value)
    assert str(tmp_path / SOURCES[fetch].file) in message
    assert "MODAL_INTERP_DATA" in message
    assert "https://www.openml.org/d/" in message
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("fetch", FETCHERS)
def test_what_is_not_a_path_is_refused(fetch):
    with pytest.raises(TypeError, match="data_home must be the path of a folder"):
        fetch(data_home=3)


@pytest.mark.parametrize("fetch", FETCHERS)
def test_foreign_columns_are_named(fetch, tmp_path):
    frame = rows(fetch)
    path = ready_file(fetch, tmp_path, frame.drop(columns=frame.columns[2]))
    with pytest.raises(ValueError, match=f"must have the columns .*without {frame.columns[2]}"):
        fetch(data_home=tmp_path)
    path.write_bytes(b"no gzip")
    with pytest.raises(ValueError, match="must be a gzip CSV"):
        fetch(data_home=tmp_path)


@pytest.mark.parametrize("fetch", FETCHERS)
@pytest.mark.parametrize("cell", ["", "many", "inf", "nan"])
def test_what_is_no_number_is_named(fetch, cell, tmp_path):
    frame = rows(fetch).astype(object)
    frame.iloc[4, 1] = cell
    ready_file(fetch, tmp_path, frame)
    with pytest.raises(ValueError, match=f"column {frame.columns[1]}; found '{cell}'"):
        fetch(data_home=tmp_path)


@pytest.mark.parametrize("fetch", FETCHERS)
def test_foreign_labels_are_named(fetch, tmp_path):
    frame = rows(fetch)
    frame.iloc[3, -1] = "maybe"
    ready_file(fetch, tmp_path, frame)
    with pytest.raises(ValueError, match=f"column {frame.columns[-1]}; found 'maybe'"):
        fetch(data_home=tmp_path)


def published(fetch):
    """The table as OpenML gives it, in names, types and number of rows."""
    frame = rows(fetch, N_ROWS[fetch])
    *features, label = frame.columns
    if fetch is fetch_employee:
        frame = frame.rename(columns={label: "target"}).astype("category")
        frame = frame[["target", *features]]
    elif fetch is fetch_telescope:
        frame = frame.rename(columns=lambda name: f"{name}:")
        frame["class:"] = ("'" + frame["class:"] + "'").astype("category")
    elif fetch is fetch_default:
        frame.iloc[:, :-1] = 0
        frame.iloc[0, :-1] = tables._DEFAULT_TOTALS
        frame.columns = [*(f"x{i}" for i in range(1, 24)), "y"]
        frame["y"] = frame["y"].astype("category")
    else:
        frame.columns = [f" {name}" for name in frame.columns]
        frame[" shares"] = frame[" shares"].astype(float)
        frame.insert(0, "url", "http://a,b")
        frame.insert(1, " timedelta", 7.0)
    target = {fetch_employee: "target", fetch_telescope: "class:", fetch_default: "y"}
    return Bunch(frame=frame, target_names=[target.get(fetch, " shares")])


@pytest.mark.parametrize("fetch", FETCHERS)
def test_downloads_once_and_then_reads_the_file(fetch, tmp_path, monkeypatch):
    asked = []

    def fetch_openml(*, data_id, data_home, as_frame, parser):
        asked.append(data_id)
        return published(fetch)

    monkeypatch.setattr(sklearn.datasets, "fetch_openml", fetch_openml)
    first = fetch(data_home=tmp_path)
    second = fetch(data_home=tmp_path)
    ids = {fetch_employee: 4135, fetch_telescope: 1120, fetch_default: 42477, fetch_news: 4545}
    assert asked == [ids[fetch]]
    assert [file.name for file in tmp_path.iterdir()] == [SOURCES[fetch].file]
    assert first.data.shape == (N_ROWS[fetch], WIDTHS[fetch])
    np.testing.assert_array_equal(first.data, second.data)
    np.testing.assert_array_equal(first.target, second.target)
    assert first.target[:4].tolist() == [0, 1, 0, 1]
    assert first.feature_names == second.feature_names
    if fetch is not fetch_default:
        np.testing.assert_array_equal(first.data[:6], rows(fetch).to_numpy()[:, :-1].astype(float))


def fewer_rows(frame):
    return frame.iloc[:-1]


def a_column_less(frame):
    return frame.drop(columns=frame.columns[-3])


def other_names(frame):
    last = frame.columns[-1]
    return frame.rename(columns={name: f"v_{name}" for name in frame.columns if name != last})


def swapped(frame):
    first, second = frame.columns[2:4]
    return frame.rename(columns={first: second, second: f"{first} too"})


def a_gap(frame):
    frame = frame.copy()
    frame[frame.columns[5]] = frame[frame.columns[5]].astype(float)
    frame.iloc[7, 5] = np.nan
    return frame


@pytest.mark.parametrize("fetch", FETCHERS)
@pytest.mark.parametrize("spoil", [fewer_rows, a_column_less, other_names, swapped, a_gap])
def test_another_table_is_not_stored(fetch, spoil, tmp_path, monkeypatch):
    found = published(fetch)
    if fetch is fetch_default:
        # Any names will do there, but not another order.
        order = list(found.frame.columns)
        if spoil in (other_names, swapped):
            order[11], order[12] = order[12], order[11]
        found.frame = found.frame[order]
    if fetch is fetch_employee:
        found.frame = found.frame[[*found.frame.columns[1:], "target"]]
    found.frame = spoil(found.frame)
    monkeypatch.setattr(sklearn.datasets, "fetch_openml", lambda **kwargs: found)
    with pytest.raises(OSError, match="its download failed"):
        fetch(data_home=tmp_path)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("label", ["maybe", None, "0.5"])
def test_other_labels_are_not_stored(label, tmp_path, monkeypatch):
    for fetch in FETCHERS:
        found = published(fetch)
        target = found.frame[found.target_names[0]].astype(object)
        target.iloc[3] = label
        found.frame[found.target_names[0]] = target
        monkeypatch.setattr(sklearn.datasets, "fetch_openml", lambda found=found, **kwargs: found)
        if (fetch, label) != (fetch_news, "0.5"):
            with pytest.raises(OSError, match="its download failed"):
                fetch(data_home=tmp_path)
            assert not list(tmp_path.iterdir())


def test_a_table_without_a_target_is_refused(tmp_path, monkeypatch):
    found = published(fetch_default)
    found.target_names = []
    monkeypatch.setattr(sklearn.datasets, "fetch_openml", lambda **kwargs: found)
    with pytest.raises(OSError, match=r"expected a column default\.payment\.next\.month or one"):
        fetch_default(data_home=tmp_path)


def test_a_name_or_two_may_differ_where_the_others_stand_in_their_places(tmp_path, monkeypatch):
    found = published(fetch_news)
    found.frame = found.frame.rename(columns={" self_reference_avg_sharess": "average"})
    monkeypatch.setattr(sklearn.datasets, "fetch_openml", lambda **kwargs: found)
    np.testing.assert_array_equal(
        fetch_news(data_home=tmp_path).data[:6], rows(fetch_news).to_numpy()[:, :-1].astype(float)
    )


@pytest.fixture
def ready_bunch(request, tmp_path):
    """Some 200 rows with a constant column, few categories, and heavy tails."""
    fetch = request.param
    frame = rows(fetch, 240)
    frame.iloc[:, 0] = 5
    frame.iloc[3, 7] = 10**6
    ready_file(fetch, tmp_path, frame)
    return fetch(data_home=tmp_path)


every_table = pytest.mark.parametrize("ready_bunch", FETCHERS, indirect=True)


@every_table
def test_preprocessing_stands_before_the_net(ready_bunch):
    X, y = ready_bunch.data, ready_bunch.target
    net = make_pipeline(ready_bunch.preprocessing, TabularMLPClassifier(random_state=0))
    net.set_params(tabularmlpclassifier__max_epochs=2).fit(X[:200], y[:200])
    Z = net[0].transform(X)
    assert isinstance(Z, np.ndarray)
    assert np.issubdtype(Z.dtype, np.floating)
    # Categories that no labelled row has, and numbers far outside of what was seen.
    strange = np.vstack([X[200:], X[:1] + 10.0**12, X[:1] - 10.0**12, X[:1] + 0.5])
    unseen = net[0].transform(strange)
    assert np.abs(unseen).max() <= 5
    assert np.isfinite(net.predict_proba(strange)).all()
    # Learned from the rows of fit alone, and the same each time.
    again = clone(ready_bunch.preprocessing).fit(X[:200], y[:200])
    np.testing.assert_array_equal(again.transform(strange), unseen)
    assert not vars(clone(net[0])).keys() & {"categories_", "transformers_", "n_features_in_"}


@every_table
def test_preprocessing_of_the_bunch_is_unfitted(ready_bunch):
    assert not [name for name in vars(ready_bunch.preprocessing) if name.endswith("_")]


@every_table
def test_preprocessing_serves_a_few_rows_in_a_learner(ready_bunch):
    X, y = ready_bunch.data, ready_bunch.target
    net = make_pipeline(
        ready_bunch.preprocessing, TabularMLPClassifier(max_epochs=1, random_state=0)
    )
    learner = ActiveLearner(net, dami_kmedoids, X[:4], y[:4])
    for _ in range(2):
        query, samples = learner.query(X[20:60], n_instances=20)
        assert len(set(query.tolist())) == 20
        learner.teach(samples, y[20:60][query])


@pytest.mark.parametrize("ready_bunch", [fetch_default], indirect=True)
def test_codes_become_columns_of_their_own(ready_bunch):
    X = ready_bunch.data
    Z = ready_bunch.preprocessing.fit_transform(X)
    assert Z.shape[1] == 20 + sum(len(np.unique(X[:, code])) for code in (1, 2, 3))
    np.testing.assert_array_equal(Z[:, 20:].sum(axis=1), 3)
    assert ready_bunch.feature_names[1:4] == ["SEX", "EDUCATION", "MARRIAGE"]


@pytest.mark.parametrize("ready_bunch", [fetch_employee], indirect=True)
def test_rare_ids_share_a_column(ready_bunch):
    X = ready_bunch.data[:, :1] * np.ones((1, 9))
    X[:10], X[10:19] = 8, np.arange(10, 19)[:, None]
    Z = ready_bunch.preprocessing.fit_transform(X)
    assert Z.shape[1] == 9 * 3  # 5, 8, and the nine ids of one row each
    np.testing.assert_array_equal(Z[10], Z[18])
    np.testing.assert_array_equal(ready_bunch.preprocessing.transform(X[:1] + 99)[0], Z[10])


@pytest.mark.skipif("MODAL_INTERP_DATA" not in os.environ, reason="needs the real data sets")
def test_real_files(monkeypatch):
    monkeypatch.undo()
    counts = {fetch: np.bincount(fetch().target).tolist() for fetch in FETCHERS}
    assert counts[fetch_employee] == [1_897, 30_872]
    assert counts[fetch_telescope] == [12_332, 6_688]
    assert counts[fetch_default] == [23_364, 6_636]
    assert sum(counts[fetch_news]) in (39_644, 14_828)
    assert fetch_default().data.sum(axis=0).tolist() == list(tables._DEFAULT_TOTALS)


@pytest.mark.skipif("MODAL_INTERP_DATA" not in os.environ, reason="needs the real data sets")
@pytest.mark.parametrize("fetch", FETCHERS)
def test_real_rows_can_be_learned(fetch, monkeypatch):
    monkeypatch.undo()
    table = fetch()
    picked = np.random.RandomState(0).permutation(len(table.data))[:1_200]
    X, y = table.data[picked], table.target[picked]
    net = make_pipeline(table.preprocessing, TabularMLPClassifier(random_state=0))
    net.fit(X[:400], y[:400])
    assert np.abs(net[0].transform(X)).max() <= 5
    auc = sklearn.metrics.roc_auc_score(y[400:], net.predict_proba(X[400:])[:, 1])
    assert auc > (0.8 if fetch is fetch_telescope else 0.52)
