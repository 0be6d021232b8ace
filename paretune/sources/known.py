"""What can be fetched by name: where each benchmark is published, and how many questions it has when it is whole."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from paretune.errors import ConfigError
from paretune.fields import nearest

Layout = Literal["spider", "spider-split", "bird", "suite"]


@dataclass(frozen=True, slots=True)
class KnownData:
    """One benchmark by its name.

    layout: how its files are recognised and laid out. folder: below the store's data folder. kinds: the suites it
    serves. questions: rows by split or suite in a whole release. hub: a data set's id; hub_files: patterns of the
    files wanted of it. kaggle: a data set's handle. url: a direct link. page: where a person finds it.
    """

    name: str
    title: str
    layout: Layout
    folder: str
    page: str
    questions: Mapping[str, int]
    kinds: tuple[str, ...] = ()
    hub: str | None = None
    hub_files: tuple[str, ...] = ()
    kaggle: str | None = None
    url: str | None = None
    hashes: Mapping[str, str] = field(default_factory=dict)

    @property
    def origins(self) -> tuple[str, ...]:
        """Where it can be had by name, the preferred origin first."""
        places = {"hub": self.hub, "kaggle": self.kaggle, "url": self.url}
        return tuple(origin for origin, place in places.items() if place)


def _suite(
    name: str, title: str, page: str, questions: Mapping[str, int], **places: str | tuple[str, ...]
) -> KnownData:
    return KnownData(name, title, "suite", name, page, questions, tuple(questions), **places)  # type: ignore[arg-type]  # names are those of the fields


_SPIDER_PAGE = "https://yale-lily.github.io/spider"
_GITHUB = "https://codeload.github.com"

# SHA-256 of question files as released. Spider's dev.json was corrected in June 2020; older copies have other figures.
SPIDER_RELEASES: Mapping[str, str] = {
    "30d64a3fccde493226df79687aed9e4a1c0129525baf44f29c0573d914d758a4": "dev.json of August 2020",
    "89c6ea9a8a5ee1889c52e79dcb8a9bffc76bf4ebf72cc2f876bd74a5992a80db": "train_spider.json of August 2020",
    "148c9b2f95ff29e66984bc581239d2c512a1c89f576b00028c1f69ef605c3cb0": "train_others.json of August 2020",
}

_DATA = (
    KnownData(
        "spider", "Spider 1.0", "spider", "spider", _SPIDER_PAGE,
        {"dev": 1034, "train_spider": 7000, "train_others": 1659},
        hub="premai-io/spider", hub_files=("*.json", "*.sqlite"),
        kaggle="jeromeblanchet/yale-universitys-spider-10-nlp-dataset", hashes=SPIDER_RELEASES,
    ),
    KnownData(
        "spider-dk", "Spider-DK", "spider-split", "spider", "https://github.com/ygan/Spider-DK", {"spider-dk": 535},
        url=f"{_GITHUB}/ygan/Spider-DK/zip/refs/heads/main",
        hashes={"f8590106c56e0850c2e1412179a78fdcf86f02226ab9f81a4c367d1ae8575397": "Spider-DK.json of 2021"},
    ),
    KnownData(
        "spider-syn", "Spider-Syn", "spider-split", "spider", "https://github.com/ygan/Spider-Syn",
        {"spider-syn": 1034},
        url=f"{_GITHUB}/ygan/Spider-Syn/zip/refs/heads/main",
        hashes={"c70b19cd000376d46331dce518c2bc5a672950c9bf2ee6ade7de519e373ee38d": "Spider-Syn's dev.json of 2021"},
    ),
    KnownData(
        "spider-realistic", "Spider-Realistic", "spider-split", "spider", "https://zenodo.org/records/5205322",
        {"spider-realistic": 508}, url="https://zenodo.org/records/5205322/files/spider-realistic.json?download=1",
        hashes={"6d16e1be16eb47909430da083e1e2c29936814f141c31c6de4137a43adbf5ffa": "spider-realistic.json of 2021"},
    ),
    KnownData(
        "bird-mini-dev", "BIRD Mini-Dev", "bird", "bird-mini-dev", "https://github.com/bird-bench/mini_dev",
        {"dev": 500}, url="https://bird-bench.oss-cn-beijing.aliyuncs.com/minidev.zip",
    ),
    _suite(
        "mmlu", "MMLU", "https://github.com/hendrycks/test", {"mmlu": 14042},
        hub="cais/mmlu", hub_files=("all/test-*.parquet", "all/dev-*.parquet"),
        url="https://people.eecs.berkeley.edu/~hendrycks/data.tar",
    ),
    _suite(
        "arc", "ARC", "https://allenai.org/data/arc", {"arc-easy": 2376, "arc-challenge": 1172},
        hub="allenai/ai2_arc", hub_files=("ARC-*/*.parquet",),
        url="https://ai2-public-datasets.s3.amazonaws.com/arc/ARC-V1-Feb2018.zip",
    ),
    _suite(
        "hellaswag", "HellaSwag", "https://github.com/rowanz/hellaswag", {"hellaswag": 10042},
        hub="Rowan/hellaswag", hub_files=("data/*.parquet",),
    ),
    _suite(
        "piqa", "PIQA", "https://yonatanbisk.com/piqa", {"piqa": 1838},
        url="https://storage.googleapis.com/ai2-mosaic/public/physicaliqa/physicaliqa-train-dev.zip",
    ),
    _suite(
        "winogrande", "WinoGrande", "https://winogrande.allenai.org", {"winogrande": 1267},
        hub="allenai/winogrande", hub_files=("winogrande_xl/*.parquet",),
        url="https://storage.googleapis.com/ai2-mosaic/public/winogrande/winogrande_1.1.zip",
    ),
    _suite(
        "openbookqa", "OpenBookQA", "https://allenai.org/data/open-book-qa", {"openbookqa": 500},
        hub="allenai/openbookqa", hub_files=("main/*.parquet",),
        url="https://ai2-public-datasets.s3.amazonaws.com/open-book-qa/OpenBookQA-V1-Sep2018.zip",
    ),
    _suite(
        "truthfulqa", "TruthfulQA", "https://github.com/sylinrl/TruthfulQA", {"truthfulqa-mc1": 817},
        hub="truthfulqa/truthful_qa", hub_files=("multiple_choice/*.parquet",),
    ),
    _suite(
        "commonsense-qa", "CommonsenseQA", "https://www.tau-nlp.org/commonsenseqa", {"commonsense-qa": 1221},
        hub="tau/commonsense_qa", hub_files=("data/*.parquet",),
    ),
    _suite(
        "boolq", "BoolQ", "https://github.com/google-research-datasets/boolean-questions", {"boolq": 3270},
        hub="google/boolq", hub_files=("data/*.parquet",),
    ),
)  # fmt: skip

KNOWN: Mapping[str, KnownData] = {data.name: data for data in _DATA}


def known_data(name: str) -> KnownData:
    """The benchmark of that name, or the one that serves a suite of that kind. Raises ConfigError with the nearest.

    >>> known_data("arc-easy").name
    'arc'
    """
    for data in KNOWN.values():
        if name == data.name or name in data.kinds:
            return data
    raise ConfigError(f"nothing known as {name!r}{nearest(name, sorted(KNOWN))}")
