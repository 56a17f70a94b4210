"""Messages of systems in other languages, and apostrophes that people leave out, are English before any table is asked."""

from __future__ import annotations

import pytest

from xpu_doctor.api import triage
from xpu_doctor.pasted.in_english import in_english
from xpu_doctor.tables.translations import TranslationRow, translations
from xpu_doctor.text.word_index import IndexedText

LOADER = (
    "ImportError: libze_loader.so.1: Kann die Shared-Object-Datei nicht öffnen: Datei oder Verzeichnis nicht gefunden",
    "ImportError: libze_loader.so.1: Ne peut ouvrir le fichier d'objet partagé: Aucun fichier ou dossier de ce type",
    "ImportError: libze_loader.so.1: impossible d'ouvrir le fichier d'objet partagé: Aucun fichier ou dossier de ce type",
    "ImportError: libze_loader.so.1: no se puede abrir el archivo del objeto compartido: No existe el archivo o el directorio",
    "ImportError: libze_loader.so.1: impossibile aprire il file oggetto condiviso: File o directory non esistente",
    "ImportError: libze_loader.so.1: невозможно открыть разделяемый объектный файл: Нет такого файла или каталога",
    "ImportError: libze_loader.so.1: nie można otworzyć pliku obiektu dzielonego: Nie ma takiego pliku ani katalogu",
    "ImportError: libze_loader.so.1: 无法打开共享对象文件: 没有那个文件或目录",
    "ImportError: libze_loader.so.1: 共有オブジェクトファイルを開けません: そのようなファイルやディレクトリはありません",
    "OSError: libze_loader.so.1: in Worten, die keine Tabelle kennt: Datei oder Verzeichnis nicht gefunden",
)


@pytest.mark.parametrize("line", LOADER)
def test_a_library_that_is_missing_in_any_language(line: str) -> None:
    assert [root.code for root in triage(line).root_causes][:1] == ["level-zero-loader-missing"]


@pytest.mark.parametrize("row", translations(), ids=lambda row: row.english[:40])
def test_each_translation_is_read(row: TranslationRow) -> None:
    for said in row.said:
        body = in_english(IndexedText(f"prompt: {said.replace('%s', 'cl.exe')}.")).body
        assert row.english.replace("%s", "cl.exe").strip(". ") in body


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("it doesnt work and I cant see why", "it doesn't work and I can't see why"),
        ("Isnt that odd? They wont load", "Isn't that odd? They won't load"),
        ("the GPU wasnt found", "the GPU wasn't found"),
        ("a dent in the cantilever of /opt/dont/x and cant()", "a dent in the cantilever of /opt/dont/x and cant()"),
    ],
)
def test_apostrophes_that_are_left_out(written: str, meant: str) -> None:
    assert in_english(IndexedText(written)).body == meant


def test_the_node_that_may_not_be_opened() -> None:
    text = "ls: Zugriff auf '/dev/dri/renderD128' nicht möglich: Keine Berechtigung\nArc A750, torch.xpu.is_available() False"
    assert [root.code for root in triage(text).root_causes][:1] == ["device-permission"]


def test_english_stays_as_it_is() -> None:
    text = IndexedText("ls: cannot access '/dev/dri': No such file or directory\nnothing else")
    assert in_english(text) is text


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("openat(/dev/dri/renderD128) = -1 EACCES (Keine Berechtigung)", True),
        ("openat(/dev/dri/renderD128) = -1 EACCES (Permission denied)", False),
        ("it doesnt work on my B580", False),
    ],
)
def test_a_reader_is_told_that_another_language_is_quoted_in_english(line: str, told: bool) -> None:
    assert any("quoted in English" in note for note in triage(line).notes) is told
